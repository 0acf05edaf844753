/** How the nodes of a fabric are started and asked. */

export interface NodeLaunch {
  /** Before the program: what puts it into its place. Empty: nothing. */
  readonly prefix: readonly string[]
  /** Settings as of `start`, over what is in the node's config.toml. */
  readonly args: readonly string[]
  /** Base URLs. */
  readonly api: string
  readonly ca: string
}

/** Where a node listens. */
export interface Listening {
  /** Multiaddrs. */
  readonly p2p: readonly string[]
  /** Whether it tells the others where it listens, private addresses as they are. */
  readonly tellsAddresses: boolean
  /** Multiaddrs of the others, with their peer ids. */
  readonly bootstrap: readonly string[]
  /** This and the following as `host:port`. */
  readonly api: string
  readonly metrics: string
  readonly ca: string
  readonly stoq: string
}

/** A list is given one value at a time: both the program and the maverick take that. */
export function launchOf(prefix: readonly string[], listening: Listening): NodeLaunch {
  const lists = { listen: listening.p2p, bootstrap: listening.bootstrap }
  const args = ['--p2p.private-addresses', String(listening.tellsAddresses)]
  const addresses = Object.entries(lists).flatMap(([name, values]) =>
    values.flatMap((value) => [`--p2p.${name}`, value]),
  )
  args.push(...addresses)
  for (const name of ['api', 'metrics', 'ca', 'stoq'] as const) args.push(`--${name}.listen`, listening[name])
  return { prefix, args, api: `http://${listening.api}`, ca: `https://${listening.ca}` }
}

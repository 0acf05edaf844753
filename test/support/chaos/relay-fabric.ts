/**
 * Links on loopback: for every ordered pair of nodes a TCP relay, which the one dials in place of the other. A node
 * tells nobody where it really listens, so that no connection goes around the relays. QUIC is not spoken here.
 */

import type { NodePorts } from '../../../src/cli/local-network/node-ports.ts'
import type { Fabric, Shape } from './fabric.ts'
import { type Direction, type LinkRelay, linkRelay } from './link-relay.ts'
import { launchOf, type NodeLaunch } from './node-launch.ts'

interface Link {
  readonly from: number
  readonly to: number
  readonly relay: LinkRelay
}

export class RelayFabric implements Fabric {
  readonly kind = 'relays'
  readonly launches: readonly NodeLaunch[]
  readonly #directions: readonly (readonly Direction[])[]
  readonly #links: readonly Link[]

  private constructor(
    launches: readonly NodeLaunch[],
    directions: readonly (readonly Direction[])[],
    links: readonly Link[],
  ) {
    this.launches = launches
    this.#directions = directions
    this.#links = links
  }

  /** @param peerIds of the nodes with these ports, in the same order */
  static async create(
    ports: readonly NodePorts[],
    peerIds: readonly string[],
    random: () => number,
  ): Promise<RelayFabric> {
    const directions = ports.map(() => ports.map((): Direction => ({ shape: {}, isCut: false })))
    const at = (from: number, to: number): Direction => directions[from]?.[to] ?? { shape: {}, isCut: false }
    const links: Link[] = []
    for (const from of ports.keys()) {
      for (const [to, { p2p }] of ports.entries()) {
        if (from === to) continue
        links.push({ from, to, relay: await linkRelay(p2p, at(from, to), at(to, from), random) })
      }
    }
    const launches = ports.map(({ p2p, api, metrics, ca, stoq }, i) =>
      launchOf([], {
        tellsAddresses: false,
        p2p: [`/ip4/127.0.0.1/tcp/${p2p}`],
        bootstrap: links
          .filter(({ from }) => from === i)
          .map(({ to, relay }) => `/ip4/127.0.0.1/tcp/${relay.port}/p2p/${peerIds[to]}`),
        api: `127.0.0.1:${api}`,
        metrics: `127.0.0.1:${metrics}`,
        ca: `[::1]:${ca}`,
        stoq: `[::1]:${stoq}`,
      }),
    )
    return new RelayFabric(launches, directions, links)
  }

  missing(): null {
    return null
  }

  async cut(from: number, to: number): Promise<void> {
    const direction = this.#directions[from]?.[to]
    if (direction !== undefined) direction.isCut = true
    this.#changed()
  }

  async shape(node: number, shape: Shape): Promise<void> {
    for (const direction of this.#directions[node] ?? []) direction.shape = shape
    this.#changed()
  }

  async reset(node: number): Promise<void> {
    for (const { from, to, relay } of this.#links) if (from === node || to === node) relay.reset()
  }

  async heal(): Promise<void> {
    for (const direction of this.#directions.flat()) {
      direction.shape = {}
      direction.isCut = false
    }
    this.#changed()
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map(({ relay }) => relay.close()))
  }

  #changed(): void {
    for (const { relay } of this.#links) relay.changed()
  }
}

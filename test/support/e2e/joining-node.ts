/** A node that joins as a person would make it: `init` with the genesis file and one multiaddr, on free ports. */

import { join } from 'node:path'
import { nodePorts, p2pAddresses } from '../../../src/cli/local-network/node-ports.ts'
import { run } from '../cli/processes.ts'
import { freeBasePort } from './local-network.ts'
import { HYPERMESH, NodeProcess } from './node-process.ts'

export interface JoiningNodeOptions {
  readonly home: string
  readonly name: string
  readonly genesisFile: string
  readonly bootstrap: string
  /** The one carrier it listens on. */
  readonly transport: 'tcp' | 'quic'
  /** Whether it is going to be a validator. */
  readonly isValidator?: boolean
  /** More of the command line of `start`. */
  readonly args?: readonly string[]
}

export async function joiningNode(options: JoiningNodeOptions): Promise<NodeProcess> {
  const { home, name, genesisFile, bootstrap, transport } = options
  const folder = join(home, name)
  const args = ['init', '--genesis', genesisFile, '--bootstrap', bootstrap, '--data', folder]
  if (options.isValidator === true) args.push('--validator')
  const { code, stderr } = await run([...HYPERMESH, ...args]).ended
  if (code !== 0) throw new Error(`init ended with ${code}: ${stderr}`)
  const ports = nodePorts(await freeBasePort(1), 0)
  const listen = p2pAddresses(ports).find((address) => address.includes('/quic') === (transport === 'quic'))
  return new NodeProcess({
    name,
    folder,
    api: `http://127.0.0.1:${ports.api}`,
    ca: `https://[::1]:${ports.ca}`,
    args: [
      ...['--p2p.listen', listen ?? ''],
      ...['--api.listen', `127.0.0.1:${ports.api}`],
      ...['--metrics.listen', `127.0.0.1:${ports.metrics}`],
      ...['--ca.listen', `[::1]:${ports.ca}`],
      ...['--stoq.listen', `[::1]:${ports.stoq}`],
      ...(options.args ?? []),
    ],
  })
}

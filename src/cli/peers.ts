/** `peers`: whom a node is connected to, one line each. */

import type { Command } from 'commander'
import type { PeerView } from '../rpc/http/api-ports.ts'
import { type ApiOptions, addApiOptions, askApi } from './api-client.ts'
import { columns, print, printJson } from './print.ts'

export function peerLines(peers: readonly PeerView[]): string[] {
  const rows = peers.map((peer) => [
    peer.peerId,
    peer.direction,
    peer.transport,
    peer.rttMs === null ? '-' : `${peer.rttMs.toFixed(1)} ms`,
    peer.validatorIndex === null ? '-' : `validator ${peer.validatorIndex}`,
    peer.address,
  ])
  return columns([['peer id', 'direction', 'over', 'round trip', 'who', 'address'], ...rows])
}

export function registerPeersCommand(program: Command): void {
  const command = program.command('peers').description("list a node's peers")
  addApiOptions(command)
    .addHelpText('after', '\nExample:\n  $ hypermesh peers --api http://127.0.0.1:9441')
    .action(async (options: ApiOptions) => {
      const peers = (await askApi(options, '/v1/peers')) as readonly PeerView[]
      if (options.json === true) printJson(peers)
      else for (const line of peerLines(peers)) print(line)
    })
}

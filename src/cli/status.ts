/** `status`: everything a person asks first about one node, on a few lines. */

import type { Command } from 'commander'
import type { StatusView } from '../rpc/http/api-ports.ts'
import { type ApiOptions, addApiOptions, askApi } from './api-client.ts'
import { print, printJson } from './print.ts'

function ago(unixMs: number, now: number): string {
  const seconds = Math.max(0, (now - unixMs) / 1_000)
  return seconds < 100 ? `${seconds.toFixed(1)} s ago` : `${Math.round(seconds / 60)} min ago`
}

function uptime(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor(seconds / 3_600) % 24
  const minutes = Math.floor(seconds / 60) % 60
  return days > 0
    ? `${days}d ${hours}h`
    : hours > 0
      ? `${hours}h ${minutes}m`
      : `${minutes}m ${Math.floor(seconds % 60)}s`
}

function withoutVote({ seat }: StatusView['node']): string {
  return seat === null ? 'no validator' : `its key is that of validator ${seat}, and has signed nothing yet`
}

/** @param now Unix milliseconds */
export function statusLines(status: StatusView, now: number): string[] {
  const { node, leader, mempool } = status
  // On a network that is mined nobody leads, votes or makes anything final.
  const isMinedOnly = leader === null
  const role =
    node.role === 'validator'
      ? `validator ${node.validatorIndex} of ${status.validators}`
      : node.seat !== null
        ? `validator ${node.seat} of ${status.validators}, listening before it signs`
        : isMinedOnly && status.mined?.isMining === true
          ? 'miner'
          : 'follower'
  const height = status.final.height
  const behind =
    status.targetHeight !== null && status.targetHeight > height ? ` of ${status.targetHeight}` : ''
  return [
    `hypermesh ${status.version} · ${status.network} · ${role} · up ${uptime(node.uptimeSeconds)}`,
    `  ready     ${status.ready ? 'yes' : `no: ${status.notReadyBecause.join('; ')}`}`,
    ...(status.mined === undefined
      ? []
      : [
          `  mined     height ${status.mined.height} ${ago(status.mined.time, now)}, settled to ` +
            `${status.mined.settledHeight}, ${status.mined.isMining ? 'mining' : 'following'}; none of it is final`,
        ]),
    ...(isMinedOnly
      ? []
      : [
          `  chain     height ${height}${behind} ${height === 0 ? '(genesis)' : `final ${ago(status.final.time, now)}`}, view ${status.view}, ` +
            `leader ${leader.isThisNode ? 'this node' : `validator ${leader.validatorIndex}`}` +
            (status.peers === 0 && status.validators > 1 ? ', as far as it knows' : ''),
          `  voted     ${status.final.voters.length} of ${status.validators} (${status.final.voters.join(', ')})`,
          `  state     ${status.final.stateRoot}` +
            (status.certifiedHeight === null ? '' : ` (certified to height ${status.certifiedHeight})`),
        ]),
    `  peers     ${status.peers}${isMinedOnly ? '' : `, of them ${status.validatorsConnected} validators`}` +
      (status.peers === 1 && status.validators > 2 ? '; without this one it hears nothing' : ''),
    `  waiting   ${mempool.transactions} transactions (${mempool.bytes} bytes)`,
    ...(isMinedOnly ? [] : [`  identity  ${node.validatorId ?? withoutVote(node)}`]),
    `  peer id   ${node.peerId}`,
    ...node.addresses.map((address) => `  address   ${address}`),
    `  genesis   ${status.genesisHash}`,
  ]
}

export function registerStatusCommand(program: Command): void {
  const command = program.command('status').description('show what a node is doing')
  addApiOptions(command)
    .addHelpText('after', '\nExample:\n  $ hypermesh status --data ./net/node-0')
    .action(async (options: ApiOptions) => {
      const status = (await askApi(options, '/v1/status')) as StatusView
      if (options.json === true) printJson(status)
      else for (const line of statusLines(status, Date.now())) print(line)
    })
}

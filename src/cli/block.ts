/** `block`: one block by height or hash, with what was decided in it. */

import type { Command } from 'commander'
import type { BlockView } from '../rpc/http/api-ports.ts'
import { type ApiOptions, addApiOptions, askApi } from './api-client.ts'
import { usageError } from './errors.ts'
import { print, printJson } from './print.ts'

export function blockLines(block: BlockView): string[] {
  const voters =
    block.voters.length === 0 ? '' : ` by ${block.voters.length} validators (${block.voters.join(', ')})`
  return [
    `block ${block.height} · ${block.isFinal ? `final${voters}` : 'not final'}`,
    `  hash              ${block.hash}`,
    `  parent            ${block.parentHash}`,
    `  time              ${new Date(block.time).toISOString()}`,
    `  view              ${block.view}, epoch ${block.epoch}, proposed by validator ${block.proposer}`,
    `  transactions      ${block.transactions.length} (${block.bytes} bytes), root ${block.transactionsRoot}`,
    `  proof commitment  ${block.proofCommitment}`,
    `  notes             ${block.noteCommitmentRoot}`,
    `  nullifiers        ${block.nullifierRoot}`,
    `  state             ${block.stateRoot ?? 'not executed here'} (of the parent: ${block.parentStateRoot})`,
    ...block.transactions.map((transaction) => {
      const { hash, kind, reasons } = transaction
      // Requests alone get a verdict.
      const verdict = transaction.verdict ?? (kind.startsWith('validate-') ? 'not judged' : '')
      const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
      return `  - ${kind} ${hash} ${verdict}${why}`.trimEnd()
    }),
  ]
}

export function registerBlockCommand(program: Command): void {
  const command = program
    .command('block')
    .description('show a block')
    .argument(
      '<height|hash|head|final>',
      'which block: its height, its hash, the newest known, the newest final',
    )
  addApiOptions(command)
    .addHelpText('after', '\nExamples:\n  $ hypermesh block final\n  $ hypermesh block 1 --json')
    .action(async (reference: string, options: ApiOptions) => {
      if (!/^(?:\d{1,16}|[0-9a-fA-F]{64}|head|final)$/.test(reference)) {
        throw usageError(
          `"${reference}" names no block`,
          'give a height, a hash of 64 hex digits, "head" or "final"',
        )
      }
      const block = (await askApi(options, `/v1/blocks/${reference.toLowerCase()}`)) as BlockView
      if (options.json === true) printJson(block)
      else for (const line of blockLines(block)) print(line)
    })
}

/**
 * `checkpoint`: what a network needs when its safety is broken. Shows and checks the checkpoints that validators keep
 * outside of their nodes, names who signed two histories, and makes, signs and checks the restart without them. Files
 * only; asks no node.
 */

import type { Command } from 'commander'
import { amountOption } from './parse-options.ts'
import { print, printJson } from './print.ts'

interface CheckpointOptions {
  readonly genesis?: string
  readonly data?: string
  readonly json?: boolean
  readonly culprits?: string
  readonly out?: string
  readonly signatures?: readonly string[]
  readonly abandonNotes?: bigint
}

async function verify(paths: readonly string[], options: CheckpointOptions): Promise<void> {
  const { checkedCheckpoints } = await import('./recovery.ts')
  const checked = await checkedCheckpoints(paths, options)
  const views = checked.map(({ path, checkpoint, proven, custodian }) => ({
    path,
    height: proven.height,
    blockHash: proven.blockHash,
    stateRoot: checkpoint.stateRoot,
    epoch: checkpoint.header.epoch,
    time: checkpoint.header.timestamp,
    custodian,
    voters: proven.quorum.voters,
    signedStake: `${proven.quorum.signedStake}`,
    totalStake: `${proven.quorum.totalStake}`,
    validators: checkpoint.validators.map(({ id, stake }) => ({ id, stake: `${stake}` })),
  }))
  if (options.json === true) {
    printJson(views)
    return
  }
  for (const of of views) {
    print(`${of.path}: holds`)
    print(`  block      height ${of.height}, ${of.blockHash}, ${new Date(of.time).toISOString()}`)
    print(`  state      ${of.stateRoot}`)
    print(
      `  certified  by ${of.voters} validators of epoch ${of.epoch}: stake ${of.signedStake} of ${of.totalStake}`,
    )
    print(`  custodian  ${of.custodian}`)
    for (const { id, stake } of of.validators) print(`  validator  ${id} ${stake}`)
  }
}

async function culprits(path: string, options: CheckpointOptions): Promise<void> {
  const { checkedFork } = await import('./recovery.ts')
  const { proof, fork } = checkedFork(path, options)
  const named = fork.evidence.length > 0
  if (options.json === true) {
    printJson({
      conflict: fork.conflict,
      first: { view: proof.first.view, height: proof.first.height, blockHash: proof.first.blockHash },
      second: { view: proof.second.view, height: proof.second.height, blockHash: proof.second.blockHash },
      signers: fork.signers.map(({ id, stake }) => ({ id, stake: `${stake}` })),
      isProvenOfEach: named,
    })
    return
  }
  for (const { view, height, blockHash, kind } of [proof.first, proof.second]) {
    print(`${kind} certificate of block ${blockHash}, height ${height}, view ${view}`)
  }
  print(`both signed by stake ${fork.signedStake} of ${fork.totalStake}:`)
  for (const { id, stake } of fork.signers) print(`  ${id} ${stake}`)
  print(
    named
      ? 'each of them signed two contents for one slot: that proves itself'
      : 'the certificates are of two views: they prove the break, and of none of these alone that it is a culprit',
  )
}

async function restart(checkpoint: string, options: CheckpointOptions): Promise<void> {
  const { makeRestart } = await import('./recovery.ts')
  const made = await makeRestart(checkpoint, options)
  if (options.json === true) printJson(made)
  else {
    print(`network ${made.from} ends at height ${made.height}`)
    print(`without   ${made.culprits.join(', ')}`)
    print(`goes on   as ${made.to}, genesis in ${made.genesis}`)
    print(`signature ${made.signature}`)
    print(
      `signed    stake ${made.signedStake} of the remaining ${made.totalStake}: ${made.isDecided ? 'decided' : 'not enough yet'}`,
    )
  }
}

/** Where a command takes the genesis from a file, too. */
const GENESIS_OF_DATA = 'data directory of a node of the network, in place of --genesis'

export function registerCheckpointCommand(program: Command): void {
  const checkpoint = program
    .command('checkpoint')
    .description(
      'check what validators keep outside of their nodes, and restart a network after a safety break',
    )
    .helpCommand(false)
  const verb = (name: string, description: string, example: string, data = GENESIS_OF_DATA): Command =>
    checkpoint
      .command(name)
      .description(description)
      .option('--data <dir>', data)
      .option('--json', 'print as JSON')
      .addHelpText('after', `\nExample:\n  $ hypermesh checkpoint ${example}`)
  verb(
    'verify',
    'show checkpoints, and check them',
    'verify /mnt/a/seed-512-d0d2400dcea5.json --data ./net/node-0',
  )
    .argument('<file...>', 'as validators wrote them')
    .option('--genesis <file>', "the network's genesis.json")
    .action(verify)
  verb(
    'culprits',
    'name who signed two histories',
    'culprits ./net/node-0/fork-proof.json --data ./net/node-0',
  )
    .argument('<proof>', 'the file that a node kept when it stopped')
    .option('--genesis <file>', "the network's genesis.json")
    .action(culprits)
  verb(
    'restart',
    "make the genesis of the network that goes on without the culprits, from this node's own snapshot, and sign it",
    'restart /mnt/a/seed-512-d0d2400dcea5.json --culprits ./fork-proof.json --out ./restart --data ./net/node-0',
    'data directory of the node whose snapshot and key are used (default: the node that is set up here)',
  )
    .argument('<checkpoint>', 'the last one before the break')
    .requiredOption('--culprits <proof>', 'the proof of the break')
    .requiredOption('--out <dir>', 'folder for genesis.json and the signature')
    .option('--signatures <file...>', 'of others, to see whether enough agree')
    .option(
      '--abandon-notes <worth>',
      'give up the shielded money, which a restart loses: what all notes are worth',
      amountOption,
    )
    .action(restart)
}

/** R6: a block with a pre-commit certificate is final, and so are its ancestors, once they are here and checked. */
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import { asHeight, type BlockHash, type UnixMs } from '../types/primitives.ts'
import { applyFinalityCertificate } from './certificate-rules.ts'
import { COMMIT_WINDOW, type StepContext, WINDOW_ABOVE } from './context.ts'
import type { ConsensusInput } from './input.ts'
import { checkDivergence } from './on-commit-vote.ts'
import { ballotsArrived, openBallots } from './open-ballots.ts'
import { noteQuiet } from './view-entry.ts'

export function finalizeDuty(context: StepContext): void {
  for (const certificate of context.state.certificates.pendingFinality) {
    if (context.state.isHalted || context.state.isEpochOver) return
    if (certificate.height <= context.final.header.height) {
      // One of those before it has just become final.
      applyFinalityCertificate(context, certificate)
      continue
    }
    finalize(context, certificate)
  }
}

function finalize(
  context: StepContext,
  certificate: StepContext['state']['certificates']['pendingFinality'][number],
): void {
  const { state } = context
  const path = state.tree.pathTo(certificate.blockHash)
  if (path === null || path.length === 0) {
    checkFork(context, certificate.blockHash)
    return
  }
  if (path.some((block) => state.tree.statusOf(block.hash) === 'invalid')) {
    context.halt('final-block-invalid', { certificate, path: path.map((block) => block.header) })
    return
  }
  // R13: a filler makes the epoch's last block final, and nothing after it.
  const blocks = path.filter(({ header }) => state.epochEnd === null || header.height <= state.epochEnd)
  const fillers = path.slice(blocks.length)
  const last = blocks.at(-1)
  assert(last !== undefined, 'the path is not empty')
  if (!state.tree.isValid(path.at(-1)?.hash ?? last.hash)) return
  const turns = blocks.map(({ header: { view, justify, proposer }, hash }) => ({
    view,
    parentView: justify.view,
    proposer,
    weightless: state.tree.weightlessAfter(hash) ?? undefined,
  }))
  state.tree.advanceRoot(last.hash)
  state.certificates.finalized(certificate, last.header.height, last.header.view)
  state.pacemaker.finalized()
  state.isStarting = false
  state.finalAt = context.now.monotonicMs
  noteQuiet(context)
  state.commitVotes.pruneBelow(last.header.height - COMMIT_WINDOW)
  context.perform({ kind: 'finalize', blocks, fillers, certificate })
  const voters = certificate.signatures.map(({ voter }) => voter)
  for (const turn of turns) state.leaders.final(turn)
  for (const { header, hash, transactions } of blocks) {
    context.report({
      kind: 'block-final',
      height: header.height,
      view: header.view,
      blockHash: hash,
      proposer: header.proposer,
      transactions: transactions.length,
      voters,
    })
  }
  if (context.isAtEpochEnd(last.header.height)) {
    endEpoch(context, last)
    return
  }
  openBallots(context)
  ballotsArrived(context)
}

/** R13: what is left to do in this epoch is to vote over the state after its last block, and to tell others. */
function endEpoch(context: StepContext, last: HashedBlock): void {
  const { state } = context
  state.isEpochOver = true
  for (const timer of ['view', 'propose', 'timeout-repeat', 'fetch'] as const) {
    context.perform({ kind: 'cancel-timer', timer })
  }
  context.report({ kind: 'epoch-over', epoch: state.epoch, height: last.header.height, blockHash: last.hash })
}

/** R6: a certified final block whose chain leads past our last final block contradicts it. */
function checkFork(context: StepContext, hash: BlockHash): void {
  const { state } = context
  if (state.tree.get(hash) === null || state.tree.missingAncestorOf(hash) !== null) return
  if (state.tree.pathTo(hash) !== null) return
  context.halt('accountable-fork', {
    final: context.final.header,
    finality: state.certificates.finality,
    other: state.certificates.pendingFinality,
  })
}

/** R7: the batch is durable; vote over the state it led to, once in every interval of block time. */
export function onBlocksCommitted(
  context: StepContext,
  committed: ConsensusInput & { kind: 'blocks-committed' },
): void {
  const { state } = context
  const { view, height, timestamp, blockHash, stateRoot } = committed
  const isFirst = isFirstOfInterval(timestamp, state.committedTime, state.parameters.certificateIntervalMs)
  state.committedTime = timestamp
  state.committedHeight = height
  state.keptBlocks.committed(height)
  state.committed.set(height, { blockHash, stateRoot })
  state.committed.delete(asHeight(height - COMMIT_WINDOW))
  checkDivergence(context, height)
  if (state.self === null || height <= state.certifiedHeight || state.isHalted) return
  // R13: the state after an epoch names the validators of the next one; it is certified whatever the interval.
  if (!isFirst && !context.isAtEpochEnd(height)) return
  // While catching up: the others certified this long ago, and thousands of signatures would be for nobody.
  if (view < state.view - WINDOW_ABOVE) return
  context.perform({
    kind: 'sign',
    request: { kind: 'commit', epoch: state.epoch, view, height, blockHash, stateRoot },
  })
}

/** A function of the chain alone, so that all validators vote over the same blocks. */
function isFirstOfInterval(time: UnixMs, parentTime: UnixMs, intervalMs: number): boolean {
  return intervalMs === 0 || Math.floor(time / intervalMs) > Math.floor(parentTime / intervalMs)
}

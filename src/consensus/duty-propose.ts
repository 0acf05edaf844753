/** R2: the leader of a view proposes once, on the highest certified block, what it prepares itself (R3). */
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import type { View } from '../types/primitives.ts'
import type { StepContext } from './context.ts'
import type { BuiltBlock, MissingBallots } from './input.ts'
import { type WhyNotPrepared, whyNotPrepare } from './prepare-rules.ts'
import { idleLeftMs } from './view-entry.ts'

/**
 * Blocks that are final and not durable yet, beyond which a leader waits for its disk. In a network one or two;
 * a validator alone would otherwise make blocks without end in a single turn, and write none of them.
 */
const UNCOMMITTED_MAX = 8

export function proposeDuty(context: StepContext): void {
  const { state } = context
  if (!context.isLeader || state.proposalStage !== 'not-started' || !state.safety.mayPropose(state.view))
    return
  if (context.final.header.height - state.committedHeight >= UNCOMMITTED_MAX) return
  if (state.isYielding && isQuorumAlone(context)) return
  const { highQc, highTc } = state.certificates
  if (highQc.view !== state.view - 1 && highTc?.view !== state.view - 1) return
  const parent = state.tree.get(highQc.blockHash)
  if (parent === null || !state.tree.isValid(parent.hash)) return
  const gatheringMs = Math.max(gatheringLeftMs(context, parent), clockLeftMs(context, parent))
  if (gatheringMs >= 1) {
    state.proposalStage = 'gathering'
    context.perform({ kind: 'set-timer', timer: 'propose', view: state.view, delayMs: gatheringMs })
    return
  }
  state.proposalStage = 'building'
  const isAtEpochEnd = context.isAtEpochEnd(parent.header.height)
  const mayBeEmpty = state.isEmptyDue || state.isStarting || state.parameters.heartbeatMs === 0
  context.perform({
    kind: 'build-block',
    view: state.view,
    epoch: state.epoch,
    parent,
    justify: { view: highQc.view, blockHash: highQc.blockHash },
    // R13: after the epoch's last block only fillers, which carry nothing, until that one is final.
    isEmptyAllowed: mayBeEmpty || isAtEpochEnd,
    mayAwaitBallots: !isAtEpochEnd && graceLeftMs(context) >= 1,
    awaitedOpenings: isAtEpochEnd ? 'none' : awaitedOpenings(context),
  })
}

/**
 * Whether our proposal certifies itself, and so lets us lead the next view at once: then the pre-commit vote that was put
 * off comes first, or one turn would make block after block, and none of them final.
 */
function isQuorumAlone({ state }: StepContext): boolean {
  return state.self !== null && state.electorate.stakeOf(state.self) >= state.electorate.quorum
}

/**
 * More than one transaction in the last block says that many are on their way: the next block waits for those that
 * are nearly here, the longer the more there were. One request at a time is never made to wait.
 */
function gatheringLeftMs(context: StepContext, parent: HashedBlock): number {
  const { state } = context
  const orders = parent.transactions.filter(({ transaction }) => transaction.kind !== 'ballots').length
  if (!state.hasWork || orders < 2) return 0
  return state.pacemaker.gatheringUnderLoadMs(orders) - context.since(state.viewEnteredAt)
}

/** A block is later than its parent, and nobody prepares one that is too far ahead of his clock: its leader waits, too. */
function clockLeftMs({ state, now }: StepContext, { header }: HashedBlock): number {
  const aheadMs = header.timestamp + 1 - now.unixMs
  return Math.min(aheadMs - state.parameters.clockSkewMaxMs, state.pacemaker.viewTimeoutMs())
}

/**
 * A QC leaves out whoever is slowest, and so would every block: while ballots are missing that nearly always come a
 * little later, it waits for them that little (spec/commit-reveal.md 5.3). Each block with all of them saves one.
 */
function graceLeftMs(context: StepContext): number {
  const { state } = context
  return state.pacemaker.graceMs() - context.since(state.viewEnteredAt)
}

/**
 * What the parent closed is opened when the parent is final, a vote and an opening later: a block made before that
 * would hold none of it. So a leader that has nothing else for its block waits for finality, then for the openings of a
 * quorum, each as long as transactions are waited for that are not final, and then a moment for the others.
 */
function awaitedOpenings(context: StepContext): 'all' | 'quorum' | 'none' {
  if (openingsLeftMs(context) < 1) return 'none'
  return lateOpeningsLeftMs(context) < 1 ? 'quorum' : 'all'
}

function openingsLeftMs(context: StepContext): number {
  const { state, final } = context
  const { viewEnteredAt, finalAt, pacemaker } = state
  const delayMs = pacemaker.unfinalDelayMs()
  if (state.certificates.highQc.height > final.header.height) return delayMs - context.since(viewEnteredAt)
  // The first block of an epoch, or after a start: nobody sends what was closed before by itself.
  if (finalAt === null) return 0
  return delayMs - Math.min(context.since(finalAt), context.since(viewEnteredAt))
}

function lateOpeningsLeftMs(context: StepContext): number {
  const { openingsLateSince, pacemaker } = context.state
  return pacemaker.gatheringMs() - (openingsLateSince === null ? 0 : context.since(openingsLateSince))
}

/** How much longer a leader waits for what is missing. */
const LEFT_MS: Readonly<Record<MissingBallots, (context: StepContext) => number>> = {
  'ballots-missing': graceLeftMs,
  'openings-missing': openingsLeftMs,
  'openings-late': lateOpeningsLeftMs,
}

/** The block is built, or there was nothing to put into one, or not yet. */
export function onBlockBuilt(
  context: StepContext,
  view: View,
  built: BuiltBlock | MissingBallots | null,
): void {
  const { state } = context
  if (view !== state.view || state.proposalStage !== 'building') return
  if (typeof built === 'string') {
    state.proposalStage = 'awaiting-ballots'
    if (built === 'openings-late') state.openingsLateSince ??= context.now.monotonicMs
    const delayMs = Math.max(1, LEFT_MS[built](context))
    context.perform({ kind: 'set-timer', timer: 'propose', view, delayMs })
    return
  }
  if (built === null) {
    waitForWork(context)
    return
  }
  if (!state.safety.mayPropose(view)) return
  const { block, ballotVotes } = built
  assert(block.header.view === view, 'the built block is of the view it was asked for')
  state.tree.add(block)
  // We executed it while building it.
  state.tree.checked(block.hash, built)
  const { highTc } = state.certificates
  const timeoutCertificate = block.header.justify.view === view - 1 ? null : highTc
  // The proposal is our prepare vote: what we could not vote for is not proposed.
  const refusal = whyNotPrepare(context, block, timeoutCertificate)
  if (refusal !== null) {
    refuseOwn(context, refusal)
    return
  }
  state.proposalStage = 'done'
  state.hasYielded = false
  state.safety.asked('prepare', view)
  context.perform({
    kind: 'sign',
    request: { kind: 'proposal', epoch: state.epoch, view, block, timeoutCertificate, ballotVotes },
  })
}

/** The view goes without a proposal: such a block is not built but when a clock is set back meanwhile. */
function refuseOwn(context: StepContext, refusal: WhyNotPrepared): void {
  const { view } = context.state
  const { reason, detail } =
    refusal === 'not-known-yet' ? { reason: 'invalid-payload' as const, detail: 'not in the tree' } : refusal
  context.report({ kind: 'proposal-refused', view, from: context.leaderOf(view), reason, detail })
}

/** A transaction has come while the leader was waiting for one, or had nothing else to wait with than openings. */
export function resumeProposing({ state }: StepContext): void {
  const { proposalStage: stage } = state
  if (stage === 'waiting-for-work' || stage === 'awaiting-ballots') state.proposalStage = 'not-started'
}

function waitForWork(context: StepContext): void {
  const { state } = context
  state.proposalStage = 'waiting-for-work'
  const isUnfinal = state.tree.hasUnfinalTransactions(state.certificates.highQc.blockHash)
  const idleMs = idleLeftMs(context, context.now.monotonicMs)
  const delayMs = isUnfinal ? state.pacemaker.unfinalDelayMs() : idleMs
  context.perform({ kind: 'set-timer', timer: 'propose', view: state.view, delayMs })
}

/** Asking for what is missing: blocks under certificates or proposals, and certificates under proposals. */
import type { BlockHash, ValidatorIndex } from '../types/primitives.ts'
import { requestCertificates } from './certificate-rules.ts'
import type { StepContext } from './context.ts'

/** Most of what is missing is on its way: proposals and votes race on different channels. */
const FIRST_DELAY_MS = 30
const RETRY_DELAY_MS = 250
/** A chain of more missing blocks than this is fetched by range. */
const SINGLE_FETCH_BLOCKS_MAX = 2

interface Missing {
  readonly blockHash: BlockHash
  readonly from: ValidatorIndex | null
}

/** Arms the fetch timer when something is missing; asks for ranges at once. */
export function fetchDuty(context: StepContext): void {
  const { state } = context
  requestSync(context)
  if (state.isFetchTimerSet || !isAnythingMissing(context)) return
  state.isFetchTimerSet = true
  context.perform({ kind: 'set-timer', timer: 'fetch', view: state.view, delayMs: FIRST_DELAY_MS })
}

/** The delay is over and it is still missing. */
export function requestMissing(context: StepContext): void {
  const { state } = context
  const missing = missingBlocks(context)
  for (const { blockHash, from } of missing) context.perform({ kind: 'fetch-block', blockHash, from })
  const holder = missingJustifyHolder(context)
  if (holder !== null) requestCertificates(context, holder)
  if (missing.length === 0 && holder === null) return
  state.isFetchTimerSet = true
  context.perform({ kind: 'set-timer', timer: 'fetch', view: state.view, delayMs: RETRY_DELAY_MS })
}

function isAnythingMissing(context: StepContext): boolean {
  return missingJustifyHolder(context) !== null || missingBlocks(context).length > 0
}

function missingBlocks(context: StepContext): Missing[] {
  const { state } = context
  const missing = new Map<BlockHash, ValidatorIndex | null>()
  const want = (blockHash: BlockHash, from: ValidatorIndex | null): void => {
    const hash = state.tree.missingAncestorOf(blockHash)
    if (hash !== null && !missing.has(hash)) missing.set(hash, from)
  }
  const { highQc, pendingFinality } = state.certificates
  if (highQc.height > context.final.header.height) want(highQc.blockHash, context.leaderOf(highQc.view))
  const proposal = state.proposals.get(state.view)
  // A block at or below the height after the final one builds on the final block or on nothing we would vote for.
  if (proposal !== undefined && proposal.block.header.height > context.final.header.height + 1) {
    want(proposal.block.header.parentHash, proposal.block.header.proposer)
  }
  for (const certificate of pendingFinality) {
    if (certificate.height - context.final.header.height <= SINGLE_FETCH_BLOCKS_MAX) {
      want(certificate.blockHash, context.leaderOf(certificate.view))
    }
  }
  return [...missing].map(([blockHash, from]) => ({ blockHash, from: from === state.self ? null : from }))
}

/** The proposer of the current view's block, when we lack the certificate its block builds on. */
function missingJustifyHolder(context: StepContext): ValidatorIndex | null {
  const { state } = context
  const proposal = state.proposals.get(state.view)
  if (proposal === undefined || proposal.block.header.proposer === state.self) return null
  const { justify, proposer } = proposal.block.header
  return state.certificates.holds(justify) ? null : proposer
}

/** A certificate shows final blocks far above ours: get the whole range (targets are certificates, never claims). */
function requestSync(context: StepContext): void {
  const { state } = context
  const target = state.certificates.pendingFinality.at(-1)
  if (target === undefined || target.height <= state.syncTarget) return
  if (target.height - context.final.header.height <= SINGLE_FETCH_BLOCKS_MAX) return
  if (state.tree.pathTo(target.blockHash) !== null) return
  state.syncTarget = target.height
  context.perform({ kind: 'sync', target: { height: target.height, blockHash: target.blockHash } })
}

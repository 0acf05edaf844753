/**
 * R3 (b), (e), (f): what a block must be before it is prepared. The same for all: a leader's proposal is its prepare vote,
 * so it proposes nothing that it could not vote for.
 */
import type { HashedBlock } from '../types/block.ts'
import type { TimeoutCertificate } from '../types/certificates.ts'
import type { StepContext } from './context.ts'
import type { ProposalRefusal } from './event.ts'
import { satisfiesLockClause } from './safety.ts'

/** Why a block is not prepared: never, for this reason, or not as long as no more is known. */
export type WhyNotPrepared = { readonly reason: ProposalRefusal; readonly detail: string } | 'not-known-yet'

/**
 * @param timeoutCertificate shown with the block, or the highest that is held here
 * @returns null when nothing stands against it
 */
export function whyNotPrepare(
  { state, now }: StepContext,
  { header, hash }: HashedBlock,
  timeoutCertificate: TimeoutCertificate | null,
): WhyNotPrepared | null {
  // (b) a prepare certificate that we have verified, for the parent
  if (!state.certificates.holds(header.justify)) return 'not-known-yet'
  // (e) the lock clause
  if (!satisfiesLockClause(header.view, header.justify, timeoutCertificate)) {
    return { reason: 'lock-clause', detail: `justify view ${header.justify.view} in view ${header.view}` }
  }
  // (f) known and valid down to the last final block
  const parent = state.tree.get(header.parentHash)
  if (parent === null || !state.tree.isValid(hash)) {
    const isInvalid = state.tree.statusOf(hash) === 'invalid'
    return isInvalid ? { reason: 'invalid-payload', detail: `block ${hash}` } : 'not-known-yet'
  }
  if (header.justify.view !== parent.header.view) {
    return {
      reason: 'malformed-justify',
      detail: `justify view ${header.justify.view}, parent's ${parent.header.view}`,
    }
  }
  const aheadMs = header.timestamp - now.unixMs
  if (aheadMs > state.parameters.clockSkewMaxMs) {
    return { reason: 'time-ahead', detail: `block time is ${aheadMs} ms ahead of our clock` }
  }
  return null
}

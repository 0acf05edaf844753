/** What a validator must remember of its own signatures. One form serves as delta and as snapshot. */
import type { BallotCommit } from './ballots.ts'
import type { QuorumCertificate, TimeoutCertificate } from './certificates.ts'
import type { Timeout, Vote } from './messages.ts'
import { asEpoch, type Epoch, type View } from './primitives.ts'

/**
 * A safety record. Every field that is not null supersedes what earlier records said; `blocks` are added.
 * A snapshot is a record with all fields. S0: durable before anything that depends on it leaves.
 */
export interface SafetyRecord {
  /** Of everything in it. A record of a later epoch supersedes all that earlier epochs left. */
  readonly epoch: Epoch
  /**
   * The proposal of the highest view, as the bytes that were or will be sent. It is a prepare vote besides: the record
   * that brings it brings that one as `prepare`.
   */
  readonly proposal: { readonly view: View; readonly bytes: Uint8Array } | null
  readonly prepare: Vote | null
  readonly preCommit: Vote | null
  readonly timeout: Timeout | null
  /** The lock: prepare certificate of the highest view (R4). */
  readonly highQc: QuorumCertificate | null
  readonly highTc: TimeoutCertificate | null
  /**
   * Canonical bytes of blocks this validator voted for and that may not be final yet: were every validator
   * to stop at once, the block under a lock must still exist somewhere.
   */
  readonly blocks: readonly Uint8Array[]
  /** Commits of this validator's that may still be asked for: what was committed to is never replaced. Added, too. */
  readonly commits: readonly BallotCommit[]
}

/** A record that says nothing; spread it and set what is new. */
export const EMPTY_SAFETY_RECORD: SafetyRecord = {
  epoch: asEpoch(0),
  proposal: null,
  prepare: null,
  preCommit: null,
  timeout: null,
  highQc: null,
  highTc: null,
  blocks: [],
  commits: [],
}

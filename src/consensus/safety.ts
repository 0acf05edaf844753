/**
 * Safety in one place: what this validator has signed, and the numbered predicates that say what it may still
 * sign. Nothing else in the core decides about signing.
 */
import type { BallotCommit, BallotSlot } from '../types/ballots.ts'
import type { CertificateReference } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import type { Timeout, Vote } from '../types/messages.ts'
import type { Epoch, Height, View } from '../types/primitives.ts'
import { asView } from '../types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../types/safety.ts'

const BEFORE_ALL = asView(0)

/** The fold of all safety records, plus the highest view of each kind for which a signature has been asked. */
export class SafetyState {
  readonly #epoch: Epoch
  #proposal: { readonly view: View; readonly bytes: Uint8Array } | null
  #prepare: Vote | null
  #preCommit: Vote | null
  #timeout: Timeout | null
  #askedPrepare: View
  #askedPreCommit: View
  #askedTimeout: View
  #durableHighQcView: View
  #durableHighTcView: View
  /** By slot; the commits of each batch and round. */
  readonly #commits = new Map<string, BallotCommit>()

  /** @param recovered the fold of the durable records; empty for a validator that has never signed */
  constructor(recovered: SafetyRecord) {
    this.#epoch = recovered.epoch
    this.#proposal = recovered.proposal
    this.#prepare = recovered.prepare
    this.#preCommit = recovered.preCommit
    this.#timeout = recovered.timeout
    this.#askedPrepare = recovered.prepare?.view ?? BEFORE_ALL
    this.#askedPreCommit = recovered.preCommit?.view ?? BEFORE_ALL
    this.#askedTimeout = recovered.timeout?.view ?? BEFORE_ALL
    this.#durableHighQcView = recovered.highQc?.view ?? BEFORE_ALL
    this.#durableHighTcView = recovered.highTc?.view ?? BEFORE_ALL
    this.#keep(recovered.commits)
  }

  get lastPrepare(): Vote | null {
    return this.#prepare
  }
  get lastPreCommit(): Vote | null {
    return this.#preCommit
  }
  get lastTimeout(): Timeout | null {
    return this.#timeout
  }

  /** R2: one proposal per view, and none in a view that was given up. It is the leader's prepare vote, so this is R3's. */
  mayPropose(view: View): boolean {
    return this.mayPrepare(view)
  }

  /** R3 (c), (d). */
  mayPrepare(view: View): boolean {
    return view > this.#askedPrepare && view > this.#askedTimeout
  }

  /** R5: `v > lastPrecommit.view` and `v > lastTimeout.view`. */
  mayPreCommit(view: View): boolean {
    return view > this.#askedPreCommit && view > this.#askedTimeout
  }

  /** R8: one timeout per view, views never decrease. */
  mayTimeOut(view: View): boolean {
    return view > this.#askedTimeout
  }

  /** A vote that was asked for before the view was given up must not be sent after (R5, R8). */
  isGivenUp(view: View): boolean {
    return view <= this.#askedTimeout
  }

  /** A signature for this slot is being made: no other content may be signed for it from here on. */
  asked(kind: 'prepare' | 'pre-commit' | 'timeout', view: View): void {
    switch (kind) {
      case 'prepare':
        this.#askedPrepare = view
        return
      case 'pre-commit':
        this.#askedPreCommit = view
        return
      case 'timeout':
        this.#askedTimeout = view
        return
    }
  }

  /**
   * All of it in one record, with the blocks that are not final yet.
   * @param finalHeight commits far below it are forgotten: their slots are closed
   */
  snapshot(
    highQc: QuorumCertificate,
    highTc: TimeoutCertificate | null,
    blocks: readonly Uint8Array[],
    finalHeight: Height,
  ): SafetyRecord {
    for (const [slot, { height }] of this.#commits) {
      if (height < finalHeight - COMMITS_KEPT_HEIGHTS) this.#commits.delete(slot)
    }
    return {
      epoch: this.#epoch,
      proposal: this.#proposal,
      prepare: this.#prepare,
      preCommit: this.#preCommit,
      timeout: this.#timeout,
      highQc,
      highTc,
      blocks,
      commits: [...this.#commits.values()],
    }
  }

  /**
   * The record for something just signed, with whatever of the lock and the view's timeout certificate is not
   * durable yet, so that a restart never finds a signature without what justified it (R4, R11).
   */
  record(
    signed: Partial<
      Pick<SafetyRecord, 'proposal' | 'prepare' | 'preCommit' | 'timeout' | 'blocks' | 'commits'>
    >,
    highQc: QuorumCertificate,
    highTc: TimeoutCertificate | null,
  ): SafetyRecord {
    this.#proposal = signed.proposal ?? this.#proposal
    this.#prepare = signed.prepare ?? this.#prepare
    this.#preCommit = signed.preCommit ?? this.#preCommit
    this.#timeout = signed.timeout ?? this.#timeout
    this.#keep(signed.commits ?? [])
    const isQcNew = highQc.view > this.#durableHighQcView
    const isTcNew = highTc !== null && highTc.view > this.#durableHighTcView
    if (isQcNew) this.#durableHighQcView = highQc.view
    if (isTcNew) this.#durableHighTcView = highTc.view
    return {
      ...EMPTY_SAFETY_RECORD,
      epoch: this.#epoch,
      ...signed,
      highQc: isQcNew ? highQc : null,
      highTc: isTcNew ? highTc : null,
    }
  }

  #keep(commits: readonly BallotCommit[]): void {
    for (const commit of commits) this.#commits.set(slotName(commit), commit)
  }
}

/** More heights than a slot is open through all its rounds (ledger/verdicts/windows.ts). */
const COMMITS_KEPT_HEIGHTS = 256

function slotName({ height, blockHash, round }: BallotSlot): string {
  return `${height}:${round}:${blockHash}`
}

/**
 * Folds records, oldest first, into one. What was signed in an epoch binds in that epoch only, and an epoch that
 * is over is never signed in again: the first record of a later one stands for all before it (R13).
 */
export function foldSafetyRecords(records: Iterable<SafetyRecord>): SafetyRecord {
  let fold: SafetyRecord = EMPTY_SAFETY_RECORD
  let blocks: Uint8Array[] = []
  // A slot may be open across the end of an epoch.
  const commits = new Map<string, BallotCommit>()
  for (const record of records) {
    if (record.epoch < fold.epoch) continue
    if (record.epoch > fold.epoch) {
      fold = { ...EMPTY_SAFETY_RECORD, epoch: record.epoch }
      blocks = []
    }
    fold = {
      epoch: record.epoch,
      proposal: record.proposal ?? fold.proposal,
      prepare: record.prepare ?? fold.prepare,
      preCommit: record.preCommit ?? fold.preCommit,
      timeout: record.timeout ?? fold.timeout,
      highQc: record.highQc ?? fold.highQc,
      highTc: record.highTc ?? fold.highTc,
      blocks: [],
      commits: [],
    }
    blocks.push(...record.blocks)
    for (const commit of record.commits) commits.set(slotName(commit), commit)
  }
  const highest = Math.max(0, ...[...commits.values()].map(({ height }) => height))
  return {
    ...fold,
    blocks,
    commits: [...commits.values()].filter(({ height }) => height >= highest - COMMITS_KEPT_HEIGHTS),
  }
}

/** What a validator must remember of an epoch, out of all that it remembers. */
export function recoveredForEpoch(recovered: SafetyRecord, epoch: Epoch): SafetyRecord {
  return recovered.epoch === epoch ? recovered : { ...EMPTY_SAFETY_RECORD, epoch, commits: recovered.commits }
}

/**
 * R3 (e): the block builds on a certificate of the view before, or a timeout certificate of the view before is
 * shown and the block builds on a certificate at least as high as any its senders reported.
 */
export function satisfiesLockClause(
  view: View,
  justify: CertificateReference,
  timeoutCertificate: TimeoutCertificate | null,
): boolean {
  if (justify.view === view - 1) return true
  if (timeoutCertificate === null || timeoutCertificate.view !== view - 1) return false
  return justify.view >= highestReported(timeoutCertificate)
}

/** max h over the timeouts of a certificate. */
export function highestReported(timeoutCertificate: TimeoutCertificate): View {
  return timeoutCertificate.timeouts.reduce(
    (highest, timeout) => asView(Math.max(highest, timeout.highQcView)),
    BEFORE_ALL,
  )
}

/** R11: the view to go on in after a restart. */
export function restartView(recovered: SafetyRecord, highQcView: View, finalView: View): View {
  const certified = Math.max(highQcView, recovered.highTc?.view ?? 0, finalView) + 1
  // R9 may have moved us to a view we had no certificate for; we have timed it out and must not go back.
  return asView(Math.max(certified, recovered.timeout?.view ?? 0))
}

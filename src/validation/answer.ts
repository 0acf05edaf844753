/**
 * What TrustChain is answered: `ConsensusValidationResult` (spec/stoq.md 3.2) as values, and how it follows from a
 * stored verdict and from nothing else, so that the same question gets the same bytes for ever.
 */
import { fromHex } from '../codec/hex.ts'
import { findingOf } from '../ledger/verdicts/findings.ts'
import { unreachable } from '../types/assert.ts'
import { COMPONENTS, type Component, type Findings, FOUND_INVALID, FOUND_VALID } from '../types/ballots.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import { quorumOf } from '../types/quorum.ts'
import type { SecondsNanos } from '../types/validation-request.ts'
import { PROOF_NAMES, type ProofName, type VerdictRecord } from '../types/verdict.ts'

/** `ConsensusValidationStatus`. */
export type AnswerStatus =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid'; readonly failedProofs: readonly string[]; readonly reason: string }
  | { readonly kind: 'pending'; readonly estimatedCompletion: SecondsNanos }
  | {
      readonly kind: 'error'
      readonly errorCode: AnswerErrorCode
      readonly message: string
      /** After so long it is worth trying again. For headers: the shape of the wire has no place for it. */
      readonly retryAfterMs?: number
    }

/** Why there is no verdict, or no receipt, to answer with (spec/four-proofs.md, "The answer"). */
export type AnswerErrorCode =
  | 'CONSENSUS_NOT_INITIALIZED'
  | 'INVALID_PROOF_FORMAT'
  | 'BYZANTINE_NODE_DETECTED'
  | 'VALIDATION_TIMEOUT'
  | 'INTERNAL_CONSENSUS_ERROR'
  | 'REQUEST_NOT_FOUND'
  | 'RECEIPT_NOT_READY'
  | 'RECEIPT_UNAVAILABLE'
  | RoomErrorCode
  | CarrierErrorCode

/** There is no room for a call now, for this client or for anybody. */
export type RoomErrorCode = 'TOO_MANY_REQUESTS' | 'NODE_BUSY'

/** Why HTTP did not bring a call to the handler. */
export type CarrierErrorCode =
  | 'ROUTE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'

/** `ConsensusValidationResult`, in the order of the wire. */
export interface ValidationAnswer {
  readonly result: AnswerStatus
  /** 32 bytes when Valid, else null. */
  readonly proofHash: Uint8Array | null
  readonly validatorId: string
  readonly validatedAt: SecondsNanos
  readonly metrics: {
    readonly validationTimeUs: bigint
    readonly validatorNodes: number
    /** Agreeing stake by all stake, 0 to 1. */
    readonly confidenceLevel: number
    readonly networkLoad: number
  }
  readonly details: {
    readonly proofResults: {
      readonly spaceProofValid: boolean
      readonly stakeProofValid: boolean
      readonly workProofValid: boolean
      readonly timeProofValid: boolean
    }
    readonly bftStatus: {
      readonly byzantineNodesDetected: number
      readonly faultToleranceMaintained: boolean
      readonly recoveryActionTaken: string | null
    }
    readonly performanceStats: {
      readonly consensusLatencyMs: bigint
      readonly throughputOpsPerSec: number
      readonly networkOverheadBytes: bigint
    }
  }
}

/** The names of the proofs in `failed_proofs`. */
export const WIRE_NAMES: Readonly<Record<ProofName, string>> = {
  space: 'space_proof',
  stake: 'stake_proof',
  work: 'work_proof',
  time: 'time_proof',
}

/** In `failed_proofs` beside the proofs: the ledger bars whoever asks. */
const BARRED_NAME = 'byzantine_node'

/** What a quorum found against a request, by the names of `failed_proofs`. */
export function failedNames(findings: Findings): string[] {
  const isInvalid = (component: Component): boolean => findingOf(findings, component) === FOUND_INVALID
  return [
    ...PROOF_NAMES.filter(isInvalid).map((name) => WIRE_NAMES[name]),
    ...(isInvalid('requester') ? [BARRED_NAME] : []),
  ]
}

/** Milliseconds since the epoch as Rust's `SystemTime`. */
export function systemTimeOf(unixMs: number): SecondsNanos {
  const ms = Math.floor(unixMs)
  return { secs: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 }
}

/**
 * The answer to a request whose verdict is final.
 * @param validatorId name of the node that answers
 */
export function answerOfVerdict(
  { record, figures, failures }: StoredVerdict,
  validatorId: string,
): ValidationAnswer {
  const { status, agreeing, eligibleStake, dissenting } = record
  return {
    result: resultOf(record, failures),
    proofHash: status === 'valid' ? fromHex(record.proofHash) : null,
    validatorId,
    validatedAt: systemTimeOf(record.blockTime),
    metrics: {
      validationTimeUs: figures.validationTimeUs,
      validatorNodes: agreeing.validators,
      confidenceLevel: share(agreeing.stake, eligibleStake),
      networkLoad: figures.networkLoad,
    },
    details: {
      proofResults: proofResults((name) => findingOf(record.findings, name) === FOUND_VALID),
      bftStatus: {
        byzantineNodesDetected: dissenting,
        faultToleranceMaintained: agreeing.stake >= quorumOf(eligibleStake),
        recoveryActionTaken: null,
      },
      performanceStats: {
        consensusLatencyMs: figures.consensusLatencyMs,
        throughputOpsPerSec: figures.throughputPerSecond,
        networkOverheadBytes: figures.networkOverheadBytes,
      },
    },
  }
}

function resultOf(record: VerdictRecord, failures: StoredVerdict['failures']): AnswerStatus {
  switch (record.status) {
    case 'valid':
      return { kind: 'valid' }
    case 'invalid':
      return invalid(record, failures)
    case 'expired': {
      const message = `no quorum of the validators found the same in ${record.round + 1} attempts: ask with a new request`
      return { kind: 'error', errorCode: 'INTERNAL_CONSENSUS_ERROR', message }
    }
    default:
      return unreachable(record.status)
  }
}

/** An answer without a verdict: still in flight, or an error. Every flag is false, every figure zero. */
export function answerWithoutVerdict(
  result: Extract<AnswerStatus, { kind: 'pending' | 'error' }>,
  validatorId: string,
  nowUnixMs: number,
): ValidationAnswer {
  return {
    result,
    proofHash: null,
    validatorId,
    validatedAt: systemTimeOf(nowUnixMs),
    metrics: { validationTimeUs: 0n, validatorNodes: 0, confidenceLevel: 0, networkLoad: 0 },
    details: {
      proofResults: proofResults(() => false),
      bftStatus: { byzantineNodesDetected: 0, faultToleranceMaintained: false, recoveryActionTaken: null },
      performanceStats: { consensusLatencyMs: 0n, throughputOpsPerSec: 0, networkOverheadBytes: 0n },
    },
  }
}

/** What failed of the request as a whole has no proof to name; the reason says what it is about. */
function invalid({ findings }: VerdictRecord, failures: StoredVerdict['failures']): AnswerStatus {
  const found = COMPONENTS.filter((component) => findingOf(findings, component) === FOUND_INVALID)
  return { kind: 'invalid', failedProofs: failedNames(findings), reason: reasonOf(found, failures) }
}

/** The words are this node's own; the verdict is the network's. Where the two differ the words say nothing. */
function reasonOf(found: readonly Component[], failures: StoredVerdict['failures']): string {
  const byOthers = `a quorum of the validators found invalid: ${found.join(', ')}; this node`
  if (failures === null) return `${byOthers} was not there when it was judged, and does not have the reason`
  const isOwn = failures.length > 0 && failures.every(({ subject }) => found.includes(subject))
  // One thing that is missing may be missing for all four.
  return isOwn
    ? [...new Set(failures.map(({ reason }) => reason))].join('; ')
    : `${byOthers} did not find the reason itself`
}

function proofResults(isValid: (name: ProofName) => boolean): ValidationAnswer['details']['proofResults'] {
  return {
    spaceProofValid: isValid('space'),
    stakeProofValid: isValid('stake'),
    workProofValid: isValid('work'),
    timeProofValid: isValid('time'),
  }
}

/** a / b to nine digits, without rounding either to a double first. */
function share(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 1_000_000_000n) / whole) / 1_000_000_000
}

/** What the validation service needs of the rest of the node. Implementations do not import this file. */
import type { Result } from '../types/errors.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { Hex32, RequestKey, TransactionHash } from '../types/primitives.ts'
import type { Receipt, ReceiptStart } from '../types/receipt.ts'
import type { HashedTransaction } from '../types/transaction.ts'
import type { ProofName, VerdictRecord } from '../types/verdict.ts'

/** Verdicts that are final and durable. Synchronous: a look-up stands between every request and its answer. */
export interface VerdictStore {
  /** @param requestIdHash of the same request, where it is known: most requests are new, and it is looked up anyway */
  verdict(requestKey: RequestKey, requestIdHash?: Hex32): StoredVerdict | null
  /** By the hash of the request id, as `VerdictRecord.requestIdHash` has it. */
  verdictById(requestIdHash: Hex32): StoredVerdict | null
  /** The decision on an operation, by the hash of its id: what a receipt can prove, and no answer about a request. */
  decisionById(requestIdHash: Hex32): StoredVerdict | null
  /** Whether the request that used this id first is in the chain and waits for its verdict. */
  isWaiting(requestIdHash: Hex32): boolean
}

/** Takes a request into the network: into the pool, and on to the others. */
export interface Submitter {
  /**
   * @param source who asked, for limits per client; never shown to others
   * @returns `known` when the pool has it already; a refusal when it will not be ordered now: `already-final` when
   *   a final block has it, and its verdict will be told of, `too-large` when no block will ever hold it, else for lack of room
   */
  submit(transaction: HashedTransaction, source: string): Result<'added' | 'known'>
}

/** Tells of verdicts as they become final, after they are durable. */
export interface VerdictFeed {
  /** @returns the function that ends the subscription */
  onVerdicts(listener: (verdicts: readonly StoredVerdict[]) => void): () => void
}

/** Makes receipts of verdicts that are final. */
export interface ReceiptSource {
  /** `not-ready`: it can be made soon; `unavailable`: this node cannot make it. The detail is for the one who asks. */
  make(record: VerdictRecord, start: ReceiptStart): Promise<Result<Receipt, 'not-ready' | 'unavailable'>>
  /** Tells when more can be made than before. @returns the function that ends the subscription */
  onAnchor(listener: () => void): () => void
}

/** Whether a new request can be judged now; `reason` is a sentence for the one who asks. */
export interface Readiness {
  check(): { readonly ready: true } | { readonly ready: false; readonly reason: string }
}

/** Time, and waking up. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  unixMs(): number
  /** Milliseconds of a monotonic clock, with fractions. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`; the returned function prevents it. */
  after(delayMs: number, run: () => void): () => void
}

/** What brought a call here. */
export type Carrier = 'http' | 'stoq' | 'libp2p'

/** What a carrier knows of a call besides what it asks. */
export interface CallContext {
  /** Absent: unknown to the one who calls, and told as `http`. */
  readonly carrier?: Carrier
  /** How long the caller wants to wait, milliseconds; within the service's bounds. Absent: the configured time. */
  readonly deadlineMs?: number
  /** Aborted when the caller is gone: nobody waits any more, and nothing is kept for it. */
  readonly signal?: AbortSignal
}

/** Why a call was refused for lack of room. Closed: they are labels of a metric. */
export const REFUSAL_LIMITS = [
  'rate',
  'client-in-flight',
  'node-in-flight',
  'behind',
  'pool',
  'audit',
] as const
export type RefusalLimit = (typeof REFUSAL_LIMITS)[number]

/** One answered call, for metrics. */
export interface ObservedCall {
  /** `batch`: a batch, or one in it, that could not be read so far as to tell what is asked. */
  readonly kind: 'certificate' | 'four-proof' | 'batch' | 'status'
  /** `refused`: it could not be read. `abandoned`: the caller was gone before the verdict. */
  readonly result: 'valid' | 'invalid' | 'pending' | 'error' | 'refused' | 'abandoned'
  readonly seconds: number
  /** Answered from a verdict that was there when the call came. */
  readonly isRepeat: boolean
  readonly failedProofs: readonly ProofName[]
}

/** Told of every answered call. */
export type ValidationObserver = (call: ObservedCall) => void

/** One validation call with its result, for the audit log. What could not be read has null. */
export interface AuditedCall {
  readonly unixMs: number
  readonly carrier: Carrier
  readonly client: string
  /** `validate_batch`: a batch, or one in it, that could not be read so far as to tell what is asked. */
  readonly method: 'validate_certificate' | 'validate_proofs' | 'validate_batch'
  readonly requestId: string | null
  readonly requestKey: RequestKey | null
  /** Hash of the transaction that holds the request: the same on every carrier. */
  readonly payloadHash: TransactionHash | null
  readonly result: 'Valid' | 'Invalid' | 'Error' | 'Abandoned'
  readonly failedProofs: readonly string[]
  readonly errorCode: string | null
  readonly durationUs: number
}

/** Keeps every validation call for good. Returns at once: nothing waits for a disk. */
export interface AuditTrail {
  record(call: AuditedCall): void
  /** Why no call may be answered now, or null: it cannot be kept, and the operator wants none that is not. */
  refusesBecause(): string | null
}

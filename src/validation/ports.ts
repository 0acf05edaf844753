/** What the validation service needs of the rest of the node. Implementations do not import this file. */
import type { Result } from '../types/errors.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'
import type { Receipt, ReceiptStart } from '../types/receipt.ts'
import type { HashedTransaction } from '../types/transaction.ts'
import type { ProofName, VerdictRecord } from '../types/verdict.ts'

/** Verdicts that are final and durable. Synchronous: a look-up stands between every request and its answer. */
export interface VerdictStore {
  verdict(requestKey: RequestKey): StoredVerdict | null
  /** By the hash of the request id, as `VerdictRecord.requestIdHash` has it. */
  verdictById(requestIdHash: Hex32): StoredVerdict | null
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

/** One answered call, for metrics. */
export interface ObservedCall {
  readonly kind: 'certificate' | 'four-proof' | 'status'
  /** `refused`: it could not be read. */
  readonly result: 'valid' | 'invalid' | 'pending' | 'error' | 'refused'
  readonly seconds: number
  /** Answered from a verdict that was there when the call came. */
  readonly isRepeat: boolean
  readonly failedProofs: readonly ProofName[]
}

/** Told of every answered call. */
export type ValidationObserver = (call: ObservedCall) => void

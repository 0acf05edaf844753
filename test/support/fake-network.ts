/** A network for the validation service's tests: takes requests, and makes verdicts final when the test says so. */
import { requestIdHash } from '../../src/ledger/request-identity.ts'
import { findingsOf } from '../../src/ledger/verdicts/findings.ts'
import { ok, type Result, refuse } from '../../src/types/errors.ts'
import type { AnswerFigures, StoredVerdict } from '../../src/types/ledger-state.ts'
import { asHeight, asUnixMs, type Hex32 } from '../../src/types/primitives.ts'
import { type HashedTransaction, isValidation } from '../../src/types/transaction.ts'
import type { RuleFailure } from '../../src/types/verdict.ts'
import type { Clock } from '../../src/validation/ports.ts'

/** Figures of one answer that no two fields share. */
export const FIGURES: AnswerFigures = {
  validationTimeUs: 1_234n,
  consensusLatencyMs: 21n,
  throughputPerSecond: 12.5,
  networkOverheadBytes: 2_048n,
  networkLoad: 0.25,
}

/** A verdict for a request, as a node would keep it. */
export function verdictOf(
  hashed: HashedTransaction,
  failures: readonly RuleFailure[] = [],
  figures: AnswerFigures = FIGURES,
): StoredVerdict {
  const { transaction, requestKey } = hashed
  if (!isValidation(hashed)) throw new Error(`a ${transaction.kind} transaction gets no verdict`)
  const id = transaction.kind === 'validate-certificate' ? transaction.request.requestId : requestKey
  return {
    record: {
      requestKey,
      requestIdHash: requestIdHash(id),
      kind: hashed.transaction.kind,
      height: asHeight(7),
      blockTime: asUnixMs(1_760_000_001_234),
      decidedAt: asHeight(10),
      status: failures.length === 0 ? 'valid' : 'invalid',
      findings: findingsOf(failures),
      round: 0,
      agreeing: { validators: 3, stake: 300n },
      dissenting: 0,
      eligibleStake: 400n,
      proofHash: 'ab'.repeat(32) as Hex32,
      sequence: null,
    },
    figures,
    failures,
  }
}

/** Store, submitter, feed, readiness and clock in one; every port of the service. */
export class FakeNetwork {
  readonly submitted: HashedTransaction[] = []
  readonly #verdicts: StoredVerdict[] = []
  readonly #listeners = new Set<(verdicts: readonly StoredVerdict[]) => void>()
  /** Null: takes requests. */
  refusal: string | null = null
  notReady: string | null = null
  /** Makes a verdict final at once. */
  answersAtOnce = false
  /** Hashes of the ids of requests that are in the chain and wait for their verdicts. */
  readonly waiting = new Set<string>()
  failures: readonly RuleFailure[] = []

  readonly store = {
    verdict: (key: string) => this.#verdicts.find(({ record }) => record.requestKey === key) ?? null,
    decisionById: () => null,
    verdictById: (id: string) => this.#verdicts.find(({ record }) => record.requestIdHash === id) ?? null,
    isWaiting: (id: string) => this.waiting.has(id),
  }

  readonly submitter = {
    submit: (transaction: HashedTransaction): Result<'added' | 'known'> => {
      if (this.refusal !== null) return refuse(this.refusal, 'said the pool')
      const isKnown = this.submitted.some(({ hash }) => hash === transaction.hash)
      this.submitted.push(transaction)
      if (this.answersAtOnce) queueMicrotask(() => this.finalize(verdictOf(transaction, this.failures)))
      return ok(isKnown ? 'known' : 'added')
    },
  }

  readonly feed = {
    onVerdicts: (listener: (verdicts: readonly StoredVerdict[]) => void): (() => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
  }

  readonly readiness = {
    check: () =>
      this.notReady === null ? { ready: true as const } : { ready: false as const, reason: this.notReady },
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** Stores verdicts, then tells of them. */
  finalize(...verdicts: readonly StoredVerdict[]): void {
    this.#verdicts.push(...verdicts)
    for (const listener of this.#listeners) listener(verdicts)
  }
}

/** Time that stands still until it is moved. */
export class FakeClock implements Clock {
  #nowMs = 0
  readonly #timers = new Set<{ atMs: number; run: () => void }>()

  get timers(): number {
    return this.#timers.size
  }

  unixMs(): number {
    return 1_760_000_000_000 + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  advance(byMs: number): void {
    this.#nowMs += byMs
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs) continue
      this.#timers.delete(timer)
      timer.run()
    }
  }
}

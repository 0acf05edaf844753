/**
 * The state transition: judges a block's transactions in order and gathers what they add to the state. A request
 * that breaks a rule is judged Invalid and the block stays legal; what makes the block illegal is a refusal.
 */
import { proofHash, transactionProofBincode } from '../codec/proofs.ts'
import { encodeVerdict, verdictLeaf } from '../codec/verdict.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { StateChanges } from '../types/ledger-state.ts'
import type { Height, Hex32, Nullifier, StateRoot, UnixMs } from '../types/primitives.ts'
import type { HashedTransaction } from '../types/transaction.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import type { ChainRules } from './chain-rules.ts'
import { noteCommitmentRoot } from './commitment-tree.ts'
import { checkFourProofs } from './four-proofs/check-four-proofs.ts'
import { appendLeaves } from './frontier.ts'
import { appendNullifiers, checkNullifiers, type NullifierRefusal, nullifierRoot } from './nullifier-set.ts'
import { proofCommitment, type TransactionProof } from './proof-commitment.ts'
import { requestIdentity } from './request-identity.ts'
import { StateOverlay } from './state-overlay.ts'
import type { StateReader } from './state-reader.ts'
import { stateRoot } from './state-root.ts'

/** What transactions are judged against. */
export interface ExecutionContext {
  readonly height: Height
  readonly blockTime: UnixMs
  readonly rules: ChainRules
}

/** Why no block may hold a transaction at its place. */
export type TransactionRefusal = 'request-repeated-in-block' | 'request-already-judged'
export type ExecutionRefusal = TransactionRefusal | NullifierRefusal

export interface Execution {
  readonly changes: StateChanges
  /** SHA-384 over the proofs, 96 hex digits. */
  readonly proofCommitment: string
  readonly nullifierRoot: Hex32
  readonly noteCommitmentRoot: Hex32
  /** After the transactions. */
  readonly stateRoot: StateRoot
}

/** Executes transactions one after the other on one state. Holds everything until {@link finish}. */
export class BlockExecution {
  readonly #context: ExecutionContext
  readonly #parent: StateReader
  readonly #state: StateOverlay
  readonly #verdicts: VerdictRecord[] = []
  readonly #leaves: Hex32[] = []
  readonly #proofs: TransactionProof[] = []
  readonly #spent: (readonly Nullifier[])[] = []
  readonly #requestKeys = new Set<string>()

  constructor(context: ExecutionContext, parent: StateReader) {
    this.#context = context
    this.#parent = parent
    this.#state = new StateOverlay(() => parent, parent.accumulators)
  }

  /** Judges the next transaction, or says why the block may not hold it; then nothing has changed. */
  add(hashed: HashedTransaction): Refusal<TransactionRefusal> | null {
    const { transaction, requestKey } = hashed
    if (this.#requestKeys.has(requestKey)) {
      return refuse('request-repeated-in-block', `request ${requestKey} is in the block twice`)
    }
    if (this.#parent.verdict(requestKey) !== null) {
      return refuse('request-already-judged', `request ${requestKey} was judged before the block`)
    }
    this.#requestKeys.add(requestKey)
    const { height, blockTime, rules } = this.#context
    const identity = requestIdentity(hashed, rules.genesisHash)
    const failures = checkFourProofs(transaction, identity, this.#state, blockTime, rules.policy)
    const valid = failures.length === 0
    const proofBincode = transactionProofBincode(transaction)
    const verdict: VerdictRecord = {
      requestKey,
      requestIdHash: identity.requestIdHash,
      kind: transaction.kind,
      height,
      blockTime,
      failures,
      proofHash: proofHash(proofBincode),
      sequence: valid ? identity.sequence : null,
    }
    // Only a Valid request spends: an Invalid one must not burn a nonce that belongs to an honest request.
    const spent = valid ? [identity.nullifier] : []
    this.#state.add(verdict, spent)
    this.#verdicts.push(verdict)
    this.#leaves.push(verdictLeaf(encodeVerdict(verdict)))
    this.#proofs.push({ kind: transaction.kind, proofBincode })
    this.#spent.push(spent)
    return null
  }

  /** Everything that was judged, with the roots after it; or why the block as a whole is illegal. */
  finish(): Result<Execution, NullifierRefusal> {
    const nullifiers = checkNullifiers(this.#spent, this.#parent)
    if (!nullifiers.ok) return nullifiers
    const before = this.#parent.accumulators
    const accumulators = {
      nullifiers: appendNullifiers(before.nullifiers, nullifiers.value),
      noteCommitments: before.noteCommitments,
      verdicts: appendLeaves(before.verdicts, this.#leaves),
    }
    return ok({
      changes: { nullifiers: nullifiers.value, verdicts: this.#verdicts, accumulators },
      proofCommitment: proofCommitment(this.#proofs),
      nullifierRoot: nullifierRoot(accumulators.nullifiers),
      noteCommitmentRoot: noteCommitmentRoot(accumulators.noteCommitments),
      stateRoot: stateRoot(accumulators, this.#context.rules.fixedRoots),
    })
  }
}

/** Executes a whole block's transactions on the state before it, all or none. */
export function executeTransactions(
  context: ExecutionContext,
  transactions: readonly HashedTransaction[],
  parent: StateReader,
): Result<Execution, ExecutionRefusal> {
  const execution = new BlockExecution(context, parent)
  for (const transaction of transactions) {
    const refusal = execution.add(transaction)
    if (refusal !== null) return refusal
  }
  return execution.finish()
}

/**
 * The state transition: takes a block's transactions in order and gathers what they add to the state. A request
 * that breaks a rule is judged Invalid and the block stays legal; what makes the block illegal is a refusal.
 */
import { proofHash, transactionProofBincode } from '../codec/proofs.ts'
import { withBlock } from '../codec/recent-blocks.ts'
import { encodeVerdict, verdictLeaf } from '../codec/verdict.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { StateAccumulators, StateChanges } from '../types/ledger-state.ts'
import type { BlockHash, Epoch, Height, Hex32, Nullifier, StateRoot, UnixMs } from '../types/primitives.ts'
import {
  type HashedTransaction,
  isAccountTransaction,
  type ValidationTransaction,
} from '../types/transaction.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import { type ChainRules, isEpochEnd, isFiller } from './chain-rules.ts'
import { noteCommitmentRoot } from './commitment-tree.ts'
import { judgeRequest } from './four-proofs/judge-request.ts'
import { appendLeaves } from './frontier.ts'
import { appendNullifiers, checkNullifiers, type NullifierRefusal, nullifierRoot } from './nullifier-set.ts'
import type { OperatorRefusal } from './operators/operator-refusals.ts'
import { proofCommitment, type TransactionProof } from './proof-commitment.ts'
import { requestIdentity } from './request-identity.ts'
import { StakingExecution } from './staking/staking-execution.ts'
import type { EvidenceRefusal, StakingRefusal } from './staking/staking-refusals.ts'
import { validatorSetRoot } from './staking/staking-root.ts'
import { StateOverlay } from './state-overlay.ts'
import type { StateReader } from './state-reader.ts'
import { stateRoot } from './state-root.ts'

/** What transactions are judged against. */
export interface ExecutionContext {
  /** Of the block; below that of its height in a filler. */
  readonly epoch: Epoch
  readonly height: Height
  readonly parentHash: BlockHash
  readonly blockTime: UnixMs
  readonly rules: ChainRules
}

/** Why no block may hold a transaction at its place. */
export type TransactionRefusal =
  | 'request-repeated-in-block'
  | 'request-already-judged'
  | StakingRefusal
  | EvidenceRefusal
  | OperatorRefusal
export type ExecutionRefusal = TransactionRefusal | NullifierRefusal

export interface Execution {
  readonly changes: StateChanges
  /** SHA-384 over the proofs, 96 hex digits. */
  readonly proofCommitment: string
  readonly nullifierRoot: Hex32
  readonly noteCommitmentRoot: Hex32
  /** Of the set that decides the next block. */
  readonly validatorSetRoot: Hex32
  /** After the transactions. */
  readonly stateRoot: StateRoot
}

/** Executes transactions one after the other on one state. Holds everything until {@link finish}. */
export class BlockExecution {
  readonly #context: ExecutionContext
  readonly #parent: StateReader
  /** Of the parent's state, the parent itself among the recent blocks. */
  readonly #accumulators: StateAccumulators
  readonly #state: StateOverlay
  readonly #staking: StakingExecution
  readonly #verdicts: VerdictRecord[] = []
  readonly #leaves: Hex32[] = []
  readonly #proofs: TransactionProof[] = []
  readonly #spent: (readonly Nullifier[])[] = []
  readonly #requestKeys = new Set<string>()

  constructor(context: ExecutionContext, parent: StateReader) {
    this.#context = context
    this.#parent = parent
    const { staking, accumulators: before } = parent
    this.#accumulators = isFiller(context, context.rules.parameters.epochBlocks)
      ? before
      : { ...before, recentBlocks: withBlock(before.recentBlocks, context.height - 1, context.parentHash) }
    this.#state = new StateOverlay(() => parent, { staking, accumulators: this.#accumulators })
    const now = { height: context.height, time: context.blockTime }
    this.#staking = new StakingExecution(parent.staking, now, context.rules)
  }

  /** Takes the next transaction, or says why the block may not hold it; then nothing has changed. */
  add(hashed: HashedTransaction): Refusal<TransactionRefusal> | null {
    const { transaction, requestKey } = hashed
    if (this.#requestKeys.has(requestKey)) {
      return refuse('request-repeated-in-block', `request ${requestKey} is in the block twice`)
    }
    if (isAccountTransaction(transaction)) {
      const refusal = this.#staking.add(transaction)
      if (refusal === null) this.#requestKeys.add(requestKey)
      return refusal
    }
    if (this.#parent.verdict(requestKey) !== null) {
      return refuse('request-already-judged', `request ${requestKey} was judged before the block`)
    }
    this.#requestKeys.add(requestKey)
    this.#judge({ ...hashed, transaction })
    return null
  }

  #judge(hashed: HashedTransaction<ValidationTransaction>): void {
    const { transaction, requestKey } = hashed
    const { height, blockTime, rules } = this.#context
    const identity = requestIdentity(hashed, rules.genesisHash)
    const judgement = judgeRequest(transaction, identity, this.#state, blockTime, rules)
    const { failures } = judgement
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
      sequence: valid ? judgement.sequence : null,
    }
    // Only a Valid request spends: an Invalid one must not burn a nonce that belongs to an honest request.
    const spent = valid ? judgement.nullifiers : []
    this.#state.add(verdict, spent)
    this.#verdicts.push(verdict)
    this.#leaves.push(verdictLeaf(encodeVerdict(verdict)))
    this.#proofs.push({ kind: transaction.kind, proofBincode })
    this.#spent.push(spent)
  }

  /** Everything that was judged, with the roots after it; or why the block as a whole is illegal. */
  finish(): Result<Execution, NullifierRefusal> {
    const nullifiers = checkNullifiers(this.#spent, this.#parent)
    if (!nullifiers.ok) return nullifiers
    const { rules } = this.#context
    const before = this.#accumulators
    const accumulators = {
      recentBlocks: before.recentBlocks,
      nullifiers: appendNullifiers(before.nullifiers, nullifiers.value),
      noteCommitments: before.noteCommitments,
      verdicts: appendLeaves(before.verdicts, this.#leaves),
    }
    const staking = this.#staking.finish(isEpochEnd(this.#context, rules.parameters.epochBlocks))
    return ok({
      changes: { nullifiers: nullifiers.value, verdicts: this.#verdicts, accumulators, staking },
      proofCommitment: proofCommitment(this.#proofs),
      nullifierRoot: nullifierRoot(accumulators.nullifiers),
      noteCommitmentRoot: noteCommitmentRoot(accumulators.noteCommitments),
      validatorSetRoot: validatorSetRoot(staking.validators),
      stateRoot: stateRoot(accumulators, staking, rules.fixedRoots),
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

/**
 * The state transition: takes a block's transactions in order and gathers what they add to the state. A request that
 * breaks a rule leaves the block legal: it is for its verdict, which comes with the ballots of later blocks, or at once
 * where nobody votes (verdicts/README.md). What makes the block illegal is a refusal.
 */
import { accountId } from '../codec/genesis.ts'
import { fromHex } from '../codec/hex.ts'
import { proofHash, transactionProofBincode } from '../codec/proofs.ts'
import { withBlock } from '../codec/recent-blocks.ts'
import { verdictLeaves } from '../codec/verdict.ts'
import type { Findings } from '../types/ballots.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { StateAccumulators } from '../types/ledger-state.ts'
import type { Nullifier, RequestKey } from '../types/primitives.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import {
  type HashedTransaction,
  isAccountTransaction,
  type OperationTransaction,
  type StakingTransaction,
  type ValidationTransaction,
} from '../types/transaction.ts'
import type { Judgement, VerdictRecord } from '../types/verdict.ts'
import type { OpenRequest } from '../types/voting.ts'
import { isEpochEnd, isFiller } from './chain-rules.ts'
import type { Execution, ExecutionContext, ExecutionRefusal, TransactionRefusal } from './execution.ts'
import { judgeRequest } from './four-proofs/judge-request.ts'
import { type RequestSpending, requestSpending } from './four-proofs/request-spending.ts'
import { appendLeaves } from './frontier.ts'
import { appendNullifiers, checkNullifiers, type NullifierRefusal, nullifierRoot } from './nullifier-set.ts'
import { checkOperation } from './operations/check-operation.ts'
import { judgeOperation } from './operations/judge-operation.ts'
import { proofCommitment, type TransactionProof } from './proof-commitment.ts'
import { type RequestIdentity, requestIdentity, requestIdHash } from './request-identity.ts'
import { checkShielded } from './shielded/check-shielded.ts'
import { noteRoot } from './shielded/note-tree.ts'
import { rewardOf, ShieldedExecution } from './shielded/shielded-execution.ts'
import type { ShieldedRefusal } from './shielded/shielded-refusals.ts'
import { StakingExecution } from './staking/staking-execution.ts'
import { validatorSetRoot } from './staking/staking-root.ts'
import { StateOverlay } from './state-overlay.ts'
import type { StateReader } from './state-reader.ts'
import { stateRoot } from './state-root.ts'
import { rulesUnder } from './validation-policy.ts'
import { findingsOf, statusOf } from './verdicts/findings.ts'
import { isOpen } from './verdicts/open-requests.ts'
import { VotingExecution } from './verdicts/voting-execution.ts'
import { waitingRefusal } from './verdicts/waiting-refusal.ts'

/** Executes transactions one after the other on one state. Holds everything until {@link finish}. */
export class BlockExecution {
  readonly #context: ExecutionContext
  readonly #parent: StateReader
  /** Of the parent's state, the parent itself among the recent blocks. */
  readonly #accumulators: StateAccumulators
  readonly #state: StateOverlay
  readonly #staking: StakingExecution
  readonly #voting: VotingExecution
  readonly #shielded: ShieldedExecution
  /** A filler changes nothing (R13). */
  readonly #isFiller: boolean
  readonly #verdicts: VerdictRecord[] = []
  readonly #judgements: Judgement[] = []
  readonly #proofs: TransactionProof[] = []
  readonly #spent: (readonly Nullifier[])[] = []
  readonly #requestKeys = new Set<string>()

  constructor(context: ExecutionContext, parent: StateReader) {
    const rules = rulesUnder(context.rules, parent.voting.operations)
    this.#context = { ...context, rules }
    this.#parent = parent
    this.#isFiller = isFiller(context, rules.parameters.epochBlocks)
    const { staking, voting, accumulators: before } = parent
    this.#accumulators = this.#isFiller
      ? before
      : { ...before, recentBlocks: withBlock(before.recentBlocks, context.height - 1, context.parentHash) }
    this.#state = new StateOverlay(() => parent, { staking, voting, accumulators: this.#accumulators })
    const now = { height: context.height, time: context.blockTime }
    this.#staking = new StakingExecution(parent.staking, now, rules)
    this.#shielded = new ShieldedExecution(before.shielded, context.height)
    this.#voting = new VotingExecution(parent.voting, context, parent.staking, rules)
  }

  /** Takes the next transaction, or says why the block may not hold it; then nothing has changed. */
  add(hashed: HashedTransaction): Refusal<TransactionRefusal> | null {
    const { transaction, requestKey } = hashed
    if (this.#requestKeys.has(requestKey)) {
      return refuse('request-repeated-in-block', `request ${requestKey} is in the block twice`)
    }
    const refusal = this.#take({ ...hashed, transaction })
    if (refusal === null) this.#requestKeys.add(requestKey)
    return refusal
  }

  #take(hashed: HashedTransaction): Refusal<TransactionRefusal> | null {
    const { transaction } = hashed
    if (transaction.kind === 'ballots') {
      if (this.#context.rules.verdicts === 'executed') {
        return refuse('ballots-nobody', 'nobody votes on this chain, so there are no ballots')
      }
      return this.#voting.addBallots(transaction)
    }
    this.#settle()
    if (transaction.kind === 'staking') return this.#stake(transaction)
    if (transaction.kind === 'commit-pair') {
      return this.#voting.punishPair(transaction.pair, this.#staking.state)
    }
    if (isAccountTransaction(transaction)) return this.#staking.add(transaction)
    if (transaction.kind === 'operation') return this.#operate({ ...hashed, transaction })
    if (transaction.kind === 'shielded') return this.#shield({ ...hashed, transaction })
    const request = { ...hashed, transaction }
    const { rules } = this.#context
    const identity = requestIdentity(request, rules.genesisHash)
    const spending = requestSpending(transaction, identity, this.#state.staking.operators, rules)
    const refusal = this.#refusalOf(identity, spending)
    if (refusal !== null) return refusal
    this.#judge(request, identity, spending)
    return null
  }

  #stake(transaction: StakingTransaction): Refusal<TransactionRefusal> | null {
    if (transaction.operation.kind !== 'rejoin') return this.#staking.add(transaction)
    const account = accountId(transaction.publicKey)
    const refusal = this.#voting.rejoinRefusal(account) ?? this.#staking.add(transaction)
    if (refusal === null) this.#voting.rejoin(account)
    return refusal
  }

  #operate({
    transaction,
    requestKey,
  }: HashedTransaction<OperationTransaction>): Refusal<TransactionRefusal> | null {
    const { height, rules } = this.#context
    const place = { staking: this.#staking.state, voting: this.#voting.state, height, rules }
    const changed = checkOperation(transaction, requestKey, place)
    if (!changed.ok) return changed
    this.#staking.changed([changed.value.account])
    this.#voting.operate(changed.value.operations)
    return null
  }

  #shield(hashed: HashedTransaction<ShieldedTransaction>): Refusal<ShieldedRefusal> | null {
    const { transaction } = hashed
    const { height, rules } = this.#context
    const effect = checkShielded(
      transaction,
      {
        shielded: this.#shielded.state,
        accounts: this.#staking.state.accounts,
        hasNullifier: (nullifier) => this.#state.hasNullifier(nullifier),
        height,
      },
      rules,
    )
    if (!effect.ok) return effect
    this.#shielded.add(hashed, effect.value.pool)
    this.#staking.changed(effect.value.accounts)
    this.#state.spent(transaction.nullifiers)
    this.#spent.push(transaction.nullifiers)
    this.#proofs.push({ kind: 'shielded', proofBytes: fromHex(hashed.hash) })
    return null
  }

  /** Fees and the reward go to the proposer; what has nobody to go to is burnt. @returns the reward */
  #pay(): bigint {
    const { proposer, rules } = this.#context
    const { fees } = this.#shielded
    if (this.#isFiller) return 0n
    const account = proposer === null ? undefined : this.#staking.state.accounts.get(proposer)
    if (account === undefined) {
      if (fees > 0n) this.#staking.burn(fees)
      return 0n
    }
    const reward = rewardOf(this.#accumulators.shielded.issued, rules)
    const income = fees + reward
    if (income > 0n) this.#staking.changed([{ ...account, balance: account.balance + income }])
    return reward
  }

  /** Judges the operations that are put to the vote, on the state after the block's transactions. */
  #openOperations(): void {
    const { rules } = this.#context
    const due = this.#voting.openOperations()
    const { trust, operations } = this.#voting.state
    const context = {
      staking: this.#staking.state,
      trust,
      operations,
      rules,
      verdict: (requestKey: RequestKey) => this.#state.verdict(requestKey),
    }
    for (const { id, operation } of due) {
      const idHash = requestIdHash(id)
      this.#state.ordered(id, idHash)
      const failures = judgeOperation(operation, context)
      this.#judgements.push({ requestKey: id, requestIdHash: idHash, failures })
    }
  }

  /** What earlier blocks have left open comes before what this block orders, whether or not it holds ballots. */
  #settle(): void {
    if (this.#isFiller || this.#context.rules.verdicts === 'executed') return
    for (const { request, record } of this.#voting.settle()) {
      const { sequence } = record
      const isBehind = sequence !== null && sequence.number <= this.#state.lastSequence(sequence.nodeIdHash)
      this.#decided(isBehind ? { ...record, sequence: null } : record, request.nullifiers)
    }
  }

  /** Why a request cannot be ordered here, whatever it says. */
  #refusalOf({ requestKey }: RequestIdentity, spending: RequestSpending): Refusal<TransactionRefusal> | null {
    if (this.#state.verdict(requestKey) !== null) {
      return refuse('request-already-judged', `request ${requestKey} has a verdict`)
    }
    const { state: voting, spending: here } = this.#voting
    if (isOpen(voting, requestKey)) {
      return refuse('request-open', `request ${requestKey} waits for its verdict`)
    }
    return waitingRefusal(spending, { voting, here }, this.#state)
  }

  #judge(
    hashed: HashedTransaction<ValidationTransaction>,
    identity: RequestIdentity,
    spending: RequestSpending,
  ): void {
    const { transaction } = hashed
    const { blockTime, rules } = this.#context
    const { requestKey, requestIdHash } = identity
    const failures = judgeRequest(transaction, identity, this.#state, blockTime, rules)
    const proofBincode = transactionProofBincode(transaction)
    const proof = proofHash(proofBincode)
    this.#state.ordered(requestKey, requestIdHash)
    this.#judgements.push({ requestKey, requestIdHash, failures })
    this.#proofs.push({ kind: transaction.kind, proofBytes: proofBincode })
    const request = {
      requestKey,
      requestIdHash,
      kind: transaction.kind,
      proofHash: proof,
      ...spending,
    }
    if (rules.verdicts === 'tallied') this.#voting.open(request)
    else this.#decided(this.#executedVerdict(request, findingsOf(failures)), spending.nullifiers)
  }

  /** Where nobody votes: nobody agreed, and nobody could. */
  #executedVerdict({ nullifiers: _, ...request }: OpenRequest, findings: Findings): VerdictRecord {
    const { height, blockTime } = this.#context
    const status = statusOf(findings) ?? 'invalid'
    return {
      ...request,
      sequence: status === 'valid' ? request.sequence : null,
      height,
      blockTime,
      decidedAt: height,
      status,
      findings,
      round: 0,
      agreeing: { validators: 0, stake: 0n },
      dissenting: 0,
      eligibleStake: 0n,
    }
  }

  /** Only a Valid request spends: an Invalid one must not burn a nonce that belongs to an honest request. */
  #decided(verdict: VerdictRecord, nullifiers: readonly Nullifier[]): void {
    const spent = verdict.status === 'valid' ? nullifiers : []
    this.#state.decided(verdict, spent)
    this.#verdicts.push(verdict)
    this.#spent.push(spent)
  }

  /** Everything that was judged, with the roots after it; or why the block as a whole is illegal. */
  finish(): Result<Execution, NullifierRefusal> {
    this.#settle()
    const isVoting = !this.#isFiller && this.#context.rules.verdicts === 'tallied'
    if (isVoting) this.#openOperations()
    const nullifiers = checkNullifiers(this.#spent, this.#parent)
    if (!nullifiers.ok) return nullifiers
    const { rules } = this.#context
    const before = this.#accumulators
    const reward = this.#pay()
    const accumulators = {
      recentBlocks: before.recentBlocks,
      nullifiers: appendNullifiers(before.nullifiers, nullifiers.value),
      verdicts: appendLeaves(before.verdicts, verdictLeaves(this.#verdicts)),
      shielded: this.#shielded.finish(reward),
    }
    const staking = this.#staking.finish(isEpochEnd(this.#context, rules.parameters.epochBlocks))
    const voting = isVoting
      ? this.#voting.finish(staking, (requestKey) => this.#state.verdict(requestKey))
      : this.#parent.voting
    return ok({
      changes: {
        nullifiers: nullifiers.value,
        shieldedEntries: this.#shielded.entries,
        verdicts: this.#verdicts,
        judgements: this.#judgements,
        accumulators,
        staking,
        voting,
      },
      proofCommitment: proofCommitment(this.#proofs),
      nullifierRoot: nullifierRoot(accumulators.nullifiers),
      noteCommitmentRoot: noteRoot(accumulators.shielded.notes),
      validatorSetRoot: validatorSetRoot(staking.validators),
      stateRoot: stateRoot(accumulators, staking, voting, rules.fixedRoots),
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

/**
 * The state transition: takes a block's transactions in order and gathers what they add to the state. A request that
 * breaks a rule leaves the block legal: it is for its verdict, which comes with the ballots of later blocks, or at once
 * where nobody votes (verdicts/README.md). What makes the block illegal is a refusal.
 */
import { accountId } from '../codec/genesis.ts'
import { proofHash, transactionProofBincode } from '../codec/proofs.ts'
import { encodeVerdict, verdictLeaf } from '../codec/verdict.ts'
import type { Findings } from '../types/ballots.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { StateChanges } from '../types/ledger-state.ts'
import type { BlockHash, Epoch, Height, Hex32, Nullifier, StateRoot, UnixMs } from '../types/primitives.ts'
import type { HashedTransaction, StakingTransaction, ValidationTransaction } from '../types/transaction.ts'
import type { Judgement, VerdictRecord } from '../types/verdict.ts'
import type { OpenRequest } from '../types/voting.ts'
import { type ChainRules, isEpochEnd, isFiller } from './chain-rules.ts'
import { noteCommitmentRoot } from './commitment-tree.ts'
import { checkFourProofs } from './four-proofs/check-four-proofs.ts'
import { appendLeaves } from './frontier.ts'
import { appendNullifiers, checkNullifiers, type NullifierRefusal, nullifierRoot } from './nullifier-set.ts'
import { proofCommitment, type TransactionProof } from './proof-commitment.ts'
import { type RequestIdentity, requestIdentity } from './request-identity.ts'
import { StakingExecution } from './staking/staking-execution.ts'
import type { EvidenceRefusal, StakingRefusal } from './staking/staking-refusals.ts'
import { validatorSetRoot } from './staking/staking-root.ts'
import { StateOverlay } from './state-overlay.ts'
import type { StateReader } from './state-reader.ts'
import { stateRoot } from './state-root.ts'
import type { BallotRefusal } from './verdicts/check-ballots.ts'
import { findingsOf, statusOf } from './verdicts/findings.ts'
import { highestOpenSequence, isOpen, isReserved } from './verdicts/open-requests.ts'
import { VotingExecution } from './verdicts/voting-execution.ts'

/** What transactions are judged against. */
export interface ExecutionContext {
  /** Of the block; below that of its height in a filler. */
  readonly epoch: Epoch
  readonly height: Height
  readonly blockTime: UnixMs
  readonly parentHash: BlockHash
  readonly rules: ChainRules
}

/** Why no block may hold a transaction at its place. */
export type TransactionRefusal =
  | 'request-repeated-in-block'
  | 'request-already-judged'
  | 'request-open'
  | 'nullifier-reserved'
  | 'sequence-reserved'
  | 'ballots-nobody'
  | BallotRefusal
  | StakingRefusal
  | EvidenceRefusal
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
  readonly #state: StateOverlay
  readonly #staking: StakingExecution
  readonly #voting: VotingExecution
  /** A filler changes nothing (R13). */
  readonly #isFiller: boolean
  readonly #verdicts: VerdictRecord[] = []
  readonly #judgements: Judgement[] = []
  readonly #proofs: TransactionProof[] = []
  readonly #spent: (readonly Nullifier[])[] = []
  readonly #requestKeys = new Set<string>()

  constructor(context: ExecutionContext, parent: StateReader) {
    const { rules } = context
    this.#context = context
    this.#parent = parent
    this.#state = new StateOverlay(() => parent, parent)
    const now = { height: context.height, time: context.blockTime }
    this.#staking = new StakingExecution(parent.staking, now, rules)
    this.#voting = new VotingExecution(parent.voting, context, parent.staking, rules)
    this.#isFiller = isFiller(context, rules.parameters.epochBlocks)
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
    if (transaction.kind === 'evidence') return this.#staking.add(transaction)
    if (transaction.kind === 'staking') return this.#stake(transaction)
    const request = { ...hashed, transaction }
    const identity = requestIdentity(request, this.#context.rules.genesisHash)
    const refusal = this.#refusalOf(identity)
    if (refusal !== null) return refusal
    this.#judge(request, identity)
    return null
  }

  #stake(transaction: StakingTransaction): Refusal<TransactionRefusal> | null {
    if (transaction.operation.kind !== 'rejoin') return this.#staking.add(transaction)
    const account = accountId(transaction.publicKey)
    const refusal = this.#voting.rejoinRefusal(account) ?? this.#staking.add(transaction)
    if (refusal === null) this.#voting.rejoin(account)
    return refusal
  }

  /** What earlier blocks have left open comes before what this block orders, whether or not it holds ballots. */
  #settle(): void {
    if (this.#isFiller || this.#context.rules.verdicts === 'executed') return
    for (const { request, record } of this.#voting.settle()) {
      const { sequence } = record
      const isBehind = sequence !== null && sequence.number <= this.#state.lastSequence(sequence.nodeIdHash)
      this.#decided(isBehind ? { ...record, sequence: null } : record, request.nullifier)
    }
  }

  /** Why a request cannot be ordered here, whatever it says. */
  #refusalOf({ requestKey, nullifier, sequence }: RequestIdentity): Refusal<TransactionRefusal> | null {
    if (this.#state.verdict(requestKey) !== null) {
      return refuse('request-already-judged', `request ${requestKey} has a verdict`)
    }
    const open = this.#voting.state
    if (isOpen(open, requestKey)) return refuse('request-open', `request ${requestKey} waits for its verdict`)
    const here = this.#voting.requests
    if (isReserved(open, nullifier) || here.some((of) => of.nullifier === nullifier)) {
      return refuse('nullifier-reserved', `a request that waits for its verdict names nullifier ${nullifier}`)
    }
    if (sequence === null) return null
    const { nodeIdHash, number } = sequence
    const isReservedHere = here.some(
      (of) => of.sequence?.nodeIdHash === nodeIdHash && of.sequence.number >= number,
    )
    // One that is recorded already is judged, and told so.
    const isRecorded = number <= this.#state.lastSequence(nodeIdHash)
    if (!isRecorded && (isReservedHere || highestOpenSequence(open, nodeIdHash) >= number)) {
      return refuse(
        'sequence-reserved',
        `a request of the node waits for its verdict with a number above ${number}`,
      )
    }
    return null
  }

  #judge(hashed: HashedTransaction<ValidationTransaction>, identity: RequestIdentity): void {
    const { transaction } = hashed
    const { blockTime, rules } = this.#context
    const { requestKey, requestIdHash, nullifier, sequence } = identity
    const failures = checkFourProofs(transaction, identity, this.#state, blockTime, rules.policy)
    const proofBincode = transactionProofBincode(transaction)
    const proof = proofHash(proofBincode)
    this.#state.ordered(requestKey, requestIdHash)
    this.#judgements.push({ requestKey, requestIdHash, failures })
    this.#proofs.push({ kind: transaction.kind, proofBincode })
    const request = {
      requestKey,
      requestIdHash,
      kind: transaction.kind,
      proofHash: proof,
      nullifier,
      sequence,
    }
    if (rules.verdicts === 'tallied') this.#voting.open(request)
    else this.#decided(this.#executedVerdict(request, findingsOf(failures)), nullifier)
  }

  /** Where nobody votes: nobody agreed, and nobody could. */
  #executedVerdict({ nullifier: _, ...request }: OpenRequest, findings: Findings): VerdictRecord {
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
  #decided(verdict: VerdictRecord, nullifier: Nullifier): void {
    const spent = verdict.status === 'valid' ? [nullifier] : []
    this.#state.decided(verdict, spent)
    this.#verdicts.push(verdict)
    this.#spent.push(spent)
  }

  /** Everything that was judged, with the roots after it; or why the block as a whole is illegal. */
  finish(): Result<Execution, NullifierRefusal> {
    this.#settle()
    const nullifiers = checkNullifiers(this.#spent, this.#parent)
    if (!nullifiers.ok) return nullifiers
    const { rules } = this.#context
    const before = this.#parent.accumulators
    const accumulators = {
      nullifiers: appendNullifiers(before.nullifiers, nullifiers.value),
      noteCommitments: before.noteCommitments,
      verdicts: appendLeaves(
        before.verdicts,
        this.#verdicts.map((verdict) => verdictLeaf(encodeVerdict(verdict))),
      ),
    }
    const staking = this.#staking.finish(isEpochEnd(this.#context, rules.parameters.epochBlocks))
    const isVoting = !this.#isFiller && rules.verdicts === 'tallied'
    const voting = isVoting ? this.#voting.finish(staking) : this.#parent.voting
    return ok({
      changes: {
        nullifiers: nullifiers.value,
        verdicts: this.#verdicts,
        judgements: this.#judgements,
        accumulators,
        staking,
        voting,
      },
      proofCommitment: proofCommitment(this.#proofs),
      nullifierRoot: nullifierRoot(accumulators.nullifiers),
      noteCommitmentRoot: noteCommitmentRoot(accumulators.noteCommitments),
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

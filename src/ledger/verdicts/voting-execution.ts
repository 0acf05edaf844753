/**
 * What one block does to verdicts and trust, step by step: its ballots, what follows from them, its new requests, and
 * the end of a period. The order is fixed; whoever executes calls the steps in it.
 */

import { BLOCK_TRANSACTIONS_MAX } from '../../codec/limits.ts'
import { type Refusal, refuse } from '../../types/errors.ts'
import type { CommitPair } from '../../types/evidence.ts'
import type { OpenOperation, OperationsState } from '../../types/operations.ts'
import {
  type AccountId,
  asHeight,
  type BlockHash,
  type Epoch,
  type Height,
  type RequestKey,
  type UnixMs,
} from '../../types/primitives.ts'
import type { StakingState } from '../../types/staking.ts'
import type { BallotsTransaction } from '../../types/transaction.ts'
import type { Validator } from '../../types/validator-set.ts'
import type { VerdictRecord } from '../../types/verdict.ts'
import type { OpenBatch, OpenRequest, VerdictVoting } from '../../types/voting.ts'
import type { ChainRules } from '../chain-rules.ts'
import {
  afterBlock,
  openDue,
  decided as operationsDecided,
  requestOfOperation,
  takeEffect,
  withLosses,
} from '../operations/operations-state.ts'
import type { EvidenceRefusal } from '../staking/staking-refusals.ts'
import { type BallotRefusal, checkBallots } from './check-ballots.ts'
import { checkCommitPair, withoutOldPairs } from './commit-pairs.ts'
import { electorsOf, seatsOf } from './electors.ts'
import { type RejoinRefusal, rejoinRefusal } from './rejoin.ts'
import { type Decided, settle } from './settle.ts'
import { afterPeriod, changeStatuses } from './trust.ts'
import { RequestsHere } from './waiting-refusal.ts'
import { isPeriodEnd, periodOf } from './windows.ts'

/** The block that is executed. */
export interface VotingMoment {
  readonly epoch: Epoch
  readonly height: Height
  readonly blockTime: UnixMs
  readonly parentHash: BlockHash
}

export class VotingExecution {
  readonly #moment: VotingMoment
  readonly #staking: StakingState
  readonly #rules: ChainRules
  readonly #requests: OpenRequest[] = []
  readonly #spending = new RequestsHere()
  #state: VerdictVoting
  #hasBallots = false
  #isSettled = false

  /** @param staking before the block */
  constructor(before: VerdictVoting, moment: VotingMoment, staking: StakingState, rules: ChainRules) {
    this.#moment = moment
    this.#staking = staking
    this.#rules = rules
    this.#state = named(before, moment)
  }

  /** The state as it is after the steps so far, without the requests of this block. */
  get state(): VerdictVoting {
    return this.#state
  }

  /** The block's ballots, before everything else in it. */
  addBallots(ballots: BallotsTransaction): Refusal<BallotRefusal> | null {
    if (this.#isSettled || this.#hasBallots) {
      return refuse('ballots-not-first', 'ballots are the first transaction of a block, and one')
    }
    const { height } = this.#moment
    const batches = checkBallots(ballots, {
      genesisHash: this.#rules.genesisHash,
      height,
      validators: this.#staking.validators,
      voting: this.#state,
    })
    if (!batches.ok) return batches
    this.#hasBallots = true
    this.#state = seen({ ...this.#state, batches: batches.value }, ballots, this.#staking.validators, height)
    return null
  }

  /** What follows from the ballots, once, after them. @returns the verdicts that it brings */
  settle(): readonly Decided[] {
    if (this.#isSettled) return []
    this.#isSettled = true
    if (this.#state.batches.length === 0) return []
    const { height } = this.#moment
    const { batches, decided, losses, trust } = settle(this.#state, {
      height,
      period: periodOf(height, this.#rules.parameters),
      present: new Set(this.#staking.validators.map(({ id }) => id)),
    })
    const isSame =
      trust === this.#state.trust && batches.every((batch, i) => batch === this.#state.batches[i])
    if (!isSame) {
      const verdicts = decided.flatMap(({ request, record: { status } }) =>
        request.kind === 'operation' ? [{ id: request.requestKey, status }] : [],
      )
      const operations = operationsDecided(withLosses(this.#state.operations, losses), verdicts, height)
      this.#state = { ...this.#state, batches, trust, operations }
    }
    return decided
  }

  /** Why an account's validator cannot come back on probation now; null when it can. */
  rejoinRefusal(account: AccountId): RejoinRefusal | null {
    return rejoinRefusal(this.#state.trust.get(account), account, this.#moment.height, this.#rules.parameters)
  }

  /** It takes part from the next period on, at no weight. */
  rejoin(account: AccountId): void {
    const trust = this.#state.trust.get(account)
    if (trust === undefined) return
    const back = { ...trust, status: 'probation', untilPeriod: 0, cleanStreak: 0 } as const
    this.#state = { ...this.#state, trust: new Map(this.#state.trust).set(account, back) }
  }

  /** Operations after one that the block orders. */
  operate(operations: OperationsState): void {
    this.#state = { ...this.#state, operations }
  }

  /** Puts the operations to the vote that are due, after the requests of the block. @returns which */
  openOperations(): readonly OpenOperation[] {
    const room = BLOCK_TRANSACTIONS_MAX - this.#requests.length
    const { operations, due } = openDue(this.#state.operations, this.#moment.height, room)
    if (due.length === 0) return due
    this.operate(operations)
    for (const operation of due) this.open(requestOfOperation(operation))
    return due
  }

  /** Two commits in one slot, proven. @param staking before the transaction */
  punishPair(pair: CommitPair, staking: StakingState): Refusal<EvidenceRefusal> | null {
    const { height } = this.#moment
    const after = checkCommitPair(pair, { staking, voting: this.#state }, height, this.#rules)
    if (!after.ok) return after
    const trust = new Map(this.#state.trust).set(after.value.account, after.value)
    this.#state = { ...this.#state, trust }
    return null
  }

  /** A request that the block orders. */
  open(request: OpenRequest): void {
    this.#requests.push(request)
    this.#spending.add(request)
  }

  /** What the requests of this block so far would spend. */
  get spending(): RequestsHere {
    return this.#spending
  }

  /**
   * The state after the block; the one before it, the very object, when nothing changed.
   * @param staking after the block: its validators decide the next one
   * @param verdict on a request, up to this block
   */
  finish(staking: StakingState, verdict: (requestKey: RequestKey) => VerdictRecord | null): VerdictVoting {
    const { height } = this.#moment
    const { parameters } = this.#rules
    if (this.#requests.length > 0)
      this.#state = { ...this.#state, batches: [...this.#state.batches, this.#batch()] }
    const operations = afterBlock(this.#state.operations, height)
    if (operations !== this.#state.operations) this.operate(operations)
    if (isPeriodEnd(height, parameters)) this.#endPeriod(staking, verdict)
    return this.#state
  }

  #batch(): OpenBatch {
    const { epoch, height, blockTime } = this.#moment
    return {
      height,
      blockHash: null,
      blockTime,
      epoch,
      round: 0,
      openedAt: height,
      period: periodOf(height, this.#rules.parameters),
      requests: this.#requests,
      outcomes: this.#requests.map(() => null),
      ballots: [],
      closedAt: null,
    }
  }

  #endPeriod(staking: StakingState, verdict: (requestKey: RequestKey) => VerdictRecord | null): void {
    const { height } = this.#moment
    const { parameters } = this.#rules
    const next = periodOf(asHeight(height + 1), parameters)
    const trust = new Map(
      [...this.#state.trust].map(([account, of]) => [
        account,
        withoutOldPairs(afterPeriod(of), height, parameters),
      ]),
    )
    const seats = seatsOf(staking)
    const end = { staking, rules: this.#rules, verdict, height, nextPeriod: next }
    const operations = takeEffect(this.#state.operations, trust, end)
    changeStatuses(trust, seats, next)
    const { batches, electors } = this.#state
    // In an epoch without end the first views of a period still have the leaders of the one before.
    const kept = this.#rules.parameters.epochBlocks === 0 ? next - 1 : next
    const oldest = Math.min(kept, ...batches.map(({ period }) => period))
    this.#state = {
      batches,
      trust,
      operations,
      electors: [...electors.filter(({ period }) => period >= oldest), electorsOf(next, seats, trust)],
    }
  }
}

/** A batch cannot know the hash of its own block; the block after it can. */
function named(voting: VerdictVoting, { height, parentHash }: VotingMoment): VerdictVoting {
  const last = voting.batches.at(-1)
  if (last === undefined || last.blockHash !== null || last.height !== height - 1) return voting
  return { ...voting, batches: [...voting.batches.slice(0, -1), { ...last, blockHash: parentHash }] }
}

/** Whose ballots are in the block was alive when it was made. */
function seen(
  voting: VerdictVoting,
  { commits, openings }: BallotsTransaction,
  validators: readonly Validator[],
  height: Height,
): VerdictVoting {
  const accounts = new Map(
    voting.electors.flatMap(({ members }) => members.map(({ id, account }) => [id, account])),
  )
  const trust = new Map(voting.trust)
  for (const voter of new Set([...commits, ...openings].map((ballot) => ballot.voter))) {
    const id = validators[voter]?.id
    const account = id === undefined ? undefined : accounts.get(id)
    const of = account === undefined ? undefined : trust.get(account)
    if (of !== undefined) trust.set(of.account, { ...of, lastSeen: height })
  }
  return { ...voting, trust }
}

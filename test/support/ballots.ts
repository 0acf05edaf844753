/**
 * Ballots for a chain that a test grows: what validators commit to and open, block by block, as honest leaders would
 * put it into their blocks, or as habits say. Written without the runtime's own box, so that the rules are met twice.
 */
import { ballotCommit } from '../../src/codec/ballots.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import type { ParentBlock } from '../../src/ledger/executed-block.ts'
import { operationFindings } from '../../src/ledger/operations/operation-findings.ts'
import { electorsOfBatch, positionOf } from '../../src/ledger/verdicts/electors.ts'
import { findingsOf } from '../../src/ledger/verdicts/findings.ts'
import { commitDeadline } from '../../src/ledger/verdicts/windows.ts'
import type { BallotOpening, CastCommit, CastOpening, Findings } from '../../src/types/ballots.ts'
import type { OperationVote } from '../../src/types/operations.ts'
import {
  asValidatorIndex,
  type GenesisHash,
  type Hex32,
  type RequestKey,
  type ValidatorId,
} from '../../src/types/primitives.ts'
import type { BallotsTransaction, HashedTransaction } from '../../src/types/transaction.ts'
import type { Judgement, RuleFailure } from '../../src/types/verdict.ts'
import type { OpenBatch } from '../../src/types/voting.ts'

/** What a validator does in a slot; what is left out it does as an honest one. */
export interface Habit {
  readonly isSilent?: boolean
  readonly isWithholding?: boolean
  readonly rules?: number
  /** What the operator says about an operation; by default it approves. */
  readonly vote?: (operation: RequestKey) => OperationVote
  /** @param honest what the rules come to */
  readonly findings?: (honest: Findings, requestKey: RequestKey) => Findings
}

/** Habit of a validator, by its position in the set that decides the block. */
export type Habits = (voter: number, batch: OpenBatch) => Habit

const HONEST: Habits = () => ({})

/** A salt that only its owner could know, if this were not a test. */
export const saltOf = (validator: ValidatorId, height: number, round: number): Hex32 =>
  (validator.slice(0, 48) +
    height.toString(16).padStart(8, '0') +
    round.toString(16).padStart(8, '0')) as Hex32

/** The voters of one chain. They remember what the rules found, as every node does. */
export class Voters {
  readonly #genesisHash: GenesisHash
  readonly #habits: Habits
  readonly #found = new Map<RequestKey, readonly RuleFailure[]>()

  constructor(genesisHash: GenesisHash, habits: Habits = HONEST) {
    this.#genesisHash = genesisHash
    this.#habits = habits
  }

  /** A block ordered requests, and the rules found this. */
  judged(judgements: readonly Judgement[]): void {
    for (const { requestKey, failures } of judgements) this.#found.set(requestKey, failures)
  }

  /** An opening, and the commit of it. */
  ballot(
    validator: ValidatorId,
    batch: OpenBatch,
    parent: Pick<ParentBlock, 'hash'>,
    { rules = 1, findings = (honest) => honest, vote }: Habit = {},
  ): { readonly commit: Hex32; readonly opening: BallotOpening } {
    const { height, round, epoch } = batch
    const opening: BallotOpening = {
      height,
      blockHash: batch.blockHash ?? parent.hash,
      round,
      rules,
      findings: batch.requests.map(({ requestKey, kind }) => {
        const failures = this.#found.get(requestKey)
        if (failures === undefined) return findings(0, requestKey)
        const honest =
          kind === 'operation'
            ? operationFindings(failures, vote?.(requestKey) ?? 'approve')
            : findingsOf(failures)
        return findings(honest, requestKey)
      }),
      salt: saltOf(validator, height, round),
    }
    return { commit: ballotCommit({ genesisHash: this.#genesisHash, epoch, validator }, opening), opening }
  }

  /** All that the next block can hold; null when that is nothing. */
  next(parent: Pick<ParentBlock, 'hash' | 'header' | 'state'>): HashedTransaction<BallotsTransaction> | null {
    const { voting, staking } = parent.state
    const height = parent.header.height + 1
    const commits: CastCommit[] = []
    const openings: CastOpening[] = []
    for (const batch of voting.batches) {
      const members = electorsOfBatch(voting, batch)
      for (const [voter, { id }] of staking.validators.entries()) {
        const position = positionOf(members, id)
        const habit = this.#habits(voter, batch)
        if (position === null || habit.isSilent === true) continue
        const { commit, opening } = this.ballot(id, batch, parent, habit)
        const cast = batch.ballots.find(({ elector }) => elector === position)
        const { height: at, blockHash, round } = opening
        const slot = { voter: asValidatorIndex(voter), height: at, blockHash, round }
        if (cast === undefined) {
          if (batch.closedAt === null && height <= commitDeadline(batch)) commits.push({ ...slot, commit })
        } else if (cast.opening === null && batch.closedAt !== null) {
          if (habit.isWithholding !== true) openings.push({ ...opening, voter: asValidatorIndex(voter) })
        }
      }
    }
    return commits.length + openings.length === 0
      ? null
      : hashTransaction({ kind: 'ballots', commits, openings })
  }
}

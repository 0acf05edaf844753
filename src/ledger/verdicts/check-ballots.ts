/**
 * Whether a block may hold these ballots, and the batches with them in it. What is late, repeated or does not
 * fit its commit makes the block illegal: unsigned garbage must never count against the one whose name is on it.
 */
import { ballotCommit } from '../../codec/ballots.ts'
import { type BallotSlot, type CastOpening, compareSlots } from '../../types/ballots.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { GenesisHash, Height, ValidatorIndex } from '../../types/primitives.ts'
import type { BallotsTransaction } from '../../types/transaction.ts'
import type { Validator } from '../../types/validator-set.ts'
import type { CastBallot, Elector, OpenBatch, VerdictVoting } from '../../types/voting.ts'
import { electorsOfBatch, positionOf } from './electors.ts'
import { areFindings } from './findings.ts'
import { commitDeadline } from './windows.ts'

export type BallotRefusal =
  | 'ballots-not-first'
  | 'ballots-empty'
  | 'ballots-order'
  | 'ballot-unknown-slot'
  | 'ballot-not-elector'
  | 'ballot-late'
  | 'ballot-repeated'
  | 'ballot-no-commit'
  | 'ballot-findings'
  | 'ballot-mismatch'

/** What ballots are checked against. */
export interface BallotContext {
  readonly genesisHash: GenesisHash
  /** Of the block that holds them. */
  readonly height: Height
  /** The set that decides that block: voters are positions in it. */
  readonly validators: readonly Validator[]
  readonly voting: Pick<VerdictVoting, 'batches' | 'electors'>
}

/** A slot with one elector's place in it. */
interface Place {
  readonly batch: OpenBatch
  readonly members: readonly Elector[]
  readonly position: number
  readonly cast: CastBallot | null
}

/**
 * @returns the batches in their order, with what the block adds to them; those without ballots are the very objects
 *   of before
 */
export function checkBallots(
  { commits, openings }: Pick<BallotsTransaction, 'commits' | 'openings'>,
  context: BallotContext,
): Result<readonly OpenBatch[], BallotRefusal> {
  if (commits.length + openings.length === 0) return refuse('ballots-empty', 'it holds no ballot')
  if (!isInOrder(commits) || !isInOrder(openings)) {
    return refuse('ballots-order', 'ballots come in order of height, round and voter, each once')
  }
  const added = new Map<OpenBatch, CastBallot[]>()
  const keep = (batch: OpenBatch, cast: CastBallot): void => {
    added.set(batch, [...(added.get(batch) ?? []), cast])
  }
  for (const commit of commits) {
    const place = placeOf(commit, commit.voter, context)
    if (!place.ok) return place
    const refusal = checkCommit(place.value, context.height)
    if (refusal !== null) return refusal
    keep(place.value.batch, { elector: place.value.position, commit: commit.commit, opening: null })
  }
  for (const opening of openings) {
    const place = placeOf(opening, opening.voter, context)
    if (!place.ok) return place
    const cast = checkOpening(opening, place.value, context)
    if (!cast.ok) return cast
    keep(place.value.batch, cast.value)
  }
  return ok(context.voting.batches.map((batch) => withBallots(batch, added.get(batch) ?? [])))
}

function withBallots(batch: OpenBatch, cast: readonly CastBallot[]): OpenBatch {
  if (cast.length === 0) return batch
  const byElector = new Map([...batch.ballots, ...cast].map((ballot) => [ballot.elector, ballot]))
  const ballots = [...byElector.values()].sort((a, b) => a.elector - b.elector)
  return { ...batch, ballots }
}

function isInOrder(ballots: readonly (BallotSlot & { readonly voter: ValidatorIndex })[]): boolean {
  return ballots.every((ballot, i) => {
    const before = ballots[i - 1]
    return before === undefined || (compareSlots(before, ballot) || before.voter - ballot.voter) < 0
  })
}

function placeOf(
  slot: BallotSlot,
  voter: ValidatorIndex,
  { voting, validators }: BallotContext,
): Result<Place, BallotRefusal> {
  const { height, round, blockHash } = slot
  const batch = voting.batches.find((open) => open.height === height)
  if (batch === undefined || batch.round !== round || batch.blockHash !== blockHash) {
    return refuse(
      'ballot-unknown-slot',
      `round ${round} of block ${blockHash} at height ${height} is not open`,
    )
  }
  const id = validators[voter]?.id
  const members = electorsOfBatch(voting, batch)
  const position = id === undefined ? null : positionOf(members, id)
  if (position === null) {
    return refuse(
      'ballot-not-elector',
      `validator ${voter} takes no part in the verdicts of height ${height}`,
    )
  }
  const cast = batch.ballots.find(({ elector }) => elector === position) ?? null
  return ok({ batch, members, position, cast })
}

function checkCommit({ batch, cast, position }: Place, height: Height): Refusal<BallotRefusal> | null {
  if (cast !== null) return refuse('ballot-repeated', `elector ${position} has committed already`)
  if (batch.closedAt !== null || height > commitDeadline(batch)) {
    return refuse('ballot-late', `commits to height ${batch.height} were due by ${commitDeadline(batch)}`)
  }
  return null
}

function checkOpening(
  opening: CastOpening,
  { batch, members, position, cast }: Place,
  { genesisHash }: BallotContext,
): Result<CastBallot, BallotRefusal> {
  if (cast === null) return refuse('ballot-no-commit', `elector ${position} has not committed`)
  if (cast.opening !== null) return refuse('ballot-repeated', `elector ${position} has opened already`)
  const isLeak = batch.closedAt === null
  const { rules, findings } = opening
  if (findings.length !== batch.requests.length || !findings.every(areFindings)) {
    return refuse('ballot-findings', `${findings.length} findings on ${batch.requests.length} requests`)
  }
  const validator = members[position]?.id
  const is =
    validator === undefined ? null : ballotCommit({ genesisHash, epoch: batch.epoch, validator }, opening)
  if (is !== cast.commit) {
    return refuse(
      'ballot-mismatch',
      `the opening has commit ${is}, elector ${position} committed to ${cast.commit}`,
    )
  }
  return ok({ ...cast, opening: { rules, findings, isLeak } })
}

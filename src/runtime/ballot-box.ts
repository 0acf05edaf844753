/**
 * The ballots of this validator and those it has heard: what to commit to and what to open with the next vote, and what
 * the next block can hold. Decides nothing about votes; what is said in a slot is own-ballots.ts.
 */
import { ballotCommit, packedFindingsBytes } from '../codec/ballots.ts'
import { BALLOTS_PER_VOTE_MAX, CAST_BALLOTS_MAX, TRANSACTION_BYTES_MAX } from '../codec/limits.ts'
import { hashTransaction } from '../codec/transaction.ts'
import { electorQuorum, electorsOfBatch, positionOf } from '../ledger/verdicts/electors.ts'
import { commitDeadline, openingDeadline } from '../ledger/verdicts/windows.ts'
import type {
  BallotCommit,
  BallotOpening,
  BallotSlot,
  Ballots,
  CastCommit,
  CastOpening,
} from '../types/ballots.ts'
import { compareSlots, isSameSlot } from '../types/ballots.ts'
import type { Openings, Vote } from '../types/messages.ts'
import {
  asHeight,
  asValidatorIndex,
  type BlockHash,
  type Epoch,
  type GenesisHash,
  type Height,
  type RequestKey,
  type ValidatorId,
  type ValidatorIndex,
  type View,
} from '../types/primitives.ts'
import type { BallotsTransaction, HashedTransaction } from '../types/transaction.ts'
import type { Validator } from '../types/validator-set.ts'
import type { RuleFailure } from '../types/verdict.ts'
import type { CastBallot, OpenBatch, VerdictVoting } from '../types/voting.ts'
import { OwnBallots, type OwnBallotsOptions, slotName } from './own-ballots.ts'

/** Openings kept of one validator, and prepare votes with commits: more slots than are open at once. */
const OPENINGS_PER_VOTER_MAX = 32
/** Bytes that a commit adds to a block, and an opening besides its findings; a little more than they are. */
const BALLOT_BYTES = 48
/** And the slot, once for all commits to it, and once for all openings; a little more than it is. */
const SLOT_BYTES = 56
/** Whoever has not voted in so many views is not waited for. */
const SILENT_VIEWS = 8
const BALLOTS_BYTES_MAX = TRANSACTION_BYTES_MAX - 1_024

export interface BallotBoxOptions {
  readonly genesisHash: GenesisHash
  /** Of a block, as genesis allows: ballots take half of it at most, and requests find room in any. */
  readonly blockBytesMax: number
  /** Null for a node that never votes. */
  readonly self: OwnBallotsOptions | null
  /** What this node's rules found about a request of a block; null when it was not there to judge. */
  readonly judgement: (blockHash: BlockHash, requestKey: RequestKey) => readonly RuleFailure[] | null
}

/** A block, executed, that is voted for or built on. */
export interface BallotPoint {
  readonly hash: BlockHash
  readonly height: Height
  readonly voting: VerdictVoting
}

/** The ballots of the next block, and the votes that vouch for the commits among them. */
export interface CollectedBallots {
  readonly transaction: HashedTransaction<BallotsTransaction>
  readonly votes: readonly Vote[]
}

export class BallotBox {
  readonly #options: BallotBoxOptions
  readonly #own: OwnBallots | null
  #finalHeight = asHeight(0)
  #epoch: Epoch
  /** The newest prepare vote with commits of each validator: commits are said until they are in the chain. */
  #votes = new Map<ValidatorIndex, Vote>()
  #openings = new Map<ValidatorIndex, Map<string, BallotOpening>>()
  /** The last view in which each validator voted, as it says itself. */
  #heardIn = new Map<ValidatorIndex, number>()

  /** @param epoch that goes on */
  constructor(options: BallotBoxOptions, epoch: Epoch) {
    this.#options = options
    this.#epoch = epoch
    const { self, genesisHash, judgement } = options
    this.#own = self === null ? null : new OwnBallots({ ...self, genesisHash, judgement })
  }

  /** An epoch begins: its validators have other indices, and its views may repeat numbers. */
  beginEpoch(epoch: Epoch): void {
    this.#epoch = epoch
    this.#votes = new Map()
    this.#openings = new Map()
    this.#heardIn = new Map()
  }

  /** Blocks up to this height are final: what closed in them may be opened. */
  final(height: Height): void {
    if (height <= this.#finalHeight) return
    this.#finalHeight = height
    this.#own?.final(height)
  }

  /** What goes with our vote for a block. A pre-commit vote carries openings only, a proposal commits only. */
  say(kind: Vote['kind'] | 'proposal', point: BallotPoint): Ballots {
    const { commits, openings } = this.#all(point)
    return { commits: kind === 'pre-commit' ? [] : commits, openings: kind === 'proposal' ? [] : openings }
  }

  /** What our commits on the branch of a block were of that is not opened there, as far as it may be opened. */
  openings(point: BallotPoint): readonly BallotOpening[] {
    return this.#all(point).openings
  }

  #all(point: BallotPoint): Ballots {
    const { self } = this.#options
    const commits: BallotCommit[] = []
    const openings: BallotOpening[] = []
    for (const batch of self === null ? [] : point.voting.batches) {
      const position = self === null ? null : positionOf(electorsOfBatch(point.voting, batch), self.id)
      if (position === null) continue
      const own = this.#own?.ballot(slotOf(batch, point), batch) ?? null
      if (own === null) continue
      const cast = batch.ballots.find(({ elector }) => elector === position)
      if (cast === undefined) {
        if (batch.closedAt === null && point.height < commitDeadline(batch)) commits.push(own.commit)
      } else if (
        this.#isToBeOpened(batch, point) &&
        cast.opening === null &&
        cast.commit === own.commit.commit
      ) {
        openings.push(own.opening)
      }
    }
    return {
      commits: commits.sort(compareSlots).slice(0, BALLOTS_PER_VOTE_MAX),
      openings: openings.slice(0, BALLOTS_PER_VOTE_MAX),
    }
  }

  /** A vote whose signature holds, our own ones too. One of an epoch that is over is late: nobody takes it with a block. */
  heard(vote: Vote): void {
    const { voter, view, ballots } = vote
    if (vote.epoch !== this.#epoch) return
    this.#heardIn.set(voter, Math.max(view, this.#heardIn.get(voter) ?? 0))
    if (ballots.commits.length > 0 && (this.#votes.get(voter)?.view ?? -1) < view) {
      this.#votes.set(voter, { ...vote, ballots: { commits: ballots.commits, openings: [] } })
    }
    this.opened({ epoch: vote.epoch, voter, openings: ballots.openings })
  }

  /** Openings of a validator, in its vote or by themselves, and our own. */
  opened({ epoch, voter, openings }: Pick<Openings, 'epoch' | 'voter' | 'openings'>): void {
    if (epoch !== this.#epoch || openings.length === 0) return
    const kept = this.#openings.get(voter) ?? new Map<string, BallotOpening>()
    this.#openings.set(voter, kept)
    for (const opening of openings) {
      kept.set(slotName(opening), opening)
      const oldest = kept.keys().next().value
      if (kept.size > OPENINGS_PER_VOTER_MAX && oldest !== undefined) kept.delete(oldest)
    }
  }

  /**
   * What a block on `parent` can hold of what was heard.
   * @param validators the set that decides that block
   * @returns null when there is nothing
   */
  collect(parent: BallotPoint, validators: readonly Validator[]): CollectedBallots | null {
    const commits: CastCommit[] = []
    const openings: CastOpening[] = []
    const votes = new Set<Vote>()
    const bytesMax = Math.min(BALLOTS_BYTES_MAX, Math.floor(this.#options.blockBytesMax / 2))
    let bytes = 0
    const hasRoomFor = (ballot: number, slot: BallotSlot, before: BallotSlot | undefined): boolean => {
      const more = ballot + (before !== undefined && isSameSlot(before, slot) ? 0 : SLOT_BYTES)
      if (bytes + more > bytesMax || commits.length + openings.length >= CAST_BALLOTS_MAX) return false
      bytes += more
      return true
    }
    for (const batch of parent.voting.batches) {
      const slot = slotOf(batch, parent)
      for (const [voter, place] of placesOf(parent, batch, validators)) {
        if (this.#options.self?.conduct?.leavesOut?.(voter) === true) continue
        const heard = place.cast === null ? this.#heardCommit(slot, batch, voter, parent) : null
        if (heard !== null && hasRoomFor(BALLOT_BYTES, slot, commits.at(-1))) {
          commits.push({ ...heard.commit, voter })
          votes.add(heard.vote)
        }
        const opening = place.cast === null ? null : this.#heardOpening(slot, batch, voter, place)
        const openingBytes = BALLOT_BYTES + packedFindingsBytes(opening?.findings.length ?? 0)
        if (opening !== null && hasRoomFor(openingBytes, slot, openings.at(-1))) {
          openings.push({ ...opening, voter })
        }
      }
    }
    if (commits.length + openings.length === 0) return null
    return {
      transaction: hashTransaction({ kind: 'ballots', commits, openings }),
      votes: [...votes].sort((a, b) => a.voter - b.voter),
    }
  }

  /**
   * Whether a block on `parent` could hold a ballot that has not been heard yet, of a validator that votes these days.
   * @param validators the set that decides that block
   * @param view that the block is made in
   */
  isIncomplete(parent: BallotPoint, validators: readonly Validator[], view: View): boolean {
    return parent.voting.batches.some((batch) => {
      const slot = slotOf(batch, parent)
      return placesOf(parent, batch, validators).some(([voter, place]) => {
        if (place.id === this.#options.self?.id || !this.#isVoting(voter, view)) return false
        const { closedAt } = batch
        if (place.cast === null) {
          const isInTime = closedAt === null && parent.height < commitDeadline(batch)
          return isInTime && this.#heardCommit(slot, batch, voter, parent) === null
        }
        // What the parent closed is no late vote's to bring: see missingOpenings.
        if (closedAt === null || closedAt === parent.height) return false
        return place.cast.opening === null && this.#heardOpening(slot, batch, voter, place) === null
      })
    })
  }

  /**
   * What has not come yet of the openings of what the parent closed: those of a quorum of the stake that weighs, or when
   * these are there some of validators that vote these days; null when all are there, or nothing was closed.
   * @param validators the set that decides a block on `parent`
   * @param view that the block is made in
   */
  missingOpenings(
    parent: BallotPoint,
    validators: readonly Validator[],
    view: View,
  ): 'quorum' | 'others' | null {
    let missing: 'others' | null = null
    for (const batch of parent.voting.batches) {
      if (batch.closedAt !== parent.height) continue
      const slot = slotOf(batch, parent)
      const members = electorsOfBatch(parent.voting, batch)
      let opened = 0n
      for (const [voter, place] of placesOf(parent, batch, validators)) {
        const { cast, id } = place
        if (cast === null) continue
        if (cast.opening !== null || this.#heardOpening(slot, batch, voter, place) !== null) {
          const elector = members[cast.elector]
          opened += elector?.weighs === true ? elector.stake : 0n
        } else if (id === this.#options.self?.id || this.#isVoting(voter, view)) missing = 'others'
      }
      if (missing !== null && opened < electorQuorum(members)) return 'quorum'
    }
    return missing
  }

  #isVoting(voter: ValidatorIndex, view: View): boolean {
    const last = this.#heardIn.get(voter)
    return last !== undefined && view - last <= SILENT_VIEWS
  }

  /** A commit that a block on the point can hold, with the vote it is from. */
  #heardCommit(
    slot: BallotSlot,
    batch: OpenBatch,
    voter: ValidatorIndex,
    { height }: BallotPoint,
  ): { readonly commit: BallotCommit; readonly vote: Vote } | null {
    if (batch.closedAt !== null || height + 1 > commitDeadline(batch)) return null
    const vote = this.#votes.get(voter)
    const commit = vote?.ballots.commits.find((said) => slotName(said) === slotName(slot))
    return vote === undefined || commit === undefined ? null : { commit, vote }
  }

  /**
   * An opening that a block on the point can hold. One that is heard while commits are taken is a leak: it goes into
   * the block, so that it costs what a leak costs.
   */
  #heardOpening(
    slot: BallotSlot,
    { requests, epoch }: OpenBatch,
    voter: ValidatorIndex,
    { cast, id }: BallotPlace,
  ): BallotOpening | null {
    if (cast === null || cast.opening !== null) return null
    const opening = this.#openings.get(voter)?.get(slotName(slot))
    if (opening === undefined || opening.findings.length !== requests.length) return null
    const { genesisHash } = this.#options
    // Nobody but the owner is heard here, but a liar may say what does not fit its commit.
    return ballotCommit({ genesisHash, epoch, validator: id }, opening) === cast.commit ? opening : null
  }

  /** Only when closing is final here: an opening that is known while commits are taken can be copied. */
  #isToBeOpened({ closedAt }: OpenBatch, { height }: BallotPoint): boolean {
    if (this.#options.self?.conduct?.opensEarly === true) return true
    return closedAt !== null && closedAt <= this.#finalHeight && height < openingDeadline(closedAt)
  }
}

/** The slot of a batch; in the state right after its own block that block's hash is the point's. */
function slotOf({ height, blockHash, round }: OpenBatch, point: BallotPoint): BallotSlot {
  return { height, blockHash: blockHash ?? point.hash, round }
}

/** A validator's place in a batch. */
interface BallotPlace {
  readonly id: ValidatorId
  readonly cast: CastBallot | null
}

/** Those who can have ballots in a batch, in order of the set that decides the block. */
function placesOf(
  { voting }: BallotPoint,
  batch: OpenBatch,
  validators: readonly Validator[],
): (readonly [ValidatorIndex, BallotPlace])[] {
  const members = electorsOfBatch(voting, batch)
  return validators.flatMap(({ id }, i) => {
    const position = positionOf(members, id)
    if (position === null) return []
    const cast = batch.ballots.find(({ elector }) => elector === position) ?? null
    return [[asValidatorIndex(i), { id, cast }] as const]
  })
}

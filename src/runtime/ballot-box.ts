/**
 * The ballots of this validator and those it has heard: what to commit to and what to open with the next vote, and what
 * the next block can hold. Knows no secret but the key of its own salts; decides nothing about votes.
 */
import { ballotCommit } from '../codec/ballots.ts'
import { BALLOTS_PER_VOTE_MAX, CAST_BALLOTS_MAX, TRANSACTION_BYTES_MAX } from '../codec/limits.ts'
import { hashTransaction } from '../codec/transaction.ts'
import { electorsOfBatch, positionOf } from '../ledger/verdicts/electors.ts'
import { findingsOf } from '../ledger/verdicts/findings.ts'
import { RULES_VERSION } from '../ledger/verdicts/tally.ts'
import { commitDeadline, openingDeadline, openingStart } from '../ledger/verdicts/windows.ts'
import type {
  BallotCommit,
  BallotOpening,
  BallotSlot,
  Ballots,
  CastCommit,
  CastOpening,
  Findings,
} from '../types/ballots.ts'
import { compareSlots } from '../types/ballots.ts'
import type { Vote } from '../types/messages.ts'
import {
  asHeight,
  asValidatorIndex,
  type BlockHash,
  type Epoch,
  type GenesisHash,
  type Height,
  type Hex32,
  type RequestKey,
  type ValidatorId,
  type ValidatorIndex,
} from '../types/primitives.ts'
import type { BallotsTransaction, HashedTransaction } from '../types/transaction.ts'
import type { Validator } from '../types/validator-set.ts'
import type { RuleFailure } from '../types/verdict.ts'
import type { OpenBatch, VerdictVoting } from '../types/voting.ts'

/** Openings kept of one validator, and prepare votes with commits: more slots than are open at once. */
const OPENINGS_PER_VOTER_MAX = 32
/** Bytes that one opening adds to a block besides its findings, and one commit. */
const OPENING_BYTES = 96
const COMMIT_BYTES = 96

export interface BallotBoxOptions {
  readonly genesisHash: GenesisHash
  /** Of a block, as genesis allows: ballots take half of it at most, and requests find room in any. */
  readonly blockBytesMax: number
  /** Null for a node that never votes. */
  readonly self: {
    readonly id: ValidatorId
    /** The same salt for the same slot, for ever, and to nobody else known. */
    readonly saltOf: (slot: BallotSlot) => Hex32
    /** Commits of before the start: they are never replaced by others. */
    readonly committed: readonly BallotCommit[]
    /** What to say about a request whose rules failed so; other than findingsOf only in tests of liars. */
    readonly findings?: (failures: readonly RuleFailure[], requestKey: RequestKey) => Findings
  } | null
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

interface OwnBallot {
  readonly commit: BallotCommit
  readonly opening: BallotOpening
}

export class BallotBox {
  readonly #options: BallotBoxOptions
  readonly #committed = new Map<string, Hex32>()
  readonly #own = new Map<string, OwnBallot>()
  #finalHeight = asHeight(0)
  #epoch: Epoch
  /** The newest prepare vote with commits of each validator: commits are said until they are in the chain. */
  #votes = new Map<ValidatorIndex, Vote>()
  #openings = new Map<ValidatorIndex, Map<string, BallotOpening>>()

  /** @param epoch that goes on */
  constructor(options: BallotBoxOptions, epoch: Epoch) {
    this.#options = options
    this.#epoch = epoch
    for (const commit of options.self?.committed ?? []) this.#committed.set(nameOf(commit), commit.commit)
  }

  /** An epoch begins: its validators have other indices, and its views may repeat numbers. */
  beginEpoch(epoch: Epoch): void {
    this.#epoch = epoch
    this.#votes = new Map()
    this.#openings = new Map()
  }

  /** Blocks up to this height are final: what closed in them may be opened. */
  final(height: Height): void {
    if (height <= this.#finalHeight) return
    this.#finalHeight = height
    for (const [name, { commit }] of this.#own) {
      if (commit.height < height - 256) this.#own.delete(name)
    }
  }

  /** What goes with our vote for a block. A pre-commit vote carries openings only. */
  say(kind: Vote['kind'], point: BallotPoint): Ballots {
    const { self } = this.#options
    const commits: BallotCommit[] = []
    const openings: BallotOpening[] = []
    for (const batch of self === null ? [] : point.voting.batches) {
      const position = self === null ? null : positionOf(electorsOfBatch(point.voting, batch), self.id)
      if (position === null) continue
      const own = this.#ownBallot(slotOf(batch, point), batch)
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
      commits: kind === 'prepare' ? commits.sort(compareSlots).slice(0, BALLOTS_PER_VOTE_MAX) : [],
      openings: openings.slice(0, BALLOTS_PER_VOTE_MAX),
    }
  }

  /** A vote whose signature holds, our own ones too. One of an epoch that is over is late: nobody takes it with a block. */
  heard(vote: Vote): void {
    const { voter, view, ballots } = vote
    if (vote.epoch !== this.#epoch) return
    if (ballots.commits.length > 0 && (this.#votes.get(voter)?.view ?? -1) < view) {
      this.#votes.set(voter, { ...vote, ballots: { commits: ballots.commits, openings: [] } })
    }
    if (ballots.openings.length === 0) return
    const openings = this.#openings.get(voter) ?? new Map<string, BallotOpening>()
    this.#openings.set(voter, openings)
    for (const opening of ballots.openings) {
      openings.set(nameOf(opening), opening)
      const oldest = openings.keys().next().value
      if (openings.size > OPENINGS_PER_VOTER_MAX && oldest !== undefined) openings.delete(oldest)
    }
  }

  /**
   * What a block on `parent` can hold of what was heard.
   * @param validators the set that decides that block
   * @returns null when there is nothing
   */
  collect(parent: BallotPoint, validators: readonly Validator[]): CollectedBallots | null {
    const height = parent.height + 1
    const commits: CastCommit[] = []
    const openings: CastOpening[] = []
    const votes = new Set<Vote>()
    const bytesMax = Math.min(TRANSACTION_BYTES_MAX, Math.floor(this.#options.blockBytesMax / 2))
    let bytes = 64
    for (const batch of [...parent.voting.batches].sort(compareSlotsOf)) {
      const members = electorsOfBatch(parent.voting, batch)
      const slot = slotOf(batch, parent)
      for (const [i, { id }] of validators.entries()) {
        const voter = asValidatorIndex(i)
        const position = positionOf(members, id)
        if (position === null || commits.length + openings.length >= CAST_BALLOTS_MAX) continue
        const cast = batch.ballots.find(({ elector }) => elector === position)
        if (cast === undefined) {
          const vote = this.#votes.get(voter)
          const said = vote?.ballots.commits.find((commit) => nameOf(commit) === nameOf(slot))
          if (vote === undefined || said === undefined || batch.closedAt !== null) continue
          if (height > commitDeadline(batch) || bytes + COMMIT_BYTES > bytesMax) continue
          bytes += COMMIT_BYTES
          commits.push({ ...said, voter })
          votes.add(vote)
        } else if (
          cast.opening === null &&
          batch.closedAt !== null &&
          height >= openingStart(batch.closedAt)
        ) {
          const opening = this.#openings.get(voter)?.get(nameOf(slot))
          if (opening === undefined || opening.findings.length !== batch.requests.length) continue
          const { genesisHash } = this.#options
          if (ballotCommit({ genesisHash, epoch: batch.epoch, validator: id }, opening) !== cast.commit)
            continue
          const grown = bytes + OPENING_BYTES + 2 * opening.findings.length
          if (grown > bytesMax) continue
          bytes = grown
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

  /** Only when closing is final here: an opening that is known while commits are taken can be copied. */
  #isToBeOpened({ closedAt }: OpenBatch, { height }: BallotPoint): boolean {
    return closedAt !== null && closedAt <= this.#finalHeight && height < openingDeadline(closedAt)
  }

  #ownBallot(slot: BallotSlot, { epoch, requests }: OpenBatch): OwnBallot | null {
    const { self, genesisHash, judgement } = this.#options
    if (self === null) return null
    const name = nameOf(slot)
    const known = this.#own.get(name)
    if (known !== undefined) return known
    const findings: Findings[] = []
    for (const { requestKey } of requests) {
      const failures = judgement(slot.blockHash, requestKey)
      if (failures === null) return null
      findings.push((self.findings ?? findingsOf)(failures, requestKey))
    }
    const opening = { ...slot, rules: RULES_VERSION, findings, salt: self.saltOf(slot) }
    const commit = ballotCommit({ genesisHash, epoch, validator: self.id }, opening)
    // Something else was committed to before, by other rules or another key of salts: better silent than two-faced.
    if ((this.#committed.get(name) ?? commit) !== commit) return null
    const own = { commit: { ...slot, commit }, opening }
    this.#own.set(name, own)
    return own
  }
}

/** The slot of a batch; in the state right after its own block that block's hash is the point's. */
function slotOf({ height, blockHash, round }: OpenBatch, point: BallotPoint): BallotSlot {
  return { height, blockHash: blockHash ?? point.hash, round }
}

function nameOf({ height, blockHash, round }: BallotSlot): string {
  return `${height}:${round}:${blockHash}`
}

function compareSlotsOf(a: OpenBatch, b: OpenBatch): number {
  return a.height - b.height || a.round - b.round
}

/**
 * Bytes of the prepare votes beside a block, without what the block says itself: nearly all of them are for the block
 * that it builds on, and for just those commits of their voters that it holds.
 */
import { type BallotCommit, type Ballots, isSameSlot } from '../types/ballots.ts'
import type { HashedBlock } from '../types/block.ts'
import type { Vote } from '../types/messages.ts'
import { asHeight, type BlockHash, type ValidatorIndex } from '../types/primitives.ts'
import { ballotsSchema } from './ballots.ts'
import { signatureSchema } from './certificates.ts'
import { BALLOTS_PER_VOTE_MAX, VALIDATORS_MAX } from './limits.ts'
import { counter, DecodeError, hexBytes, index, listOf, nullable, record, type Schema } from './schema.ts'

/** What a vote is for. */
type Point = Pick<Vote, 'epoch' | 'view' | 'height' | 'blockHash'>

/** A vote as it stands beside a block. */
export interface BallotVote extends Pick<Vote, 'voter' | 'signature'> {
  /** Null: the block that the block's header names as its justify, in the view that it names. */
  readonly point: Point | null
  /** Null: no openings, and the voter's commits in the block, in the block's order. */
  readonly ballots: Ballots | null
}

export const ballotVotesSchema: Schema<readonly BallotVote[]> = listOf(
  record<BallotVote>({
    voter: index(),
    signature: signatureSchema,
    point: nullable(
      record<Point>({
        epoch: counter(),
        view: counter(),
        height: counter(),
        blockHash: hexBytes<BlockHash>(32),
      }),
    ),
    ballots: nullable(ballotsSchema),
  }),
  VALIDATORS_MAX,
)

/** @param votes prepare votes @param block beside which they go */
export function besideBlock(votes: readonly Vote[], block: HashedBlock): readonly BallotVote[] {
  const point = pointOf(block)
  const commits = commitsByVoter(block)
  return votes.map(({ voter, signature, ballots, epoch, view, height, blockHash }) => ({
    voter,
    signature,
    point: isSamePoint({ epoch, view, height, blockHash }, point) ? null : { epoch, view, height, blockHash },
    ballots: isSaidBy(commits.get(voter) ?? [], ballots) ? null : ballots,
  }))
}

/**
 * @param block beside which they came
 * @returns the whole votes
 * @throws DecodeError when one says what the block says, or leaves out what no vote has
 */
export function wholeVotes(votes: readonly BallotVote[], block: HashedBlock): readonly Vote[] {
  const own = pointOf(block)
  const commits = commitsByVoter(block)
  return votes.map(({ voter, signature, point, ballots }) => {
    const inBlock = commits.get(voter) ?? []
    const of = point ?? own
    if (of === null) throw new DecodeError('a vote for what is below genesis')
    if (point !== null && isSamePoint(point, own)) throw new DecodeError('a vote names what its block names')
    if (ballots !== null && isSaidBy(inBlock, ballots)) {
      throw new DecodeError('a vote says what its block says')
    }
    if (ballots === null && inBlock.length > BALLOTS_PER_VOTE_MAX) {
      throw new DecodeError(`a vote with ${inBlock.length} commits, the limit is ${BALLOTS_PER_VOTE_MAX}`)
    }
    const said = ballots ?? { commits: inBlock, openings: [] }
    return { kind: 'prepare', ...of, voter, signature, ballots: said }
  })
}

/** What most votes beside a block are for; null for genesis, which builds on nothing. */
function pointOf({ header: { epoch, height, justify } }: HashedBlock): Point | null {
  if (height === 0) return null
  return { epoch, view: justify.view, height: asHeight(height - 1), blockHash: justify.blockHash }
}

function isSamePoint(a: Point, b: Point | null): boolean {
  if (b === null) return false
  return a.epoch === b.epoch && a.view === b.view && a.height === b.height && a.blockHash === b.blockHash
}

/** The commits in a block. */
function commitsByVoter({ transactions }: HashedBlock): ReadonlyMap<ValidatorIndex, readonly BallotCommit[]> {
  const byVoter = new Map<ValidatorIndex, BallotCommit[]>()
  const first = transactions[0]?.transaction
  for (const { voter, ...commit } of first?.kind === 'ballots' ? first.commits : []) {
    const commits = byVoter.get(voter)
    if (commits === undefined) byVoter.set(voter, [commit])
    else commits.push(commit)
  }
  return byVoter
}

function isSaidBy(inBlock: readonly BallotCommit[], { commits, openings }: Ballots): boolean {
  if (openings.length > 0 || commits.length !== inBlock.length) return false
  return commits.every((commit, i) => {
    const other = inBlock[i]
    return other !== undefined && isSameSlot(commit, other) && commit.commit === other.commit
  })
}

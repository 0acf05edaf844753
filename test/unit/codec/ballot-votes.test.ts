/** Votes beside a block: what the block says is left out, what it does not say is kept, and nothing has two encodings. */
import { describe, expect, it } from 'vitest'
import { besideBlock, wholeVotes } from '../../../src/codec/ballot-votes.ts'
import { SIGNATURE_BYTES } from '../../../src/codec/certificates.ts'
import { BALLOTS_PER_VOTE_MAX } from '../../../src/codec/limits.ts'
import { decodeMessage, encodeMessage } from '../../../src/codec/messages.ts'
import { DecodeError } from '../../../src/codec/schema.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import type { BallotCommit, BallotOpening } from '../../../src/types/ballots.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { Vote } from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type BlockHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import { blockOn, GENESIS, proposal, vote } from '../consensus/harness.ts'

const PARENT = blockOn(GENESIS, 1)
const commitOf = (byte: string, of: Partial<BallotCommit> = {}): BallotCommit => ({
  height: asHeight(1),
  blockHash: PARENT.hash,
  round: 0,
  commit: byte.repeat(32) as Hex32,
  ...of,
})
const ONE = commitOf('0a')
const RETRIED = commitOf('0b', { round: 1 })
const OPENING: BallotOpening = {
  height: asHeight(1),
  blockHash: PARENT.hash,
  round: 0,
  rules: 1,
  findings: [1365],
  salt: '0e'.repeat(32) as Hex32,
}

/** A block with these commits of validator 1, and one of validator 3. */
function blockWith(...commits: readonly BallotCommit[]): HashedBlock {
  const cast = [
    ...commits.map((commit) => ({ ...commit, voter: asValidatorIndex(1) })),
    { ...commitOf('0c'), voter: asValidatorIndex(3) },
  ]
  return blockOn(PARENT, 2, {
    transactions: [hashTransaction({ kind: 'ballots', commits: cast, openings: [] })],
  })
}

const saying = (...commits: readonly BallotCommit[]): Vote =>
  vote('prepare', 1, PARENT, { commits, openings: [] })
const proposalOf = (block: HashedBlock, ...ballotVotes: Vote[]) => ({ ...proposal(block), ballotVotes })
const bytesOf = (block: HashedBlock, ...votes: Vote[]): number =>
  encodeMessage(proposalOf(block, ...votes)).length

describe('a vote beside a block', () => {
  it.each<[string, HashedBlock, Vote]>([
    ['for its parent, with the commit that the block holds', blockWith(ONE), saying(ONE)],
    ['with both commits that the block holds', blockWith(ONE, RETRIED), saying(ONE, RETRIED)],
    ['without any, where the block holds none of its voter', blockWith(), saying()],
  ])('%s is its voter and signature, and twelve bytes of lengths', (_, block, vouching) => {
    expect(bytesOf(block, vouching) - bytesOf(block)).toBe(2 + SIGNATURE_BYTES + 12)
    const whole = proposalOf(block, vouching)
    expect(decodeMessage(encodeMessage(whole))).toEqual({ ok: true, value: whole })
  })

  it.each<[string, HashedBlock, Vote]>([
    ['of another view', blockWith(ONE), { ...saying(ONE), view: asView(7) }],
    ['of another epoch', blockWith(ONE), { ...saying(ONE), epoch: asEpoch(7) }],
    ['for another height', blockWith(ONE), { ...saying(ONE), height: asHeight(7) }],
    ['for another block', blockWith(ONE), { ...saying(ONE), blockHash: 'b7'.repeat(32) as BlockHash }],
    ['with more commits than the block holds', blockWith(ONE), saying(ONE, RETRIED)],
    ['with fewer', blockWith(ONE, RETRIED), saying(ONE)],
    ['with none', blockWith(ONE), saying()],
    ['with another', blockWith(ONE), saying(commitOf('0d'))],
    ['with one to another round', blockWith(ONE), saying({ ...ONE, round: 1 })],
    ['with one to another height', blockWith(ONE), saying({ ...ONE, height: asHeight(9) })],
    [
      'with one to another block',
      blockWith(ONE),
      saying({ ...ONE, blockHash: 'b7'.repeat(32) as BlockHash }),
    ],
    ['with the same in another order', blockWith(ONE, RETRIED), saying(RETRIED, ONE)],
    ['with openings', blockWith(ONE), { ...saying(ONE), ballots: { commits: [ONE], openings: [OPENING] } }],
    ['of a voter with no commit in the block', blockWith(), saying(ONE)],
    ['beside a block without ballots', blockOn(PARENT, 2), saying(ONE)],
  ])('%s is read back as it was', (_, block, vouching) => {
    const whole = proposalOf(block, vouching, { ...vouching, voter: asValidatorIndex(3) })
    expect(decodeMessage(encodeMessage(whole))).toEqual({ ok: true, value: whole })
    expect(bytesOf(block, vouching) - bytesOf(block)).toBeGreaterThan(2 + SIGNATURE_BYTES + 12)
  })

  const full = (count: number) =>
    blockWith(...Array.from({ length: count }, (_, i) => commitOf('0a', { height: asHeight(i) })))
  const [short] = besideBlock([saying(ONE)], blockWith(ONE))
  if (short === undefined) throw new Error('there is one')

  it.each<[string, string, () => unknown]>([
    [
      'names the block that its block names',
      'a vote names what its block names',
      () =>
        wholeVotes(
          [
            {
              ...short,
              point: { epoch: asEpoch(1), view: asView(1), height: asHeight(1), blockHash: PARENT.hash },
            },
          ],
          blockWith(ONE),
        ),
    ],
    [
      'says the commits that its block holds',
      'a vote says what its block says',
      () => wholeVotes([{ ...short, ballots: { commits: [ONE], openings: [] } }], blockWith(ONE)),
    ],
    [
      'says that it says nothing, where its block says so',
      'a vote says what its block says',
      () => wholeVotes([{ ...short, ballots: { commits: [], openings: [] } }], blockWith()),
    ],
    ['stands beside genesis', 'a vote for what is below genesis', () => wholeVotes([short], GENESIS)],
    [
      'stands for more commits than a vote can have',
      `a vote with ${BALLOTS_PER_VOTE_MAX + 1} commits, the limit is ${BALLOTS_PER_VOTE_MAX}`,
      () => wholeVotes([short], full(BALLOTS_PER_VOTE_MAX + 1)),
    ],
  ])('that %s is refused', (_, why, read) => {
    expect(read).toThrow(new DecodeError(why))
  })

  it('stands for as many commits as a vote can have', () => {
    const [whole] = wholeVotes([short], full(BALLOTS_PER_VOTE_MAX))
    expect(whole?.ballots.commits).toHaveLength(BALLOTS_PER_VOTE_MAX)
  })
})

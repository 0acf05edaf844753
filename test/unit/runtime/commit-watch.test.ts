/** Who commits to two things in one slot is noticed, once, across views and epochs; nobody else is. */
import { describe, expect, it } from 'vitest'
import { CommitWatch } from '../../../src/runtime/commit-watch.ts'
import type { BallotCommit } from '../../../src/types/ballots.ts'
import type { CommitPair } from '../../../src/types/evidence.ts'
import { asEpoch, asHeight, asView, type BlockHash, type Hex32 } from '../../../src/types/primitives.ts'
import type { Validator } from '../../../src/types/validator-set.ts'
import { chainOf, type GENESIS, validatorSet, vote } from '../consensus/harness.ts'

type Block = typeof GENESIS
const [B1, B2] = chainOf(2) as [Block, Block]
const [V0, V1] = validatorSet([1n, 1n]).validators as [Validator, Validator]
const commit = (byte: string, height = 1, hash = 'b'): BallotCommit => ({
  height: asHeight(height),
  blockHash: hash.repeat(64) as BlockHash,
  round: 0,
  commit: byte.repeat(32) as Hex32,
})
const said = (block: Block, ...commits: BallotCommit[]) =>
  vote('prepare', 1, block, { commits, openings: [] })

function watch(): {
  heard: (of: ReturnType<typeof said>, by?: Validator) => void
  pairs: CommitPair[]
  watch: CommitWatch
} {
  const pairs: CommitPair[] = []
  const watching = new CommitWatch((pair) => pairs.push(pair))
  return { heard: (of, by = V1) => watching.heard(of, by), pairs, watch: watching }
}

describe('the watch over commits', () => {
  it('tells of a second commit in a slot, with both votes in order of the commits', () => {
    const { heard, pairs } = watch()
    heard(said(B1, commit('0b')))
    heard(said(B2, commit('0a'), commit('0c', 2)))
    expect(pairs).toMatchObject([
      {
        slot: { height: 1, round: 0 },
        publicKey: V1.publicKey,
        first: { view: 2, commits: [commit('0a'), commit('0c', 2)] },
        second: { view: 1, commits: [commit('0b')] },
      },
    ])
  })

  it('tells it once', () => {
    const { heard, pairs } = watch()
    for (const byte of ['0b', '0a', '0c', '0a']) heard(said(B1, commit(byte)))
    expect(pairs).toHaveLength(1)
  })

  it('says nothing of one that repeats itself, of sibling blocks, of rounds, or of two validators', () => {
    const { heard, pairs } = watch()
    heard(said(B1, commit('0b')))
    heard(said(B2, commit('0b')))
    heard(said(B2, commit('0a', 1, 'c')))
    heard(said(B2, { ...commit('0a'), round: 1 }))
    heard(said(B2, commit('0a')), V0)
    heard(vote('pre-commit', 1, B2, { commits: [commit('0d')], openings: [] }))
    expect(pairs).toEqual([])
  })

  it('remembers over the end of an epoch, as long as the validator stays', () => {
    const { heard, pairs, watch: watching } = watch()
    heard(said(B1, commit('0b')))
    heard(said(B1, commit('0b')), V0)
    watching.keepOnly([V1])
    const later = { ...said(B2, commit('0a')), epoch: asEpoch(2), view: asView(1) }
    heard(later)
    heard(later, V0)
    expect(pairs.map(({ publicKey }) => publicKey)).toEqual([V1.publicKey])
  })

  it('keeps the last sixteen slots of each', () => {
    const { heard, pairs } = watch()
    for (let height = 1; height <= 17; height++) heard(said(B1, commit('0b', height)))
    heard(said(B2, commit('0a', 1)))
    expect(pairs).toEqual([])
    heard(said(B2, commit('0a', 17)))
    expect(pairs).toHaveLength(1)
  })
})

/** Two commits in one slot (T11): what proves it, what it costs, that it costs it once, and for how long. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../../src/codec/transaction.ts'
import { checkCommitPair } from '../../../../src/ledger/verdicts/commit-pairs.ts'
import { trustRoot } from '../../../../src/ledger/verdicts/voting-root.ts'
import { type CommitPair, makeCommitPair } from '../../../../src/types/evidence.ts'
import { asEpoch, asHeight, asView, type BlockHash, type Hex32 } from '../../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../../src/types/transaction.ts'
import type { ValidatorTrust } from '../../../../src/types/voting.ts'
import { idOf, publicKeyOf, StakingChain } from '../../../support/staking-chain.ts'

const trustOf = (chain: StakingChain, i: number): ValidatorTrust =>
  chain.parent.state.voting.trust.get(idOf(i)) as ValidatorTrust
const pairOf = ({ transaction }: HashedTransaction): CommitPair => {
  if (transaction.kind !== 'commit-pair') throw new Error('no pair')
  return transaction.pair
}
/** A chain of two blocks, and a pair about its first. */
function begun(): { chain: StakingChain; pair: CommitPair } {
  const chain = new StakingChain()
  chain.until(2)
  return { chain, pair: pairOf(chain.commitPair(1)) }
}
const asPair = (pair: CommitPair) => hashTransaction({ kind: 'commit-pair', pair })
const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))

describe('two commits in one slot', () => {
  it('cost half of the trust, no stake, and the period is no clean one', () => {
    const { chain } = begun()
    const before = trustOf(chain, 1)
    const account = chain.account(1)
    chain.next([chain.commitPair(1)])
    expect(trustOf(chain, 1)).toEqual({
      ...before,
      ppm: 400_000,
      dissented: 1,
      commitPairs: [{ height: 1, round: 0, blockHash: 'd'.repeat(64) }],
    })
    expect(chain.account(1)).toEqual(account)
    expect([0, 2, 3].map((i) => trustOf(chain, i).ppm)).toEqual([800_000, 800_000, 800_000])
    // Below half of full trust: excluded with the end of the period, within a third of the stake.
    expect(trustOf(chain.until(4), 1)).toMatchObject({ status: 'excluded', cleanStreak: 0 })
  })

  it('cost it once: in one block, in a later one, by other votes, and once again for another slot', () => {
    const { chain } = begun()
    const one = chain.commitPair(1)
    const same = chain.commitPair(1, 1, [{ view: asView(11) }, { view: asView(12) }])
    expect(same.requestKey).toBe(one.requestKey)
    expect(() => chain.next([one, same])).toThrow('request-repeated-in-block')
    chain.next([one])
    expect(chain.refusalOf(one)).toBe('evidence-punished')
    expect(chain.refusalOf(same)).toBe('evidence-punished')
    chain.next([chain.commitPair(1, 2)])
    expect(trustOf(chain, 1).ppm).toBe(200_000)
  })

  it('come to the same trust in any order, on every node', () => {
    const roots = [
      [1, 2],
      [2, 1],
    ].map((heights) => {
      const { chain } = begun()
      chain.next(heights.map((height) => chain.commitPair(1, height)))
      const { ppm, commitPairs } = trustOf(chain, 1)
      expect([ppm, commitPairs.length]).toEqual([200_000, 2])
      return trustRoot(chain.parent.state.voting.trust)
    })
    const { chain } = begun()
    chain.next([chain.commitPair(1, 1), chain.commitPair(1, 2)])
    expect(roots[0]).toBe(trustRoot(chain.parent.state.voting.trust))
  })

  it('are two slots on sibling blocks, where an honest validator commits to two things', () => {
    const { chain } = begun()
    const commit = { height: asHeight(1), round: 0, commit: '0a'.repeat(32) as Hex32 }
    const [a, b] = (['d', 'e'] as const).map((hash, i) =>
      chain.commitVote(1, [
        { ...commit, blockHash: hash.repeat(64) as BlockHash, commit: `0${i}`.repeat(32) as Hex32 },
      ]),
    )
    for (const hash of ['d', 'e']) {
      const slot = { ...commit, blockHash: hash.repeat(64) as BlockHash }
      expect(makeCommitPair(slot, publicKeyOf(1), a as never, b as never)).toBeNull()
    }
  })

  it('cost nothing more after sixteen', () => {
    const chain = new StakingChain({ evidenceWindowBlocks: 1_000, unbondingBlocks: 2_000 })
    chain.until(20)
    const pairs = Array.from({ length: 17 }, (_, i) =>
      chain.commitPair(1, i + 1, [{ height: asHeight(30) }, { height: asHeight(30) }]),
    )
    for (const pair of pairs.slice(0, 16)) chain.next([pair])
    expect(trustOf(chain, 1).ppm).toBeLessThan(13)
    expect(chain.refusalOf(pairs[16] as HashedTransaction)).toBe('evidence-punished')
  })

  it('are forgotten when they cannot be proven any more', () => {
    const { chain } = begun()
    chain.next([chain.commitPair(1)])
    // The window of six blocks after height 1 is over with block 8, which ends a period.
    expect(trustOf(chain.until(7), 1).commitPairs).toHaveLength(1)
    expect(chain.refusalOf(chain.commitPair(2))).toBe('evidence-expired')
    expect(trustOf(chain.until(8), 1).commitPairs).toEqual([])
    expect(chain.refusalOf(chain.commitPair(1))).toBe('evidence-expired')
  })

  it('can be proven up to the last block of the window', () => {
    const chain = new StakingChain()
    expect(chain.until(6).refusalOf(chain.commitPair(1))).toBeNull()
  })
})

describe('evidence of a pair is refused', () => {
  const { chain, pair } = begun()
  const altered = (change: Partial<CommitPair>) => asPair({ ...pair, ...change })
  const other = { ...pair.slot, commit: '0c'.repeat(32) as Hex32 }
  const signed = (...commits: Parameters<StakingChain['commitVote']>[1]) => {
    const { epoch, view, height, blockHash, signature, ballots } = chain.commitVote(1, commits)
    return { epoch, view, height, blockHash, signature, commits: ballots.commits }
  }

  it.each<[string, string, () => HashedTransaction]>([
    ['evidence-order', 'in the other order', () => altered({ first: pair.second, second: pair.first })],
    ['evidence-same-content', 'of one vote twice', () => altered({ second: pair.first })],
    [
      'evidence-commits',
      'about a slot that a vote says nothing about',
      () => altered({ slot: { ...pair.slot, round: 1 } }),
    ],
    [
      'evidence-commits',
      'of a vote that says two things',
      () => altered({ second: signed({ ...other, commit: '0b'.repeat(32) as Hex32 }, other) }),
    ],
    ['evidence-height', 'about a block above the votes', () => chain.commitPair(1, 10)],
    ['evidence-future-epoch', 'about a block that is not there', () => chain.commitPair(1, 9)],
    [
      'evidence-future-epoch',
      'of an epoch to come',
      () => chain.commitPair(1, 1, [{ epoch: asEpoch(1) }, {}]),
    ],
    ['evidence-unknown-key', 'against a key of nobody', () => chain.commitPair(9)],
    ['evidence-unknown-key', 'against an account that never was a validator', () => chain.commitPair(5)],
    [
      'evidence-equivocation',
      'of two blocks in one view',
      () => chain.commitPair(1, 1, [{}, { view: asView(9), blockHash: 'e'.repeat(64) as BlockHash }]),
    ],
    ['evidence-signature', "with another one's key", () => altered({ publicKey: publicKeyOf(2) })],
    [
      'evidence-signature',
      'with a damaged signature',
      () => altered({ second: { ...pair.second, signature: flipped(pair.second.signature) } }),
    ],
    [
      'evidence-signature',
      'with a commit that was not signed',
      () => altered({ second: { ...pair.second, commits: [other] } }),
    ],
    [
      'evidence-signature',
      'with commits that were left out',
      () => {
        const more = signed(other, { ...other, height: asHeight(2) })
        return altered({ second: { ...more, commits: [other] } })
      },
    ],
    ['evidence-signature', 'of another view', () => altered({ first: { ...pair.first, view: asView(3) } })],
    ['evidence-signature', 'of another network', () => new StakingChain({ heartbeatMs: 1 }).commitPair(1)],
  ])('%s: %s', (code, _, transaction) => {
    expect(chain.refusalOf(transaction())).toBe(code)
  })

  it('evidence-unknown-key: on a chain where nobody votes', () => {
    const { state } = chain.parent
    const rules = { ...chain.genesis.rules, verdicts: 'executed' as const }
    expect(checkCommitPair(pair, state, asHeight(3), rules)).toMatchObject({ code: 'evidence-unknown-key' })
    expect(checkCommitPair(pair, state, asHeight(3), chain.genesis.rules)).toMatchObject({ ok: true })
  })

  it('evidence-punished: against one that an equivocation has ended', () => {
    const { chain: punished } = begun()
    punished.next([punished.offence(1)])
    expect(punished.refusalOf(punished.commitPair(1))).toBe('evidence-punished')
  })
})

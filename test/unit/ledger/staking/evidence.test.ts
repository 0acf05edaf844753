/** Evidence (R12): what counts, what does not, what it costs, and for how long. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../../src/codec/transaction.ts'
import { penaltyPpm } from '../../../../src/ledger/staking/punish.ts'
import { type Evidence, makeEvidence, type SlashableKind } from '../../../../src/types/evidence.ts'
import { asEpoch, asHeight, asView } from '../../../../src/types/primitives.ts'
import { totalSupply } from '../../../../src/types/staking.ts'
import type { HashedTransaction } from '../../../../src/types/transaction.ts'
import {
  asEvidence,
  BALANCE,
  idOf,
  publicKeyOf,
  STAKE,
  StakingChain,
} from '../../../support/staking-chain.ts'

const evidenceOf = (hashed: HashedTransaction): Evidence => {
  if (hashed.transaction.kind !== 'evidence') throw new Error('no evidence')
  return hashed.transaction.evidence
}

describe('a punishment', () => {
  it.each<SlashableKind>(['prepare', 'pre-commit'])(
    'for two %s messages burns stake and ends membership',
    (kind) => {
      const chain = new StakingChain()
      const supply = totalSupply(chain.staking)
      chain.next()
      chain.next([chain.offence(1, kind)])
      // A quarter of the stake fell: three quarters of it are burnt.
      expect(chain.account(1)).toMatchObject({
        bonded: 250n,
        balance: BALANCE,
        isJoined: false,
        tombstonedAt: 2,
      })
      expect(chain.staking.burnt).toBe(750n)
      expect(chain.staking.slashes).toEqual([
        { account: idOf(1), height: 2, time: chain.parent.header.timestamp, stake: STAKE, burnt: 750n },
      ])
      expect(totalSupply(chain.staking)).toBe(supply)
      expect(chain.until(3).members()).toEqual([0, 1, 2, 3])
      expect(chain.until(4).members()).toEqual([0, 2, 3])
    },
  )

  it('reaches what is being withdrawn, and hits harder when several fall together', () => {
    const chain = new StakingChain()
    chain.next([chain.signed(1, { kind: 'unbond', amount: 400n })])
    chain.next([chain.offence(1)])
    expect(chain.account(1)).toMatchObject({ bonded: 150n, unbonding: [{ amount: 100n }] })
    chain.next([chain.offence(2)])
    expect(chain.account(2)).toMatchObject({ bonded: 0n, tombstonedAt: 3 })
    expect(chain.staking.burnt).toBe(1_750n)
  })

  it('forgets earlier ones when their windows have passed', () => {
    const chain = new StakingChain()
    chain.next([
      chain.signed(4, { kind: 'bond', amount: 9_000n }),
      chain.signed(4, { kind: 'join' }, { sequence: 2 }),
    ])
    chain.next([chain.offence(1)])
    chain.until(8)
    expect(chain.staking.slashes).toHaveLength(1)
    // In block 8 the two would fall together: half of the 12,000 of the set.
    const together = new StakingChain()
    together.next([
      together.signed(4, { kind: 'bond', amount: 9_000n }),
      together.signed(4, { kind: 'join' }, { sequence: 2 }),
    ])
    together.next([together.offence(1)])
    together.until(7).next([together.offence(2, 'prepare', 1)])
    expect(together.account(2).bonded).toBe(500n)
    // In block 9 the first one is more than six blocks and six seconds ago.
    chain.next([chain.offence(2, 'prepare', 1)])
    expect(chain.account(2).bonded).toBe(750n)
    expect(chain.until(12).staking.slashes.map(({ account }) => account)).toEqual([idOf(2)])
  })

  it.each([
    [1n, 1_000_000n, 50_000n],
    [16_666n, 1_000_000n, 50_000n],
    [16_667n, 1_000_000n, 50_001n],
    [1n, 7n, 428_572n],
    [1n, 3n, 1_000_000n],
    [5n, 3n, 1_000_000n],
  ])('of %d in %d takes %d parts per million', (slashed, total, ppm) => {
    expect(penaltyPpm(slashed, total)).toBe(ppm)
  })

  it('leaves the offender its balance and what is left of its stake, and never lets it back', () => {
    const chain = new StakingChain()
    chain.next([chain.offence(1)])
    expect(chain.refusalOf(chain.signed(1, { kind: 'bond', amount: 1n }))).toBe('staking-tombstoned')
    expect(chain.refusalOf(chain.signed(1, { kind: 'join' }))).toBe('staking-tombstoned')
    expect(chain.refusalOf(chain.keyChange(1, 9))).toBe('staking-tombstoned')
    chain.next([
      chain.signed(1, { kind: 'unbond', amount: 250n }),
      chain.signed(1, { kind: 'transfer', to: idOf(4), amount: BALANCE }, { sequence: 2 }),
    ])
    expect(chain.until(12).account(1)).toMatchObject({ balance: 250n, bonded: 0n, unbonding: [] })
  })
})

describe('evidence is refused', () => {
  const chain = new StakingChain()
  chain.next()
  const evidence = evidenceOf(chain.offence(1))
  const altered = (change: Partial<Evidence>) => asEvidence({ ...evidence, ...change })
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte))

  it.each<[string, string, () => HashedTransaction]>([
    [
      'evidence-same-content',
      'of two hedged signatures over one content',
      () => altered({ second: chain.content(1, 'prepare', 0, 7, 'a') }),
    ],
    [
      'evidence-order',
      'in its other form',
      () => altered({ first: evidence.second, second: evidence.first }),
    ],
    ['evidence-future-epoch', 'about an epoch to come', () => altered({ epoch: asEpoch(1) })],
    ['evidence-unknown-key', 'against a key of nobody', () => altered({ publicKey: publicKeyOf(9) })],
    [
      'evidence-unknown-key',
      'against the key of an account that never joined',
      () => altered({ publicKey: publicKeyOf(4) }),
    ],
    ['evidence-signature', "with another one's key", () => altered({ publicKey: publicKeyOf(2) })],
    [
      'evidence-signature',
      'with a forged first signature',
      () => altered({ first: { ...evidence.first, signature: flipped(evidence.first.signature) } }),
    ],
    [
      'evidence-signature',
      'with a forged second signature',
      () => altered({ second: { ...evidence.second, signature: flipped(evidence.second.signature) } }),
    ],
    ['evidence-signature', 'as another kind of vote', () => altered({ kind: 'pre-commit' })],
    ['evidence-signature', 'about another view', () => altered({ view: asView(8) })],
    [
      'evidence-signature',
      'about another height',
      () => altered({ first: { ...evidence.first, height: asHeight(8) } }),
    ],
    [
      'evidence-signature',
      'of one vote and one of another view',
      () => altered({ second: chain.content(1, 'prepare', 0, 8, 'b') }),
    ],
    ['evidence-signature', 'from another network', () => new StakingChain({ heartbeatMs: 1 }).offence(1)],
  ])('%s: %s', (code, _what, transaction) => {
    expect(chain.refusalOf(transaction())).toBe(code)
  })

  it('evidence-punished: a second time, in the same block, in a later one, and for another offence', () => {
    const one = new StakingChain()
    const first = one.offence(1)
    expect(() => one.next([first, one.offence(1, 'pre-commit', 0, 99)])).toThrow('evidence-punished')
    expect(() => one.next([first, one.offence(1)])).toThrow('request-repeated-in-block')
    one.next([first])
    expect(one.refusalOf(first)).toBe('evidence-punished')
    expect(one.refusalOf(one.offence(1, 'pre-commit', 0, 3))).toBe('evidence-punished')
    expect(one.until(5).refusalOf(first)).toBe('evidence-punished')
  })

  it.each([
    ['blocks', { evidenceWindowBlocks: 10, evidenceWindowMs: 1 }],
    ['time', { evidenceWindowBlocks: 1, evidenceWindowMs: 10_000, unbondingMs: 20_000 }],
  ])('evidence-expired: exactly when both windows have passed, %s last', (_, windows) => {
    const one = new StakingChain({ unbondingBlocks: 20, ...windows })
    // Epoch 0 ends with block 4; block 14 is ten blocks and ten seconds later.
    expect(one.until(13).refusalOf(one.offence(1))).toBeNull()
    expect(one.until(14).refusalOf(one.offence(1))).toBe('evidence-expired')
    expect(one.refusalOf(one.offence(1, 'prepare', 1))).toBeNull()
  })

  it('counts against a former key, only for the epochs it could vote in', () => {
    const one = new StakingChain()
    one.next([one.keyChange(1, 10)])
    one.until(5)
    expect(one.refusalOf(one.offence(1, 'prepare', 1))).toBe('evidence-unknown-key')
    one.next([one.offence(1, 'prepare', 0)])
    expect(one.account(1).tombstonedAt).toBe(6)
  })

  it('finds the stake of everyone who withdrew in time: free only after evidence has expired', () => {
    const one = new StakingChain()
    one.next([one.signed(1, { kind: 'unbond', amount: STAKE })])
    one.until(10)
    expect(one.account(1).unbonding).toHaveLength(1)
    expect(one.refusalOf(one.offence(1))).toBe('evidence-expired')
    const other = new StakingChain()
    other.next([other.signed(1, { kind: 'unbond', amount: STAKE })])
    other.until(9)
    other.next([other.offence(1)])
    expect(other.account(1).unbonding).toEqual([expect.objectContaining({ amount: 0n })])
  })
})

describe('makeEvidence', () => {
  const chain = new StakingChain()
  const a = chain.content(1, 'prepare', 0, 7, 'a')
  const b = chain.content(1, 'prepare', 0, 7, 'b')
  const make = (x: typeof a, y: typeof a) =>
    makeEvidence('prepare', asEpoch(0), asView(7), publicKeyOf(1), x, y)

  it('gives one form, whichever came first, and none for one content', () => {
    expect(make(b, a)).toEqual(make(a, b))
    expect(make(a, b)).toMatchObject({ first: a, second: b })
    const again = chain.content(1, 'prepare', 0, 7, 'a')
    expect(again.signature).not.toEqual(a.signature)
    expect(make(a, again)).toBeNull()
    const higher = chain.content(1, 'prepare', 0, 7, 'a', 10)
    expect(make(higher, a)).toMatchObject({ first: a, second: higher })
  })

  it('makes transactions of one key for one offence, whatever the signatures', () => {
    const [one, two] = [chain.offence(1), chain.offence(1)]
    expect(one.hash).not.toBe(two.hash)
    expect(one.requestKey).toBe(two.requestKey)
    const c = chain.content(1, 'prepare', 0, 7, 'c')
    const other = make(a, c) as Evidence
    expect(hashTransaction({ kind: 'evidence', evidence: other }).requestKey).toBe(one.requestKey)
    const keys = [
      one,
      chain.offence(1, 'pre-commit'),
      chain.offence(1, 'prepare', 1),
      chain.offence(1, 'prepare', 0, 8),
      chain.offence(2),
    ]
    expect(new Set(keys.map(({ requestKey }) => requestKey)).size).toBe(keys.length)
  })
})

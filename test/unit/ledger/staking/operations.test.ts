/** Every staking operation, and every reason for which one is refused. */
import { describe, expect, it } from 'vitest'
import { asHeight } from '../../../../src/types/primitives.ts'
import { totalSupply, UNBONDINGS_MAX } from '../../../../src/types/staking.ts'
import type { HashedTransaction } from '../../../../src/types/transaction.ts'
import { BALANCE, idOf, publicKeyOf, STAKE, StakingChain } from '../../../support/staking-chain.ts'

const SUPPLY = 4n * STAKE + 8n * BALANCE

describe('an operation', () => {
  it('transfer moves a balance, to a new account as well', () => {
    const chain = new StakingChain()
    chain.next([
      chain.signed(4, { kind: 'transfer', to: idOf(5), amount: 1n }),
      chain.signed(5, { kind: 'transfer', to: idOf(9), amount: 100n }),
    ])
    expect(chain.account(4)).toMatchObject({ balance: BALANCE - 1n, sequence: 1 })
    expect(chain.account(5)).toMatchObject({ balance: BALANCE + 1n - 100n, sequence: 1 })
    expect(chain.account(9)).toMatchObject({ balance: 100n, sequence: 0, validatorKey: null })
    expect(totalSupply(chain.staking)).toBe(SUPPLY)
  })

  it('bond and join make a validator from the next epoch on, with its stake as weight', () => {
    const chain = new StakingChain()
    chain.next([
      chain.signed(4, { kind: 'bond', amount: 250n }),
      chain.signed(4, { kind: 'join' }, { sequence: 2 }),
    ])
    expect(chain.account(4)).toMatchObject({ balance: BALANCE - 250n, bonded: 250n, isJoined: true })
    expect(chain.until(3).members()).toEqual([0, 1, 2, 3])
    expect(chain.until(4).members()).toEqual([0, 1, 2, 3, 4])
    expect(chain.staking).toMatchObject({ epoch: 1 })
    expect(chain.staking.validators.at(-1)).toEqual({
      id: idOf(4),
      publicKey: publicKeyOf(4),
      stake: 250n,
    })
    expect(totalSupply(chain.staking)).toBe(SUPPLY)
  })

  it('leave ends it at the epoch, and newcomers follow in the order of their ids', () => {
    const chain = new StakingChain()
    const bondAndJoin = (i: number): HashedTransaction[] => [
      chain.signed(i, { kind: 'bond', amount: 100n }),
      chain.signed(i, { kind: 'join' }, { sequence: 2 }),
    ]
    chain.next([...bondAndJoin(6), ...bondAndJoin(4), ...bondAndJoin(5), chain.signed(1, { kind: 'leave' })])
    const newcomers = [4, 5, 6].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
    expect(chain.until(4).members()).toEqual([0, 2, 3, ...newcomers])
    expect(chain.account(1)).toMatchObject({ bonded: STAKE, isJoined: false })
  })

  it('unbond keeps the weight to the end of the epoch, and the amount until both delays have passed', () => {
    const chain = new StakingChain()
    chain.next([chain.signed(0, { kind: 'unbond', amount: 400n })])
    expect(chain.account(0)).toMatchObject({
      bonded: 600n,
      balance: BALANCE,
      unbonding: [{ amount: 400n, matureHeight: 4 + 8, matureTime: null }],
    })
    expect(chain.until(3).staking.validators[0]?.stake).toBe(STAKE)
    expect(chain.until(4).staking.validators[0]?.stake).toBe(600n)
    const ended = chain.parent.header.timestamp
    expect(chain.account(0).unbonding).toEqual([
      { amount: 400n, matureHeight: 12, matureTime: ended + 8_000 },
    ])
    expect(chain.until(11).account(0).balance).toBe(BALANCE)
    expect(chain.until(12).account(0)).toMatchObject({ balance: BALANCE + 400n, unbonding: [] })
    expect(totalSupply(chain.staking)).toBe(SUPPLY)
  })

  it('unbond waits for the delay in time when the blocks are quick', () => {
    const chain = new StakingChain({ unbondingMs: 60_000 })
    chain.next([chain.signed(0, { kind: 'unbond', amount: 1n })])
    expect(chain.until(60).account(0).balance).toBe(BALANCE)
    expect(chain.until(64).account(0).balance).toBe(BALANCE + 1n)
  })

  it('of a stake that falls below the minimum ends the membership', () => {
    const chain = new StakingChain()
    chain.next([chain.signed(2, { kind: 'unbond', amount: STAKE - 99n })])
    expect(chain.until(4).members()).toEqual([0, 1, 3])
    expect(chain.account(2).isJoined).toBe(true)
  })

  it('change-key gives the place to another key from the next epoch on, and remembers the old one', () => {
    const chain = new StakingChain()
    chain.next([chain.keyChange(1, 10)])
    expect(chain.account(1).previousKeys).toEqual([{ id: idOf(1), lastEpoch: 0 }])
    expect(chain.until(3).members()).toEqual([0, 1, 2, 3])
    expect(chain.until(4).members()).toEqual([0, 10, 2, 3])
    expect(chain.staking.validators[1]).toMatchObject({ publicKey: publicKeyOf(10), stake: STAKE })
    // The windows of epoch 0 close at the first epoch's end above height 4 + 6.
    expect(chain.until(11).account(1).previousKeys).toHaveLength(1)
    expect(chain.until(12).account(1).previousKeys).toEqual([])
  })

  it('keeps the old set when nobody qualifies', () => {
    const chain = new StakingChain()
    chain.next([0, 1, 2, 3].map((i) => chain.signed(i, { kind: 'leave' })))
    expect(chain.until(8).members()).toEqual([0, 1, 2, 3])
    expect(chain.staking.epoch).toBe(2)
  })

  it('leaves the very state object alone when there is none', () => {
    const chain = new StakingChain()
    const before = chain.staking
    expect(chain.next().changes.staking).toBe(before)
  })
})

describe('a staking transaction is refused', () => {
  const chain = new StakingChain()
  chain.next([
    chain.signed(6, { kind: 'bond', amount: 50n }),
    chain.signed(7, { kind: 'bond', amount: 100n }),
    chain.keyChange(4, 11),
  ])
  const transfer = { kind: 'transfer', to: idOf(5), amount: 1n } as const
  it.each<[string, string, () => HashedTransaction]>([
    ['staking-amount', 'of nothing', () => chain.signed(5, { ...transfer, amount: 0n })],
    [
      'staking-expired',
      'after its last height',
      () => chain.signed(4, transfer, { expiresAtHeight: asHeight(1) }),
    ],
    ['staking-unknown-account', 'of a key without account', () => chain.signed(9, transfer)],
    ['staking-sequence', 'with a sequence that is used up', () => chain.signed(6, transfer, { sequence: 1 })],
    [
      'staking-sequence-ahead',
      'before the one in front of it',
      () => chain.signed(6, transfer, { sequence: 3 }),
    ],
    [
      'staking-balance',
      'to transfer more than there is',
      () => chain.signed(4, { ...transfer, amount: BALANCE + 1n }),
    ],
    [
      'staking-balance',
      'to bond more than there is',
      () => chain.signed(4, { kind: 'bond', amount: BALANCE + 1n }),
    ],
    [
      'staking-bonded',
      'to unbond more than the stake',
      () => chain.signed(6, { kind: 'unbond', amount: 51n }),
    ],
    ['staking-recipient', 'to oneself', () => chain.signed(5, transfer)],
    [
      'staking-new-account',
      'to a new account with too little',
      () => chain.signed(4, { ...transfer, to: idOf(9), amount: 99n }),
    ],
    ['staking-minimum', 'to join with too little', () => chain.signed(6, { kind: 'join' })],
    ['staking-joined', 'to join twice', () => chain.signed(0, { kind: 'join' })],
    ['staking-not-joined', 'to leave what one has not joined', () => chain.signed(6, { kind: 'leave' })],
    ['staking-key-taken', "to take another one's key", () => chain.keyChange(6, 0)],
    ['staking-key-taken', 'to take a key that was claimed before joining', () => chain.keyChange(6, 11)],
    ['staking-key-proof', 'without the proof of the new key', () => chain.keyChange(6, 10, 9)],
    ['staking-signature', 'signed by another key', () => chain.signed(6, transfer, { signer: 4 })],
  ])('%s: %s', (code, _what, transaction) => {
    expect(chain.refusalOf(transaction())).toBe(code)
  })

  it('staking-epochs: where the set never changes, but transfers are allowed', () => {
    const still = new StakingChain({ epochBlocks: 0 })
    expect(still.refusalOf(still.signed(4, { kind: 'bond', amount: 1n }))).toBe('staking-epochs')
    expect(still.refusalOf(still.signed(4, transfer))).toBeNull()
  })

  it('staking-unbonding-full: with as many withdrawals as are kept', () => {
    const busy = new StakingChain({ blockTransactionsMax: 64 })
    busy.next(
      Array.from({ length: UNBONDINGS_MAX }, (_, i) =>
        busy.signed(0, { kind: 'unbond', amount: 1n }, { sequence: i + 1 }),
      ),
    )
    expect(busy.refusalOf(busy.signed(0, { kind: 'unbond', amount: 1n }))).toBe('staking-unbonding-full')
  })

  it('staking-key-changes: with as many former keys as are kept', () => {
    const busy = new StakingChain()
    const keys = [4, 5, 6, 7, 8, 9, 10, 11]
    busy.next(keys.map((key, i) => busy.keyChange(0, key, key, i + 1)))
    expect(busy.account(0).previousKeys).toHaveLength(8)
    expect(busy.refusalOf(busy.keyChange(0, 12))).toBe('staking-key-changes')
    expect(busy.refusalOf(busy.keyChange(0, 0))).toBe('staking-key-taken')
    expect(busy.refusalOf(busy.keyChange(0, 3))).toBe('staking-key-taken')
  })

  it('staking-signature: from another network, for another operation', () => {
    const other = new StakingChain({ heartbeatMs: 1 })
    expect(chain.refusalOf(other.signed(5, { ...transfer, to: idOf(4) }))).toBe('staking-signature')
    const { transaction, ...hashed } = chain.signed(4, transfer)
    const richer = { ...transaction, operation: { ...transfer, amount: 2n } }
    expect(chain.refusalOf({ ...hashed, transaction: richer })).toBe('staking-signature')
  })

  it('and a refused one in the middle changes nothing of what follows', () => {
    const one = new StakingChain()
    const transactions = [
      one.signed(4, transfer),
      one.signed(6, { kind: 'leave' }),
      one.signed(7, { kind: 'transfer', to: idOf(5), amount: 3n }),
    ]
    expect(() => one.next(transactions)).toThrow('staking-not-joined')
    one.next(transactions.filter((_, i) => i !== 1))
    expect(one.account(5).balance).toBe(BALANCE + 4n)
    expect(one.account(6).sequence).toBe(0)
  })
})

/** Random staking on a chain: nothing is made or lost, nothing is negative, and every node gets the same state. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeStakingState, encodeStakingState } from '../../src/codec/staking.ts'
import { stakingRoot } from '../../src/ledger/staking/staking-root.ts'
import { type StakingState, totalSupply } from '../../src/types/staking.ts'
import type { HashedTransaction, StakingOperation } from '../../src/types/transaction.ts'
import { idOf, StakingChain } from '../support/staking-chain.ts'

const amount = fc.oneof(fc.bigInt(0n, 1_200n), fc.bigInt(0n, 12_000n))
const who = fc.nat(9)
type Act =
  | { readonly who: number; readonly operation: StakingOperation }
  | { readonly who: number; readonly newKey: number }
  | { readonly offender: number; readonly epochsAgo: number }
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      who,
      operation: fc.oneof(
        fc.record({ kind: fc.constant('transfer' as const), to: fc.nat(11).map(idOf), amount }),
        fc.record({ kind: fc.constantFrom('bond' as const, 'unbond' as const), amount }),
        fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const) }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ who, newKey: fc.nat(13) }) },
  { weight: 1, arbitrary: fc.record({ offender: fc.nat(13), epochsAgo: fc.nat(3) }) },
)
const history = fc.array(fc.array(act, { maxLength: 3 }), { minLength: 8, maxLength: 24 })

/** The legal part of a history, block by block. */
function play(blocks: readonly (readonly Act[])[]): { chain: StakingChain; taken: HashedTransaction[][] } {
  const chain = new StakingChain()
  const taken = blocks.map((acts) => {
    const legal: HashedTransaction[] = []
    for (const one of acts) {
      const transaction = transactionOf(chain, one)
      if (transaction === null) continue
      // One of an account per block keeps the sequences simple; a probe block tells what is legal together.
      const before = chain.parent
      try {
        chain.next([...legal, transaction])
        legal.push(transaction)
        chain.blocks.pop()
      } catch (error) {
        expect(String(error)).toMatch(/(staking|evidence|request)-/)
      }
      chain.parent = before
    }
    chain.next(legal)
    return legal
  })
  return { chain, taken }
}

function transactionOf(chain: StakingChain, one: Act): HashedTransaction | null {
  if ('offender' in one) {
    const epoch = chain.staking.epoch - one.epochsAgo
    return epoch < 0 ? null : chain.offence(one.offender, 'prepare', epoch)
  }
  if ('operation' in one) return chain.signed(one.who, one.operation)
  return chain.staking.accounts.has(idOf(one.who)) ? chain.keyChange(one.who, one.newKey) : null
}

function checkState(state: StakingState, minimumStake: bigint, isBegun: boolean): void {
  for (const account of state.accounts.values()) {
    expect(account.balance >= 0n && account.bonded >= 0n).toBe(true)
    expect(account.unbonding.every((entry) => entry.amount >= 0n)).toBe(true)
    if (account.tombstonedAt !== null) expect(account.isJoined).toBe(false)
  }
  expect(new Set(state.validators.map(({ id }) => id)).size).toBe(state.validators.length)
  expect(state.validators.length).toBeGreaterThan(0)
  if (isBegun) expect(state.validators.every(({ stake }) => stake >= minimumStake)).toBe(true)
}

describe('random staking', () => {
  it('conserves the supply, leaves nothing negative, and replays to the same roots', () => {
    fc.assert(
      fc.property(history, (blocks) => {
        const { chain, taken } = play(blocks)
        const supply = totalSupply(chain.genesis.state.staking)
        for (const { changes } of chain.blocks) {
          expect(totalSupply(changes.staking)).toBe(supply)
          checkState(changes.staking, 100n, true)
        }
        const again = new StakingChain()
        const roots = taken.map((transactions, i) => {
          // Probe blocks used views up, and a block's hash is in the state after the next one.
          const view = chain.blocks[i]?.block.header.view
          return again.next(transactions, view === undefined ? {} : { view }).stateRoot
        })
        expect(roots).toEqual(chain.blocks.map(({ stateRoot }) => stateRoot))
        const encoded = encodeStakingState(chain.staking)
        const decoded = decodeStakingState(encoded)
        if (!decoded.ok) throw new Error(decoded.detail)
        // Roots that are kept with their objects are those worked out anew.
        expect(stakingRoot(decoded.value)).toBe(stakingRoot(chain.staking))
        expect(encodeStakingState(decoded.value)).toEqual(encoded)
      }),
      { numRuns: 25 },
    )
  }, 120_000)
})

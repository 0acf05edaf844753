/** The legality of spending: a nullifier is new in its transaction, its block, its branch, and the final set. */
import { describe, expect, it } from 'vitest'
import { BranchStates } from '../../../src/ledger/branch-state.ts'
import { checkNullifiers } from '../../../src/ledger/nullifier-set.ts'
import type { Nullifier } from '../../../src/types/primitives.ts'
import { asParent, built, EMPTY_STATE, genesisParent, numberedTransaction } from './fixtures.ts'

const nullifier = (n: number): Nullifier => n.toString(16).padStart(64, '0') as Nullifier
const [a, b, c] = [nullifier(1), nullifier(2), nullifier(3)]
const spent = (...nullifiers: Nullifier[]) => ({ hasNullifier: (n: Nullifier) => nullifiers.includes(n) })

describe('nullifiers', () => {
  it.each([
    ['none', [], []],
    ['transactions that spend nothing', [[], []], []],
    ['new ones, in order', [[b, a], [], [c]], [b, a, c]],
  ])('are fine: %s', (_, lists, all) => {
    expect(checkNullifiers(lists, spent())).toEqual({ ok: true, value: all })
  })

  it.each([
    ['within a transaction', [[a, b, a]], [], 'nullifier-repeated-in-transaction', 'transaction 0'],
    ['within a block', [[a], [b], [c, a]], [], 'nullifier-repeated-in-block', 'transaction 2'],
    ['against the state', [[a], [b]], [b], 'nullifier-spent', 'transaction 1'],
  ])('are illegal %s', (_, lists, before, code, where) => {
    const checked = checkNullifiers(lists, spent(...before))
    expect(checked).toMatchObject({ ok: false, code })
    expect(checked).toHaveProperty('detail', expect.stringContaining(where))
  })

  it('are illegal when spent on the branch, at any depth, and free on another branch', () => {
    const { parent } = genesisParent()
    const branches = new BranchStates(parent.hash, EMPTY_STATE)
    const one = built([numberedTransaction(1)], parent)
    branches.add(one)
    const two = built([numberedTransaction(2)], asParent(one, branches.at(one.block.hash) ?? EMPTY_STATE))
    branches.add(two)
    const other = built([numberedTransaction(3)], parent)
    branches.add(other)
    const state = branches.at(two.block.hash) ?? EMPTY_STATE
    for (const nullifier of [...one.changes.nullifiers, ...two.changes.nullifiers]) {
      expect(checkNullifiers([[nullifier]], state)).toMatchObject({ ok: false, code: 'nullifier-spent' })
      expect(checkNullifiers([[nullifier]], branches.at(other.block.hash) ?? state).ok).toBe(true)
    }
    expect(checkNullifiers([other.changes.nullifiers], state).ok).toBe(true)
  })
})

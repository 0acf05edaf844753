/** The accumulator against an independent SSZ implementation. */
import { ByteVectorType, ListCompositeType } from '@chainsafe/ssz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { appendLeaves, EMPTY_FRONTIER, frontierRoot } from '../../../src/ledger/frontier.ts'
import type { Frontier } from '../../../src/types/ledger-state.ts'
import type { Hex32 } from '../../../src/types/primitives.ts'

const oracle = new ListCompositeType(new ByteVectorType(32), 2 ** 32)
const oracleRoot = (leaves: readonly Hex32[]): string => toHex(oracle.hashTreeRoot(leaves.map(fromHex)))

const leaf = (n: number): Hex32 => n.toString(16).padStart(64, 'a') as Hex32
const leaves = (count: number): Hex32[] => Array.from({ length: count }, (_, n) => leaf(n))

describe('a frontier', () => {
  it.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100])('of %i leaves has the root of SSZ', (count) => {
    expect(frontierRoot(appendLeaves(EMPTY_FRONTIER, leaves(count)))).toBe(oracleRoot(leaves(count)))
  })

  it('has one form however its leaves came', () => {
    const leafLists = fc.array(fc.array(fc.nat({ max: 1_000_000 }).map(leaf), { maxLength: 9 }), {
      maxLength: 9,
    })
    fc.assert(
      fc.property(leafLists, (batches) => {
        let frontier: Frontier = EMPTY_FRONTIER
        for (const batch of batches) frontier = appendLeaves(frontier, batch)
        const all = batches.flat()
        expect(frontier).toEqual(appendLeaves(EMPTY_FRONTIER, all))
        expect(frontierRoot(frontier)).toBe(oracleRoot(all))
        expect(frontier.size).toBe(all.length)
        const bits = [...all.length.toString(2)].reverse().map((bit) => bit === '1')
        expect(frontier.nodes.map((node) => node !== null)).toEqual(all.length === 0 ? [] : bits)
      }),
      { numRuns: 40 },
    )
  })

  it('does not change the one it grew from', () => {
    const three = appendLeaves(EMPTY_FRONTIER, leaves(3))
    const before = structuredClone(three)
    appendLeaves(three, [leaf(9)])
    expect(three).toEqual(before)
    expect(appendLeaves(three, [])).toBe(three)
  })

  it('mixes its length in: a zero leaf is not an absent one', () => {
    const zero = '00'.repeat(32) as Hex32
    const root = frontierRoot(appendLeaves(EMPTY_FRONTIER, [zero]))
    expect(root).toBe(oracleRoot([zero]))
    expect(root).not.toBe(frontierRoot(EMPTY_FRONTIER))
  })

  it('holds 2^32 leaves and not one more', () => {
    const nodes = Array.from({ length: 32 }, (_, level) => leaf(level))
    const almostFull: Frontier = { size: 2 ** 32 - 1, nodes }
    const full = appendLeaves(almostFull, [leaf(77)])
    expect(full.size).toBe(2 ** 32)
    expect(full.nodes).toHaveLength(33)
    expect(full.nodes.filter((node) => node !== null)).toHaveLength(1)
    expect(frontierRoot(full)).toMatch(/^[0-9a-f]{64}$/)
    expect(() => appendLeaves(full, [leaf(78)])).toThrow('invariant violated')
  })
})

/** How storage keeps accumulators: one form for each, and nothing that could not have grown. */
import { describe, expect, it } from 'vitest'
import { decodeStateAccumulators, encodeStateAccumulators } from '../../../src/codec/ledger-state.ts'
import { appendLeaves, EMPTY_FRONTIER } from '../../../src/ledger/frontier.ts'
import { EMPTY_ACCUMULATORS } from '../../../src/ledger/genesis-state.ts'
import type { Frontier } from '../../../src/types/ledger-state.ts'
import type { Hex32 } from '../../../src/types/primitives.ts'

const leaf = (n: number): Hex32 => n.toString(16).padStart(64, '0') as Hex32
const node = leaf(1)
const read = (nullifiers: Frontier) =>
  decodeStateAccumulators(encodeStateAccumulators({ ...EMPTY_ACCUMULATORS, nullifiers }))

describe('accumulators', () => {
  it.each([0, 1, 2, 3, 6, 8, 100])('of %i leaves are read back', (count) => {
    const grown = appendLeaves(
      EMPTY_FRONTIER,
      Array.from({ length: count }, (_, n) => leaf(n)),
    )
    const accumulators = { nullifiers: grown, verdicts: grown }
    expect(decodeStateAccumulators(encodeStateAccumulators(accumulators))).toEqual({
      ok: true,
      value: accumulators,
    })
  })

  it('are read back when full', () => {
    const full: Frontier = { size: 2 ** 32, nodes: [...new Array<null>(32).fill(null), node] }
    expect(read(full)).toMatchObject({ ok: true, value: { nullifiers: full } })
  })

  it.each([
    ['frontier of 3 leaves has 2 subtrees, not 1', { size: 3, nodes: [node, null] }],
    ['frontier of 2 leaves has 1 subtrees, not 2', { size: 2, nodes: [node, node] }],
    ['frontier of 0 leaves has 0 subtrees, not 1', { size: 0, nodes: [node] }],
    ['frontier of 4294967297 leaves', { size: 2 ** 32 + 1, nodes: [node, node] }],
  ])('are refused: %s', (detail, frontier) => {
    expect(read(frontier)).toEqual({ ok: false, code: 'malformed', detail })
  })
})

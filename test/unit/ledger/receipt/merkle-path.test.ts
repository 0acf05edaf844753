/** Paths in the list of verdicts against a tree that keeps every node, at every length that a list has had. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../../src/codec/hex.ts'
import { appendLeaves, EMPTY_FRONTIER, frontierRoot } from '../../../../src/ledger/frontier.ts'
import { merklePath, pathLength, rootOfPath } from '../../../../src/ledger/receipt/merkle-path.ts'
import type { Hex32 } from '../../../../src/types/primitives.ts'
import { listOf } from '../../../support/receipt-fixture.ts'

const leaf = (n: number): Hex32 => n.toString(16).padStart(64, 'a') as Hex32
const leaves = (count: number): Hex32[] => Array.from({ length: count }, (_, n) => leaf(n))
const DEPTH = 32

const pair = (left: Buffer, right: Buffer): Buffer => createHash('sha256').update(left).update(right).digest()

/** All 33 siblings-to-be of a leaf, by building every level of the padded tree that is not all zero. */
function naivePath(all: readonly Hex32[], position: number): { path: string[]; root: string } {
  let level: Buffer[] = all.map((hash) => Buffer.from(hash, 'hex'))
  let zero: Buffer = Buffer.alloc(32)
  let index = position
  const path: string[] = []
  for (let depth = 0; depth < DEPTH; depth++) {
    const sibling = level[index ^ 1]
    if (sibling !== undefined) path.push(sibling.toString('hex'))
    const next: Buffer[] = []
    for (let at = 0; at < level.length; at += 2) next.push(pair(level[at] ?? zero, level[at + 1] ?? zero))
    level = next
    zero = pair(zero, zero)
    index >>= 1
  }
  const length = Buffer.alloc(32)
  length.writeUInt32LE(all.length)
  return { path, root: pair(level[0] ?? zero, length).toString('hex') }
}

const { node } = listOf(leaves(70))
const SIZES = Array.from({ length: 70 }, (_, i) => i + 1)

describe('the path of every leaf', () => {
  it.each(SIZES)('of %i is the naive one, from the nodes of a list of 70', (size) => {
    const root = frontierRoot(appendLeaves(EMPTY_FRONTIER, leaves(size)))
    for (let position = 0; position < size; position++) {
      const path = merklePath(position, size, node)
      const naive = naivePath(leaves(size), position)
      expect(path).toEqual(naive.path)
      expect(path).toHaveLength(pathLength(position, size))
      expect(naive.root).toBe(root)
      expect(toHex(rootOfPath(leaf(position), position, size, path) ?? new Uint8Array())).toBe(root)
    }
  })

  it('at random places and lengths leads to the root, and from no other place, length or leaf', () => {
    const all = leaves(2_000)
    const big = listOf(all)
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2_000 }), fc.nat(), fc.nat(), (size, a, b) => {
        const position = a % size
        const root = frontierRoot(appendLeaves(EMPTY_FRONTIER, all.slice(0, size)))
        const path = merklePath(position, size, big.node)
        const rootAt = (hash: Hex32, at: number, of: number): string => {
          const found = rootOfPath(hash, at, of, path)
          return found === null ? 'none' : toHex(found)
        }
        expect(rootAt(leaf(position), position, size)).toBe(root)
        const other = (position + 1 + (b % (size - 1))) % size
        expect(rootAt(leaf(other), position, size)).not.toBe(root)
        expect(rootAt(leaf(position), other, size)).not.toBe(root)
        expect(rootAt(leaf(position), position, size + 1)).not.toBe(root)
      }),
      { numRuns: 300, seed: 11 },
    )
  })

  it('reads at most two nodes a level', () => {
    for (const size of SIZES) {
      for (let position = 0; position < size; position++) {
        let reads = 0
        merklePath(position, size, (level, index) => {
          reads += 1
          return node(level, index)
        })
        expect(reads).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(size + 1)))
      }
    }
  })

  it('goes past 2^31: places are no 32-bit integers', () => {
    const size = 2 ** 32
    const position = 2 ** 32 - 2
    const path = merklePath(position, size, (level) => new Uint8Array(32).fill(level + 1))
    expect(path).toHaveLength(32)
    expect(path.map((hash) => fromHex(hash)[0])).toEqual(Array.from({ length: 32 }, (_, level) => level + 1))
    expect(rootOfPath(leaf(1), position, size, path)).not.toBeNull()
    expect(rootOfPath(leaf(1), position, size + 1, path)).toBeNull()
  })

  it('is refused when it is longer or shorter than its place has it, or there is no such place', () => {
    const path = merklePath(4, 7, node)
    expect(rootOfPath(leaf(4), 4, 7, path)).not.toBeNull()
    expect(rootOfPath(leaf(4), 4, 7, [...path, leaf(1)])).toBeNull()
    expect(rootOfPath(leaf(4), 4, 7, path.slice(1))).toBeNull()
    expect(rootOfPath(leaf(4), 7, 7, path)).toBeNull()
    expect(() => merklePath(7, 7, node)).toThrow('invariant violated')
  })
})

/** Keys, commitments, nullifiers and the tree: against the text in naive form, and what must differ does. */

import { createHash } from 'node:crypto'
import { sha256 as portable } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { RandomElements } from '../../../src/shielded/hash/random-elements.ts'
import { sha256Tagged, useSha256 } from '../../../src/shielded/hash/sha256.ts'
import { decodeDigest, digestBytes } from '../../../src/shielded/notes/digest-bytes.ts'
import {
  deriveNoteRandomness,
  deriveSpendingKey,
  noteCommitment,
  noteNullifier,
  nullifierKeyOf,
  ownerOf,
} from '../../../src/shielded/notes/keys.ts'
import { emptySubtree, noteTreeNode, rootOfPath, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import { seededBytes, seededElements } from '../../support/shielded/join-splits.ts'
import { naivePermute } from '../../support/shielded/naive-poseidon2.ts'

const fed = (lanes: readonly number[]): number[] =>
  naivePermute(lanes).end.map((lane, i) => (lane + (lanes[i] as number)) % 2_130_706_433)
const note = (lanes: readonly number[]): number[] => fed(lanes).slice(8)
const zeros = (count: number): number[] => new Array<number>(count).fill(0)
const elements = (bytes: Uint8Array): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, i) => Buffer.from(bytes).readUInt32LE(4 * i))

const key = deriveSpendingKey(seededBytes(1, 32))
const randomness = deriveNoteRandomness(seededBytes(2, 32))
const value = 0x1234_5678_9abc_def0n

describe('a note', () => {
  it('is hashed as the text says', () => {
    const nk = note([...elements(key), ...zeros(7), 101])
    const owner = note([...nk, ...zeros(7), 102])
    const h1 = note([...owner, 0xdef0, 0x9abc, 0x5678, 0x1234, ...zeros(3), 103])
    const cm = note([...h1, ...elements(randomness), 104])
    const h2 = note([...nk, ...cm.slice(0, 7), 105])
    const nullifier = note([...h2, cm[7] as number, 0xbeef, 0xdead, ...zeros(4), 106])
    expect(elements(nullifierKeyOf(key))).toEqual(nk)
    expect(elements(ownerOf(key))).toEqual(owner)
    expect(elements(noteCommitment({ owner: ownerOf(key), value, randomness }))).toEqual(cm)
    expect(elements(noteNullifier(nullifierKeyOf(key), digestBytes(cm), 0xdeadbeef))).toEqual(nullifier)
  })

  it('has another nullifier for another commitment, position or key', () => {
    const commitments = [1n, 2n].map((v) => noteCommitment({ owner: ownerOf(key), value: v, randomness }))
    const keys = [key, deriveSpendingKey(seededBytes(3, 32))].map(nullifierKeyOf)
    const nullifiers = commitments.flatMap((cm) =>
      [0, 1, 65_536, 2 ** 31].flatMap((position) =>
        keys.map((nk) => digestBytes(decodeDigest(noteNullifier(nk, cm, position)) ?? [])),
      ),
    )
    expect(new Set(nullifiers.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(16)
    // The last lane of the commitment is bound too.
    const cm = [...elements(commitments[0] as Uint8Array)]
    const last = digestBytes([...cm.slice(0, 7), (cm[7] as number) ^ 1])
    expect(noteNullifier(keys[0] as Uint8Array, last, 0)).not.toEqual(nullifiers[0])
  })

  it('refuses keys, values and positions that are none', () => {
    const owner = ownerOf(key)
    expect(() => noteCommitment({ owner, value: 2n ** 64n, randomness })).toThrow('not of 64 bits')
    expect(() => noteCommitment({ owner, value: 1n, randomness: new Uint8Array(32) })).toThrow('28 bytes')
    expect(() => ownerOf(new Uint8Array(32).fill(0xff))).toThrow('canonical')
    expect(() => noteNullifier(nullifierKeyOf(key), owner, 2 ** 32)).toThrow('no position')
    expect(() => deriveSpendingKey(new Uint8Array(31))).toThrow('a seed of 31 bytes')
  })
})

describe('the tree of notes', () => {
  it('has the nodes that the text says, and roots of nothing', () => {
    const [left, right] = [seededElements(4)(8), seededElements(5)(8)]
    expect(elements(noteTreeNode(digestBytes(left), digestBytes(right)))).toEqual(
      fed([...left, ...right]).slice(0, 8),
    )
    expect(emptySubtree(0)).toEqual(new Uint8Array(32))
    expect(emptySubtree(1)).toEqual(noteTreeNode(emptySubtree(0), emptySubtree(0)))
    expect(emptySubtree(TREE_DEPTH)).toEqual(noteTreeNode(emptySubtree(31), emptySubtree(31)))
    expect(() => emptySubtree(33)).toThrow('no subtree')
  })

  it('leads a path to the root by the bits of the position', () => {
    const leaves = Array.from({ length: 4 }, (_, i) => seededElements(6 + i)(8))
    const [a, b, c, d] = leaves.map(digestBytes) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const root = noteTreeNode(noteTreeNode(a, b), noteTreeNode(c, d))
    const path = [leaves[3] as number[], decodeDigest(noteTreeNode(a, b)) ?? []]
    expect(digestBytes(rootOfPath(leaves[2] as number[], 2, path))).toEqual(root)
    expect(digestBytes(rootOfPath(leaves[2] as number[], 1, path))).not.toEqual(root)
  })
})

describe('streams and hashes', () => {
  it('are stretched as the text says', () => {
    const k = seededBytes(10, 32)
    const block = (i: number): Buffer => {
      const tag = Buffer.from('hypermesh/shielded/random/v1', 'ascii')
      const head = Buffer.concat([Buffer.of(tag.length), tag, Buffer.from([2, 0, 0, 0, 32, 0, 0, 0])])
      return createHash('sha256')
        .update(head)
        .update(k)
        .update(Buffer.from([4, 0, 0, 0, i, 0, 0, 0]))
        .digest()
    }
    expect(new RandomElements(k).bytes(64)).toEqual(new Uint8Array(Buffer.concat([block(0), block(1)])))
    const words = elements(Buffer.concat([block(0), block(1)])).map((word) => word & 0x7fffffff)
    expect([...new RandomElements(k).elements(8)]).toEqual(
      words.filter((word) => word < 2_130_706_433).slice(0, 8),
    )
  })

  it('are the same by a lent SHA-256', () => {
    const plain = sha256Tagged('a tag', seededBytes(11, 100))
    useSha256((bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()))
    expect(sha256Tagged('a tag', seededBytes(11, 100))).toEqual(plain)
    useSha256(portable)
  })
})

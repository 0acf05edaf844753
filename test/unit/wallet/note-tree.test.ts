/** The wallet's tree of notes: the roots and paths that the text says, in memory and in a file, whatever is appended when. */
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDigest, digestBytes } from '../../../src/shielded/notes/digest-bytes.ts'
import { emptySubtree, rootOfPath, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import { FileNodeStore } from '../../../src/wallet/tree/file-node-store.ts'
import { MemoryNodeStore, NODE_BYTES } from '../../../src/wallet/tree/node-store.ts'
import { nodesOf, WalletNoteTree } from '../../../src/wallet/tree/note-tree.ts'
import { seededElements } from '../../support/shielded/join-splits.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { naiveRoot } from '../../support/wallet/fake-ledger.ts'

const elements = seededElements(1)
const leaves = Array.from({ length: 70 }, () => digestBytes(elements(8)))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function treeOf(count: number): { tree: WalletNoteTree; nodes: MemoryNodeStore } {
  const nodes = new MemoryNodeStore()
  const tree = new WalletNoteTree(nodes, 0)
  for (const leaf of leaves.slice(0, count)) tree.append(leaf)
  return { tree, nodes }
}

function rootOverPath(tree: WalletNoteTree, position: number): string {
  const [leaf, ...siblings] = [tree.leaf(position), ...tree.path(position)].map(decodeDigest)
  return hex(digestBytes(rootOfPath(leaf ?? [], position, siblings as number[][])))
}

describe('the tree of notes', () => {
  it('is that of the text, for every number of notes', () => {
    expect(hex(treeOf(0).tree.root())).toBe(hex(emptySubtree(TREE_DEPTH)))
    const { tree, nodes } = treeOf(0)
    for (const [i, leaf] of leaves.entries()) {
      tree.append(leaf)
      expect(hex(tree.root()), `${i + 1} notes`).toBe(hex(naiveRoot(leaves.slice(0, i + 1))))
      expect(nodes.count).toBe(nodesOf(i + 1))
      expect(nodes.count * NODE_BYTES).toBeLessThanOrEqual(64 * (i + 1))
    }
  })

  it('has a path to its root for every note', () => {
    for (const count of [1, 2, 3, 7, 8, 9, 64, 70]) {
      const { tree } = treeOf(count)
      const root = hex(tree.root())
      for (let position = 0; position < count; position++) {
        expect(hex(tree.leaf(position))).toBe(hex(leaves[position] as Uint8Array))
        expect(rootOverPath(tree, position), `${position} of ${count}`).toBe(root)
      }
    }
  })

  it('forgets what came last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 70 }), (a, b) => {
        const { tree } = treeOf(Math.max(a, b))
        tree.truncate(Math.min(a, b))
        expect(hex(tree.root())).toBe(hex(treeOf(Math.min(a, b)).tree.root()))
        for (const leaf of leaves.slice(tree.count)) tree.append(leaf)
        expect(hex(tree.root())).toBe(hex(treeOf(70).tree.root()))
      }),
      { numRuns: 20 },
    )
  })

  it('takes a note with two hashes in the middle, however many there are', () => {
    let reads = 0
    const counted = new (class extends MemoryNodeStore {
      override at(index: number): Uint8Array {
        reads++
        return super.at(index)
      }
    })()
    const tree = new WalletNoteTree(counted, 0)
    const leaf = leaves[0] as Uint8Array
    for (let i = 0; i < 8_192; i++) tree.append(leaf)
    // One for each node above the leaves.
    expect(reads).toBe(8_191)
  })
})

describe('its file', () => {
  it('holds it over restarts, and only what was flushed', async () => {
    const path = join(temporaryDirectory(), 'tree')
    const first = await FileNodeStore.open(path, 0)
    if (first === null) throw new Error('no file')
    const tree = new WalletNoteTree(first, 0)
    for (const leaf of leaves.slice(0, 21)) tree.append(leaf)
    await first.flush()
    expect(statSync(path).size).toBe(nodesOf(21) * NODE_BYTES)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    tree.append(leaves[21] as Uint8Array)
    await first.close()

    const again = await FileNodeStore.open(path, nodesOf(21))
    if (again === null) throw new Error('no file')
    const resumed = new WalletNoteTree(again, 21)
    expect(hex(resumed.root())).toBe(hex(treeOf(21).tree.root()))
    for (const leaf of leaves.slice(21, 50)) resumed.append(leaf)
    expect(rootOverPath(resumed, 5)).toBe(hex(resumed.root()))
    await again.flush()
    expect(rootOverPath(resumed, 49)).toBe(hex(treeOf(50).tree.root()))
    await again.close()
    expect(Buffer.compare(readFileSync(path), treeOf(50).nodes.bytes())).toBe(0)
  })

  it('writes over what is no longer of the tree', async () => {
    const path = join(temporaryDirectory(), 'tree')
    writeFileSync(path, Buffer.alloc(100 * NODE_BYTES, 1))
    const nodes = await FileNodeStore.open(path, 0)
    if (nodes === null) throw new Error('no file')
    const tree = new WalletNoteTree(nodes, 0)
    for (const leaf of leaves) tree.append(leaf)
    await nodes.flush()
    tree.truncate(9)
    for (const leaf of leaves.slice(9, 30)) tree.append(leaf)
    await nodes.flush()
    expect(hex(tree.root())).toBe(hex(treeOf(30).tree.root()))
    await nodes.close()
  })

  it('is not opened when it is shorter than it has to be', async () => {
    const path = join(temporaryDirectory(), 'tree')
    writeFileSync(path, Buffer.alloc(10 * NODE_BYTES))
    truncateSync(path, 10 * NODE_BYTES - 1)
    expect(await FileNodeStore.open(path, 10)).toBeNull()
    expect(await FileNodeStore.open(join(path, '..', 'nowhere'), 1)).toBeNull()
  })
})

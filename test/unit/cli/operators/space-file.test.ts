/** Spaces on disk: their tree is the ledger's, making one goes on where it stopped, and damage is told. */
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { makeSpace, openSpaceLeaves, readCommitment } from '../../../../src/cli/operators/space-file.ts'
import { leafHasher, siblingsHash } from '../../../../src/cli/operators/space-hash.ts'
import { bytesOption } from '../../../../src/cli/space.ts'
import { toHex } from '../../../../src/codec/hex.ts'
import {
  emptyRoots,
  leafHash,
  nodeHash,
  openingRoot,
  treeDepth,
} from '../../../../src/ledger/attestation/space-tree.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const KIB_128 = 131_072
const quiet = (): void => {}

describe('the hashes of a space', () => {
  it('are those of the ledger', () => {
    const leaf = new Uint8Array(256).fill(5)
    expect(Uint8Array.from(leafHasher(256)(2n ** 40n, leaf))).toEqual(leafHash(2n ** 40n, leaf))
    const [left, right] = [leafHash(0n, leaf), leafHash(1n, leaf)]
    expect(Uint8Array.from(siblingsHash(left, right))).toEqual(nodeHash(left, right))
    expect(left).not.toEqual(right)
  })

  it.each([
    [1n, 0],
    [2n, 1],
    [3n, 2],
    [64n, 6],
    [65n, 7],
    [2n ** 40n, 40],
  ])('stand in a tree: %i leaves, depth %i', (leaves, depth) => {
    expect(treeDepth(leaves)).toBe(depth)
  })
})

describe('a space', () => {
  it('is refused where its folder cannot be made', async () => {
    await expect(makeSpace('/proc/space', KIB_128, 1_024, quiet)).rejects.toMatchObject({
      code: 'E_SPACE_IO',
      exitCode: 73,
    })
  })

  // 640 leaves: the tree is not full on its right side.
  const size = 5 * KIB_128

  it('is as large as was said, does not compress, and opens to its root', async () => {
    const folder = join(temporaryDirectory(), 'space')
    const told: number[] = []
    const commitment = await makeSpace(folder, size, 1_024, (done) => told.push(done))
    expect(commitment).toEqual(await readCommitment(folder))
    expect(told.at(-1)).toBe(size)
    const content = readFileSync(join(folder, 'space.data'))
    expect(content.length).toBe(size)
    expect(gzipSync(content).length).toBeGreaterThan(size)
    expect(statSync(join(folder, 'space.seed')).mode & 0o777).toBe(0o600)
    const indices = [0n, 1n, 63n, 64n, 511n, 512n, 639n]
    const openings = await openSpaceLeaves(folder, commitment, indices)
    for (const [i, opening] of openings.entries()) {
      expect(opening.path).toHaveLength(10)
      expect(openingRoot(indices[i] ?? 0n, opening)).toBe(commitment.root)
      expect(openingRoot((indices[i] ?? 0n) + 1n, opening)).not.toBe(commitment.root)
    }
    // The whole tree by the ledger's functions alone.
    let level = Array.from({ length: 640 }, (_, i) =>
      leafHash(BigInt(i), content.subarray(1_024 * i, 1_024 * (i + 1))),
    )
    const empty = emptyRoots(10)
    for (let up = 0; up < 10; up++) {
      level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
        nodeHash(level[2 * i] as Uint8Array, level[2 * i + 1] ?? (empty[up] as Uint8Array)),
      )
    }
    expect(toHex(level[0] as Uint8Array)).toBe(commitment.root)
  })

  it('goes on where it stopped, and mends what a crash lost', async () => {
    const folder = join(temporaryDirectory(), 'space')
    const stop = new Error('stopped')
    const stopped = makeSpace(folder, size, 256, (done) => {
      if (done > size / 2) throw stop
    })
    await expect(stopped).rejects.toMatchObject({ code: 'E_SPACE_IO', cause: stop })
    const part = join(folder, 'space.data.part')
    expect(existsSync(join(folder, 'space.json'))).toBe(false)
    const begun = readFileSync(part)
    expect(begun.length).toBeGreaterThan(size / 2)
    // A block of zeros where the disk had not written, and a tail that is gone.
    writeFileSync(part, Buffer.concat([begun.subarray(0, 4_096), Buffer.alloc(4_096), begun.subarray(8_192)]))
    truncateSync(part, begun.length - 100)
    const commitment = await makeSpace(folder, size, 256, quiet)
    expect(readFileSync(join(folder, 'space.data')).subarray(0, begun.length)).toEqual(begun)
    const [opening] = await openSpaceLeaves(folder, commitment, [17n])
    expect(opening === undefined ? null : openingRoot(17n, opening)).toBe(commitment.root)
  })

  it('is not made twice, nor where there is no room', async () => {
    const folder = join(temporaryDirectory(), 'space')
    await makeSpace(folder, KIB_128, 1_024, quiet)
    await expect(makeSpace(folder, KIB_128, 1_024, quiet)).rejects.toMatchObject({ code: 'E_SPACE_EXISTS' })
    await expect(makeSpace(join(temporaryDirectory(), 'x'), 2 ** 52, 1_024, quiet)).rejects.toMatchObject({
      code: 'E_SPACE_DISK',
    })
  })

  it('that has changed is told, and so is a folder that holds none', async () => {
    const folder = join(temporaryDirectory(), 'space')
    const commitment = await makeSpace(folder, size, 1_024, quiet)
    const path = join(folder, 'space.data')
    const content = readFileSync(path)
    content[70_000] = (content[70_000] ?? 0) ^ 1
    writeFileSync(path, content)
    await expect(openSpaceLeaves(folder, commitment, [65n])).rejects.toMatchObject({
      code: 'E_SPACE_DAMAGED',
    })
    expect(await openSpaceLeaves(folder, commitment, [0n])).toHaveLength(1)
    truncateSync(path, 1_000)
    await expect(openSpaceLeaves(folder, commitment, [0n])).rejects.toMatchObject({ code: 'E_SPACE_DAMAGED' })
    await expect(readCommitment(temporaryDirectory())).rejects.toMatchObject({ code: 'E_SPACE_IO' })
    writeFileSync(join(folder, 'space.json'), '{"version": 2}')
    await expect(readCommitment(folder)).rejects.toMatchObject({ code: 'E_SPACE_IO' })
  })
})

describe('a size', () => {
  it.each([
    ['131072', KIB_128],
    ['1MiB', 2 ** 20],
    ['3GiB', 3 * 2 ** 30],
  ])('%s is read', (text, bytes) => {
    expect(bytesOption(text)).toBe(bytes)
  })

  it.each(['', '0', '1000', '1GB', '1.5GiB', '-1MiB', '257GiB', '100KiB'])('"%s" is refused', (text) => {
    expect(() => bytesOption(text)).toThrow(/Expected a size such as 1GiB/)
  })
})

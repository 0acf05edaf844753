/**
 * A space on disk: one file that cannot be compressed, made from a seed, and beside it what it was committed to and the
 * roots of its groups of leaves. Making it can be interrupted: the next run keeps every group that is there. It becomes
 * a space only when all of it is.
 */

import { createCipheriv, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fromHex, isHex, toHex } from '../../codec/hex.ts'
import { makeFolders } from '../../files/make-folders.ts'
import { leafCount, treeDepth } from '../../ledger/attestation/space-tree.ts'
import type { LeafOpening } from '../../types/attestation.ts'
import { LEAF_SIZES, type SpaceCommitment } from '../../types/operator.ts'
import type { Hex32 } from '../../types/primitives.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { GROUP_DEPTH, LEAVES_PER_GROUP, leafHasher, levelsAbove, pathOf } from './space-hash.ts'

/** Its roots are held in memory when it is opened: 32 bytes for 64 KiB. */
export const SPACE_FILE_BYTES_MAX = 2 ** 38
export const LEAF_SIZE_DEFAULT = 1_024
/** Left free on the disk, for everybody else. */
const RESERVE_BYTES = 64 * 2 ** 20

const DATA = 'space.data'
const PART = 'space.data.part'
const SEED = 'space.seed'
const ROOTS = 'space.roots'
const COMMITMENT = 'space.json'

const commitmentFile = z.strictObject({
  version: z.literal(1),
  bytes: z.string().regex(/^[1-9]\d{0,14}$/),
  leafSize: z.literal(LEAF_SIZES),
  root: z.string().regex(/^[0-9a-f]{64}$/),
})

/** Tells how far it is. @param done of all bytes */
export type SpaceProgress = (done: number) => void

/** Content from a seed: the key stream of AES-256 in counter mode, any part of it by itself. */
function contentOf(seed: Uint8Array, at: number, length: number): Buffer {
  const counter = Buffer.alloc(16)
  counter.writeBigUInt64BE(BigInt(at / 16), 8)
  return createCipheriv('aes-256-ctr', seed, counter).update(Buffer.alloc(length))
}

function groupRoot(content: Uint8Array, firstLeaf: bigint, leafSize: number): Uint8Array {
  const hashLeaf = leafHasher(leafSize)
  const leaves: Uint8Array[] = []
  for (let at = 0; at < content.length; at += leafSize) {
    leaves.push(hashLeaf(firstLeaf + BigInt(leaves.length), content.subarray(at, at + leafSize)))
  }
  return levelsAbove(leaves, 0, GROUP_DEPTH).at(-1)?.[0] ?? new Uint8Array(32)
}

/**
 * Makes a space in a folder, or goes on where an earlier run stopped.
 * @param bytes a whole number of groups of 64 leaves
 * @throws CliError `E_SPACE_EXISTS`, `E_SPACE_DISK`, `E_SPACE_IO` (73)
 */
export async function makeSpace(
  folder: string,
  bytes: number,
  leafSize: number,
  progress: SpaceProgress,
): Promise<SpaceCommitment> {
  if (existsSync(join(folder, COMMITMENT))) {
    throw new CliError('E_SPACE_EXISTS', `${folder} holds a space already`, {
      fix: 'choose another folder; whoever registered this one needs it whole',
      exitCode: EXIT.dataDirectory,
    })
  }
  try {
    makeFolders(folder)
    const seed = await seedOf(folder)
    const part = join(folder, PART)
    const present = existsSync(part) ? (await stat(part)).size : 0
    await requireRoom(folder, bytes - present)
    const roots = await writeContent(part, seed, bytes, leafSize, progress)
    const levels = levelsAbove(roots, GROUP_DEPTH, treeDepth(BigInt(bytes / leafSize)) - GROUP_DEPTH)
    const root = toHex(levels.at(-1)?.[0] ?? new Uint8Array(32)) as Hex32
    await rename(part, join(folder, DATA))
    await writeWhole(join(folder, ROOTS), Buffer.concat(roots))
    await writeWhole(
      join(folder, COMMITMENT),
      `${JSON.stringify({ version: 1, bytes: `${bytes}`, leafSize, root }, null, 2)}\n`,
    )
    return { bytes: BigInt(bytes), leafSize, root }
  } catch (error) {
    throw error instanceof CliError ? error : ioError(folder, error)
  }
}

async function writeContent(
  path: string,
  seed: Uint8Array,
  bytes: number,
  leafSize: number,
  progress: SpaceProgress,
): Promise<Uint8Array[]> {
  const groupBytes = LEAVES_PER_GROUP * leafSize
  const file = await openForBoth(path)
  try {
    await file.truncate(Math.min((await file.stat()).size, bytes))
    const roots: Uint8Array[] = []
    for (let at = 0; at < bytes; at += groupBytes) {
      const content = contentOf(seed, at, groupBytes)
      roots.push(groupRoot(content, BigInt(at / leafSize), leafSize))
      // What an earlier run wrote is kept where it is what it should be: a crash may have lost some of it.
      const there = Buffer.alloc(groupBytes)
      const { bytesRead } = await file.read(there, 0, groupBytes, at)
      if (bytesRead < groupBytes || !there.equals(content)) await file.write(content, 0, groupBytes, at)
      progress(at + groupBytes)
    }
    await file.sync()
    return roots
  } finally {
    await file.close()
  }
}

async function openForBoth(path: string): Promise<FileHandle> {
  return open(path, existsSync(path) ? 'r+' : 'wx+', 0o600)
}

async function seedOf(folder: string): Promise<Uint8Array> {
  const path = join(folder, SEED)
  if (existsSync(path)) {
    const text = (await readFile(path, 'utf8')).trim()
    if (isHex(text, 32)) return fromHex(text)
  }
  const seed = randomBytes(32)
  await writeWhole(path, `${seed.toString('hex')}\n`)
  return seed
}

async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  await writeFile(temporary, content, { mode: 0o600, flush: true })
  await rename(temporary, path)
}

async function requireRoom(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize - RESERVE_BYTES
  if (needed <= free) return
  throw new CliError(
    'E_SPACE_DISK',
    `${folder} has room for ${Math.max(0, free)} bytes, needed are ${needed}`,
    {
      why: `${RESERVE_BYTES} bytes of the disk are left to others`,
      fix: 'choose a smaller space or another disk',
      exitCode: EXIT.dataDirectory,
    },
  )
}

/** @throws CliError `E_SPACE_IO` (73) when the folder holds no space */
export async function readCommitment(folder: string): Promise<SpaceCommitment> {
  try {
    const { bytes, leafSize, root } = commitmentFile.parse(
      JSON.parse(await readFile(join(folder, COMMITMENT), 'utf8')),
    )
    return { bytes: BigInt(bytes), leafSize, root: root as Hex32 }
  } catch (error) {
    throw ioError(folder, error)
  }
}

/** Opens leaves of a space. @throws CliError `E_SPACE_IO`, `E_SPACE_DAMAGED` (73) */
export async function openSpaceLeaves(
  folder: string,
  commitment: SpaceCommitment,
  indices: readonly bigint[],
): Promise<LeafOpening[]> {
  const { leafSize, root } = commitment
  const depth = treeDepth(leafCount(commitment))
  let file: FileHandle | undefined
  try {
    const stored = await readFile(join(folder, ROOTS))
    const roots = Array.from({ length: stored.length / 32 }, (_, i) => stored.subarray(32 * i, 32 * i + 32))
    const above = levelsAbove(roots, GROUP_DEPTH, depth - GROUP_DEPTH)
    if (toHex(above.at(-1)?.[0] ?? new Uint8Array(0)) !== root)
      throw damaged(folder, `${ROOTS} has another root`)
    file = await open(join(folder, DATA), 'r')
    const openings: LeafOpening[] = []
    for (const index of indices) {
      const group = Number(index / BigInt(LEAVES_PER_GROUP))
      const content = Buffer.alloc(LEAVES_PER_GROUP * leafSize)
      const { bytesRead } = await file.read(content, 0, content.length, group * content.length)
      if (bytesRead !== content.length) throw damaged(folder, `${DATA} ends early`)
      const hashLeaf = leafHasher(leafSize)
      const first = BigInt(group) * BigInt(LEAVES_PER_GROUP)
      const leafAt = (i: number): Buffer => content.subarray(i * leafSize, (i + 1) * leafSize)
      const leaves = Array.from({ length: LEAVES_PER_GROUP }, (_, i) =>
        hashLeaf(first + BigInt(i), leafAt(i)),
      )
      const within = levelsAbove(leaves, 0, GROUP_DEPTH)
      if (toHex(within.at(-1)?.[0] ?? new Uint8Array(0)) !== toHex(roots[group] ?? new Uint8Array(0))) {
        throw damaged(folder, `group ${group} of ${DATA} has changed`)
      }
      const place = Number(index % BigInt(LEAVES_PER_GROUP))
      openings.push({
        leaf: Uint8Array.from(leafAt(place)),
        path: [...pathOf(within, place, 0), ...pathOf(above, group, GROUP_DEPTH)].map((hash) =>
          Uint8Array.from(hash),
        ),
      })
    }
    return openings
  } catch (error) {
    throw error instanceof CliError ? error : ioError(folder, error)
  } finally {
    await file?.close()
  }
}

function ioError(folder: string, cause: unknown): CliError {
  return new CliError('E_SPACE_IO', `the space in ${folder} cannot be used`, {
    why: cause instanceof Error ? cause.message : String(cause),
    fix: 'check the path and the disk; a space is made with "hypermesh space init"',
    exitCode: EXIT.dataDirectory,
    cause,
  })
}

function damaged(folder: string, why: string): CliError {
  return new CliError('E_SPACE_DAMAGED', `the space in ${folder} is not what was committed to`, {
    why,
    fix: 'make another one with "hypermesh space init" and register it with "hypermesh operator update --space"',
    exitCode: EXIT.dataDirectory,
  })
}

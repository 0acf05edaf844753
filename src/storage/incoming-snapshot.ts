/**
 * A snapshot that is being fetched, in `<data>/snapshots/incoming/`: chunks by their hash, kept over a restart; then
 * the manifest, written last, when all of it was found to be the certified state. Checks only that bytes and hash
 * belong together.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeManifest, encodeManifest } from '../codec/snapshot.ts'
import { makeFolders } from '../files/make-folders.ts'
import { asEpoch, type Epoch, type Hex32 } from '../types/primitives.ts'
import type { ChunkReference, SnapshotManifest } from '../types/snapshot.ts'
import { syncDirectory, writeDurably } from './durable-files.ts'
import { chunkHash } from './snapshot-export.ts'

const READY = 'ready'
const HAND_OVER = 'hand-over-'

function isHandOver(name: string): boolean {
  return /^hand-over-\d{1,15}$/.test(name)
}

export class IncomingSnapshot {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The manifest of a snapshot that is all there and was checked; null while there is none. */
  async ready(): Promise<SnapshotManifest | null> {
    const bytes = await readFile(join(this.#directory, READY)).catch(() => null)
    const manifest = bytes === null ? null : decodeManifest(new Uint8Array(bytes))
    return manifest?.ok === true ? manifest.value : null
  }

  /** Makes the directory and deletes chunks that are none of these. @returns hashes that are there */
  async prepare(chunks: readonly ChunkReference[]): Promise<Set<Hex32>> {
    makeFolders(this.#directory)
    const wanted = new Set<string>(chunks.map(({ sha256 }) => sha256))
    const present = new Set<Hex32>()
    for (const name of await readdir(this.#directory)) {
      if (wanted.has(name)) present.add(name as Hex32)
      else if (!isHandOver(name)) await rm(join(this.#directory, name), { force: true })
    }
    return present
  }

  /** Takes a chunk; false when the bytes are not what the reference says. */
  async put({ sha256, bytes }: ChunkReference, chunk: Uint8Array): Promise<boolean> {
    if (chunk.length !== bytes || chunkHash(chunk) !== sha256) return false
    const path = join(this.#directory, sha256)
    await writeDurably(`${path}.new`, chunk)
    await rename(`${path}.new`, path)
    return true
  }

  /** The chunk, or null when it is missing or its bytes have changed; then it is deleted. */
  async chunk({ sha256, bytes }: ChunkReference): Promise<Uint8Array | null> {
    const path = join(this.#directory, sha256)
    const chunk = await readFile(path).catch(() => null)
    if (chunk === null) return null
    if (chunk.length === bytes && chunkHash(chunk) === sha256) return chunk
    await rm(path, { force: true })
    return null
  }

  /** Keeps a proof that led to the snapshot's validator set. */
  async putHandOver(epoch: Epoch, bytes: Uint8Array): Promise<void> {
    await writeDurably(join(this.#directory, `${HAND_OVER}${epoch}`), bytes)
  }

  /** The proofs that were kept. */
  async handOvers(): Promise<{ readonly epoch: Epoch; readonly bytes: Uint8Array }[]> {
    const names = (await readdir(this.#directory)).filter(isHandOver)
    return await Promise.all(
      names.map(async (name) => ({
        epoch: asEpoch(Number(name.slice(HAND_OVER.length))),
        bytes: await readFile(join(this.#directory, name)),
      })),
    )
  }

  /** Says that it is all there and checked; from here on it will be installed. */
  async finish(manifest: SnapshotManifest): Promise<void> {
    await writeDurably(join(this.#directory, `${READY}.new`), encodeManifest(manifest))
    await rename(join(this.#directory, `${READY}.new`), join(this.#directory, READY))
    await syncDirectory(this.#directory)
  }

  async discard(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

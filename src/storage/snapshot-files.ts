/**
 * State snapshots on disk: `<data>/snapshots/<height>/` with a manifest and chunks named by their hash. A snapshot
 * is there in whole or not at all: it is made in a directory of another name, synced, and renamed. Proves nothing.
 */
import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeManifest, encodeManifest } from '../codec/snapshot.ts'
import { makeFolders } from '../files/make-folders.ts'
import type { Hex32 } from '../types/primitives.ts'
import type { ChunkReference, SnapshotManifest } from '../types/snapshot.ts'
import { syncDirectory, writeDurably } from './durable-files.ts'
import type { ExportedChunk } from './snapshot-export.ts'

const MANIFEST = 'manifest'
const UNFINISHED = '.unfinished'

export class SnapshotFiles {
  readonly #directory: string
  readonly #manifests = new Map<number, SnapshotManifest>()
  /** Where a chunk lies. */
  readonly #paths = new Map<Hex32, string>()

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Finds the snapshots of a directory, made when it is missing; what was left unfinished is deleted. */
  static async open(directory: string): Promise<SnapshotFiles> {
    makeFolders(directory)
    const files = new SnapshotFiles(directory)
    for (const name of await readdir(directory)) {
      if (name.endsWith(UNFINISHED)) await rm(join(directory, name), { recursive: true, force: true })
      else if (/^\d+$/.test(name)) await files.#find(Number(name))
    }
    return files
  }

  /** Manifests, the highest first. */
  manifests(): SnapshotManifest[] {
    return [...this.#manifests.values()].sort((a, b) => b.header.height - a.header.height)
  }

  manifestAt(height: number): SnapshotManifest | null {
    return this.#manifests.get(height) ?? null
  }

  /** The chunk of this hash, or null. */
  async chunk(sha256: Hex32): Promise<Uint8Array | null> {
    const path = this.#paths.get(sha256)
    // A snapshot may be deleted while it is asked for.
    return path === undefined ? null : await readFile(path).catch(() => null)
  }

  /**
   * Writes chunks and syncs each. Nothing is offered before {@link SnapshotDraft.seal}.
   * @throws Error of the file system
   */
  async begin(height: number, chunks: AsyncIterable<ExportedChunk>): Promise<SnapshotDraft> {
    const draft = join(this.#directory, `${height}${UNFINISHED}`)
    await rm(draft, { recursive: true, force: true })
    await mkdir(draft, { mode: 0o700 })
    const references: ChunkReference[] = []
    for await (const { reference, bytes } of chunks) {
      const path = join(draft, reference.sha256)
      if (bytes === null) await link(this.#paths.get(reference.sha256) ?? '', path)
      else await writeDurably(path, bytes)
      references.push(reference)
    }
    return {
      chunks: references,
      seal: async (manifest) => {
        await writeDurably(join(draft, MANIFEST), encodeManifest(manifest))
        await syncDirectory(draft)
        const path = join(this.#directory, String(height))
        await rm(path, { recursive: true, force: true })
        await rename(draft, path)
        await syncDirectory(this.#directory)
        this.#remember(height, manifest)
      },
      discard: () => rm(draft, { recursive: true, force: true }),
    }
  }

  /** Deletes all but the highest `count`. */
  async keep(count: number): Promise<void> {
    for (const { header } of this.manifests().slice(count)) {
      this.#manifests.delete(header.height)
      await rm(join(this.#directory, String(header.height)), { recursive: true, force: true })
    }
    this.#paths.clear()
    for (const [height, manifest] of this.#manifests) this.#remember(height, manifest)
  }

  async #find(height: number): Promise<void> {
    const path = join(this.#directory, String(height))
    const manifest = await readManifest(join(path, MANIFEST))
    if (manifest !== null && manifest.header.height === height) this.#remember(height, manifest)
    else await rm(path, { recursive: true, force: true })
  }

  #remember(height: number, manifest: SnapshotManifest): void {
    this.#manifests.set(height, manifest)
    for (const { sha256 } of manifest.chunks) {
      this.#paths.set(sha256, join(this.#directory, String(height), sha256))
    }
  }
}

/** A snapshot whose chunks are written and whose certificate is not there yet. */
export interface SnapshotDraft {
  readonly chunks: readonly ChunkReference[]
  /** Makes it one of the snapshots, durably. */
  seal(manifest: SnapshotManifest): Promise<void>
  discard(): Promise<void>
}

async function readManifest(path: string): Promise<SnapshotManifest | null> {
  const bytes = await readFile(path).catch(() => null)
  const manifest = bytes === null ? null : decodeManifest(new Uint8Array(bytes))
  return manifest?.ok === true ? manifest.value : null
}

/** What fetching a snapshot needs of the other layers. Implementations do not import this file. */
import type { BlockHeader } from '../types/block.ts'
import type { Result } from '../types/errors.ts'
import type { BlockHash, Epoch, Height, Hex32 } from '../types/primitives.ts'
import type { ChunkReference, HandOver, SnapshotManifest } from '../types/snapshot.ts'

/** Snapshots of peers. Bytes that nobody has checked. */
export interface SnapshotFetcher {
  peers(): readonly string[]
  list(
    peer: string,
    aboveHeight: Height,
  ): Promise<Result<readonly { readonly height: Height; readonly blockHash: Hex32 }[]>>
  manifest(peer: string, height: Height): Promise<Result<Uint8Array>>
  chunk(peer: string, sha256: Hex32): Promise<Result<Uint8Array>>
  handOver(peer: string, fromEpoch: Epoch): Promise<Result<Uint8Array>>
  /** Canonical bytes of a block from anyone who has it. */
  blockByHash(hash: BlockHash): Promise<Uint8Array | null>
}

/** Reads what came; a remote's fault gives null. */
export interface SnapshotReader {
  manifest(bytes: Uint8Array): SnapshotManifest | null
  handOver(bytes: Uint8Array): HandOver | null
  /** The entries of a chunk. */
  chunk(bytes: Uint8Array, count: number): readonly Uint8Array[] | null
  /** The header of a block whose bytes have this hash. */
  headerOf(bytes: Uint8Array, hash: BlockHash): BlockHeader | null
}

/** Where what was fetched is kept, over a restart too. */
export interface IncomingChunks {
  /** Forgets chunks that are none of these; returns the hashes that are there. */
  prepare(chunks: readonly ChunkReference[]): Promise<ReadonlySet<Hex32>>
  /** False when the bytes are not what the reference says. */
  put(reference: ChunkReference, bytes: Uint8Array): Promise<boolean>
  chunk(reference: ChunkReference): Promise<Uint8Array | null>
  putHandOver(epoch: Epoch, bytes: Uint8Array): Promise<void>
  /** Durably: the snapshot is whole and true. */
  finish(manifest: SnapshotManifest): Promise<void>
  discard(): Promise<void>
}

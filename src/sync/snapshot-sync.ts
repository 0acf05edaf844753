/**
 * Gets the state of a network whose blocks from genesis on are gone: finds what peers offer, proves a manifest from
 * what this node trusts, fetches the chunks, and checks that they add up to the certified state before anything is
 * installed. Installs nothing itself: that is done when the database is opened (storage/snapshot-install.ts).
 */

import { setImmediate as turn } from 'node:timers/promises'
import { checkManifest, snapshotBlockHash } from '../ledger/snapshot-check.ts'
import { SnapshotReplay } from '../ledger/snapshot-replay.ts'
import type { StateRootOf } from '../types/ledger-state.ts'
import type { Logger } from '../types/logger.ts'
import { asHeight, type Height, type Hex32 } from '../types/primitives.ts'
import type { ShieldedState } from '../types/shielded.ts'
import type { SnapshotManifest } from '../types/snapshot.ts'
import { downloadChunks } from './chunk-download.ts'
import type { IncomingChunks, SnapshotFetcher, SnapshotReader } from './snapshot-ports.ts'
import { provenSet, type TrustOptions } from './trusted-set.ts'

/** Entries checked between two turns of the event loop. */
const ENTRIES_PER_SLICE = 256
/** After an attempt that brought nothing. */
const RETRY_MS = 5_000
/** Peers remembered as liars. */
const LIARS_MAX = 1_000
/** Snapshots tried in one attempt, the highest first. */
const CANDIDATES_MAX = 4

export interface SnapshotSyncOptions extends TrustOptions {
  readonly fetcher: SnapshotFetcher
  readonly reader: SnapshotReader
  readonly incoming: IncomingChunks
  readonly stateRootOf: StateRootOf
  /** Before block 1. */
  readonly genesisShielded: ShieldedState
  /** A snapshot is whole, true and on the disk: the node is to be started with it. Called once. */
  readonly onReady: (height: Height) => void
  readonly now: () => number
  readonly logger: Logger
}

/** How far it is. */
export interface SnapshotProgress {
  readonly height: Height
  readonly chunks: number
  readonly chunksThere: number
}

/** A snapshot by name, and who says to have it. */
interface Candidate {
  readonly height: Height
  readonly blockHash: Hex32
  readonly peers: string[]
}

export class SnapshotSync {
  readonly #options: SnapshotSyncOptions
  /** Whose manifest did not lead to the certified state: each is tried once. */
  readonly #liars = new Set<string>()
  #progress: SnapshotProgress | null = null
  #running: Promise<void> | null = null
  #notBefore = 0
  #isStopped = false

  constructor(options: SnapshotSyncOptions) {
    this.#options = options
  }

  /** What is being fetched; null when nothing is. */
  get progress(): SnapshotProgress | null {
    return this.#progress
  }

  /** Nothing here goes on by blocks: fetches a snapshot, unless that is being done or has just failed. */
  request(): void {
    const { now, logger } = this.#options
    if (this.#running !== null || this.#isStopped || now() < this.#notBefore) return
    this.#running = this.#run()
      .catch((error: unknown) => logger.warn({ error }, 'fetching a snapshot failed; it is tried again'))
      .finally(() => {
        this.#running = null
        this.#progress = null
        this.#notBefore = now() + RETRY_MS
      })
  }

  /** Resolves when no attempt is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const { logger, onReady } = this.#options
    const candidates = await this.#candidates()
    if (candidates.length === 0) logger.info({}, 'no peer offers a snapshot')
    for (const candidate of candidates.slice(0, CANDIDATES_MAX)) {
      if (this.#isStopped || !(await this.#fetch(candidate))) continue
      this.#isStopped = true
      onReady(candidate.height)
      return
    }
  }

  async #candidates(): Promise<Candidate[]> {
    const { fetcher } = this.#options
    const found = new Map<string, Candidate>()
    await Promise.all(
      fetcher.peers().map(async (peer) => {
        const offers = await fetcher.list(peer, asHeight(0))
        for (const { height, blockHash: hash } of offers.ok ? offers.value : []) {
          const name = `${height}:${hash}`
          const known = found.get(name)
          if (known === undefined) found.set(name, { height, blockHash: hash, peers: [peer] })
          else if (!known.peers.includes(peer)) known.peers.push(peer)
        }
      }),
    )
    return [...found.values()].sort((a, b) => b.height - a.height || b.peers.length - a.peers.length)
  }

  /** One snapshot from whoever has it; each peer's manifest is tried until one leads to the certified state. */
  async #fetch({ height, peers }: Candidate): Promise<boolean> {
    const { incoming, logger, now, fetcher } = this.#options
    for (const peer of peers.filter((candidate) => !this.#liars.has(candidate))) {
      const manifest = await this.#manifest(peer, height)
      if (manifest === null || this.#isStopped) continue
      const chunks = manifest.chunks.length
      this.#progress = { height, chunks, chunksThere: 0 }
      logger.info({ height, chunks, peers: peers.length }, 'fetching a snapshot')
      const isThere = await downloadChunks(manifest.chunks, {
        fetcher,
        incoming,
        // Its giver first: nobody else need have cut the state in the same way.
        peers: [peer, ...peers.filter((other) => other !== peer)],
        now,
        logger,
        isStopped: () => this.#isStopped,
        onChunk: () => {
          const chunksThere = (this.#progress?.chunksThere ?? 0) + 1
          this.#progress = { height, chunks, chunksThere }
        },
      })
      if (!isThere) continue
      if (await this.#addsUp(manifest)) {
        await incoming.finish(manifest)
        return true
      }
      logger.warn({ peer, height }, 'a snapshot does not have the certified state; it is thrown away')
      await incoming.discard()
      if (this.#liars.size < LIARS_MAX) this.#liars.add(peer)
    }
    return false
  }

  /** A peer's manifest, when it is of this height and its certificates hold. */
  async #manifest(peer: string, height: Height): Promise<SnapshotManifest | null> {
    const { fetcher, reader, incoming, logger } = this.#options
    const bytes = await fetcher.manifest(peer, height)
    const manifest = bytes.ok ? reader.manifest(bytes.value) : null
    if (manifest === null || manifest.header.height !== height) return null
    const proven = await provenSet(manifest, peer, snapshotBlockHash(manifest), this.#options)
    if (!proven.ok) {
      logger.warn({ peer, height, detail: proven.detail }, 'a snapshot is not trusted')
      return null
    }
    const certified = checkManifest(manifest, { ...this.#options, set: proven.value.set })
    if (!certified.ok) {
      logger.warn({ peer, height, detail: certified.detail }, 'a snapshot is not certified')
      return null
    }
    await incoming.prepare(manifest.chunks)
    for (const { epoch, bytes: proof } of proven.value.proofs) await incoming.putHandOver(epoch, proof)
    return manifest
  }

  async #addsUp(manifest: SnapshotManifest): Promise<boolean> {
    const { incoming, reader, stateRootOf, genesisShielded } = this.#options
    const stateRoot = manifest.certificate.stateRoot
    if (stateRoot === null) return false
    const replay = new SnapshotReplay(
      { blockHash: snapshotBlockHash(manifest), stateRoot },
      stateRootOf,
      genesisShielded,
    )
    for (const reference of manifest.chunks) {
      const bytes = await incoming.chunk(reference)
      const entries = bytes === null ? null : reader.chunk(bytes, reference.count)
      if (entries === null || this.#isStopped) return false
      for (let at = 0; at < entries.length; at += ENTRIES_PER_SLICE) {
        if (!replay.add(reference.part, entries.slice(at, at + ENTRIES_PER_SLICE)).ok) return false
        await turn()
      }
    }
    return replay.finish().ok
  }
}

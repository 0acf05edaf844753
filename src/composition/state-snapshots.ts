/**
 * Snapshots of this node's own state: taken where they are due from a view of the database, sealed when the commit
 * certificate of that block is there, and offered to peers. Also keeps the hand-over proofs. Nothing here holds a
 * block up: what fails is told and left out.
 */
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { encodeHandOver, encodeManifest } from '../codec/snapshot.ts'
import type { SnapshotSource } from '../network/snapshot-server.ts'
import type { ChainTip } from '../storage/chain-opening.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { Database } from '../storage/database.ts'
import { HandOvers } from '../storage/hand-overs.ts'
import type { ReceiptIndex } from '../storage/receipt-index.ts'
import { exportChunks } from '../storage/snapshot-export.ts'
import type { SnapshotFiles } from '../storage/snapshot-files.ts'
import type { TrustHistory } from '../storage/trust-history.ts'
import type { BlockHeader } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type { Logger } from '../types/logger.ts'
import type { Height, Hex32 } from '../types/primitives.ts'
import type { SnapshotManifest } from '../types/snapshot.ts'
import type { Validator } from '../types/validator-set.ts'

export interface StateSnapshotsOptions {
  readonly database: Database
  readonly chain: ChainStore
  readonly files: SnapshotFiles
  /** Whether a snapshot is taken after the block of this height: the end of an epoch. */
  readonly isDue: (height: Height) => boolean
  /** Snapshots kept; the oldest go. */
  readonly keptCount: number
  /** The set that follows the block's epoch, when the block ends an epoch and the set changes; else null. */
  readonly changedSet: (header: BlockHeader) => readonly Validator[] | null
  /** Written in one batch with the blocks. */
  readonly receipts: Pick<ReceiptIndex, 'operations' | 'committed'>
  /** Likewise. */
  readonly trust: Pick<TrustHistory, 'operations'>
  readonly observe: (what: 'taken' | 'failed' | 'uncertified', seconds: number) => void
  readonly now: () => number
  readonly logger: Logger
}

/**
 * Between two slices, which take up to 1 ms each. All nodes of a network take their snapshots at one height: without
 * pauses all of them would serve requests more slowly at the same time.
 */
const PAUSE_MS = 12

/** A snapshot that waits for its certificate. */
interface Pending {
  readonly height: Height
  readonly certificate: PromiseWithResolvers<QuorumCertificate | null>
}

export class StateSnapshots {
  readonly #options: StateSnapshotsOptions
  readonly #handOvers: HandOvers
  #pending: Pending | null = null
  #making: Promise<void> = Promise.resolve()
  #isStopping = false

  constructor(options: StateSnapshotsOptions) {
    this.#options = options
    this.#handOvers = new HandOvers(options.database)
  }

  /** What peers may ask for. */
  get source(): SnapshotSource {
    const { files } = this.#options
    return {
      offers: () =>
        files.manifests().map(({ header, certificate, chunks }) => ({
          height: header.height,
          blockHash: certificate.blockHash as string as Hex32,
          bytes: BigInt(chunks.reduce((sum, { bytes }) => sum + bytes, 0)),
        })),
      manifest: (height) => {
        const manifest = files.manifestAt(height)
        return manifest === null ? null : encodeManifest(manifest)
      },
      chunk: (sha256) => files.chunk(sha256),
      handOver: (fromEpoch) => this.#handOvers.from(fromEpoch),
    }
  }

  /** Height of the oldest snapshot that is offered; whoever takes it needs the blocks behind it. */
  get oldestHeight(): Height | null {
    return this.#options.files.manifests().at(-1)?.header.height ?? null
  }

  /**
   * {@link ChainStore.commitFinalized}, in batches that end where a snapshot is due: there the database is the state
   * after exactly that block.
   */
  async commitFinalized(blocks: readonly FinalizedBlock[]): Promise<void> {
    const { chain, isDue, receipts, trust } = this.#options
    let from = 0
    for (const [i, { block }] of blocks.entries()) {
      const isLast = i === blocks.length - 1
      if (!isLast && !isDue(block.header.height)) continue
      const batch = blocks.slice(from, i + 1)
      await chain.commitFinalized(batch, [...receipts.operations(batch), ...trust.operations(batch)])
      receipts.committed()
      from = i + 1
      if (isDue(block.header.height)) this.#take()
    }
  }

  /** {@link ChainStore.putCommitCertificate}, and what the certificate makes possible. */
  async putCommitCertificate(certificate: QuorumCertificate): Promise<void> {
    const { chain } = this.#options
    await chain.putCommitCertificate(certificate)
    if (this.#pending?.height === certificate.height) this.#pending.certificate.resolve(certificate)
    const header = chain.headerAt(certificate.height)
    const validators = header === null ? null : this.#options.changedSet(header)
    if (header === null || validators === null) return
    await this.#handOvers.put(header.epoch, encodeHandOver({ header, certificate, validators }))
  }

  /** Resolves when no snapshot is being made. */
  async settled(): Promise<void> {
    await this.#making
  }

  /** Gives up what has no certificate yet, and waits for what is being written. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#pending?.certificate.resolve(null)
    await this.#making
  }

  #take(): void {
    const { database, chain, logger } = this.#options
    const { tip } = chain
    if (this.#pending !== null) {
      logger.debug(
        { height: this.#pending.height },
        'a snapshot has no certificate yet; a newer one takes its place',
      )
      this.#pending.certificate.resolve(null)
    }
    const certificate = Promise.withResolvers<QuorumCertificate | null>()
    const pending = { height: tip.height, certificate }
    this.#pending = pending
    const view = database.view()
    this.#making = this.#making
      .then(() => this.#make(tip, view, certificate.promise))
      .catch((error: unknown) => {
        this.#options.observe('failed', 0)
        logger.error({ error, height: tip.height }, 'a snapshot could not be written')
      })
      .finally(() => {
        view.close()
        if (this.#pending === pending) this.#pending = null
      })
  }

  async #make(
    tip: ChainTip,
    view: ReturnType<Database['view']>,
    certified: Promise<QuorumCertificate | null>,
  ): Promise<void> {
    const { files, keptCount, observe, now, logger } = this.#options
    const startedAt = now()
    const earlier = files.manifests()[0]?.chunks ?? []
    const chunks = exportChunks(view, tip, earlier, () => (this.#isStopping ? turn() : delay(PAUSE_MS)))
    const draft = await files.begin(tip.height, chunks)
    const seconds = (now() - startedAt) / 1_000
    const certificate = await certified
    if (certificate === null || certificate.stateRoot !== tip.stateRoot) {
      observe('uncertified', seconds)
      await draft.discard()
      return
    }
    const manifest: SnapshotManifest = {
      header: tip.block.header,
      certificate,
      finality: tip.finality.blockHash === tip.block.hash ? tip.finality : null,
      chunks: draft.chunks,
    }
    await draft.seal(manifest)
    await files.keep(keptCount)
    observe('taken', seconds)
    logger.info({ height: tip.height, chunks: draft.chunks.length, seconds }, 'snapshot taken')
  }
}

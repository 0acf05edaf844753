/**
 * The chain of final blocks and the state after them. Writing: every block with all it changes in one durable
 * batch, in order of height, and a failed write ends the node. Reading: what execution, the validation service,
 * the API and nodes that catch up ask for. Judges no block: what comes here is final.
 */
import { decodeBlock, epochOfBlockBytes, headerSchema } from '../codec/block.ts'
import { encodeQuorumCertificate } from '../codec/certificates.ts'
import { decode } from '../codec/schema.ts'
import { assert } from '../types/assert.ts'
import type { BlockHeader, HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { FinalizedBlock, StateAccumulators, StateRootOf, StoredVerdict } from '../types/ledger-state.ts'
import type { BlockHash, Epoch, Height, Hex32, RequestKey, StateRoot } from '../types/primitives.ts'
import { isValidation } from '../types/transaction.ts'
import {
  blockOperations,
  checkpointOperation,
  decodeFillers,
  fillersOperation,
  shieldedOperations,
  stakingOperations,
  tipOperations,
  votingOperations,
} from './block-batch.ts'
import {
  blockKey,
  decodeHeight,
  fillersKey,
  heightOfHashKey,
  heightRange,
  transactionKey,
} from './buckets.ts'
import { type ChainGenesis, type ChainTip, type FoundChain, openChain } from './chain-opening.ts'
import type { Checkpoint, CheckpointRule } from './checkpoints.ts'
import { CommitCertificates } from './commit-certificates.ts'
import type { Database, WriteOperation } from './database.ts'
import { damagedDatabase, writingFailed } from './database-refusals.ts'
import { LedgerStore } from './ledger-store.ts'
import { StorageError } from './storage-error.ts'

export type { ChainGenesis, ChainTip } from './chain-opening.ts'

export interface ChainStoreOptions {
  readonly database: Database
  readonly genesis: ChainGenesis
  /** Root of the state over these (ledger/state-root.ts): the check on reopening. */
  readonly stateRootOf: StateRootOf
  /** Called once, when a batch did not become durable: the process must stop. */
  readonly onFatal: (error: StorageError) => void
}

/** Final blocks with the certificate that makes the last of them final. */
export interface BlockRange {
  /** Canonical bytes, in order of height, without gaps. */
  readonly blocks: readonly Uint8Array[]
  /** Encoded pre-commit certificate of exactly the last block, which may be a filler; null when none lies within the bounds. */
  readonly certificate: Uint8Array | null
}

export class ChainStore {
  /** The state after the tip. */
  readonly state: LedgerStore
  readonly commitCertificates: CommitCertificates
  readonly #options: ChainStoreOptions
  readonly #rule: CheckpointRule
  #tip: ChainTip
  #certified: Checkpoint | null
  #lowest: Height
  #writing: Promise<unknown> = Promise.resolve()
  #failure: StorageError | null = null

  private constructor(options: ChainStoreOptions, found: FoundChain, commits: CommitCertificates) {
    this.#options = options
    this.#tip = found.tip
    this.#rule = found.rule
    this.#certified = found.certified
    this.#lowest = found.lowest
    this.state = new LedgerStore(options.database, found.tip)
    void this.state.learnKeys()
    this.commitCertificates = commits
  }

  /**
   * Opens the chain, or begins it with genesis.
   * @throws StorageError E_DB_CORRUPT when tip, state and blocks do not fit together
   */
  static async open(options: ChainStoreOptions): Promise<ChainStore> {
    const found = await openChain(options.database, options.genesis, options.stateRootOf)
    const commits = await CommitCertificates.open(options.database, found.tip.height)
    return new ChainStore(options, found, commits)
  }

  /** The last block that is final and durable. */
  get tip(): ChainTip {
    return this.#tip
  }

  /** From here on every block is kept; 0 when none was pruned. Genesis is kept always. */
  get lowestHeight(): Height {
    return this.#lowest
  }

  /** Blocks below are going to be deleted (pruner.ts): they are no longer offered to anyone. */
  raiseLowest(height: Height): void {
    assert(height >= this.#lowest && height <= this.#tip.height, `a lowest block of height ${height}`)
    this.#lowest = height
  }

  /**
   * Makes blocks that became final durable, in order, from the tip's child on. All go into one batch, `beside` too:
   * it is written whole or not at all, so each block is, and blocks that became final together cost one sync.
   * Resolves when they are durable and every read shows them.
   * @throws StorageError E_DB_WRITE: `onFatal` has been called, nothing can be written any more
   * @throws InvariantViolation when the blocks do not continue the chain
   */
  commitFinalized(blocks: readonly FinalizedBlock[], beside: readonly WriteOperation[] = []): Promise<void> {
    const written = this.#writing.then(() => this.#commit(blocks, beside))
    this.#writing = written.catch(() => undefined)
    return written
  }

  /** Canonical bytes of the final block at a height. */
  blockBytesAt(height: Height): Uint8Array | null {
    return height > this.#tip.height ? null : this.#options.database.get(blockKey(height))
  }

  /** Height of a final block; null for any other. */
  heightOf(hash: BlockHash): Height | null {
    const bytes = this.#options.database.get(heightOfHashKey(hash))
    if (bytes === null) return null
    const height = decodeHeight(bytes)
    return height > this.#tip.height ? null : height
  }

  /** Canonical bytes of a final block. */
  blockByHash(hash: BlockHash): Uint8Array | null {
    const height = this.heightOf(hash)
    return height === null ? null : this.blockBytesAt(height)
  }

  blockAt(height: Height): HashedBlock | null {
    if (height === this.#tip.height) return this.#tip.block
    const bytes = this.blockBytesAt(height)
    return bytes === null ? null : this.#decoded(height, decodeBlock(bytes))
  }

  /** The header alone, without reading the transactions. */
  headerAt(height: Height): BlockHeader | null {
    if (height === this.#tip.height) return this.#tip.block.header
    const bytes = this.blockBytesAt(height)
    if (bytes === null) return null
    const length = headerSchema.ssz.fixedSize ?? 0
    return this.#decoded(height, decode(headerSchema, bytes.subarray(0, length), length))
  }

  headerOf(hash: BlockHash): BlockHeader | null {
    const height = this.heightOf(hash)
    return height === null ? null : this.headerAt(height)
  }

  /** Hash of the final block at a height: its child names it. */
  hashAt(height: Height): BlockHash | null {
    if (height === this.#tip.height) return this.#tip.block.hash
    return this.headerAt((height + 1) as Height)?.parentHash ?? null
  }

  /** Root of the state after the block at a height: its child names it. */
  stateRootAt(height: Height): StateRoot | null {
    if (height === this.#tip.height) return this.#tip.stateRoot
    return this.headerAt((height + 1) as Height)?.parentStateRoot ?? null
  }

  /** The verdicts on a block's requests, as far as they have come, in their order; null when it is not final. */
  verdictsAt(height: Height): readonly StoredVerdict[] | null {
    const block = this.blockAt(height)
    if (block === null) return null
    return block.transactions.filter(isValidation).flatMap(({ requestKey }) => {
      const verdict = this.state.storedVerdict(requestKey)
      return verdict === null ? [] : [verdict]
    })
  }

  /** Height of the final block that holds a staking, operator, operation or evidence transaction; null when none does. */
  heightOfTransaction(requestKey: RequestKey): Height | null {
    const bytes = this.#options.database.get(transactionKey(requestKey))
    if (bytes === null) return null
    const height = decodeHeight(bytes)
    return height > this.#tip.height ? null : height
  }

  /** As {@link LedgerStore.storedVerdict}. */
  verdict(requestKey: RequestKey, requestIdHash?: Hex32): StoredVerdict | null {
    return this.state.storedVerdict(requestKey, requestIdHash)
  }

  verdictById(requestIdHash: Hex32): StoredVerdict | null {
    return this.state.verdictById(requestIdHash)
  }

  /** The highest certified block and its encoded certificate; the certificate is null at genesis. */
  finality(): { readonly height: Height; readonly certificate: Uint8Array | null } {
    return this.#certified ?? { height: 0 as Height, certificate: null }
  }

  /**
   * Final blocks from a height upwards, for a node that catches up: as many as fit, up to the last one of which
   * a certificate is kept. Checkpoints lie close enough (checkpoints.ts) for one to be within `RANGE_BLOCKS_MAX`
   * and `RANGE_BYTES_MAX` of network/topics.ts; with smaller bounds, or behind a long run that became final at
   * once, the certificate is null, and whoever keeps the blocks can go on from there.
   * @param bytesMax block bytes; the first block is given whatever its size
   */
  async range(fromHeight: Height, countMax: number, bytesMax: number): Promise<BlockRange> {
    const to = Math.min(fromHeight + countMax - 1, this.#tip.height)
    const certified = this.#certified
    const blocks: Uint8Array[] = []
    if (to < fromHeight || fromHeight < this.#lowest) return { blocks, certificate: null }
    let left = bytesMax
    let epoch: Epoch | null = null
    for await (const [, bytes] of this.#options.database.scan(heightRange('blocks', fromHeight, to))) {
      left -= bytes.length
      if (left < 0 && blocks.length > 0) break
      // Whoever catches up knows the validators of one epoch at a time (R13).
      epoch ??= epochOfBlockBytes(bytes)
      if (epochOfBlockBytes(bytes) !== epoch) break
      blocks.push(bytes)
    }
    const last = fromHeight + blocks.length - 1
    const checkpoint = await this.#checkpointWithin(certified, fromHeight, last)
    if (checkpoint === null) return { blocks, certificate: null }
    return {
      blocks: [
        ...blocks.slice(0, checkpoint.height - fromHeight + 1),
        ...this.fillersAfter(checkpoint.height),
      ],
      certificate: checkpoint.certificate,
    }
  }

  /** What leads from an epoch's last block to the block of its certificate; empty for any other height. */
  fillersAfter(height: Height): readonly Uint8Array[] {
    const bytes = this.#options.database.get(fillersKey(height))
    return bytes === null ? [] : this.#decoded(height, decodeFillers(bytes))
  }

  /**
   * Takes a verified commit certificate; resolves when it is written, where it is kept at all.
   * @throws StorageError E_DB_WRITE
   */
  putCommitCertificate(certificate: QuorumCertificate): Promise<void> {
    return this.commitCertificates.put(certificate)
  }

  /** Resolves when no batch is under way. The database is closed by whoever opened it. */
  async settled(): Promise<void> {
    await this.#writing
  }

  /** The highest certificate that is kept of a block from `from` to `to`, both included. */
  async #checkpointWithin(
    certified: Checkpoint | null,
    from: number,
    to: number,
  ): Promise<Checkpoint | null> {
    if (certified !== null && certified.height >= from && certified.height <= to) return certified
    const range = heightRange('finality', from, to)
    for await (const [key, certificate] of this.#options.database.scan(range, { reverse: true, limit: 1 })) {
      return { height: decodeHeight(key), certificate }
    }
    return null
  }

  async #commit(blocks: readonly FinalizedBlock[], beside: readonly WriteOperation[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const last = blocks.at(-1)
    if (last === undefined) return
    const { operations, certified } = this.#operationsOf(blocks)
    const { accumulators, staking, voting } = last.changes
    const hasMoved = !isSameSize(accumulators, this.#tip.accumulators)
    const { block, stateRoot, finality } = last
    const { height } = block.header
    operations.push(
      ...tipOperations(
        { height, hash: block.hash, stateRoot },
        certified?.height === height ? certified.certificate : encodeQuorumCertificate(finality),
        hasMoved ? accumulators : null,
      ),
      ...shieldedOperations(this.#tip.accumulators.shielded, accumulators.shielded),
      ...stakingOperations(this.#tip.staking, staking),
      ...votingOperations(this.#tip.voting, voting),
      ...beside,
    )
    try {
      await this.#options.database.write(operations)
    } catch (error) {
      this.#failure =
        error instanceof StorageError ? error : writingFailed(this.#options.database.path, error)
      this.#options.onFatal(this.#failure)
      throw this.#failure
    }
    this.#tip = { height, block, stateRoot, accumulators, staking, voting, finality }
    if (certified !== null) this.#certified = certified
    this.state.advance(blocks.map(({ changes }) => changes))
  }

  #operationsOf(blocks: readonly FinalizedBlock[]): {
    operations: WriteOperation[]
    certified: Checkpoint | null
  } {
    const operations: WriteOperation[] = []
    const users = new Map<Hex32, RequestKey>()
    const firstUsers = {
      keyOf: (id: Hex32) => this.state.requestKeyOfId(id) ?? users.get(id) ?? null,
      remember: (id: Hex32, key: RequestKey) => void users.set(id, key),
    }
    let certified: Checkpoint | null = null
    let parent: { block: HashedBlock; stateRoot: StateRoot } = this.#tip
    for (const finalized of blocks) {
      const { block, finality } = finalized
      const { height, parentHash, parentStateRoot } = block.header
      assert(height === parent.block.header.height + 1, `block ${height} after ${parent.block.header.height}`)
      assert(parentHash === parent.block.hash, `block ${height} is not a child of the block before`)
      assert(parentStateRoot === parent.stateRoot, `block ${height} was built on another state than ours`)
      operations.push(...blockOperations(finalized, firstUsers))
      const isEpochEnd = finalized.changes.staking.epoch !== block.header.epoch
      // That of a lower block proves nothing: genesis's, where blocks are mined.
      const isProven = finality.height >= height && (isEpochEnd || finality.blockHash === block.hash)
      const certificate = isProven ? encodeQuorumCertificate(finality) : null
      const kept = this.#rule.next({ height, bytes: block.bytes.length, certificate, isEpochEnd })
      if (finalized.fillers.length > 0) operations.push(fillersOperation(height, finalized.fillers))
      operations.push(...kept.map(checkpointOperation))
      if (certificate !== null) certified = { height, certificate }
      parent = finalized
    }
    return { operations, certified }
  }

  #decoded<T>(height: Height, result: { ok: true; value: T } | { ok: false; detail: string }): T {
    if (!result.ok) throw this.#damaged(`block ${height} cannot be read: ${result.detail}`)
    return result.value
  }

  #damaged(why: string): StorageError {
    return damagedDatabase(this.#options.database.path, why)
  }
}

/** Lists that only grow are the same when they are as long. */
function isSameSize(a: StateAccumulators, b: StateAccumulators): boolean {
  return a.nullifiers.size === b.nullifiers.size && a.verdicts.size === b.verdicts.size
}

/**
 * Mined blocks on disk: those that may still be undone, by name, and of the settled ones their seals. Settled
 * blocks and the state after them are chain-store.ts's, in one batch with what is here. Judges nothing.
 */
import { decodeSealedBlock, sealBlock } from '../codec/pow.ts'
import { counter, decode, encode, hexBytes, listOf, record, u64, uint } from '../codec/schema.ts'
import type { Root } from '../consensus/pow/mined-tree.ts'
import type { ExecutedBlock } from '../ledger/executed-block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type { Seal, SealedBlock, SealHash } from '../types/pow.ts'
import { asUnixMs, type Height } from '../types/primitives.ts'
import {
  decodeHeight,
  encodeHeight,
  META,
  MINED_BLOCKS,
  minedBlockKey,
  sealHeightKey,
  sealKey,
} from './buckets.ts'
import type { ChainStore } from './chain-store.ts'
import type { Database, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

const sealSchema = record<Seal>({ bits: uint(4), nonce: u64 })
const SEAL_BYTES = 12

interface StoredMark {
  readonly timestamp: number
  /** 0 for the block that the chain begins on. */
  readonly bits: number
}
interface StoredRoot {
  readonly sealHash: SealHash
  /** Big endian, 64 hex digits: work is below 2^256 times the blocks there can be. */
  readonly work: string
  readonly trail: readonly StoredMark[]
}
/** More than genesis allows a window to have. */
const TRAIL_MAX = 4_096
const rootSchema = record<StoredRoot>({
  sealHash: hexBytes<SealHash>(32),
  work: hexBytes<string>(40),
  trail: listOf(record<StoredMark>({ timestamp: counter(), bits: uint(4) }), TRAIL_MAX),
})
const ROOT_BYTES_MAX = 32 + 40 + 4 + 12 * TRAIL_MAX

export class MinedBlocks {
  readonly #database: Database
  readonly #chain: ChainStore
  readonly #onFatal: (error: unknown) => void
  #writing: Promise<void> = Promise.resolve()

  constructor(database: Database, chain: ChainStore, onFatal: (error: unknown) => void) {
    this.#database = database
    this.#chain = chain
    this.#onFatal = onFatal
  }

  /** Where the chain goes on; null when nothing was settled yet. @throws StorageError E_DB_CORRUPT */
  root(): Root | null {
    const bytes = this.#database.get(META.minedRoot)
    if (bytes === null) {
      if (this.#chain.tip.height > 0)
        throw this.#damaged('blocks are settled and the root of the mined chain is missing')
      return null
    }
    const stored = decode(rootSchema, bytes, ROOT_BYTES_MAX)
    if (!stored.ok) throw this.#damaged(`the root of the mined chain: ${stored.detail}`)
    const { sealHash: name, work, trail } = stored.value
    const { block } = this.#chain.tip
    if (this.sealOf(block.header.height)?.sealHash !== name) {
      throw this.#damaged(`the mined chain goes on from ${name}, the highest block has another seal`)
    }
    const marks = trail.map(({ timestamp, bits }) => ({
      timestamp: asUnixMs(timestamp),
      bits: bits === 0 ? null : bits,
    }))
    return { sealHash: name, work: BigInt(`0x${work}`), trail: marks, block }
  }

  /** Blocks that are neither settled nor forgotten, in order of height. */
  async kept(): Promise<SealedBlock[]> {
    const kept: SealedBlock[] = []
    for await (const [, bytes] of this.#database.scan(MINED_BLOCKS)) {
      const sealed = decodeSealedBlock(bytes)
      if (!sealed.ok) throw this.#damaged(`a mined block: ${sealed.detail}`)
      kept.push(sealed.value)
    }
    return kept.sort((a, b) => a.block.header.height - b.block.header.height)
  }

  keep(sealed: SealedBlock): void {
    this.#write([{ type: 'put', key: minedBlockKey(sealed.sealHash), value: sealed.bytes }])
  }

  forget(blocks: readonly SealedBlock[]): void {
    this.#write(blocks.map(({ sealHash: name }) => ({ type: 'del', key: minedBlockKey(name) })))
  }

  /**
   * Settles blocks: they leave the reversible ones and join the chain, in one batch.
   * @param notFinal the certificate of the last block that is final: genesis's, for mining makes nothing final
   * @throws StorageError E_DB_WRITE
   */
  async settle(
    blocks: readonly {
      readonly sealed: SealedBlock
      readonly executed: ExecutedBlock
      readonly answers: FinalizedBlock['answers']
    }[],
    settled: Pick<Root, 'sealHash' | 'work' | 'trail'>,
    notFinal: QuorumCertificate,
  ): Promise<void> {
    // A block that is being kept must not be written after it was settled.
    await this.#writing
    const beside: WriteOperation[] = blocks.flatMap(({ sealed }): WriteOperation[] => {
      const { height } = sealed.block.header
      return [
        { type: 'del', key: minedBlockKey(sealed.sealHash) },
        { type: 'put', key: sealKey(height), value: encode(sealSchema, sealed.seal) },
        { type: 'put', key: sealHeightKey(sealed.sealHash), value: encodeHeight(height) },
      ]
    })
    const trail = settled.trail.map(({ timestamp, bits }) => ({ timestamp, bits: bits ?? 0 }))
    const work = settled.work.toString(16).padStart(80, '0')
    beside.push({
      type: 'put',
      key: META.minedRoot,
      value: encode(rootSchema, { sealHash: settled.sealHash, work, trail }),
    })
    const finalized = blocks.map(({ sealed, executed, answers }) => ({
      block: sealed.block,
      stateRoot: executed.stateRoot,
      changes: executed.changes,
      finality: notFinal,
      fillers: [],
      answers,
    }))
    await this.#chain.commitFinalized(finalized, beside)
  }

  /** A settled block by its seal. */
  settledBlock(name: SealHash): SealedBlock | null {
    const bytes = this.#database.get(sealHeightKey(name))
    return bytes === null ? null : this.sealOf(decodeHeight(bytes))
  }

  /** The settled block at a height, sealed; null when there is none, or it is genesis. */
  sealOf(height: Height): SealedBlock | null {
    const bytes = this.#database.get(sealKey(height))
    const block = this.#chain.blockAt(height)
    if (bytes === null || block === null) return null
    const seal = decode(sealSchema, bytes, SEAL_BYTES)
    if (!seal.ok) throw this.#damaged(`the seal at height ${height}: ${seal.detail}`)
    return sealBlock(block, seal.value)
  }

  /** Resolves when everything so far is written. */
  async written(): Promise<void> {
    await this.#writing
  }

  #write(operations: readonly WriteOperation[]): void {
    this.#writing = this.#writing.then(() => this.#database.write(operations)).catch(this.#onFatal)
  }

  #damaged(why: string): Error {
    return damagedDatabase(this.#database.path, why)
  }
}

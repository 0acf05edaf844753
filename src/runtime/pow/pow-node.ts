/**
 * Proof of work as the engine of a node: the shell with real timers, blocks from peers by hash and by height,
 * settled blocks with their answers. Which engine a network has is said in genesis; what a block must fulfil for
 * the ledger is the same under both.
 */
import { decodeSealedBlock } from '../../codec/pow.ts'
import type { PowEvent } from '../../consensus/pow/event.ts'
import type { Root } from '../../consensus/pow/mined-tree.ts'
import type { PowView } from '../../consensus/pow/pow-engine.ts'
import type { Electorate } from '../../consensus/validator-set.ts'
import type { ChainRules } from '../../ledger/chain-rules.ts'
import type { ExecutedBlock } from '../../ledger/executed-block.ts'
import type { StateReader } from '../../ledger/state-reader.ts'
import type { QuorumCertificate } from '../../types/certificates.ts'
import type { FinalizedBlock } from '../../types/ledger-state.ts'
import type { MiningParameters, SealedBlock, SealHash } from '../../types/pow.ts'
import { asHeight, type BlockHash, type RequestKey, type StateRoot } from '../../types/primitives.ts'
import { AnswerFigureMeter } from '../answer-figures.ts'
import { BlockExecutor } from '../block-executor.ts'
import type { ConsensusEngine } from '../consensus-engine.ts'
import type { BlockProofsPort, Clock, TransactionPool } from '../ports.ts'
import type { MinerPort } from './ports.ts'
import { PowShell, type PowVerdict } from './pow-shell.ts'
import { RealPowTimers } from './pow-timers.ts'

/** Blocks on disk (storage/pow-store.ts). */
export interface MinedBlockStore {
  keep(sealed: SealedBlock): void
  forget(blocks: readonly SealedBlock[]): void
  settle(
    blocks: readonly { sealed: SealedBlock; executed: ExecutedBlock; answers: FinalizedBlock['answers'] }[],
    settled: Pick<Root, 'sealHash' | 'work' | 'trail'>,
    notFinal: QuorumCertificate,
  ): Promise<void>
  settledBlock(name: SealHash): SealedBlock | null
  sealOf(height: ReturnType<typeof asHeight>): SealedBlock | null
}

/** To and from the other nodes. */
export interface MinedBlockNetwork {
  announce(sealed: SealedBlock): void
  /** One sealed block by its seal, from this peer first; null when nobody has it. */
  fetchByHash(hash: SealHash, from: string | null): Promise<{ bytes: Uint8Array; from: string } | null>
  /** Sealed blocks of some peer's heaviest chain, in order of height; null when nobody answers. */
  fetchRange(
    fromHeight: number,
    countMax: number,
  ): Promise<{ blocks: readonly Uint8Array[]; from: string } | null>
}

export interface PowNodeOptions {
  readonly rules: ChainRules
  readonly mining: MiningParameters
  /** The validators that the state names; none of them votes. */
  readonly electorate: () => Electorate
  readonly root: Root
  /** After the root. */
  readonly stateRoot: StateRoot
  /** After the last settled block, live. */
  readonly settledState: StateReader
  readonly kept: readonly SealedBlock[]
  /** Genesis's certificate: the last that there will ever be. */
  readonly notFinal: QuorumCertificate
  readonly store: MinedBlockStore
  readonly pool: TransactionPool
  /** Absent: proofs are verified where blocks are executed. */
  readonly proofs?: BlockProofsPort
  readonly network: MinedBlockNetwork
  /** Null for a node that follows without mining. */
  readonly miner: MinerPort | null
  readonly clock: Clock
  readonly observe: (event: PowEvent) => void
  /** Blocks are settled and durable; none is final. */
  readonly onSettled: (blocks: readonly FinalizedBlock[]) => void
  readonly onFatal: (error: unknown) => void
}

/** When a block came whose ancestors are missing, blocks are also asked for by height: many at once. */
const CATCH_UP_MS = 1_000
const RANGE_BLOCKS = 128
/** A node that does not mine never has a nonce to report. */
const NO_MINER: MinerPort = { mine: () => {}, stop: () => {} }

export class PowNode implements ConsensusEngine {
  readonly #options: PowNodeOptions
  readonly #executor: BlockExecutor
  readonly #figures: AnswerFigureMeter
  readonly #shell: PowShell
  readonly #fetching = new Set<SealHash>()
  #catchUp: NodeJS.Timeout | undefined
  #isCatchingUp = false
  /** A block has come whose ancestors are not here: some are missing, or many. */
  #isBehind = false

  constructor(options: PowNodeOptions) {
    this.#options = options
    const { rules, mining, root, clock, pool, network, store, miner, observe, onFatal } = options
    this.#figures = new AnswerFigureMeter(rules.parameters.blockBytesMax)
    this.#executor = new BlockExecutor({
      rules,
      final: { hash: root.block.hash, stateRoot: options.stateRoot },
      finalState: options.settledState,
      pool,
      stopwatch: () => clock.monotonicMs(),
    })
    const timers = new RealPowTimers((timer) => this.#shell.input({ kind: 'timer-expired', timer }))
    this.#shell = new PowShell({
      mining,
      root,
      clockSkewMaxMs: rules.parameters.clockSkewMaxMs,
      epochBlocks: rules.parameters.epochBlocks,
      depth: 'settle',
      executor: this.#executor,
      proofs: options.proofs,
      clock,
      miner: miner ?? NO_MINER,
      network: {
        announce: (sealed) => network.announce(sealed),
        fetch: (hash, from) => void this.#fetch(hash, from),
      },
      store: {
        keep: (sealed) => store.keep(sealed),
        forget: (blocks) => store.forget(blocks),
        settle: (blocks, settled) => this.#settle(blocks, settled),
      },
      timers,
      listener: { switched: () => {} },
      observe: (event) => {
        if (event.kind === 'block-waits') this.#isBehind = true
        observe(event)
      },
      onFatal,
    })
  }

  start(): void {
    const { kept, miner } = this.#options
    this.#shell.start(kept)
    this.#shell.input({ kind: 'mining-wanted', isWanted: miner !== null })
    this.#catchUp = setInterval(() => void this.#askByHeight(), CATCH_UP_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#catchUp)
    await this.#shell.stop()
  }

  workArrived(requestKeys: readonly RequestKey[]): void {
    const now = this.#options.clock.monotonicMs()
    // The next template holds them: one is built several times in an interval.
    for (const requestKey of requestKeys) this.#figures.arrived(requestKey, now)
  }

  /** Empty blocks are mined as well: nothing changes. */
  workExhausted(): void {}

  /** A sealed block by its seal, settled or not: what peers ask for. */
  unfinalBlock(hash: BlockHash): Uint8Array | null {
    const name = hash as string as SealHash
    return (this.#shell.sealedBlock(name) ?? this.#options.store.settledBlock(name))?.bytes ?? null
  }

  /** A sealed block that a peer announced. */
  announced(bytes: Uint8Array, from: string): PowVerdict | Promise<PowVerdict> {
    const sealed = decodeSealedBlock(bytes)
    return sealed.ok ? this.#shell.received(sealed.value, from) : 'reject'
  }

  /** Sealed blocks of the heaviest chain from a height on, as many as fit. */
  range(fromHeight: number, countMax: number, bytesMax: number): Uint8Array[] {
    const blocks: Uint8Array[] = []
    let bytes = 0
    for (let height = fromHeight; blocks.length < countMax; height++) {
      const sealed = this.sealedAt(height)
      if (sealed === null || (blocks.length > 0 && bytes + sealed.bytes.length > bytesMax)) break
      blocks.push(sealed.bytes)
      bytes += sealed.bytes.length
    }
    return blocks
  }

  /** The block of the heaviest chain at a height above genesis. */
  sealedAt(height: number): SealedBlock | null {
    const above = height - this.look().root.block.header.height
    return above > 0 ? (this.#shell.chain()[above - 1] ?? null) : this.#options.store.sealOf(asHeight(height))
  }

  /** What executing a block gave that is not settled. */
  executed(hash: BlockHash): ExecutedBlock | null {
    return this.#executor.executed(hash)
  }

  look(): PowView {
    return this.#shell.look()
  }

  async #settle(
    blocks: readonly { readonly sealed: SealedBlock; readonly executed: ExecutedBlock }[],
    settled: Pick<Root, 'sealHash' | 'work' | 'trail'>,
  ): Promise<void> {
    const { store, notFinal, clock, pool, onSettled } = this.#options
    const now = clock.monotonicMs()
    const answered = blocks.map((block) => ({
      ...block,
      answers: this.#figures.measure(this.#executor.take(block.sealed.block.hash), now),
    }))
    await store.settle(answered, settled, notFinal)
    for (const { sealed } of blocks) pool.remove(sealed.block.transactions)
    onSettled(
      answered.map(({ executed: { block, changes, stateRoot }, answers }) => ({
        block,
        changes,
        stateRoot,
        answers,
        finality: notFinal,
        fillers: [],
      })),
    )
  }

  async #fetch(hash: SealHash, from: string | null): Promise<void> {
    if (this.#fetching.has(hash)) return
    this.#fetching.add(hash)
    try {
      const fetched = await this.#options.network.fetchByHash(hash, from)
      const sealed = fetched === null ? null : decodeSealedBlock(fetched.bytes)
      if (fetched !== null && sealed?.ok === true && sealed.value.sealHash === hash) {
        this.#shell.received(sealed.value, fetched.from)
      }
    } catch (error) {
      this.#options.onFatal(error)
    } finally {
      this.#fetching.delete(hash)
    }
  }

  /** Far behind: blocks by height, until nothing new comes. Fewer than there are may wait for their ancestors. */
  async #askByHeight(): Promise<void> {
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    try {
      while (this.#isBehind) {
        const { height } = this.look().tip.block.header
        const fetched = await this.#options.network.fetchRange(height + 1, RANGE_BLOCKS)
        for (const bytes of fetched?.blocks ?? []) {
          const verdict = this.announced(bytes, fetched?.from ?? '')
          if (verdict instanceof Promise) await verdict
        }
        this.#isBehind = this.look().tip.block.header.height > height
      }
    } catch (error) {
      this.#options.onFatal(error)
    } finally {
      this.#isCatchingUp = false
    }
  }
}

/**
 * Joins the fallback miner to a BFT node: its blocks to gossip and block fetch, what it mined to the pool. It is
 * given no replica, signer or safety log. The mining thread begins with the first block that is to be mined.
 */
import { decodeSealedBlock } from '../codec/pow.ts'
import type { PowEvent } from '../consensus/pow/event.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import type { Mempool } from '../mempool/mempool.ts'
import type { Network } from '../network/network.ts'
import type { StatusView } from '../rpc/http/api-ports.ts'
import type { BlockProofsPort, TransactionPool } from '../runtime/ports.ts'
import { FallbackMiner } from '../runtime/pow/fallback-miner.ts'
import type { PowVerdict } from '../runtime/pow/pow-shell.ts'
import { RealPowTimers } from '../runtime/pow/pow-timers.ts'
import { ProvisionalPool } from '../runtime/pow/provisional-pool.ts'
import { ThreadMiner } from '../runtime/pow/thread-miner.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type { Logger } from '../types/logger.ts'
import type { ConsensusChoice, SealHash } from '../types/pow.ts'
import type { BlockHash, RequestKey } from '../types/primitives.ts'
import type { NodeStorage } from './node-storage.ts'
import { observePow } from './pow-observer.ts'
import type { StakingAdmission } from './staking-admission.ts'
import type { SystemClock } from './system-clock.ts'

export interface NodeFallbackOptions {
  readonly fallback: (ConsensusChoice & { engine: 'bft' })['fallback']
  readonly rules: ChainRules
  readonly chain: ChainStore
  readonly pool: Mempool
  readonly admission: Pick<StakingAdmission, 'isHopeless'>
  readonly clock: SystemClock
  /** What an operator allows: false follows what others mine. */
  readonly mining: { readonly enabled: boolean; readonly hashesPerSecondMax: number }
  readonly proofs: BlockProofsPort
  /** Asked when there is something to say or to fetch. */
  readonly network: () => Pick<Network, 'gossip' | 'blocks'>
  readonly workArrived: (requestKeys: readonly RequestKey[]) => void
  readonly logger: Logger
  readonly onFatal: (error: unknown) => void
}

/** Null where genesis names no fallback. */
export function buildFallback(
  { genesis: { consensus }, genesisState: { rules }, chain }: NodeStorage,
  parts: Omit<NodeFallbackOptions, 'fallback' | 'rules' | 'chain'>,
): NodeFallback | null {
  if (consensus?.engine !== 'bft') return null
  return new NodeFallback({ ...parts, fallback: consensus.fallback, rules, chain })
}

export class NodeFallback {
  readonly #options: NodeFallbackOptions
  readonly #miner: FallbackMiner
  #thread: ThreadMiner | null = null
  #wake: NodeJS.Timeout | undefined

  constructor(options: NodeFallbackOptions) {
    this.#options = options
    const { fallback, rules, chain, pool, admission, clock, mining, onFatal, logger } = options
    this.#miner = new FallbackMiner({
      afterMs: fallback.afterMs,
      mining: fallback.mining,
      clockSkewMaxMs: rules.parameters.clockSkewMaxMs,
      rules,
      final: chain.tip,
      finalState: chain.state,
      isHopeless: (transaction) => admission.isHopeless(transaction),
      pool,
      clock,
      miner: {
        mine: (block, bits, found) => {
          if (!mining.enabled) return
          this.#thread ??= new ThreadMiner({
            hashesPerSecondMax: mining.hashesPerSecondMax,
            onFailure: onFatal,
          })
          this.#thread.mine(block, bits, found)
        },
        stop: () => this.#thread?.stop(),
      },
      network: {
        announce: (sealed) => void options.network().gossip.publishMined(sealed.bytes),
        fetch: (hash, from) => void this.#fetch(hash, from),
      },
      timers: new RealPowTimers((timer) => this.#miner.timerExpired(timer)),
      proofs: options.proofs,
      wake: (delayMs, run) => {
        clearTimeout(this.#wake)
        this.#wake = delayMs === null ? undefined : setTimeout(run, delayMs)
      },
      observe: (event) => this.#observe(event),
      onReconciled: ({ finalized, rest, isContradicted }) =>
        logger.info(
          { finalizedBlocks: finalized.length, otherBlocks: rest.length, isContradicted },
          'order of mined blocks taken over',
        ),
      onFatal,
    })
  }

  start(): void {
    this.#miner.start()
  }

  async stop(): Promise<void> {
    await this.#miner.stop()
    await this.#thread?.close()
  }

  /** A sealed block from gossip. */
  announced(bytes: Uint8Array, from: string): PowVerdict | Promise<PowVerdict> {
    const sealed = decodeSealedBlock(bytes)
    return sealed.ok ? this.#miner.received(sealed.value, from) : 'reject'
  }

  /** A mined block for a peer that asks, by its seal. */
  sealedBytes(hash: BlockHash): Uint8Array | null {
    return this.#miner.sealedBlock(hash as string as SealHash)?.bytes ?? null
  }

  /** A pool as this node's leader is to ask it: what was mined and is not final first (F3), in its order. */
  poolBefore(inner: TransactionPool): TransactionPool {
    return new ProvisionalPool(inner, () => this.#miner.order())
  }

  /** For the public API. */
  view(): StatusView['mined'] & object {
    const { tip, root, isMining } = this.#miner.look()
    const { header } = tip.block
    return {
      height: header.height,
      hash: tip.block.hash,
      time: header.timestamp,
      work: `${tip.work}`,
      bits: this.#miner.sealedBlock(tip.sealHash)?.seal.bits ?? null,
      settledHeight: root.block.header.height,
      isMining: isMining && this.#options.mining.enabled,
    }
  }

  /** Blocks are final and durable. */
  finalized(blocks: readonly FinalizedBlock[]): void {
    this.#miner.finalMoved(blocks)
  }

  /** What was mined waits in the pool like anything else, whoever mined it. */
  #observe(event: PowEvent): void {
    const { pool, workArrived, logger } = this.#options
    observePow(event, logger)
    if (event.kind !== 'tip-changed') return
    const added = this.#miner.order().filter((transaction) => {
      const admitted = pool.admit(transaction, 'mined')
      return admitted.ok && admitted.value === 'added'
    })
    if (added.length > 0) workArrived(added.map(({ requestKey }) => requestKey))
  }

  async #fetch(hash: SealHash, from: string | null): Promise<void> {
    const { network, onFatal } = this.#options
    try {
      const fetched = await network().blocks.fetchByHash(hash as string as BlockHash, from ?? undefined)
      const sealed = fetched.ok ? decodeSealedBlock(fetched.value.value) : null
      if (fetched.ok && sealed?.ok === true && sealed.value.sealHash === hash) {
        this.#miner.received(sealed.value, fetched.value.from)
      }
    } catch (error) {
      onFatal(error)
    }
  }
}

/**
 * Catches up over ranges of final blocks. What to catch up to is learned from verified certificates only,
 * never from claimed heights. The next ranges are fetched while the last one is executed. Runs beside
 * consensus and hands blocks to it: there is no mode to switch.
 */
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { Logger } from '../types/logger.ts'
import { asHeight, type Height } from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'
import { PeerTurns } from './peer-turns.ts'
import type { BlockReader, ChainTip, RangeFetcher } from './ports.ts'
import { type Later, RANGE_BLOCKS, type RangeAnswer, RangeRequests } from './range-requests.ts'

/** Blocks fetched but not final yet; the block tree's bound is well above. */
const AHEAD_BLOCKS_MAX = 384
/** The same in canonical bytes: a quarter of what the block tree takes. */
const AHEAD_BYTES_MAX = 64 * 1024 * 1024
/** Polls without a new final block after which what was handed over is taken for lost, and asked for again. */
const STILL_POLLS_MAX = 5
/** Asking around for certificates when nothing else tells us of progress. */
const POLL_INTERVAL_MS = 2_000
/** After a hint that we are behind: for as long what is on its way may still come by itself. */
const SUSPICION_MS = 150

export interface SyncStatus {
  readonly isSyncing: boolean
  readonly targetHeight: Height
}

export interface RangeSyncOptions {
  readonly fetcher: RangeFetcher
  readonly reader: BlockReader
  readonly tip: ChainTip
  /** Blocks per epoch; 0 for one epoch without end. */
  readonly epochBlocks: number
  /** Every peer has deleted the block after ours: no range will ever bring us on. */
  readonly onPruned?: () => void
  /** Told of every range that came: of how many blocks, and whether they were handed over or do not hold. */
  readonly onBlocks?: (result: 'taken' | 'refused', count: number) => void
  readonly now: () => number
  /** Waits, for an answer or after a suspicion, are counted by this: the process's own timers, unless it says otherwise. */
  readonly later?: Later
  readonly logger: Logger
}

const afterDelay: Later = (delayMs, run) => {
  const timer = setTimeout(run, delayMs)
  return () => clearTimeout(timer)
}

interface Range {
  readonly blocks: readonly HashedBlock[]
  readonly finality: Verified<QuorumCertificate>
}

export class RangeSync {
  readonly #options: RangeSyncOptions
  readonly #peers: PeerTurns
  readonly #requests: RangeRequests
  readonly #later: Later
  /** Who refused the block after ours as pruned. */
  readonly #prunedAt = new Map<string, Height>()
  #target = asHeight(0)
  /** Height up to which blocks have been handed over in this run. */
  #handedTo = asHeight(0)
  #handedHash = ''
  #isRunning = false
  #isStopped = false
  /** Ranges that were handed over and are not final yet. */
  #ahead: { readonly height: Height; readonly bytes: number }[] = []
  #stillPolls = 0
  readonly #waiting = new Set<() => void>()
  #pollTimer: NodeJS.Timeout | null = null
  /** Takes back what was to follow a suspicion. */
  #forgetSuspicion: (() => void) | null = null
  #lastFinalHeight = asHeight(0)
  /** A certificate of an epoch to come was shown: where the chain ends is still to be learnt. */
  #isEpochsBehind = false

  constructor(options: RangeSyncOptions) {
    this.#options = options
    const { fetcher, epochBlocks, now, logger, later = afterDelay } = options
    this.#later = later
    this.#peers = new PeerTurns({ peers: () => fetcher.peers(), now, logger })
    this.#requests = new RangeRequests({ fetcher, peers: this.#peers, epochBlocks, logger, later })
  }

  get status(): SyncStatus {
    return { isSyncing: this.#isRunning, targetHeight: this.#target }
  }

  /** Begins to ask peers for their highest certificate whenever the chain does not move here. */
  start(): void {
    this.#pollTimer = setInterval(() => void this.#pollWhenStill(), POLL_INTERVAL_MS)
  }

  stop(): void {
    this.#isStopped = true
    if (this.#pollTimer !== null) clearInterval(this.#pollTimer)
    this.#forgetSuspicion?.()
    this.#wake()
  }

  /** Blocks became final and durable here: there may be room for the next range. */
  finalized(): void {
    this.#wake()
  }

  /** A verified certificate shows that this height is final. */
  request(target: { readonly height: Height }): void {
    if (target.height <= this.#target && this.#isRunning) return
    this.#target = asHeight(Math.max(this.#target, target.height))
    if (!this.#isRunning) void this.#run()
  }

  /**
   * Something that cannot be checked here yet says that the chain has gone on without us. Unless we move by ourselves a
   * peer is asked soon, and not more often however often it is said.
   */
  suspect(): void {
    if (this.#forgetSuspicion !== null || this.#isStopped) return
    const height = this.#options.tip.finalHeight()
    this.#forgetSuspicion = this.#later(SUSPICION_MS, () => {
      this.#forgetSuspicion = null
      if (!this.#isRunning && this.#options.tip.finalHeight() === height) void this.poll()
    })
  }

  /**
   * Asks one peer, or any, for its highest certificate, and catches up to it.
   * @returns whether it showed that the chain has gone on
   */
  async poll(peer?: string): Promise<boolean> {
    const { fetcher, reader, tip } = this.#options
    const from = peer ?? this.#peers.next()
    if (from === null || this.#isStopped) return false
    const status = await fetcher.fetchStatus(tip.finalHeight(), from)
    if (!status.ok || status.value.certificate === null) return false
    const certificate = reader.verifyCertificate(status.value.certificate)
    if (certificate === null) {
      this.#peers.pause(from, 'certificate does not verify')
      return false
    }
    if ('claimedHeight' in certificate) {
      // It cannot be checked before the epochs in between are here, but their ranges can, one after the other. A claim
      // that is too high leads no further than to peers that have nothing more.
      this.#isEpochsBehind = true
      const aheadMax = tip.finalHeight() + AHEAD_BLOCKS_MAX
      this.request({ height: asHeight(Math.min(certificate.claimedHeight, aheadMax)) })
      return true
    }
    if (certificate.height <= tip.finalHeight()) return false
    this.request(certificate)
    return true
  }

  async #pollWhenStill(): Promise<void> {
    const height = this.#options.tip.finalHeight()
    const isStill = height === this.#lastFinalHeight
    this.#lastFinalHeight = height
    this.#stillPolls = isStill ? this.#stillPolls + 1 : 0
    if (!this.#isRunning && isStill) await this.poll()
    // Whatever happened to them: blocks that were handed over do not become final.
    if (this.#isRunning && this.#stillPolls >= STILL_POLLS_MAX) this.#wake()
  }

  async #run(): Promise<void> {
    const { tip, reader, onBlocks, logger, now } = this.#options
    this.#isRunning = true
    const startHeight = tip.finalHeight()
    const startedAt = now()
    this.#handedTo = startHeight
    this.#handedHash = tip.finalHash()
    this.#ahead = []
    this.#stillPolls = 0
    try {
      while (!this.#isStopped && this.#handedTo < this.#target) {
        await this.#waitForRoom()
        this.#catchUpWithTip()
        const range = await this.#fetchRange()
        // With no peer left to ask, the next poll or certificate starts over.
        if (range === null && this.#peers.ready().length === 0) break
        if (range === null) continue
        const last = range.blocks.findLast((block) => !reader.isFiller(block))
        if (last === undefined) continue
        this.#handedTo = last.header.height
        this.#handedHash = last.hash
        const bytes = range.blocks.reduce((sum, block) => sum + block.bytes.length, 0)
        this.#ahead.push({ height: last.header.height, bytes })
        tip.take(range.blocks, range.finality)
        onBlocks?.('taken', range.blocks.length)
      }
    } finally {
      this.#isRunning = false
      this.#requests.clear()
    }
    if (this.#isEpochsBehind && this.#handedTo > startHeight) this.#pollWhenFinal()
    this.#isEpochsBehind = false
    const blocks = this.#handedTo - startHeight
    if (blocks > RANGE_BLOCKS) {
      const seconds = (now() - startedAt) / 1_000
      logger.info({ blocks, seconds, blocksPerSecond: Math.round(blocks / seconds) }, 'caught up')
    }
  }

  /** Asks again once all that was handed over is final. */
  #pollWhenFinal(): void {
    const { tip } = this.#options
    void this.#until(() => tip.finalHeight() >= this.#handedTo || this.#isRunning).then(async () => {
      // One that is behind itself has nothing to tell: somebody else may.
      for (let asked = this.#options.fetcher.peers().length; asked > 0 && !this.#isRunning; asked--) {
        if (await this.poll()) return
      }
    })
  }

  /** Consensus may have finalized past what we handed over. */
  #catchUpWithTip(): void {
    const { tip, logger } = this.#options
    const isLost = this.#stillPolls >= STILL_POLLS_MAX && tip.finalHeight() < this.#handedTo
    if (tip.finalHeight() <= this.#handedTo && !isLost) return
    if (isLost)
      logger.warn({ height: tip.finalHeight() }, 'fetched blocks do not become final; starting over')
    this.#stillPolls = 0
    this.#ahead = []
    this.#handedTo = tip.finalHeight()
    this.#handedHash = tip.finalHash()
  }

  async #fetchRange(): Promise<Range | null> {
    const next = asHeight(this.#handedTo + 1)
    const came = await this.#requests.next(next, this.#target, (from) => this.#isNear(from))
    if (came === null) return null
    const { peer, answer } = came
    if (!answer.ok) {
      this.#options.logger.debug({ peer, code: answer.code, detail: answer.detail }, 'range not served')
      this.#peers.pause(peer, answer.code)
      if (answer.code === 'pruned') this.#pruned(came)
      return null
    }
    const range = await this.#check(answer.value)
    const end = range?.blocks.findLast((block) => !this.#options.reader.isFiller(block))?.header.height
    if (end !== undefined) this.#requests.taken(came, end)
    else if (!this.#isPassed(next, answer.value.blocks.length)) {
      this.#peers.pause(peer, 'range does not hold')
      this.#options.onBlocks?.('refused', answer.value.blocks.length)
    }
    return range
  }

  /**
   * Consensus finalized all of a range while that was on its way: that it cannot be checked any more, by the validators
   * of an epoch that is over, is nobody's fault.
   */
  #isPassed(from: Height, blocks: number): boolean {
    return this.#options.tip.finalHeight() >= from + Math.max(1, blocks) - 1
  }

  /** Blocks of a range that begins here may be held when they come. */
  #isNear(from: Height): boolean {
    return from - 1 - this.#options.tip.finalHeight() < AHEAD_BLOCKS_MAX
  }

  #pruned({ peer, from }: RangeAnswer): void {
    const { fetcher, tip, onPruned } = this.#options
    if (from !== tip.finalHeight() + 1) return
    const peers = fetcher.peers()
    for (const gone of this.#prunedAt.keys()) if (!peers.includes(gone)) this.#prunedAt.delete(gone)
    this.#prunedAt.set(peer, from)
    if (peers.every((other) => this.#prunedAt.get(other) === from)) onPruned?.()
  }

  /** The blocks link from what we have to the certificate's block, and the certificate is a quorum's. */
  async #check(answer: {
    readonly blocks: readonly Uint8Array[]
    readonly certificate: Uint8Array | null
  }): Promise<Range | null> {
    const { reader } = this.#options
    if (answer.certificate === null || answer.blocks.length === 0) return null
    if (answer.blocks.length > RANGE_BLOCKS) return null
    const finality = await this.#verify(answer.certificate)
    if (finality === null) return null
    const blocks: HashedBlock[] = []
    let parentHash = this.#handedHash
    for (const bytes of answer.blocks) {
      const block = reader.decodeBlock(bytes)
      if (block === null || block.header.parentHash !== parentHash) return null
      blocks.push(block)
      parentHash = block.hash
      if (block.hash === finality.blockHash) return { blocks, finality }
    }
    return null
  }

  /** A certificate of the next epoch can be checked once the blocks handed over, which end this one, are final. */
  async #verify(certificate: Uint8Array): Promise<Verified<QuorumCertificate> | null> {
    const { reader, tip } = this.#options
    const early = reader.verifyCertificate(certificate)
    if (early === null || !('claimedHeight' in early)) return early
    await this.#until(() => tip.finalHeight() >= this.#handedTo || this.#stillPolls >= STILL_POLLS_MAX)
    const verified = reader.verifyCertificate(certificate)
    return verified === null || 'claimedHeight' in verified ? null : verified
  }

  async #waitForRoom(): Promise<void> {
    await this.#until(() => this.#hasRoom() || this.#stillPolls >= STILL_POLLS_MAX)
  }

  #hasRoom(): boolean {
    const height = this.#options.tip.finalHeight()
    this.#ahead = this.#ahead.filter((range) => range.height > height)
    const bytes = this.#ahead.reduce((sum, range) => sum + range.bytes, 0)
    return this.#handedTo - height < AHEAD_BLOCKS_MAX && bytes < AHEAD_BYTES_MAX
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#isStopped) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

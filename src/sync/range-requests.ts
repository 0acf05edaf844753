/**
 * A few range requests under way at once, to different peers, whose answers are taken in order. A peer that keeps
 * the first of them waiting is replaced. Judges no answer: range-sync.ts does, and says where to go on.
 */
import { epochEndHeight, epochOf } from '../types/epochs.ts'
import type { Logger } from '../types/logger.ts'
import { asHeight, type Height } from '../types/primitives.ts'
import type { PeerTurns } from './peer-turns.ts'
import type { RangeFetcher } from './ports.ts'

/** Blocks per request: two certificates' distance (storage keeps one every 64 blocks). */
export const RANGE_BLOCKS = 128
/** Certificates are kept at these heights when every block has its own: a range that ends there has one. */
const ALIGNED_TO = 64
/** Requests under way at most. */
const PARALLEL_MAX = 3
/** Another peer is asked too when the first answer takes longer; the request's own deadline is the network's. */
const SLOW_MS = 2_000

/** What came for a range. */
export interface RangeAnswer {
  readonly from: Height
  /** Height that the range should end at. */
  readonly to: Height
  readonly peer: string
  readonly answer: Awaited<ReturnType<RangeFetcher['fetchRange']>>
}

interface Request {
  readonly from: Height
  readonly to: Height
  readonly answer: Promise<RangeAnswer>
}

/** Runs something after so many milliseconds; what it returns takes that back. */
export type Later = (delayMs: number, run: () => void) => () => void

export interface RangeRequestsOptions {
  readonly fetcher: RangeFetcher
  readonly peers: PeerTurns
  /** Blocks per epoch; 0 for one epoch without end. */
  readonly epochBlocks: number
  readonly logger: Logger
  readonly later: Later
}

export class RangeRequests {
  readonly #fetcher: RangeFetcher
  readonly #peers: PeerTurns
  readonly #epochBlocks: number
  readonly #logger: Logger
  readonly #later: Later
  /** Requests under way, by peer. */
  readonly #busy = new Map<string, number>()
  #requests: Request[] = []
  /** One, until answers end where they were asked to end. */
  #parallel = 1

  constructor({ fetcher, peers, epochBlocks, logger, later }: RangeRequestsOptions) {
    this.#fetcher = fetcher
    this.#peers = peers
    this.#epochBlocks = epochBlocks
    this.#logger = logger
    this.#later = later
  }

  /**
   * The answer for the range that begins at `from`; asks for it and for the ranges behind it where they are not
   * asked for yet. Null when there is nobody to ask.
   * @param target the last height wanted
   * @param mayAsk whether a range that begins here may be asked for by now
   */
  async next(from: Height, target: Height, mayAsk: (from: Height) => boolean): Promise<RangeAnswer | null> {
    const isFollowed = this.#requests[0]?.from === this.#endOf(from) + 1
    if (isFollowed) this.#askAgain(from)
    else if (this.#requests[0]?.from !== from) this.#requests = []
    let start = asHeight((this.#requests.at(-1)?.to ?? from - 1) + 1)
    while (this.#requests.length < this.#parallel && start <= target) {
      if (this.#requests.length > 0 && !mayAsk(start)) break
      const peer = this.#peers.next(this.#busyPeers())
      if (peer === null) break
      const request = this.#ask(start, peer)
      this.#requests.push(request)
      start = asHeight(request.to + 1)
    }
    if (this.#requests[0]?.from !== from) return null
    return (await this.#requests.shift()?.answer) ?? null
  }

  /** The last answer was good, and ended at this height. */
  taken({ to }: RangeAnswer, end: Height): void {
    // What is asked for behind it does not link to it.
    if (end !== to) this.#requests = []
    this.#parallel = end === to ? Math.min(PARALLEL_MAX, this.#parallel + 1) : 1
  }

  clear(): void {
    this.#requests = []
  }

  /** The first range was not served: it is asked for again in front of those behind it. */
  #askAgain(from: Height): void {
    const peer = this.#peers.next(this.#busyPeers())
    if (peer !== null) this.#requests.unshift(this.#ask(from, peer))
  }

  /** Those that are asked already, unless nobody else is there. */
  #busyPeers(): Set<string> {
    const ready = this.#peers.ready()
    return ready.every((peer) => this.#busy.has(peer)) ? new Set() : new Set(this.#busy.keys())
  }

  #ask(from: Height, peer: string): Request {
    const to = this.#endOf(from)
    return { from, to, answer: this.#answer(from, to, peer) }
  }

  /** Where a range that begins here should end: no answer leads past the end of an epoch. */
  #endOf(from: Height): Height {
    const aligned = asHeight(Math.floor((from + RANGE_BLOCKS - 1) / ALIGNED_TO) * ALIGNED_TO)
    const ofEpoch = epochEndHeight(epochOf(from, this.#epochBlocks), this.#epochBlocks) ?? aligned
    return asHeight(Math.min(aligned, ofEpoch))
  }

  async #answer(from: Height, to: Height, peer: string): Promise<RangeAnswer> {
    const first = this.#fetch(from, to, peer)
    const slow = Promise.withResolvers<null>()
    const forget = this.#later(SLOW_MS, () => slow.resolve(null))
    const answer = await Promise.race([first, slow.promise])
    forget()
    if (answer !== null) return answer
    const other = this.#peers.next(new Set([...this.#busy.keys(), peer]))
    if (other === null) return first
    this.#logger.debug({ peer, other, from }, 'a range is late; another peer is asked too')
    return await firstGood([first, this.#fetch(from, to, other)])
  }

  async #fetch(from: Height, to: Height, peer: string): Promise<RangeAnswer> {
    this.#busy.set(peer, (this.#busy.get(peer) ?? 0) + 1)
    const answer = await this.#fetcher.fetchRange(from, to - from + 1, peer)
    const left = (this.#busy.get(peer) ?? 1) - 1
    if (left > 0) this.#busy.set(peer, left)
    else this.#busy.delete(peer)
    return { from, to, peer, answer }
  }
}

/** The first that brought something, else the last. */
async function firstGood(answers: readonly Promise<RangeAnswer>[]): Promise<RangeAnswer> {
  const good = answers.map(async (answer) => {
    const range = await answer
    if (range.answer.ok) return range
    throw range
  })
  return await Promise.any(good).catch((error: AggregateError) => error.errors.at(-1) as RangeAnswer)
}

/** Whom to ask next: peers in turn, those that gave nothing useful left out for a while. Talks to nobody. */
import type { Logger } from '../types/logger.ts'

/** A peer that gave nothing useful is not asked again for this long. */
const PEER_PAUSE_MS = 2_000
/** Peers remembered. */
const PAUSED_MAX = 1_000

export interface PeerTurnsOptions {
  readonly peers: () => readonly string[]
  readonly now: () => number
  readonly logger: Logger
}

export class PeerTurns {
  readonly #options: PeerTurnsOptions
  readonly #pausedUntil = new Map<string, number>()
  #turn = 0

  constructor(options: PeerTurnsOptions) {
    this.#options = options
  }

  /** The next peer that is not paused and none of these, or null. */
  next(except: ReadonlySet<string> = new Set()): string | null {
    const ready = this.ready().filter((peer) => !except.has(peer))
    this.#turn++
    return ready[this.#turn % Math.max(1, ready.length)] ?? null
  }

  /** All that are not paused. */
  ready(): string[] {
    return this.#options.peers().filter((peer) => !this.isPaused(peer))
  }

  isPaused(peer: string): boolean {
    return (this.#pausedUntil.get(peer) ?? 0) > this.#options.now()
  }

  pause(peer: string, reason: string, forMs = PEER_PAUSE_MS): void {
    const { now, logger } = this.#options
    logger.debug({ peer, reason }, 'peer paused')
    if (this.#pausedUntil.size > PAUSED_MAX) this.#pausedUntil.clear()
    this.#pausedUntil.set(peer, now() + forMs)
  }
}

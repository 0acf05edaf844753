/**
 * A node that can be started anew inside its process: with another database under it nothing that was built on the
 * old one may go on. To the outside it is one node that stops once.
 */
import type { Logger } from '../types/logger.ts'
import { StopOrder } from './stop-order.ts'

/** Where a node listens. */
export interface NodeAddresses {
  readonly p2p: string[]
  readonly ca: string
  readonly api: string
  readonly metrics: string
  /** Null: switched off, or no QUIC on this platform. */
  readonly stoq: string | null
}

/** Builds all of a node; what it opens goes into the order, in which it is closed. */
type Start = (order: StopOrder, restart: () => void) => Promise<NodeAddresses>

export class NodeLives {
  readonly #start: Start
  readonly #logger: Logger
  readonly #stopped = Promise.withResolvers<void>()
  #order = new StopOrder()
  #addresses: NodeAddresses = { p2p: [], ca: '', api: '', metrics: '', stoq: null }
  #isStopping = false
  /** Starting anew, or the last time that was done. */
  #turning: Promise<void> = Promise.resolve()

  constructor(start: Start, logger: Logger) {
    this.#start = start
    this.#logger = logger
    // Whoever waits for the end hears of it; nobody has to.
    this.#stopped.promise.catch(() => undefined)
  }

  /** Of the life that goes on. */
  get addresses(): NodeAddresses {
    return this.#addresses
  }

  /** Resolves when the node was stopped; rejects with the reason when it could not be started anew. */
  get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  /** @throws what starting throws; everything that was opened is closed then */
  async begin(): Promise<void> {
    const order = new StopOrder()
    this.#order = order
    try {
      this.#addresses = await this.#start(order, () => this.#restart(order))
    } catch (error) {
      await order.stop(this.#failed)
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#turning
    await this.#order.stop(this.#failed)
    this.#stopped.resolve()
  }

  /** Stops and begins again, once per life, and not when it is being stopped for good. */
  #restart(order: StopOrder): void {
    if (this.#isStopping || order !== this.#order) return
    this.#turning = this.#turning.then(async () => {
      await order.stop(this.#failed)
      if (this.#isStopping) return
      try {
        await this.begin()
      } catch (error) {
        this.#stopped.reject(error)
      }
    })
  }

  readonly #failed = (what: string, error: unknown): void =>
    this.#logger.warn({ what, error }, 'a part did not stop cleanly')
}

/**
 * A channel over one connection that is kept: opened at the first call, shared by calls that come meanwhile, and opened
 * anew when it turns out to be dead. What a connection is, whoever opens it knows.
 */
import type { CallLimits } from '../carrier.ts'
import { untilAborted } from '../clock.ts'
import type { EnvelopeChannel } from '../envelope-carrier.ts'

/** A connection to one endpoint, with any number of exchanges at a time. */
export interface KeptConnection extends EnvelopeChannel {
  /** False once it is known to be gone. */
  readonly isOpen: boolean
}

/**
 * Opens a connection.
 * @param deadlineMs from now; not the first caller's signal, because others may come to wait for the same connection
 */
export type Dial = (deadlineMs: number) => Promise<KeptConnection>

interface Opened {
  readonly connection: KeptConnection
  callsUnderWay: number
}

/** One endpoint. */
export class KeptChannel implements EnvelopeChannel {
  readonly #dial: Dial
  #open: Promise<Opened> | null = null

  constructor(dial: Dial) {
    this.#dial = dial
  }

  async exchange(request: Uint8Array, limits: CallLimits): Promise<Uint8Array> {
    const kept = this.#open
    try {
      return await this.#exchange(request, limits)
    } catch (error) {
      // What was wrong may have been the old connection alone.
      if (kept === null || this.#open === kept || limits.signal.aborted) throw error
      return this.#exchange(request, limits)
    }
  }

  async close(): Promise<void> {
    const opened = await this.#open?.catch(() => null)
    this.#open = null
    await opened?.connection.close()
  }

  async #exchange(request: Uint8Array, limits: CallLimits): Promise<Uint8Array> {
    const opening = this.#connection(limits.deadlineMs)
    const opened = await untilAborted(opening, limits.signal)
    opened.callsUnderWay++
    try {
      return await untilAborted(opened.connection.exchange(request, limits), limits.signal)
    } catch (error) {
      // After a deadline it may be dead without anybody having been told; the next call finds out with a new one.
      const isSuspect = !opened.connection.isOpen || limits.signal.aborted
      if (isSuspect && this.#open === opening) this.#open = null
      throw error
    } finally {
      opened.callsUnderWay--
      if (this.#open !== opening && opened.callsUnderWay === 0) void closeQuietly(opened.connection)
    }
  }

  /** The one that is kept, or is being opened, or a new one. */
  #connection(deadlineMs: number): Promise<Opened> {
    if (this.#open !== null) return this.#open
    const opening = this.#dial(deadlineMs).then(
      (connection) => ({ connection, callsUnderWay: 0 }),
      (error: unknown) => {
        if (this.#open === opening) this.#open = null
        throw error
      },
    )
    this.#open = opening
    return opening
  }
}

/** Nobody waits for it, and what it says at its end is of no use to anybody. */
async function closeQuietly(connection: KeptConnection): Promise<void> {
  try {
    await connection.close()
  } catch {
    // Its sockets go with it all the same.
  }
}

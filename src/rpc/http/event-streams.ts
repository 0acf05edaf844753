/**
 * Readers of the event log over open HTTP answers: bounded in number, and each behind by no more than the log holds.
 * One that does not read is cut; nothing is put aside for it.
 */
import type { Writable } from 'node:stream'
import type { EventLog } from './event-log.ts'
import type { EventTopic } from './event-views.ts'

/** Why a reader was turned away or cut. Closed: they are labels of a metric. */
export const STREAM_CUTS = ['too-many', 'slow'] as const
export type StreamCut = (typeof STREAM_CUTS)[number]

export interface EventStreamsOptions {
  readonly log: EventLog
  /** Readers at once, on all listeners together. */
  readonly readersMax?: number
  readonly heartbeatMs?: number
  readonly cut?: (reason: StreamCut) => void
}

const READERS_MAX = 64
/** Below the 30 s and more after which proxies give up on a silent connection. */
const HEARTBEAT_MS = 15_000
/** How long a browser waits before it comes back. */
const RETRY_MS = 2_000

export class EventStreams {
  readonly #options: EventStreamsOptions
  readonly #readersMax: number
  #readers = 0

  constructor(options: EventStreamsOptions) {
    this.#options = options
    this.#readersMax = options.readersMax ?? READERS_MAX
  }

  get readers(): number {
    return this.#readers
  }

  /** Whether one more may read; counted when not. */
  hasRoom(): boolean {
    if (this.#readers < this.#readersMax) return true
    this.#options.cut?.('too-many')
    return false
  }

  /**
   * Writes events until the reader leaves, is cut, or is ended.
   * @param out an answer whose head is out
   * @param lastEventId what it saw last, or null
   * @returns what ends it in good order
   */
  serve(out: Writable, topics: ReadonlySet<EventTopic>, lastEventId: string | null): () => void {
    const { log, cut, heartbeatMs = HEARTBEAT_MS } = this.#options
    const { after, gap } = log.resume(lastEventId)
    let seen = after
    let isFull = false
    let wasFull = false

    const write = (text: string): void => {
      isFull = !out.write(text)
    }
    const cutSlow = (): void => {
      if (out.destroyed) return
      cut?.('slow')
      out.destroy()
    }
    const pump = (): void => {
      while (seen < log.newest) {
        const frame = log.at(seen + 1)
        if (frame === null) {
          cutSlow()
          return
        }
        if (isFull) return
        seen = frame.sequence
        if (topics.has(frame.topic)) write(frame.text)
      }
    }
    const beat = (): void => {
      // Nothing was taken for a whole beat: whoever should read does not.
      if (isFull && wasFull) cutSlow()
      // With the id of what was looked at, so that one who hears of few topics need not come back to a gap.
      else if (!isFull) write(`: still here\nid: ${log.idOf(seen)}\n\n`)
      wasFull = isFull
    }
    const drained = (): void => {
      isFull = false
      pump()
    }
    const unsubscribe = log.onPublish(pump)
    const timer = setInterval(beat, heartbeatMs)
    this.#readers += 1
    out.on('drain', drained)
    out.on('error', () => {})
    out.once('close', () => {
      this.#readers -= 1
      clearInterval(timer)
      unsubscribe()
    })
    write(`: hypermesh events\nretry: ${RETRY_MS}\nid: ${log.idOf(seen)}\n\n${gap ?? ''}`)
    pump()
    return () => out.end()
  }
}

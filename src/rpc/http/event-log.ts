/**
 * The newest events in a ring, as the frames of Server-Sent Events, numbered without holes. Readers come with the
 * number that they have and take what follows: nobody has a buffer of his own. Knows nothing of sockets.
 */
import type { EventTopic, EventViews, GapEventView } from './event-views.ts'

/** An event as it goes out. */
export interface EventFrame {
  readonly sequence: number
  readonly topic: EventTopic
  readonly text: string
}

/** Where a reader goes on, and what it is told first. */
export interface Resumption {
  readonly after: number
  /** The frame of a gap; null when nothing is missing. */
  readonly gap: string | null
}

/** A few minutes of a busy network, about 1 MiB. */
const EVENTS_KEPT_MAX = 4_096

export class EventLog {
  readonly #run: string
  readonly #keptMax: number
  readonly #frames: EventFrame[] = []
  readonly #listeners = new Set<() => void>()
  #newest = 0

  /**
   * @param run letters and digits that no other run of this node has: numbers start anew with each
   * @param keptMax events kept
   */
  constructor(run: string, keptMax: number = EVENTS_KEPT_MAX) {
    this.#run = run
    this.#keptMax = keptMax
  }

  /** Sequence number of the newest event; 0 before the first. */
  get newest(): number {
    return this.#newest
  }

  publish<Topic extends EventTopic>(topic: Topic, view: EventViews[Topic]): void {
    const sequence = ++this.#newest
    const text = `id: ${this.idOf(sequence)}\nevent: ${topic}\ndata: ${JSON.stringify(view)}\n\n`
    this.#frames[sequence % this.#keptMax] = { sequence, topic, text }
    for (const listener of this.#listeners) listener()
  }

  /** @returns the event with this number; null when it is not kept any more or is still to come */
  at(sequence: number): EventFrame | null {
    const frame = this.#frames[sequence % this.#keptMax]
    return frame?.sequence === sequence ? frame : null
  }

  /** As it stands behind `id:`. */
  idOf(sequence: number): string {
    return `${this.#run}-${sequence}`
  }

  /** Where one goes on that saw `lastEventId` last; null: one that saw nothing, and hears what is new. */
  resume(lastEventId: string | null): Resumption {
    if (lastEventId === null) return { after: this.#newest, gap: null }
    const oldest = Math.max(1, this.#newest - this.#keptMax + 1)
    const [, run, digits] = /^(\w{1,32})-(\d{1,15})$/.exec(lastEventId) ?? []
    const seen = Number(digits)
    if (run === this.#run && seen >= oldest - 1 && seen <= this.#newest) return { after: seen, gap: null }
    const view: GapEventView = { lastEventId: lastEventId.slice(0, 64) }
    const after = oldest - 1
    return { after, gap: `id: ${this.idOf(after)}\nevent: gap\ndata: ${JSON.stringify(view)}\n\n` }
  }

  /** @param listener told that there is something new. @returns the function that ends it */
  onPublish(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

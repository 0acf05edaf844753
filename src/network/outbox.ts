/**
 * The bounded queue of what one validator has still to be sent. When it is full the oldest lazy message goes
 * first, then the oldest of all: what is newer supersedes it. It does no I/O.
 */

/** Bounds of an {@link Outbox}. */
export interface OutboxLimits {
  readonly messagesMax: number
  readonly bytesMax: number
  /** A message that waited longer is of no use to a consensus that moves on. */
  readonly ageMaxMs: number
}

interface Entry {
  readonly bytes: Uint8Array
  readonly lazy: boolean
  readonly atMs: number
}

/** Messages in order of arrival. */
export class Outbox {
  readonly #limits: OutboxLimits
  readonly #onDrop: (reason: 'queue-full' | 'expired') => void
  #entries: Entry[] = []
  #bytes = 0
  #urgent = 0

  constructor(limits: OutboxLimits, onDrop: (reason: 'queue-full' | 'expired') => void) {
    this.#limits = limits
    this.#onDrop = onDrop
  }

  get messages(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether anything waits that should not wait for company. */
  get hasUrgent(): boolean {
    return this.#urgent > 0
  }

  /** Appends; makes room by the drop policy. @returns false when the message alone is over the bound */
  push(bytes: Uint8Array, lazy: boolean, nowMs: number): boolean {
    if (bytes.byteLength > this.#limits.bytesMax) {
      this.#onDrop('queue-full')
      return false
    }
    this.#expire(nowMs)
    this.#entries.push({ bytes, lazy, atMs: nowMs })
    this.#bytes += bytes.byteLength
    if (!lazy) this.#urgent += 1
    while (this.#entries.length > this.#limits.messagesMax || this.#bytes > this.#limits.bytesMax) {
      const lazyAt = this.#entries.findIndex((entry) => entry.lazy)
      // Never the message just pushed: it is the newest, and fits.
      this.#removeAt(lazyAt === -1 || lazyAt === this.#entries.length - 1 ? 0 : lazyAt)
      this.#onDrop('queue-full')
    }
    return true
  }

  /** Takes messages from the front, at least one, up to `bytesMax` in all. The expired ones are dropped. */
  take(bytesMax: number, nowMs: number): Uint8Array[] {
    this.#expire(nowMs)
    const taken: Uint8Array[] = []
    let bytes = 0
    for (const entry of this.#entries) {
      if (taken.length > 0 && bytes + entry.bytes.byteLength > bytesMax) break
      taken.push(entry.bytes)
      bytes += entry.bytes.byteLength
      if (!entry.lazy) this.#urgent -= 1
    }
    this.#bytes -= bytes
    this.#entries = this.#entries.slice(taken.length)
    return taken
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = []
    this.#bytes = 0
    this.#urgent = 0
  }

  #expire(nowMs: number): void {
    for (;;) {
      const oldest = this.#entries[0]
      if (oldest === undefined || nowMs - oldest.atMs <= this.#limits.ageMaxMs) return
      this.#removeAt(0)
      this.#onDrop('expired')
    }
  }

  #removeAt(index: number): void {
    const [entry] = this.#entries.splice(index, 1)
    if (entry === undefined) return
    this.#bytes -= entry.bytes.byteLength
    if (!entry.lazy) this.#urgent -= 1
  }
}

/**
 * The audit log as the validation service sees it: calls go into a bounded buffer and from there, many at a time, to
 * the disk. Nothing waits for it. A disk that does not keep up or fails is told of, and what was lost stands in the
 * log itself; whether calls are refused meanwhile is the operator's choice.
 */
import { AUDIT_START, type AuditEntry, type AuditHead, writeAuditLine } from './audit-line.ts'
import type { AuditedCall, AuditTrail, Clock } from './ports.ts'

/** The disk. Both reject when it fails; an append that was rejected is made again with the same lines first. */
export interface AuditDisk {
  /** @param lines whole lines. @param firstSequence number of the first of them */
  append(lines: string, firstSequence: number): Promise<void>
  /** What was appended survives a loss of power. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What happens to the log, for the node's own log and metrics. */
export type AuditEvent =
  | { readonly kind: 'written'; readonly lines: number }
  | { readonly kind: 'lost'; readonly reason: 'buffer-full' | 'write-failed' }
  | { readonly kind: 'failing'; readonly error: unknown }
  | { readonly kind: 'recovered'; readonly lostCalls: number }

export interface AuditLogOptions {
  readonly disk: AuditDisk
  /** Where the chain on the disk ends. */
  readonly head: AuditHead | null
  readonly clock: Clock
  /** `refuse`: no call is answered while it cannot be kept. */
  readonly onFailure: 'refuse' | 'warn'
  readonly observe: (event: AuditEvent) => void
  readonly callsWaitingMax?: number
}

/** Ten seconds of what one core judges at its best; about 8 MiB. */
const CALLS_WAITING_MAX = 16_384
/** Lines of one write: about 64 KiB, and 4 ms of hashing in which nothing else happens. */
const BATCH_LINES_MAX = 128
/** Between two writes when more waits than one holds: other work goes first, nothing is gathered. */
const NEXT_MS = 1
/** How long calls are gathered for one write. */
const GATHER_MS = 20
/** How soon after a failure the disk is tried again. */
const RETRY_MS = 1_000
/** At most so much is lost with the power. */
const SYNC_MS = 1_000

export class AuditLog implements AuditTrail {
  readonly #options: AuditLogOptions
  readonly #callsMax: number
  #head: AuditHead
  #waiting: AuditEntry[] = []
  /** Lines that the disk did not take yet; they have their place in the chain and stay as they are. */
  #unwritten = { text: '', firstSequence: 0, lines: 0 }
  #lostCalls = 0
  #isFailing = false
  #isClosed = false
  #timer: { readonly dueMs: number; readonly cancel: () => void } | null = null
  #running: Promise<void> | null = null
  #syncedAtMs = 0
  #isDirty = false

  constructor(options: AuditLogOptions) {
    this.#options = options
    this.#callsMax = options.callsWaitingMax ?? CALLS_WAITING_MAX
    this.#head = options.head ?? AUDIT_START
  }

  /** Calls that are not on the disk yet. */
  get waiting(): number {
    return this.#waiting.length + this.#unwritten.lines
  }

  get isFailing(): boolean {
    return this.#isFailing
  }

  record(call: AuditedCall): void {
    if (this.#isClosed || this.waiting >= this.#callsMax) {
      this.#lostCalls += 1
      const reason = this.#isFailing ? 'write-failed' : 'buffer-full'
      this.#options.observe({ kind: 'lost', reason })
      return
    }
    this.#waiting.push({ event: 'call', ...call })
    this.#wake()
  }

  /** Says in the log that what a crash had left of a line was cut off. */
  tornLine(bytes: number): void {
    this.#waiting.push({ event: 'torn-line', unixMs: this.#options.clock.unixMs(), bytes })
    this.#wake()
  }

  refusesBecause(): string | null {
    if (this.#options.onFailure !== 'refuse') return null
    if (this.#isFailing) return 'the audit log cannot be written'
    return this.waiting >= this.#callsMax ? 'the disk of the audit log does not keep up' : null
  }

  /** Writes what waits, once, and closes the file. What could not be written then is lost. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#running
    try {
      while (this.#prepare()) await this.#write()
      if (this.#isDirty) await this.#options.disk.sync()
    } catch (error) {
      for (let i = this.waiting; i > 0; i--) this.#options.observe({ kind: 'lost', reason: 'write-failed' })
      this.#options.observe({ kind: 'failing', error })
    }
    await this.#options.disk.close()
  }

  /** Makes sure that the next run is no later than after its pause; an earlier one stays. */
  #wake(): void {
    if (this.#isClosed || this.#running !== null) return
    const { clock } = this.#options
    const afterMs = this.#pauseMs()
    const dueMs = clock.monotonicMs() + afterMs
    if (this.#timer !== null && this.#timer.dueMs <= dueMs) return
    this.#timer?.cancel()
    const cancel = clock.after(afterMs, () => {
      this.#timer = null
      this.#running = this.#run().finally(() => {
        this.#running = null
        if (this.waiting > 0 || this.#isDirty) this.#wake()
      })
    })
    this.#timer = { dueMs, cancel }
  }

  #pauseMs(): number {
    if (this.#isFailing) return RETRY_MS
    if (this.waiting >= BATCH_LINES_MAX) return NEXT_MS
    return this.waiting > 0 ? GATHER_MS : SYNC_MS
  }

  /** One write, and the sync that is due. */
  async #run(): Promise<void> {
    try {
      if (this.#prepare()) await this.#write()
      await this.#syncNow()
      this.#recovered()
    } catch (error) {
      if (!this.#isFailing) this.#options.observe({ kind: 'failing', error })
      this.#isFailing = true
    }
  }

  async #syncNow(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (!this.#isDirty || nowMs - this.#syncedAtMs < SYNC_MS) return
    await this.#options.disk.sync()
    this.#isDirty = false
    this.#syncedAtMs = nowMs
  }

  #recovered(): void {
    if (!this.#isFailing) return
    this.#isFailing = false
    this.#options.observe({ kind: 'recovered', lostCalls: this.#lostCalls })
  }

  /** Gives the next lines their place in the chain. @returns whether there is something to write */
  #prepare(): boolean {
    if (this.#unwritten.lines > 0) return true
    const entries = this.#waiting.splice(0, BATCH_LINES_MAX)
    if (this.#lostCalls > 0) {
      const { clock } = this.#options
      entries.push({ event: 'lost', unixMs: clock.unixMs(), calls: this.#lostCalls })
      this.#lostCalls = 0
    }
    if (entries.length === 0) return false
    const firstSequence = this.#head.sequence + 1
    let text = ''
    for (const entry of entries) {
      const line = writeAuditLine(this.#head, entry)
      text += `${line.text}\n`
      this.#head = line.head
    }
    this.#unwritten = { text, firstSequence, lines: entries.length }
    return true
  }

  async #write(): Promise<void> {
    const { text, firstSequence, lines } = this.#unwritten
    await this.#options.disk.append(text, firstSequence)
    this.#unwritten = { text: '', firstSequence: 0, lines: 0 }
    this.#isDirty = true
    this.#options.observe({ kind: 'written', lines })
  }
}

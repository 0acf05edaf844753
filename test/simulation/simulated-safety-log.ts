/**
 * The safety log's port over a simulated disk: records become durable in groups, in order, after a simulated
 * time; power loss keeps a prefix and may tear the write that was under way; a failed write or sync is fatal.
 * The file format around the records is the storage layer's and is tested with it; its frames are used here
 * to tell what a torn write leaves.
 */
import type { SafetyLogPort } from '../../src/runtime/ports.ts'
import { encodeFrame, readFrame } from '../../src/storage/safety-frame.ts'
import type { Random } from './random.ts'
import type { DiskOperation } from './world.ts'

export interface SafetyLogHost {
  readonly random: Random
  /** The next operation of the disk. */
  disk(): DiskOperation
  /** Runs after a time, as long as the process lives; what it throws is the process's business. */
  later(delayMs: number, run: () => void): void
  /** The log has failed: the process stops. */
  failed(error: Error): void
  violated(what: string): void
}

interface Pending {
  readonly order: number
  readonly bytes: Uint8Array
  readonly slots: readonly string[]
}

/** What is on the platter, and survives the process. */
export class SafetyMedium {
  records: Uint8Array[] = []
  /** Slots of the durable records, as the checker names them. */
  readonly slots = new Set<string>()

  add(written: readonly Pending[]): void {
    for (const { bytes, slots } of written) {
      this.records.push(bytes)
      for (const slot of slots) this.slots.add(slot)
    }
  }
}

const COMPACT_AFTER_RECORDS = 60
const COMPACTION_MS = 5
const SALT = Uint8Array.of(1, 2, 3, 4)
const SECTOR_BYTES = 512

export class SimulatedSafetyLog implements SafetyLogPort {
  readonly #medium: SafetyMedium
  readonly #host: SafetyLogHost
  #pending: Pending[] = []
  /** Slots of the records that the replica asked for and that are not appended yet, in order. */
  readonly #slots: (readonly string[])[] = []
  #appended = 0
  #isCompacting = false
  #hasFailed = false

  constructor(medium: SafetyMedium, host: SafetyLogHost) {
    this.#medium = medium
    this.#host = host
  }

  /** The slots of the record that is appended next. */
  announce(slots: readonly string[]): void {
    this.#slots.push(slots)
  }

  append(bytes: Uint8Array): void {
    if (this.#hasFailed) throw new Error('the safety log has failed')
    this.#pending.push({ order: this.#appended++, bytes, slots: this.#slots.shift() ?? [] })
  }

  flush(): Promise<void> {
    const upTo = this.#appended
    return this.#operation(0, () => {
      this.#medium.add(this.#pending.filter(({ order }) => order < upTo))
      this.#pending = this.#pending.filter(({ order }) => order >= upTo)
    })
  }

  get wantsCompaction(): boolean {
    return !this.#isCompacting && !this.#hasFailed && this.#medium.records.length >= COMPACT_AFTER_RECORDS
  }

  compact(snapshot: Uint8Array): Promise<void> {
    this.#isCompacting = true
    const upTo = this.#appended
    const before = this.#medium.records.length
    const pendingBefore = this.#pending.length
    return this.#operation(COMPACTION_MS, () => {
      const covered = this.#pending.filter(({ order }) => order < upTo)
      this.#pending = this.#pending.filter(({ order }) => order >= upTo)
      for (const { slots } of covered) for (const slot of slots) this.#medium.slots.add(slot)
      const since = this.#medium.records.slice(before + pendingBefore - covered.length)
      this.#medium.records = [snapshot.slice(), ...since]
      this.#isCompacting = false
    })
  }

  /**
   * Power off: of what was being written a prefix may be durable.
   * @param isTorn the write under way reached the disk in part: then what can be read back says what there is
   */
  powerLost(isTorn: boolean): void {
    const { random } = this.#host
    if (isTorn && this.#pending.length > 0) {
      if (this.#isReadAfterTear()) this.#medium.add(this.#pending)
      return
    }
    this.#medium.add(this.#pending.slice(0, random.below(this.#pending.length + 1)))
  }

  /** The group as one frame with some of its sectors missing. */
  #isReadAfterTear(): boolean {
    const { random, violated } = this.#host
    const payloads = this.#pending.map(({ bytes }) => bytes)
    const frame = encodeFrame(SALT, { kind: 'records', sequence: 0, payloads })
    for (let at = 0; at < frame.length; at += SECTOR_BYTES) {
      if (random.chance(0.3)) frame.fill(0, at, at + SECTOR_BYTES)
    }
    const read = readFrame(frame, 0, SALT)
    if (read.state === 'damaged') violated(`torn write taken for damage: ${read.why}`)
    if (read.state === 'frame' && read.frame.payloads.length !== payloads.length) {
      violated('torn write read in part')
    }
    return read.state === 'frame'
  }

  /** A promise whose time is simulated: its callbacks run when the disk is done, in the simulation's order. */
  #operation(extraMs: number, done: () => void): Promise<void> {
    const { delayMs, fails } = this.#host.disk()
    const waiting: (() => void)[] = []
    const refused: ((error: Error) => void)[] = []
    this.#host.later(extraMs + delayMs, () => {
      if (this.#hasFailed) return
      if (fails) {
        this.#hasFailed = true
        const error = new Error('EIO: the safety log could not be written')
        this.#host.failed(error)
        for (const refuse of refused) refuse(error)
        return
      }
      done()
      for (const run of waiting) run()
    })
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a promise whose time is simulated
      then: (run: () => void, refuse?: (error: Error) => void) => {
        waiting.push(run)
        if (refuse !== undefined) refused.push(refuse)
        return thenable
      },
      catch: (refuse: (error: Error) => void) => {
        refused.push(refuse)
        return thenable
      },
    }
    return thenable as unknown as Promise<void>
  }
}

/**
 * A file system in memory under the safety log's port that fails at a chosen call and forgets what was not
 * synced. A write reaches the disk only with a sync of its file, a name only with a sync of its directory;
 * until then a power cut keeps whatever part of it the test chooses.
 */
import type { FileSystem, WritableFile } from '../../src/storage/file-system.ts'

/** What happens at the chosen call. `crash-*` and `torn` end the machine: every later call rejects too. */
export type Fault = 'crash-before' | 'crash-after' | 'torn' | 'fail' | 'short'

/** What a power cut leaves of the writes and renames that no sync has confirmed. */
export type Survival = 'none' | 'all' | 'some'

const SECTOR = 512

interface PendingWrite {
  readonly bytes: Uint8Array
  readonly position: number
}

class Inode {
  durable: Uint8Array = new Uint8Array(0)
  current: Uint8Array = new Uint8Array(0)
  pending: PendingWrite[] = []

  write(bytes: Uint8Array, position: number): void {
    this.current = overwrite(this.current, bytes, position)
    this.pending.push({ bytes: bytes.slice(), position })
  }

  sync(): void {
    for (const { bytes, position } of this.pending) {
      this.durable = overwrite(this.durable, bytes, position)
    }
    this.pending = []
  }

  /** Linux after a failed fsync: the pages still read back and are never written. */
  failSync(): void {
    this.pending = []
  }
}

type Directory = ReadonlyMap<string, Inode>

function overwrite(content: Uint8Array, bytes: Uint8Array, position: number): Uint8Array {
  const result = new Uint8Array(Math.max(content.length, position + bytes.length))
  result.set(content)
  result.set(bytes, position)
  return result
}

/** The machine has lost power. */
export class Crash extends Error {}

export class FaultFileSystem implements FileSystem {
  /** Calls so far, each with its name: a run without a fault tells how many there are to fail. */
  readonly calls: string[] = []
  readonly #faultAt: number
  readonly #fault: Fault
  readonly #random: () => number
  #names: Directory = new Map()
  /** States of the directory since it was last durable, oldest first; the first is the durable one. */
  #history: Directory[] = [this.#names]
  #isDown = false

  /**
   * @param faultAt index of the call to fail, -1 for none
   * @param random numbers in [0, 1) that decide which sectors of a torn write survive
   */
  constructor(faultAt = -1, fault: Fault = 'fail', random: () => number = () => 0.5) {
    this.#faultAt = faultAt
    this.#fault = fault
    this.#random = random
  }

  /** Whether the chosen call has come. */
  get hasFaulted(): boolean {
    return this.calls.length > this.#faultAt && this.#faultAt >= 0
  }

  /** A healthy file system with what the power cut left. */
  afterPowerCut(survival: Survival): FaultFileSystem {
    const rebooted = new FaultFileSystem()
    const keep = (): boolean => survival === 'all' || (survival === 'some' && this.#random() < 0.5)
    let state = this.#history[0] as Directory
    // Names survive in order: a journal never keeps a later change and loses an earlier one.
    for (const later of this.#history.slice(1)) {
      if (!keep()) break
      state = later
    }
    const names = new Map<string, Inode>()
    for (const [name, inode] of state) {
      let content = inode.durable
      for (const { bytes, position } of inode.pending) {
        for (let at = 0; at < bytes.length; at += SECTOR) {
          if (keep()) content = overwrite(content, bytes.subarray(at, at + SECTOR), position + at)
        }
      }
      const copy = new Inode()
      copy.durable = content.slice()
      copy.current = content.slice()
      names.set(name, copy)
    }
    rebooted.#names = names
    rebooted.#history = [names]
    return rebooted
  }

  /** A healthy file system after the process ended and the machine did not: the page cache is still there. */
  afterProcessEnd(): FaultFileSystem {
    const restarted = new FaultFileSystem()
    restarted.#names = this.#names
    restarted.#history = this.#history
    return restarted
  }

  /** What another process would read now. */
  contentOf(path: string): Uint8Array | null {
    return this.#names.get(path)?.current ?? null
  }

  /** Puts bytes on the disk behind everybody's back. */
  plant(path: string, bytes: Uint8Array): void {
    const inode = new Inode()
    inode.write(bytes, 0)
    inode.sync()
    this.#setNames(new Map(this.#names).set(path, inode))
    this.#history = [this.#names]
  }

  async readFile(path: string, bytesMax: number): Promise<Uint8Array | null> {
    return await this.#call('readFile', () => {
      const content = this.#names.get(path)?.current.slice() ?? null
      if (content !== null && content.length > bytesMax) throw new Error('too large')
      return content
    })
  }

  async createFile(path: string): Promise<WritableFile> {
    return await this.#call('createFile', () => {
      if (this.#names.has(path)) throw new Error(`EEXIST ${path}`)
      const inode = new Inode()
      this.#setNames(new Map(this.#names).set(path, inode))
      return this.#handle(inode)
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', () => {
      const inode = this.#names.get(from)
      if (inode === undefined) throw new Error(`ENOENT ${from}`)
      const names = new Map(this.#names).set(to, inode)
      names.delete(from)
      this.#setNames(names)
    })
  }

  async remove(path: string): Promise<void> {
    await this.#call('remove', () => {
      if (!this.#names.has(path)) return
      const names = new Map(this.#names)
      names.delete(path)
      this.#setNames(names)
    })
  }

  async syncDirectory(): Promise<void> {
    await this.#call('syncDirectory', () => {
      this.#history = [this.#names]
    })
  }

  #handle(inode: Inode): WritableFile {
    return {
      write: async (bytes, position) => {
        const part = (length: number): number => {
          inode.write(bytes.subarray(0, length), position)
          return length
        }
        return await this.#call('write', () => part(bytes.length), {
          // Cut off at any byte, as an interrupted write or a full disk does it.
          torn: () => part(Math.floor(this.#random() * bytes.length)),
          short: () => part(Math.max(1, Math.floor(bytes.length / 3))),
        })
      },
      datasync: () => this.#call('datasync', () => inode.sync(), { failed: () => inode.failSync() }),
      sync: () => this.#call('sync', () => inode.sync(), { failed: () => inode.failSync() }),
      close: () => this.#call('close', () => undefined),
    }
  }

  #setNames(names: Directory): void {
    this.#names = names
    this.#history.push(names)
  }

  async #call<T>(
    name: string,
    act: () => T,
    partly: { torn?: () => T; short?: () => T; failed?: () => T } = {},
  ): Promise<T> {
    // A real call comes back in a later turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#isDown) throw new Crash('the machine is down')
    const index = this.calls.push(name) - 1
    if (index !== this.#faultAt) return act()
    switch (this.#fault) {
      case 'crash-before':
        this.#isDown = true
        throw new Crash(`before ${name}`)
      case 'crash-after':
        this.#isDown = true
        act()
        throw new Crash(`after ${name}`)
      case 'torn':
        this.#isDown = true
        partly.torn?.()
        throw new Crash(`in the middle of ${name}`)
      case 'short':
        return (partly.short ?? act)()
      case 'fail':
        ;(partly.failed ?? partly.torn)?.()
        throw Object.assign(new Error(`EIO: ${name} failed`), { code: 'EIO' })
    }
  }
}

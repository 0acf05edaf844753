/**
 * A tree's nodes in a file beside the wallet: appended in memory, written and synced when the wallet says so. How many of
 * them count the wallet file says, which is replaced after them; what a crash left behind them is written over. Nothing in
 * it is secret.
 */
import { constants, readSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { decodeDigest } from '../../shielded/notes/digest-bytes.ts'
import { syncDirectory } from '../../storage/durable-files.ts'
import { assert } from '../../types/assert.ts'
import { WalletError } from '../wallet-error.ts'
import { MemoryNodeStore, NODE_BYTES, type NodeStore } from './node-store.ts'

export class FileNodeStore implements NodeStore {
  readonly #path: string
  readonly #file: FileHandle
  /** Nodes that are in the file. */
  #written: number
  /** What comes after them. */
  #pending = new MemoryNodeStore()
  #isNew: boolean

  private constructor(path: string, file: FileHandle, written: number) {
    this.#path = path
    this.#file = file
    this.#written = written
    this.#isNew = written === 0
  }

  /**
   * @param count nodes that the wallet file speaks for
   * @returns null when the file is missing or has fewer
   * @throws Error of the file system
   */
  static async open(path: string, count: number): Promise<FileNodeStore | null> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    const { size } = await file.stat()
    if (size >= count * NODE_BYTES) return new FileNodeStore(path, file, count)
    await file.close()
    return null
  }

  get count(): number {
    return this.#written + this.#pending.count
  }

  /** @throws WalletError `E_WALLET_DAMAGED` when the file was changed */
  at(index: number): Uint8Array {
    assert(index >= 0 && index < this.count, `there is no node ${index} of ${this.count}`)
    if (index >= this.#written) return this.#pending.at(index - this.#written)
    const node = new Uint8Array(NODE_BYTES)
    const read = readSync(this.#file.fd, node, 0, NODE_BYTES, index * NODE_BYTES)
    if (read === NODE_BYTES && decodeDigest(node) !== null) return node
    throw new WalletError('E_WALLET_DAMAGED', `${this.#path} is damaged at node ${index}`, {
      why: read === NODE_BYTES ? 'what is there is no hash' : 'it ends before',
      fix: 'read the chain anew with "hypermesh wallet scan --again"; keys and notes are safe in the wallet itself',
    })
  }

  append(node: Uint8Array): void {
    this.#pending.append(node)
  }

  truncate(count: number): void {
    assert(count >= 0 && count <= this.count, `cannot keep ${count} nodes of ${this.count}`)
    this.#pending.truncate(Math.max(0, count - this.#written))
    this.#written = Math.min(this.#written, count)
  }

  /** Everything is on the disk when it returns. @throws Error of the file system; it may be called again */
  async flush(): Promise<void> {
    const bytes = this.#pending.bytes()
    if (bytes.length === 0 && !this.#isNew) return
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file.fd, bytes, done, bytes.length - done, this.#written * NODE_BYTES + done)
    }
    await this.#file.sync()
    if (this.#isNew) await syncDirectory(dirname(this.#path))
    this.#isNew = false
    this.#written = this.count
    this.#pending = new MemoryNodeStore()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

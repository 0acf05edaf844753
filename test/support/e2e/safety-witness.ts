/**
 * An outside witness of what validators sign. A safety log is compacted now and then, so the witness keeps a hard
 * link to every file that ever stood in its place; a file that was replaced keeps what it held. It reads with the
 * log's own reader and checks nothing of the rules but one: no two contents for one slot.
 */

import { linkSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeMessage } from '../../../src/codec/messages.ts'
import { decodeSafetyRecord } from '../../../src/codec/safety-record.ts'
import { safetyLogPath } from '../../../src/composition/node-storage.ts'
import { dataDirectoryAt } from '../../../src/config/data-directory.ts'
import { readSafetyLog } from '../../../src/storage/safety-replay.ts'
import type { SafetyRecord } from '../../../src/types/safety.ts'

/** A compaction takes some hundred views; nothing is missed. */
const LOOK_MS = 50

export interface Signed {
  readonly node: number
  readonly kind: 'prepare' | 'pre-commit' | 'timeout'
  readonly epoch: number
  readonly view: number
  /** Block hash, or for a timeout the view of the certificate that it names. */
  readonly content: string
}

export interface Testimony {
  /** Safety log files that were seen, over all nodes. */
  readonly files: number
  /** Slots with a signature: one each for node, kind, epoch and view. */
  readonly slots: number
  /** Slots with two contents, and views with two blocks. Empty unless somebody lied. */
  readonly contradictions: readonly string[]
}

export class SafetyWitness {
  readonly #logs: readonly string[]
  readonly #folders: readonly string[]
  readonly #seen = new Map<string, { readonly node: number; readonly file: string }>()
  /** What stood in files that were replaced: nothing is added to them any more. */
  readonly #closed = new Map<string, readonly Signed[]>()
  #timer: NodeJS.Timeout | null = null

  /**
   * @param folders data directories of the validators
   * @param folder where the links stand; or one for each validator, on the file system of its data directory
   */
  constructor(folders: readonly string[], folder: string | readonly string[]) {
    this.#logs = folders.map((data) => safetyLogPath(dataDirectoryAt(data)))
    this.#folders = typeof folder === 'string' ? folders.map(() => folder) : folder
  }

  start(): void {
    for (const folder of this.#folders) mkdirSync(folder, { recursive: true })
    this.#look()
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #look(): void {
    for (const [node, log] of this.#logs.entries()) {
      const { ino } = statSync(log, { throwIfNoEntry: false }) ?? { ino: 0 }
      const key = `${node}-${ino}`
      if (ino === 0 || this.#seen.has(key)) continue
      const file = join(this.#folders[node] ?? '', `${key}-${this.#seen.size}`)
      try {
        linkSync(log, file)
      } catch {
        // Replaced between the two calls: the next look finds the new one.
        continue
      }
      // The link is to whatever stands there now, and that is what is to be remembered.
      this.#seen.set(`${node}-${statSync(file).ino}`, { node, file })
    }
  }

  /** Everything that was signed so far, read from every file. The nodes may be running. */
  async signed(): Promise<Signed[]> {
    this.#look()
    const all: Signed[] = []
    for (const { node, file } of this.#seen.values()) {
      const known = this.#closed.get(file)
      // Asked before it is read: what is replaced meanwhile is read once more.
      const isClosed = known === undefined && !this.#isInUse(node, file)
      const signed = known ?? (await readSigned(node, file))
      if (isClosed) this.#closed.set(file, signed)
      for (const slot of signed) all.push(slot)
    }
    return all
  }

  #isInUse(node: number, file: string): boolean {
    const log = statSync(this.#logs[node] ?? '', { throwIfNoEntry: false })
    return log === undefined || log.ino === statSync(file).ino
  }

  /** @param isALeaderLying whether a validator outside this witness may propose two blocks in one view */
  async testify(isALeaderLying = false): Promise<Testimony> {
    const signed = await this.signed()
    return { files: this.#seen.size, ...contradictionsOf(signed, isALeaderLying) }
  }
}

async function readSigned(node: number, file: string): Promise<Signed[]> {
  const signed: Signed[] = []
  const contents = await readSafetyLog(file)
  for (const frame of contents?.frames ?? []) {
    for (const payload of frame.payloads) {
      const record = decodeSafetyRecord(payload)
      if (!record.ok) throw new Error(`${file}: ${record.detail}`)
      signed.push(...signedIn(record.value).map((slot) => ({ ...slot, node })))
    }
  }
  return signed
}

function signedIn(record: SafetyRecord): Omit<Signed, 'node'>[] {
  const { proposal, prepare, preCommit, timeout } = record
  const message = proposal === null ? null : decodeMessage(proposal.bytes)
  const block = message?.ok === true && message.value.kind === 'proposal' ? message.value.block : null
  return [
    ...(block === null
      ? []
      : [
          {
            // The leader's prepare vote: the record has it beside the proposal.
            kind: 'prepare' as const,
            epoch: block.header.epoch,
            view: block.header.view,
            content: block.hash,
          },
        ]),
    ...[prepare, preCommit].flatMap((vote) =>
      vote === null ? [] : [{ kind: vote.kind, epoch: vote.epoch, view: vote.view, content: vote.blockHash }],
    ),
    ...(timeout === null
      ? []
      : [
          {
            kind: 'timeout' as const,
            epoch: timeout.epoch,
            view: timeout.view,
            content: String(timeout.highQcView),
          },
        ]),
  ]
}

/**
 * One content per node, kind, epoch and view; and one block per view: over proposals and all votes when every leader is
 * honest, else over pre-commit votes alone, each of which stands on a prepare certificate (I4).
 */
export function contradictionsOf(
  signed: readonly Signed[],
  isALeaderLying = false,
): Omit<Testimony, 'files'> {
  const slots = new Map<string, string>()
  const blocks = new Map<string, string>()
  const contradictions = new Set<string>()
  for (const { node, kind, epoch, view, content } of signed) {
    const turn = `view ${view} of epoch ${epoch}`
    const slot = `node ${node}, ${kind}, ${turn}`
    const before = slots.get(slot) ?? content
    if (before !== content) contradictions.add(`${slot}: ${before} and ${content}`)
    slots.set(slot, before)
    if (kind === 'timeout' || (isALeaderLying && kind !== 'pre-commit')) continue
    const block = blocks.get(turn) ?? content
    if (block !== content) contradictions.add(`${turn}: blocks ${block} and ${content}`)
    blocks.set(turn, block)
  }
  return { slots: slots.size, contradictions: [...contradictions] }
}

/**
 * The proof-of-work engine: rules P1 to P7 of README.md as a synchronous state machine. No clock, randomness,
 * I/O or hashing in it; same options and same inputs in the same order give identical effects. It signs nothing,
 * and nothing that it orders is final. {@link PowEngine.step} throws only InvariantViolation.
 */
import { unreachable } from '../../types/assert.ts'
import type { HashedBlock } from '../../types/block.ts'
import { epochEndHeight, epochOf } from '../../types/epochs.ts'
import type { MiningParameters, SealedBlock, SealHash } from '../../types/pow.ts'
import { asUnixMs, nextHeight } from '../../types/primitives.ts'
import type { Instant } from '../input.ts'
import type { PowEffect } from './effect.ts'
import type { PowEvent } from './event.ts'
import type { PowInput } from './input.ts'
import { MinedTree, type Root } from './mined-tree.ts'
import { MissingAncestors } from './missing-ancestors.ts'
import { reorganisation } from './reorganisation.ts'
import { nextBits } from './retarget.ts'
import { checkAlone, checkOnParent, parentSealOf } from './seal-rules.ts'
import { WaitingBlocks } from './waiting-blocks.ts'

export interface PowEngineOptions {
  readonly mining: MiningParameters
  readonly root: Root
  /** A block that is this far ahead of our clock is not taken now. */
  readonly clockSkewMaxMs: number
  /** Blocks per epoch; 0: one epoch without end. */
  readonly epochBlocks: number
  /**
   * `settle`: blocks deeper than the maturity are written and the root moves up, as on a network of this engine.
   * `provisional`: the root is BFT's last final block and only BFT moves it; the chain on it grows as far as
   * the maturity and no further, and not past the end of the epoch that BFT is in (F6).
   */
  readonly depth: 'settle' | 'provisional'
}

export interface PowStep {
  readonly effects: readonly PowEffect[]
  readonly events: readonly PowEvent[]
}

/** A read-only look at an engine, for status and tests. */
export interface PowView {
  readonly tip: { readonly sealHash: SealHash; readonly block: HashedBlock; readonly work: bigint }
  /** Nothing below it is undone by mining. */
  readonly root: Root
  readonly isMining: boolean
  readonly waiting: number
  readonly size: number
}

/** A block that is being mined is built anew this often, so that its time is near the truth. */
const TEMPLATE_MS = { least: 20, most: 1_000, share: 4 }
/** Blocks remembered that were refused, or fork too deep, so that they are not fetched and judged again. */
const REMEMBERED_MAX = 4_096

export class PowEngine {
  readonly #options: PowEngineOptions
  #tree: MinedTree
  #waiting: WaitingBlocks
  readonly #missing = new MissingAncestors()
  readonly #refused = new Set<SealHash>()
  readonly #tooDeep = new Set<SealHash>()
  #isMining = false
  #effects: PowEffect[] = []
  #events: PowEvent[] = []

  constructor(options: PowEngineOptions) {
    this.#options = options
    this.#tree = new MinedTree(options.root, options.mining)
    this.#waiting = this.#noneWaiting()
  }

  /** Takes one input. @throws InvariantViolation for a bug of ours, nothing else */
  step(input: PowInput, now: Instant): PowStep {
    this.#effects = []
    this.#events = []
    this.#handle(input, now)
    for (const { sealed, parent } of this.#tree.takeCheckable())
      this.#perform({ kind: 'check-block', sealed, parent })
    return { effects: this.#effects, events: this.#events }
  }

  look(): PowView {
    const { tip, root, size } = this.#tree
    const block = this.#tree.blockOf(tip) ?? root.block
    const { size: waiting } = this.#waiting
    return {
      tip: { sealHash: tip, block, work: this.#tree.workOf(tip) },
      root,
      isMining: this.#isMining,
      waiting,
      size,
    }
  }

  /** The heaviest chain above the root, oldest first. */
  chain(): readonly SealedBlock[] {
    return this.#tree.pathTo(this.#tree.tip)
  }

  /** A block above the root, whatever its branch. */
  sealedBlock(hash: SealHash): SealedBlock | null {
    return this.#tree.get(hash)
  }

  #handle(input: PowInput, now: Instant): void {
    switch (input.kind) {
      case 'started':
        return
      case 'block-received':
        this.#onBlock(input.sealed, input.from, now)
        return
      case 'mined':
        if (this.#onBlock(input.sealed, null, now)) this.#perform({ kind: 'announce', sealed: input.sealed })
        return
      case 'block-checked':
        this.#onChecked(input.sealHash, input.outcome)
        return
      case 'timer-expired':
        if (input.timer === 'template') this.#mine()
        else this.#fetchMissing(true)
        return
      case 'mining-wanted':
        this.#onMiningWanted(input.isWanted)
        return
      case 'final-moved':
        this.#onFinalMoved(input.block)
        return
      default:
        unreachable(input)
    }
  }

  /** True when the block is in the tree now. */
  #onBlock(sealed: SealedBlock, from: string | null, now: Instant): boolean {
    const { sealHash, block } = sealed
    if (this.#tree.has(sealHash) || this.#waiting.has(sealHash)) return this.#ignore(sealHash, 'known')
    if (this.#refused.has(sealHash)) return this.#refuse(sealHash, 'invalid-parent', 'refused before')
    const refusal = checkAlone(sealed, this.#options.mining, this.#options.epochBlocks)
    if (refusal !== null) return this.#refuse(sealHash, refusal.code, refusal.detail)
    if (block.header.height <= this.#tree.root.block.header.height) {
      this.#giveUpOn(sealHash)
      return this.#ignore(sealHash, 'settled')
    }
    if (block.header.height > this.#epochEnd()) return this.#ignore(sealHash, 'next-epoch')
    const parent = parentSealOf(sealed)
    if (this.#tooDeep.has(parent)) {
      remember(this.#tooDeep, sealHash)
      return this.#ignore(sealHash, 'settled')
    }
    if (this.#refused.has(parent))
      return this.#refuse(sealHash, 'invalid-parent', `its parent ${parent} is invalid`)
    if (!this.#tree.has(parent)) {
      this.#waiting.add(sealed, from)
      this.#events.push({ kind: 'block-waits', sealHash, missing: parent })
      this.#fetchMissing(false)
      return false
    }
    const isTaken = this.#attach(sealed, now)
    this.#missing.found(sealHash)
    if (this.#waiting.size > 0) this.#fetchMissing(false)
    return isTaken
  }

  /** Puts a block on its parent, and then whatever waited for it. */
  #attach(first: SealedBlock, now: Instant): boolean {
    const queue = [first]
    for (let sealed = queue.shift(); sealed !== undefined; sealed = queue.shift()) {
      if (!this.#place(sealed, now)) {
        this.#waiting.dropOn(sealed.sealHash)
        continue
      }
      queue.push(...this.#waiting.takeChildrenOf(sealed.sealHash).map(({ sealed: child }) => child))
    }
    return this.#tree.has(first.sealHash)
  }

  #place(sealed: SealedBlock, now: Instant): boolean {
    const { sealHash, block } = sealed
    const parent = parentSealOf(sealed)
    const on = this.#tree.blockOf(parent)
    if (on === null) return this.#ignore(sealHash, 'no-room')
    const facts = { hash: on.hash, height: on.header.height, trail: this.#tree.trailOf(parent) }
    const latest = asUnixMs(now.unixMs + this.#options.clockSkewMaxMs)
    const refusal = checkOnParent(sealed, facts, this.#options.mining, latest)
    if (refusal?.code === 'future') return this.#ignore(sealHash, 'future')
    if (refusal !== null) return this.#refuse(sealHash, refusal.code, refusal.detail)
    const dropped = this.#tree.add(sealed)
    if (dropped === null) return this.#ignore(sealHash, 'no-room')
    if (dropped.length > 0) this.#perform({ kind: 'forget', blocks: dropped })
    this.#events.push({ kind: 'block-taken', sealHash, height: block.header.height })
    return true
  }

  #onChecked(
    sealHash: SealHash,
    outcome: { readonly ok: true } | { readonly ok: false; readonly code: string },
  ): void {
    if (!this.#tree.isBeingChecked(sealHash)) return
    if (!outcome.ok) {
      const removed = this.#tree.remove(sealHash)
      for (const sealed of removed) {
        this.#refuse(
          sealed.sealHash,
          sealed.sealHash === sealHash ? 'ledger' : 'invalid-parent',
          outcome.code,
        )
      }
      this.#perform({ kind: 'forget', blocks: removed })
      return
    }
    const before = this.#tree.pathTo(this.#tree.tip)
    if (!this.#tree.markValid(sealHash)) return
    const { rollback, apply } = reorganisation(before, this.#tree.pathTo(sealHash))
    this.#perform({ kind: 'switch', rollback, apply })
    this.#events.push({
      kind: 'tip-changed',
      sealHash,
      height: this.#tree.heightOf(sealHash),
      work: this.#tree.workOf(sealHash),
      rolledBack: rollback.length,
      applied: apply.length,
    })
    this.#settle()
    this.#mine()
  }

  /** P6: what is deeper than the maturity is written, and is undone by no heavier chain from here on. */
  #settle(): void {
    if (this.#options.depth !== 'settle') return
    const path = this.#tree.pathTo(this.#tree.tip)
    const blocks = path.slice(0, Math.max(0, path.length - this.#options.mining.maturityBlocks))
    const last = blocks.at(-1)
    if (last === undefined) return
    const dropped = this.#tree.advanceRoot(last.sealHash)
    const { sealHash, work, trail } = this.#tree.root
    this.#perform({ kind: 'settle', blocks, settled: { sealHash, work, trail } })
    if (dropped.length > 0) this.#perform({ kind: 'forget', blocks: dropped })
  }

  #onMiningWanted(isWanted: boolean): void {
    if (this.#isMining === isWanted) return
    this.#isMining = isWanted
    if (isWanted) this.#mine()
    else this.#stopMining()
  }

  /** P7: BFT has decided. Whatever was mined on an earlier final block is void. */
  #onFinalMoved(block: HashedBlock): void {
    const old = this.#tree.root
    if (block.hash === old.block.hash) return
    const chain = this.chain()
    const blocks = chain.length
    const everything = this.#tree.all()
    if (blocks > 0) {
      this.#perform({ kind: 'switch', rollback: chain.toReversed(), apply: [] })
      this.#events.push({ kind: 'provisional-dropped', blocks })
    }
    if (everything.length > 0) this.#perform({ kind: 'forget', blocks: everything })
    this.#tree = new MinedTree(rootOn(block), this.#options.mining)
    this.#waiting = this.#noneWaiting()
    this.#missing.clear()
    this.#perform({ kind: 'cancel-timer', timer: 'fetch' })
    this.#mine()
  }

  #mine(): void {
    if (!this.#isMining) return
    const { mining, depth } = this.#options
    const { tip, root } = this.#tree
    const block = this.#tree.blockOf(tip) ?? root.block
    const { height } = block.header
    const isLong = depth === 'provisional' && height - root.block.header.height >= mining.maturityBlocks
    if (isLong || height >= this.#epochEnd()) {
      this.#stopMining()
      return
    }
    this.#perform({
      kind: 'mine',
      parent: { sealHash: tip, block },
      bits: nextBits(this.#tree.trailOf(tip), mining),
      timestampMin: asUnixMs(block.header.timestamp + 1),
    })
    const { least, most, share } = TEMPLATE_MS
    const delayMs = Math.min(most, Math.max(least, Math.round(mining.targetIntervalMs / share)))
    this.#perform({ kind: 'set-timer', timer: 'template', delayMs })
  }

  /** F6: the height where a provisional chain ends, that of the last block of BFT's epoch. */
  #epochEnd(): number {
    const { depth, epochBlocks } = this.#options
    if (depth !== 'provisional') return Number.POSITIVE_INFINITY
    const epoch = epochOf(nextHeight(this.#tree.root.block.header.height), epochBlocks)
    return epochEndHeight(epoch, epochBlocks) ?? Number.POSITIVE_INFINITY
  }

  #stopMining(): void {
    this.#perform({ kind: 'stop-mining' })
    this.#perform({ kind: 'cancel-timer', timer: 'template' })
  }

  #fetchMissing(isRepeat: boolean): void {
    for (const effect of this.#missing.ask(this.#waiting, isRepeat)) this.#perform(effect)
  }

  /** An ancestor that we asked for lies below the root: its branch cannot be followed, and is not fetched again. */
  #giveUpOn(sealHash: SealHash): void {
    const dropped = this.#waiting.dropOn(sealHash)
    if (dropped.length === 0) return
    for (const { sealHash: above } of dropped) remember(this.#tooDeep, above)
    const settledHeight = this.#tree.root.block.header.height
    this.#events.push({ kind: 'fork-too-deep', sealHash, settledHeight })
  }

  #ignore(sealHash: SealHash, reason: (PowEvent & { kind: 'block-ignored' })['reason']): false {
    this.#events.push({ kind: 'block-ignored', sealHash, reason })
    return false
  }

  #refuse(sealHash: SealHash, code: (PowEvent & { kind: 'block-refused' })['code'], detail: string): false {
    remember(this.#refused, sealHash)
    this.#events.push({ kind: 'block-refused', sealHash, code, detail })
    return false
  }

  #noneWaiting(): WaitingBlocks {
    return new WaitingBlocks(2 * this.#options.mining.maturityBlocks + 64)
  }

  #perform(effect: PowEffect): void {
    this.#effects.push(effect)
  }
}

/** A root without any mined block under it: genesis, or the last final block of BFT. */
export function rootOn(block: HashedBlock): Root {
  const { timestamp } = block.header
  return { sealHash: block.hash as string as SealHash, block, work: 0n, trail: [{ timestamp, bits: null }] }
}

function remember(set: Set<SealHash>, hash: SealHash): void {
  set.add(hash)
  for (const oldest of set) {
    if (set.size <= REMEMBERED_MAX) break
    set.delete(oldest)
  }
}

/**
 * The shell around the proof-of-work engine: feeds it one input at a time and performs what it asks for. Holds
 * no rules; time, network, disk and the search for nonces are ports, so that the simulator hosts it as it is.
 */
import { sealBlock } from '../../codec/pow.ts'
import type { PowEffect } from '../../consensus/pow/effect.ts'
import type { PowEvent } from '../../consensus/pow/event.ts'
import type { PowInput } from '../../consensus/pow/input.ts'
import { PowEngine, type PowEngineOptions, type PowView } from '../../consensus/pow/pow-engine.ts'
import { minedFields } from '../../consensus/pow/seal-rules.ts'
import { assert, unreachable } from '../../types/assert.ts'
import type { HashedBlock } from '../../types/block.ts'
import type { SealedBlock, SealHash } from '../../types/pow.ts'
import { asUnixMs, type BlockHash } from '../../types/primitives.ts'
import type { BlockExecutor } from '../block-executor.ts'
import type { BlockProofsPort, Clock } from '../ports.ts'
import type { MinerPort, PowListener, PowNetworkPort, PowStore, PowTimers } from './ports.ts'

export interface PowShellOptions extends PowEngineOptions {
  readonly executor: Pick<BlockExecutor, 'check' | 'hasStateOf' | 'build' | 'take' | 'committed' | 'drop'>
  /** Absent: proofs are verified where blocks are executed. */
  readonly proofs?: BlockProofsPort | undefined
  readonly clock: Clock
  readonly miner: MinerPort
  readonly network: PowNetworkPort
  readonly store: PowStore
  readonly timers: PowTimers
  readonly listener: PowListener
  readonly observe: (event: PowEvent) => void
  readonly onFatal: (error: unknown) => void
}

/** accept: pass it on. ignore: not useful now. reject: a rule was broken. */
export type PowVerdict = 'accept' | 'ignore' | 'reject'

export class PowShell {
  readonly #options: PowShellOptions
  readonly #engine: PowEngine
  readonly #queue: PowInput[] = []
  /** Seals in the tree of each executed block: two of one block share its state, and only the last drops it. */
  readonly #uses = new Map<BlockHash, Set<SealHash>>()
  /** Blocks that were taken and wait for their proofs, or for those of a block below: what will become of them. */
  readonly #unchecked = new Map<SealHash, PromiseWithResolvers<PowVerdict>>()
  #isRunning = false
  #isStopped = false
  #settling: Promise<void> = Promise.resolve()

  constructor(options: PowShellOptions) {
    this.#options = options
    this.#engine = new PowEngine(options)
  }

  /** Takes part; blocks that were kept on disk come first, oldest first. */
  start(kept: readonly SealedBlock[] = []): void {
    this.input({ kind: 'started' })
    for (const sealed of kept) this.input({ kind: 'block-received', sealed, from: null })
  }

  /** Takes no more inputs, stops mining, waits for what is being written. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#queue.length = 0
    for (const sealHash of this.#unchecked.keys()) this.#decided(sealHash, 'ignore')
    this.#options.miner.stop()
    this.#options.timers.cancel('template')
    this.#options.timers.cancel('fetch')
    await this.#settling
  }

  /** A sealed block of a peer, and what to do with it: at once, unless there are proofs to wait for. Never rejects. */
  received(sealed: SealedBlock, from: string | null): PowVerdict | Promise<PowVerdict> {
    let verdict = 'ignore' as PowVerdict
    this.#take({ kind: 'block-received', sealed, from }, (event) => {
      if (!('sealHash' in event) || event.sealHash !== sealed.sealHash) return
      if (event.kind === 'block-taken') verdict = 'accept'
      if (event.kind === 'block-refused') verdict = 'reject'
    })
    if (verdict !== 'accept') return verdict
    return this.#unchecked.get(sealed.sealHash)?.promise ?? verdict
  }

  /** Takes an input; runs the engine before it returns, unless it is running already. */
  input(input: PowInput): void {
    this.#take(input)
  }

  look(): PowView {
    return this.#engine.look()
  }

  /** The heaviest chain above the root, oldest first. */
  chain(): readonly SealedBlock[] {
    return this.#engine.chain()
  }

  sealedBlock(hash: SealHash): SealedBlock | null {
    return this.#engine.sealedBlock(hash)
  }

  #take(input: PowInput, listen: (event: PowEvent) => void = () => {}): void {
    if (this.#isStopped) return
    this.#queue.push(input)
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        this.#step(next, listen)
    } catch (error) {
      this.#isStopped = true
      this.#queue.length = 0
      this.#options.onFatal(error)
    } finally {
      this.#isRunning = false
    }
  }

  #step(input: PowInput, listen: (event: PowEvent) => void): void {
    const { clock, observe } = this.#options
    const now = { monotonicMs: clock.monotonicMs(), unixMs: clock.unixMs() }
    const { effects, events } = this.#engine.step(input, now)
    for (const event of events) {
      listen(event)
      observe(event)
      if (event.kind === 'block-taken') {
        this.#unchecked.set(event.sealHash, Promise.withResolvers())
        this.#keep(event.sealHash)
      }
      if (event.kind === 'block-refused') this.#decided(event.sealHash, 'reject')
    }
    if (input.kind === 'block-checked' && input.outcome.ok) this.#decided(input.sealHash, 'accept')
    const answers: PowInput[] = []
    for (const effect of effects) {
      const answer = this.#perform(effect)
      if (answer !== null) answers.push(answer)
    }
    this.#queue.unshift(...answers)
  }

  #perform(effect: PowEffect): PowInput | null {
    const { miner, network, store, timers, listener } = this.#options
    switch (effect.kind) {
      case 'check-block':
        return this.#checkOrWait(effect.sealed, effect.parent)
      case 'mine':
        this.#mine(effect)
        return null
      case 'stop-mining':
        miner.stop()
        return null
      case 'announce':
        network.announce(effect.sealed)
        return null
      case 'fetch':
        network.fetch(effect.sealHash, effect.from)
        return null
      case 'set-timer':
        timers.set(effect.timer, effect.delayMs)
        return null
      case 'cancel-timer':
        timers.cancel(effect.timer)
        return null
      case 'switch':
        listener.switched(effect.rollback, effect.apply)
        return null
      case 'settle':
        this.#settle(effect)
        return null
      case 'forget':
        store.forget(effect.blocks)
        for (const { sealHash } of effect.blocks) this.#decided(sealHash, 'ignore')
        for (const sealed of effect.blocks.toReversed()) this.#release(sealed)
        return null
      default:
        return unreachable(effect)
    }
  }

  #checkOrWait(sealed: SealedBlock, parent: HashedBlock): PowInput | null {
    const proofs = this.#options.proofs?.prepare(sealed.block) ?? null
    if (proofs === null) return this.#check(sealed, parent)
    void this.#checkAfter(proofs, sealed, parent)
    return null
  }

  /** Meanwhile the block may have been forgotten, and its parent with it. */
  async #checkAfter(proofs: Promise<void>, sealed: SealedBlock, parent: HashedBlock): Promise<void> {
    try {
      await proofs
      const isWanted = this.#unchecked.has(sealed.sealHash)
      if (isWanted && this.#options.executor.hasStateOf(parent.hash)) this.input(this.#check(sealed, parent))
    } catch (error) {
      this.#options.onFatal(error)
    }
  }

  #decided(sealHash: SealHash, verdict: PowVerdict): void {
    this.#unchecked.get(sealHash)?.resolve(verdict)
    this.#unchecked.delete(sealHash)
  }

  #check(sealed: SealedBlock, parent: HashedBlock): PowInput {
    const { block } = sealed
    const outcome = this.#options.executor.check(block, parent)
    if (outcome.ok) this.#uses.set(block.hash, (this.#uses.get(block.hash) ?? new Set()).add(sealed.sealHash))
    return {
      kind: 'block-checked',
      sealHash: sealed.sealHash,
      outcome: outcome.ok ? { ok: true } : { ok: false, code: outcome.code },
    }
  }

  #mine({ parent, bits, timestampMin }: PowEffect & { kind: 'mine' }): void {
    const { executor, miner, clock, epochBlocks } = this.#options
    const { height } = parent.block.header
    const fields = minedFields({ sealHash: parent.sealHash, height }, epochBlocks)
    const timestamp = asUnixMs(Math.max(timestampMin, clock.unixMs()))
    const built = executor.build({ ...fields, timestamp }, parent.block, true, {
      use: 'template',
      ballots: null,
    })
    assert(built !== null, 'a mined block may be empty')
    const { block } = built
    miner.mine(block, bits, (nonce) =>
      this.input({ kind: 'mined', sealed: sealBlock(block, { bits, nonce }) }),
    )
  }

  #release({ block, sealHash }: SealedBlock): void {
    const uses = this.#uses.get(block.hash)
    if (uses === undefined || !uses.delete(sealHash) || uses.size > 0) return
    this.#uses.delete(block.hash)
    this.#options.executor.drop(block.hash)
  }

  #keep(sealHash: SealHash): void {
    const sealed = this.#engine.sealedBlock(sealHash)
    if (sealed !== null) this.#options.store.keep(sealed)
  }

  /** One after the other; the executor moves on when the settled state shows the blocks. */
  #settle({ blocks, settled }: PowEffect & { kind: 'settle' }): void {
    const { executor, store, onFatal } = this.#options
    const done = blocks.map((sealed) => ({ sealed, executed: executor.take(sealed.block.hash).executed }))
    this.#settling = this.#settling.then(async () => {
      if (this.#isStopped) return
      await store.settle(done, settled)
      for (const { executed } of done) {
        executor.committed(executed)
        this.#uses.delete(executed.block.hash)
      }
    })
    this.#settling = this.#settling.catch((error: unknown) => {
      this.#isStopped = true
      onFatal(error)
    })
  }
}

/**
 * Feeds the replica one input at a time and hands on what it asks for. Answers that come at once (a
 * signature, a checked block) are taken before anything that waits. Holds no rules.
 */
import type { ConsensusEffect } from '../consensus/effect.ts'
import type { ConsensusEvent } from '../consensus/event.ts'
import type { ConsensusInput } from '../consensus/input.ts'
import type { Replica } from '../consensus/replica.ts'
import type { Clock } from './ports.ts'

export interface DriverHooks {
  /** Performs an effect; an answer that is there at once is returned, any other comes through `input`. */
  perform(effect: ConsensusEffect): ConsensusInput | null
  /** All inputs so far are taken: time to write what they led to. */
  turnEnded(): void
  observe(event: ConsensusEvent): void
  /** The replica, or what was done for it, broke an invariant: nothing may follow. `dump` is for a person. */
  onFatal(error: unknown): void
}

/** Inputs kept for the dump of a bug. */
const LAST_INPUTS = 32

export class ReplicaDriver {
  readonly #replica: Replica
  readonly #clock: Clock
  readonly #hooks: DriverHooks
  readonly #waiting: ConsensusInput[] = []
  readonly #lastInputs: string[] = []
  #isRunning = false
  #isStopped = false

  constructor(replica: Replica, clock: Clock, hooks: DriverHooks) {
    this.#replica = replica
    this.#clock = clock
    this.#hooks = hooks
  }

  /** Takes an input. Runs the replica before it returns, unless it is running already. */
  input(input: ConsensusInput): void {
    if (this.#isStopped) return
    this.#waiting.push(input)
    if (!this.#isRunning) this.#run()
  }

  /** Takes no more inputs. */
  stop(): void {
    this.#isStopped = true
    this.#waiting.length = 0
  }

  #run(): void {
    this.#isRunning = true
    try {
      for (let input = this.#waiting.shift(); input !== undefined; input = this.#waiting.shift()) {
        this.#step(input)
      }
      this.#hooks.turnEnded()
    } catch (error) {
      // Whoever called us may well be a library that swallows exceptions; this one must end the process.
      this.stop()
      this.#hooks.onFatal(Object.assign(error as Error, { dump: { lastInputs: this.#lastInputs } }))
    } finally {
      this.#isRunning = false
    }
  }

  #step(input: ConsensusInput): void {
    this.#lastInputs.push(describeInput(input))
    if (this.#lastInputs.length > LAST_INPUTS) this.#lastInputs.shift()
    const now = { monotonicMs: this.#clock.monotonicMs(), unixMs: this.#clock.unixMs() }
    const { effects, events } = this.#replica.step(input, now)
    for (const event of events) this.#hooks.observe(event)
    const answers: ConsensusInput[] = []
    for (const effect of effects) {
      const answer = this.#hooks.perform(effect)
      if (answer !== null) answers.push(answer)
    }
    this.#waiting.unshift(...answers)
  }
}

/** One input in a few words. */
function describeInput(input: ConsensusInput): string {
  switch (input.kind) {
    case 'message-received':
      return `${input.message.kind} from ${input.from}`
    case 'timer-expired':
      return `timer ${input.timer} of view ${input.view}`
    case 'signed':
      return `signed ${input.request.kind} of view ${input.request.view}`
    case 'block-checked':
      return `block ${input.blockHash} checked: ${input.outcome.ok ? 'valid' : input.outcome.code}`
    case 'blocks-committed':
      return `height ${input.height} committed`
    case 'blocks-received':
      return `${input.blocks.length} blocks received, finality ${input.finality?.height ?? 'none'}`
    default:
      return input.kind
  }
}

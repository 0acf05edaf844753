/**
 * Runs a local network until a height, a signal, or the end of its last validator, and says what happens: where
 * everything is, when blocks are final, who died. Finds out through the public APIs, as anybody could.
 */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { quorumOf } from '../../types/quorum.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { exitCodeOf, onStopSignals } from '../stop-signals.ts'
import { LiveLines } from './live-lines.ts'
import type { NodePorts } from './node-ports.ts'
import { type Ending, endingText, type Member, Supervisor } from './supervisor.ts'
import { glimpseLine, lookAtNetwork, type NetworkGlimpse } from './watcher.ts'

/** What to run. */
export interface NetworkRun {
  /** One per validator, in order. */
  readonly folders: readonly string[]
  readonly ports: readonly NodePorts[]
  /** Made just now: its chain begins, whatever the first look finds. */
  readonly isNew: boolean
  /** Command of the i-th process. */
  readonly command: (index: number) => readonly [string, ...string[]]
  /** Stop when every validator that answers has this height final. */
  readonly untilHeight?: number
}

/** Between two looks: short until something is to be seen, then such that looking costs nothing. */
const EAGER_LOOK_MS = 100
const CALM_LOOK_MS = 1_000
/** The rate that is shown is that of so long: several heartbeats. */
const RATE_OVER_MS = 10_000
const LOG_LINES_SHOWN = 5

/** What a log says last: from the last error on, else its last lines. */
function lastLines(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const error = lines.findLastIndex((line) => /^E_[A-Z_]+: /.test(line))
    return error === -1 ? lines.slice(-LOG_LINES_SHOWN) : lines.slice(error, error + LOG_LINES_SHOWN)
  } catch {
    return []
  }
}

/** Validators without which no block is final, the stakes being equal. */
export function validatorsNeeded(count: number): number {
  return Number(quorumOf(BigInt(count)))
}

class NetworkRunner {
  readonly #run: NetworkRun
  readonly #lines = new LiveLines()
  readonly #supervisor = new Supervisor((member, ending) => this.#sayEnded(member, ending))
  readonly #apis: readonly string[]
  readonly #stop = new AbortController()
  readonly #startedAt = performance.now()

  constructor(run: NetworkRun) {
    this.#run = run
    this.#apis = run.ports.map(({ api }) => `http://127.0.0.1:${api}`)
  }

  /** @returns the exit code */
  async run(): Promise<number> {
    const forget = onStopSignals(
      ['SIGINT', 'SIGTERM', 'SIGHUP'],
      () => {
        this.#lines.say('stopping the validators (again to end them at once)')
        this.#stop.abort()
      },
      (signal) => {
        this.#supervisor.kill()
        process.exit(exitCodeOf(signal))
      },
    )
    try {
      for (const [i, folder] of this.#run.folders.entries())
        this.#supervisor.start(i, folder, this.#run.command(i))
      await this.#watch()
    } finally {
      await this.#supervisor.stop()
      forget()
    }
    return EXIT.ok
  }

  async #watch(): Promise<void> {
    const { isNew, untilHeight = Number.POSITIVE_INFINITY } = this.#run
    const first = await this.#firstAnswer()
    if (first === undefined) return
    const begin = isNew ? 0 : first.height
    if (begin > 0) this.#lines.say(`going on from height ${begin}`)
    let isMoving = false
    const looks = [{ glimpse: first, at: performance.now() }]
    let saidAt = performance.now()
    for (;;) {
      const glimpse = await lookAtNetwork(this.#apis)
      if (this.#stop.signal.aborted) return
      const at = performance.now()
      if (!isMoving && glimpse.height > begin) {
        this.#lines.say(`block ${begin + 1} is final (${this.#seconds()} s after the start)`)
        isMoving = true
      }
      if (glimpse.heightOfAll >= untilHeight) {
        this.#lines.say(`height ${glimpse.heightOfAll} is final everywhere: stopping`)
        return
      }
      if (at - saidAt >= CALM_LOOK_MS) {
        saidAt = at
        while (looks[1] !== undefined && at - looks[1].at >= RATE_OVER_MS) looks.shift()
        const [before = { glimpse, at }] = looks
        this.#lines.status(
          glimpseLine(glimpse, before.glimpse, (at - before.at) / 1_000, this.#apis.length),
          at,
        )
        looks.push({ glimpse, at })
      }
      await this.#pause(isMoving && untilHeight === Number.POSITIVE_INFINITY ? CALM_LOOK_MS : EAGER_LOOK_MS)
    }
  }

  /** The first look at which a validator answered; undefined when it was stopped before that. */
  async #firstAnswer(): Promise<NetworkGlimpse | undefined> {
    for (;;) {
      if (this.#stop.signal.aborted) return undefined
      const glimpse = await lookAtNetwork(this.#apis)
      if (glimpse.answering > 0) return glimpse
      await this.#pause(EAGER_LOOK_MS)
    }
  }

  #pause(ms: number): Promise<unknown> {
    if (!this.#stop.signal.aborted && this.#supervisor.members.length === 0) {
      throw new CliError('E_DEVNET_DOWN', 'no validator runs any more', { fix: 'see above, and the logs' })
    }
    return sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  #seconds(): string {
    return ((performance.now() - this.#startedAt) / 1_000).toFixed(1)
  }

  #sayEnded(member: Member, ending: Ending): void {
    const { length: count } = this.#run.folders
    const left = this.#supervisor.members.length
    const command = this.#run.command(member.index).join(' ')
    this.#lines.say(
      `${member.name} (pid ${member.pid}) ended: ${endingText(ending)}; ${left} of ${count} run, ` +
        `blocks need ${validatorsNeeded(count)}. To start it again: ${command}`,
    )
    if (ending.signal === null) for (const line of lastLines(member.logFile)) this.#lines.say(`  ${line}`)
  }
}

/** Runs it to its end. @returns the exit code */
export function runNetwork(run: NetworkRun): Promise<number> {
  return new NetworkRunner(run).run()
}

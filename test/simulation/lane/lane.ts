/**
 * Runs seeds in processes of their own, so that both processors are used, sources can be changed as they are loaded,
 * and a seed that hangs or crashes its process is a failure like any other.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { mutantNamed } from '../mutants.ts'
import type { Outcome } from '../swarm.ts'
import { ACCELERATIONS } from './accelerations.ts'
import type { SourceChange } from './source-change.ts'

export interface LaneTask {
  readonly seed: number
  readonly isTraced: boolean
  /** A mutant whose seeds' options these are; the lane's own mutant when there is one. */
  readonly like: string | null
}

/** A seed of the swarm, or of a mutant's options. */
export type LaneSeed = number | { readonly seed: number; readonly like: string }

export interface LaneAnswer {
  readonly outcome: Outcome
  /** Every effect, when traced. */
  readonly lines: readonly string[]
}

export interface LaneOptions {
  readonly seeds: Iterable<LaneSeed>
  readonly jobs?: number
  /** Name of a mutant; without it the code as it is. */
  readonly mutant?: string
  /** Without accelerations. */
  readonly isPlain?: boolean
  readonly isTraced?: boolean
  /** Told of every seed, in the order in which they end; true stops the lane. */
  readonly onOutcome: (answer: LaneAnswer) => boolean
}

/** Environment of a lane's process: what is to be changed, as JSON of `SourceChange`s … */
export const CHANGES_VARIABLE = 'HYPERMESH_SIM_CHANGES'
/** … and `1` for sources and hashing without accelerations. */
export const PLAIN_VARIABLE = 'HYPERMESH_SIM_PLAIN'

const folder = import.meta.dirname
const modules = join(folder, '../../../node_modules')
/** A seed takes a fraction of a second; one that takes this long hangs. */
const SEED_DEADLINE_MS = 120_000

/** Resolves when all seeds are through or the lane was stopped. */
export async function runLane(options: LaneOptions): Promise<void> {
  const { jobs = availableParallelism() } = options
  const seeds = options.seeds[Symbol.iterator]()
  const state = { isStopped: false }
  await Promise.all(Array.from({ length: jobs }, () => runProcess(options, seeds, state)))
}

function runProcess(
  options: LaneOptions,
  seeds: Iterator<LaneSeed>,
  state: { isStopped: boolean },
): Promise<void> {
  const { mutant, isPlain = false, isTraced = false, onOutcome } = options
  const child = start(mutant, isPlain)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let running: number | null = null
  let deadline: NodeJS.Timeout | undefined
  const tell = (answer: LaneAnswer): void => {
    state.isStopped = onOutcome(answer) || state.isStopped
  }
  const next = (): void => {
    clearTimeout(deadline)
    const { value, done } = state.isStopped ? { value: undefined, done: true } : seeds.next()
    running = null
    if (done === true || value === undefined) {
      child.disconnect()
      return
    }
    const { seed, like } = typeof value === 'number' ? { seed: value, like: mutant ?? null } : value
    running = seed
    deadline = setTimeout(() => child.kill('SIGKILL'), SEED_DEADLINE_MS)
    const task: LaneTask = { seed, isTraced, like }
    child.send(task)
  }
  child.on('message', (message: LaneAnswer | 'ready') => {
    if (message !== 'ready') tell(message)
    next()
  })
  child.on('error', reject)
  child.on('exit', (code, signal) => {
    clearTimeout(deadline)
    if (running === null && code === 0) resolve()
    else if (running === null) reject(new Error(`a process of the lane ended with ${code ?? signal}`))
    else {
      tell({ outcome: outcomeOf(running, [`the process ended with ${code ?? signal}`]), lines: [] })
      runProcess(options, seeds, state).then(resolve, reject)
    }
  })
  return promise
}

function changesOf(mutant: string | undefined, isPlain: boolean): readonly SourceChange[] {
  return [...(mutantNamed(mutant ?? null)?.changes ?? []), ...(isPlain ? [] : ACCELERATIONS)]
}

function start(mutant: string | undefined, isPlain: boolean): ChildProcess {
  // The packaged Node can load TypeScript and change it on the way; the one that runs this may be older.
  const packaged = join(modules, '.bin/node')
  return fork(join(folder, 'worker.ts'), [], {
    execPath: existsSync(packaged) ? packaged : process.execPath,
    execArgv: ['--no-warnings', '--import', join(folder, 'loader.ts')],
    env: {
      PATH: process.env['PATH'],
      [CHANGES_VARIABLE]: JSON.stringify(changesOf(mutant, isPlain)),
      ...(isPlain ? { [PLAIN_VARIABLE]: '1' } : {}),
    },
  })
}

/** The outcome of what ran no network. */
export function outcomeOf(seed: number, violations: readonly string[]): Outcome {
  return {
    seed,
    violations,
    trace: '',
    heights: [],
    effects: 0,
    events: 0,
    simulatedMs: 0,
    verdicts: { valid: 0, invalid: 0, expired: 0 },
  }
}

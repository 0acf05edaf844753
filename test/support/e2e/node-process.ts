/**
 * One node as a process of its own: started, asked through its public API, stopped, killed. The IPC channel is its
 * life line, so that it ends with the process that runs the test, whatever happens to that.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BlockView, PeerView, ReadinessCheck, StatusView } from '../../../src/rpc/http/api-ports.ts'
import { until } from './until.ts'

const ENTRY = join(import.meta.dirname, '..', '..', '..', 'dist', 'node.js')
const CALL_DEADLINE_MS = 5_000

/** The built program under this very Node. */
export const HYPERMESH: readonly [string, string] = [process.execPath, ENTRY]

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const running = new Set<ChildProcess>()

/** Ends whatever was started here and still runs; for `afterAll`. */
export async function endAllNodes(): Promise<void> {
  const children = [...running]
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))))
}

export class NodeProcess {
  readonly name: string
  readonly folder: string
  /** Base URLs. */
  readonly api: string
  readonly ca: string
  /** Added to this process's own environment at the next start. */
  environment: Readonly<Record<string, string>> = {}
  readonly #command: readonly string[]
  readonly #args: readonly string[]
  readonly #logFolder: string
  #child: ChildProcess | null = null
  #ended: Promise<Ending> = Promise.resolve({ code: null, signal: null })
  #starts = 0

  constructor(of: {
    name: string
    folder: string
    api: string
    ca: string
    /** Further arguments of `start`. */
    args?: readonly string[]
    /** What to run in place of the built program's `start`; takes the same arguments. */
    command?: readonly string[]
    /** Where its output goes; the data directory unless something may happen to that. */
    logFolder?: string
  }) {
    this.name = of.name
    this.folder = of.folder
    this.api = of.api
    this.ca = of.ca
    this.#command = of.command ?? [...HYPERMESH, 'start']
    this.#args = of.args ?? []
    this.#logFolder = of.logFolder ?? of.folder
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== null
  }

  /** How the last run ended; pending while it goes on. */
  get ended(): Promise<Ending> {
    return this.#ended
  }

  get logFile(): string {
    return join(this.#logFolder, `run-${this.#starts}.log`)
  }

  /** What it wrote in its last run, both streams. */
  log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  start(): void {
    if (this.#child !== null) throw new Error(`${this.name} runs already`)
    this.#starts++
    const descriptor = openSync(this.logFile, 'a')
    const [binary = '', ...before] = this.#command
    const child = spawn(binary, [...before, '--data', this.folder, ...this.#args], {
      stdio: ['ignore', descriptor, descriptor, 'ipc'],
      env: { ...process.env, ...this.environment },
    })
    closeSync(descriptor)
    this.#child = child
    running.add(child)
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(child)
        this.#child = null
        resolve({ code, signal })
      })
    })
  }

  /** As a power cut would. Resolves when it is gone. */
  kill(): Promise<Ending> {
    this.#child?.kill('SIGKILL')
    return this.#ended
  }

  /** As a supervisor would. Resolves when it is gone. */
  terminate(): Promise<Ending> {
    this.#child?.kill('SIGTERM')
    return this.#ended
  }

  /** Stops it where it stands, or lets it go on: SIGSTOP and SIGCONT. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  status(): Promise<StatusView> {
    return this.#get<StatusView>('/v1/status')
  }

  block(reference: number | string): Promise<BlockView> {
    return this.#get<BlockView>(`/v1/blocks/${reference}`)
  }

  peers(): Promise<PeerView[]> {
    return this.#get<PeerView[]>('/v1/peers')
  }

  async height(): Promise<number> {
    return (await this.status()).final.height
  }

  /** `/readyz`: the HTTP status, and the checks. */
  async readiness(): Promise<{ status: number; checks: ReadinessCheck[] }> {
    const response = await fetch(`${this.api}/readyz?verbose`, {
      signal: AbortSignal.timeout(CALL_DEADLINE_MS),
    })
    const { checks } = (await response.json()) as { checks: ReadinessCheck[] }
    return { status: response.status, checks }
  }

  /** Waits until every check of `/readyz` holds. */
  async ready(deadlineMs = 60_000): Promise<void> {
    await until(
      async () => (await this.readiness()).status === 200,
      deadlineMs,
      () => `${this.name} is ready; it said last:\n${this.log().slice(-2_000)}`,
    )
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.api}${path}`, { signal: AbortSignal.timeout(CALL_DEADLINE_MS) })
    if (!response.ok)
      throw new Error(`${this.name} ${path}: HTTP ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
}

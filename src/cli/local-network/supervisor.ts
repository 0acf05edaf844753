/**
 * Runs the validators of a local network as child processes: starts them, says when one ends, stops them all by
 * pid. It restarts nothing: a validator that died is something a person wants to see. The IPC channel is the life
 * line by which the children notice when this process is gone (node.ts).
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'

/** After this, a validator that does not stop is ended by force; it survives that. */
const STOP_DEADLINE_MS = 15_000

/** One process of the network. */
export interface Member {
  readonly index: number
  readonly name: string
  readonly pid: number
  /** Where its log goes. */
  readonly logFile: string
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export function endingText({ code, signal }: Ending): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`
}

interface Running {
  readonly member: Member
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
}

/** The log of the run before stays beside the new one; older ones go. */
function openLog(folder: string): { file: string; descriptor: number } {
  const file = join(folder, 'node.log')
  if (existsSync(file)) renameSync(file, `${file}.1`)
  return { file, descriptor: openSync(file, 'a', 0o600) }
}

export class Supervisor {
  readonly #running = new Map<number, Running>()
  readonly #onEnd: (member: Member, ending: Ending) => void
  #isStopping = false

  /** @param onEnd called for a process that ends while nobody asked it to */
  constructor(onEnd: (member: Member, ending: Ending) => void) {
    this.#onEnd = onEnd
  }

  /** Processes that run. */
  get members(): readonly Member[] {
    return [...this.#running.values()].map(({ member }) => member)
  }

  /**
   * Starts one process with its output in `folder`/node.log.
   * @param command binary and arguments
   */
  start(index: number, folder: string, command: readonly [string, ...string[]]): void {
    const [binary, ...args] = command
    const { file, descriptor } = openLog(folder)
    // A group of its own: Ctrl+C reaches this process only, which then stops the others in order.
    const child = spawn(binary, args, { stdio: ['ignore', descriptor, descriptor, 'ipc'], detached: true })
    closeSync(descriptor)
    const ended = new Promise<Ending>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.once('error', () => resolve({ code: 127, signal: null }))
    })
    const member: Member = { index, name: `validator-${index}`, pid: child.pid ?? 0, logFile: file }
    this.#running.set(index, { member, child, ended })
    void ended.then((ending) => {
      this.#running.delete(index)
      if (!this.#isStopping) this.#onEnd(member, ending)
    })
  }

  /** Asks all to stop, waits, and ends by force whoever has not stopped by the deadline. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const all = [...this.#running.values()]
    for (const { child } of all) child.kill('SIGTERM')
    const deadline = setTimeout(() => this.kill(), STOP_DEADLINE_MS)
    await Promise.all(all.map(({ ended }) => ended))
    clearTimeout(deadline)
  }

  /** Ends all at once, as a power cut would. */
  kill(): void {
    this.#isStopping = true
    for (const { child } of this.#running.values()) child.kill('SIGKILL')
  }
}

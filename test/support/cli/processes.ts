/** Real processes for tests: started, read, waited for by what they say, and never left behind. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

export interface Spawned {
  readonly child: ChildProcess
  /** Everything it wrote so far, both streams. */
  output(): string
  /** Resolves when its output matches; rejects when it ends before that. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<{
    code: number | null
    signal: NodeJS.Signals | null
    stdout: string
    stderr: string
  }>
}

const started = new Set<ChildProcess>()

/** Ends whatever still runs; for `afterEach`. */
export function endAll(): void {
  for (const child of started) child.kill('SIGKILL')
}

export function run(
  command: readonly string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Spawned {
  const [binary = '', ...args] = command
  const child = spawn(binary, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  started.add(child)
  let stdout = ''
  let stderr = ''
  let isOver = false
  const listeners = new Set<() => void>()
  const wake = (): void => {
    for (const listener of listeners) listener()
  }
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    wake()
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
    wake()
  })
  const ended = new Promise<Awaited<Spawned['ended']>>((resolve) => {
    child.once('close', (code, signal) => {
      started.delete(child)
      isOver = true
      wake()
      resolve({ code, signal, stdout, stderr })
    })
  })
  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(stdout + stderr)
        if (match !== null) resolve(match)
        else if (isOver) reject(new Error(`ended without ${pattern}: ${stdout}${stderr}`))
        else return
        listeners.delete(look)
      }
      listeners.add(look)
      look()
    })
  return { child, output: () => stdout + stderr, says, ended }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie still has an entry; what is asked is whether anything runs.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

#!/usr/bin/env node
/**
 * The entry (dist/node.js): hands the command line to cli/ on a Node that is new enough, and when started by
 * an older one runs itself again with the Node that package.json pins. Until the version is known to be good
 * it imports nothing but what every Node has, and uses no syntax newer than Node 20.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import nodeModule, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** ML-DSA and ML-KEM came to node:crypto with 24.7 (OpenSSL 3.5). */
const NODE_MIN = [24, 7] as const

/** EX_CONFIG of sysexits.h: an operator must change something, so a supervisor should not try again. */
const EXIT_CONFIGURATION = 78

/** What a terminal, a supervisor or a person sends to a process and expects to reach the node. */
const SIGNALS_FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

/** The Node that the lock file brought, if it is there for this platform and is new enough itself. */
function findPinnedNode(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `node-${process.platform}-${process.arch}/package.json`,
    )
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
    const binary = join(dirname(manifest), 'bin', 'node')
    return isNewEnough(version) && existsSync(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

function refuseToRun(why: string): never {
  process.stderr.write(
    `E_NODE_TOO_OLD: ${why}; run "npm ci --ignore-scripts" in the package's folder (it brings Node 24) ` +
      `or start this with Node ${NODE_MIN.join('.')} or newer\n`,
  )
  process.exit(EXIT_CONFIGURATION)
}

/** Ends this process the way the child ended: with its exit code, or killed by the same signal. */
function endLike(code: number | null, signal: NodeJS.Signals | null): void {
  if (signal === null) process.exit(code ?? 1)
  for (const forwarded of SIGNALS_FORWARDED) process.removeAllListeners(forwarded)
  process.kill(process.pid, signal)
  // A signal whose default is not to end a process would leave us here: say the same with a shell's number.
  setTimeout(() => process.exit(128 + constants.signals[signal]), 1_000)
}

/**
 * Runs this file again with `binary` and stays as its stand-in: the terminal is inherited, signals are passed
 * on, the exit is copied. The IPC channel carries nothing; it is the life line of {@link dieWithParent}.
 */
function runAgainWith(binary: string): void {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child: ChildProcess = spawn(binary, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of SIGNALS_FORWARDED) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => refuseToRun(`the pinned Node does not run here (${error.message})`))
  child.once('exit', endLike)
}

/**
 * Whoever starts us with an IPC channel (the stand-in above, `devnet`) holds our life line: when that process
 * is gone without a word, we go the same way. Without it, kill -9 of the process a person started would leave
 * the real node running, and a killed devnet its validators.
 */
function dieWithParent(): void {
  if (process.channel === undefined || process.channel === null) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel.unref()
}

/**
 * Lets Node keep what it compiled, so that the next process reads it instead: some 1,500 files are a tenth of what a start costs.
 * Beside the packages, where nobody but who installs may write: what lies in a common folder for temporary files
 * another user could have put there, and we would run it. Where we may not write either, nothing is kept.
 */
function keepCompiledCode(): void {
  const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)))
  nodeModule.enableCompileCache(join(packageFolder, 'node_modules', '.cache', 'hypermesh-node'))
}

if (isNewEnough(process.versions.node)) {
  dieWithParent()
  // Compiled code is bound to V8's flags: every command loads it under the same.
  const { letHeapGrow } = await import('./cli/heap.ts')
  letHeapGrow()
  keepCompiledCode()
  const { main } = await import('./cli/main.ts')
  await main(process.argv.slice(2))
} else {
  const pinned = findPinnedNode()
  if (pinned === undefined) refuseToRun(`this is Node ${process.versions.node}`)
  runAgainWith(pinned)
}

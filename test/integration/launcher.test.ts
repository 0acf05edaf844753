/**
 * The entry with real processes: started by the system's older Node it stands in for the pinned one. Runs the
 * real src/node.ts with a command line of the test's own behind it.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

/** Node of the machine, if it is one the launcher must step in for. */
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  if (!existsSync(path)) return false
  const [major = 0, minor = 0] = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .split('.')
    .map(Number)
  return major >= 20 && (major < 24 || (major === 24 && minor < 7))
})

/** The command line behind the launcher: says who it is, then does what its first argument asks. */
const FIXTURE = `
import { readFileSync } from 'node:fs'
export async function main(args) {
  const say = (line) => process.stdout.write(line + '\\n')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    if (args[0] === 'wait') process.on(signal, () => { say('got ' + signal); process.exit(7) })
  }
  say(JSON.stringify({ pid: process.pid, version: process.versions.node, args, execArgv: process.execArgv }))
  if (args[0] === 'exit') process.exit(Number(args[1]))
  if (args[0] === 'die') process.kill(process.pid, args[1])
  if (args[0] === 'echo') say('stdin ' + readFileSync(0, 'utf8'))
  if (args[0] !== 'end' && args[0] !== 'echo') setInterval(() => {}, 1000)
}
`

interface Started {
  readonly child: ChildProcess
  readonly hello: Promise<{ pid: number; version: string; args: string[]; execArgv: string[] }>
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>
}

function start(folder: string, binary: string, args: string[], input = '', nodeArgs: string[] = []): Started {
  const child = spawn(binary, [...nodeArgs, join(folder, 'node.js'), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdin?.end(input)
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const hello = Promise.withResolvers<Awaited<Started['hello']>>()
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
    if (stdout.includes('\n')) hello.resolve(JSON.parse(stdout.slice(0, stdout.indexOf('\n'))))
  })
  const ended = new Promise<Awaited<Started['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, hello: hello.promise, ended }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A zombie still has an entry; what we ask is whether anything runs.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

let withPinned = ''
let withoutPinned = ''

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hypermesh-launcher-'))
  const compiled = (...path: string[]): string =>
    stripTypeScriptTypes(readFileSync(join(root, 'src', ...path), 'utf8')).replaceAll(
      /'(\.\/cli\/\w+)\.ts'/g,
      "'$1.js'",
    )
  writeFileSync(join(folder, 'node.js'), compiled('node.ts'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(folder, 'cli'))
  writeFileSync(join(folder, 'cli', 'heap.js'), compiled('cli', 'heap.ts'))
  writeFileSync(join(folder, 'cli', 'main.js'), FIXTURE)
  return folder
}

beforeAll(() => {
  withPinned = makeFolder()
  mkdirSync(join(withPinned, 'node_modules'))
  const name = `node-${process.platform}-${process.arch}`
  symlinkSync(join(root, 'node_modules', name), join(withPinned, 'node_modules', name))
  withoutPinned = makeFolder()
})

afterAll(() => {
  for (const folder of [withPinned, withoutPinned]) rmSync(folder, { recursive: true, force: true })
})

it('goes straight on when the Node that started it is new enough', async () => {
  const { child, hello, ended } = start(withoutPinned, process.execPath, ['end', '--x', 'a b'])
  expect(await hello).toMatchObject({ pid: child.pid, args: ['end', '--x', 'a b'] })
  expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' })
})

describe.runIf(oldNode !== undefined)('started by an older Node', () => {
  const old = oldNode ?? ''

  it('runs itself with the pinned Node, arguments and standard input included', async () => {
    const { child, hello, ended } = start(withPinned, old, ['echo', '--flag=1', 'two words'], 'hello', [
      '--stack-size=900',
    ])
    const said = await hello
    expect(said.version).toBe(process.versions.node)
    expect(said.pid).not.toBe(child.pid)
    expect(said.args).toEqual(['echo', '--flag=1', 'two words'])
    expect(said.execArgv).toEqual(['--stack-size=900'])
    expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('stdin hello'), stderr: '' })
  })

  it.each([0, 1, 64, 78, 143])('passes on exit code %i', async (code) => {
    expect(await start(withPinned, old, ['exit', String(code)]).ended).toMatchObject({ code, signal: null })
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    'passes on %s and what came of it',
    async (signal) => {
      const { child, hello, ended } = start(withPinned, old, ['wait'])
      const { pid } = await hello
      child.kill(signal)
      expect(await ended).toMatchObject({ code: 7, stdout: expect.stringContaining(`got ${signal}`) })
      expect(isAlive(pid)).toBe(false)
    },
  )

  it.each(['SIGKILL', 'SIGTERM', 'SIGABRT'] as const)('ends by %s when the node did', async (signal) => {
    expect(await start(withPinned, old, ['die', signal]).ended).toMatchObject({ code: null, signal })
  })

  it('takes the node with it when it is killed with -9', async () => {
    const { child, hello, ended } = start(withPinned, old, ['sleep'])
    const { pid } = await hello
    expect(isAlive(pid)).toBe(true)
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL' })
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 })
  })

  it('says in one line what to do when there is no newer Node', async () => {
    const { code, stdout, stderr } = await start(withoutPinned, old, ['end']).ended
    expect(code).toBe(78)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^E_NODE_TOO_OLD: this is Node \d+\.\d+\.\d+; run "npm ci --ignore-scripts".*\n$/)
  })

  it('does not run a pinned Node that is too old itself', async () => {
    const folder = makeFolder()
    try {
      const pinned = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`)
      mkdirSync(join(pinned, 'bin'), { recursive: true })
      writeFileSync(join(pinned, 'package.json'), '{ "version": "22.0.0" }')
      symlinkSync(old, join(pinned, 'bin', 'node'))
      expect((await start(folder, old, ['end']).ended).code).toBe(78)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('says so when the pinned Node cannot be executed', async () => {
    const folder = makeFolder()
    try {
      const pinned = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`)
      mkdirSync(join(pinned, 'bin'), { recursive: true })
      writeFileSync(join(pinned, 'package.json'), '{ "version": "24.21.0" }')
      writeFileSync(join(pinned, 'bin', 'node'), 'not a program', { mode: 0o644 })
      const { code, stderr } = await start(folder, old, ['end']).ended
      expect(code).toBe(78)
      expect(stderr).toContain('does not run here')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** The runner of a local network, with real processes in the place of validators. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { validatorsNeeded } from '../../../src/cli/local-network/run-network.ts'
import { endAll, freePort, isAlive, run, type Spawned } from '../../support/cli/processes.ts'

const support = join(import.meta.dirname, '..', '..', 'support', 'cli')
const WAIT = { timeout: 15_000, interval: 20 }
let folder = ''
let folders: string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-network-'))
  folders = [0, 1, 2].map((i) => join(folder, `validator-${i}`))
  for (const path of folders) mkdirSync(path)
})

afterEach(() => {
  endAll()
  rmSync(folder, { recursive: true, force: true })
})

interface StartOptions {
  readonly untilHeight?: number
  readonly everyMs?: number
  readonly isNew?: boolean
  readonly commands?: [string, ...string[]][]
}

async function start(options: StartOptions = {}): Promise<Spawned> {
  const ports: { p2p: number; api: number; metrics: number; ca: number }[] = []
  for (const _ of folders) ports.push({ p2p: 0, api: await freePort(), metrics: 0, ca: 0 })
  const { everyMs = 50, ...rest } = options
  const node = join(support, 'fake-node.mjs')
  const commands = folders.map((path, i) => [
    process.execPath,
    node,
    path,
    String(ports[i]?.api),
    String(everyMs),
  ])
  const plan = { folders, ports, commands, isNew: true, ...rest }
  return run([process.execPath, join(support, 'run-network-driver.ts'), JSON.stringify(plan)])
}

/** Until every fake node runs and listens to signals: one that answers, and one whose chain has moved, does. */
async function allRun(network: Spawned): Promise<void> {
  await network.says(/block 1 is final/)
  await vi.waitFor(
    () => expect(folders.filter((path) => existsSync(join(path, 'height')))).toHaveLength(3),
    WAIT,
  )
}

/** Process ids of the fake nodes, by asking the kernel for children of the runner. */
function childrenOf({ child }: Spawned): number[] {
  return readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
}

describe('a local network', () => {
  it('runs to a height, says when its first block is final, and ends with 0', async () => {
    const { ended } = await start({ untilHeight: 5 })
    const { code, stdout } = await ended
    expect(code).toBe(0)
    expect(stdout).toMatch(/^block 1 is final \(\d+\.\d s after the start\)$/m)
    expect(stdout).toMatch(/^height \d+ is final everywhere: stopping$/m)
    for (const path of folders) {
      expect(readFileSync(join(path, 'node.log'), 'utf8')).toBe('stopped in order\n')
      expect(Number(readFileSync(join(path, 'height'), 'utf8'))).toBeGreaterThanOrEqual(5)
    }
  })

  it('goes on from the chain it had, and keeps the log of the run before', async () => {
    for (const path of folders) writeFileSync(join(path, 'height'), '41')
    writeFileSync(join(folders[0] ?? '', 'node.log'), 'old\n')
    const { ended } = await start({ untilHeight: 60, everyMs: 100, isNew: false })
    const { code, stdout } = await ended
    expect(code).toBe(0)
    const height = Number(/^going on from height (\d+)$/m.exec(stdout)?.[1])
    expect(height).toBeGreaterThanOrEqual(41)
    expect(stdout).toContain(`block ${height + 1} is final`)
    expect(readFileSync(join(folders[0] ?? '', 'node.log.1'), 'utf8')).toBe('old\n')
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops every process in order on %s', async (signal) => {
    const network = await start()
    await allRun(network)
    const pids = childrenOf(network)
    expect(pids).toHaveLength(3)
    network.child.kill(signal)
    expect(await network.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('stopping the validators'),
    })
    expect(pids.filter(isAlive)).toEqual([])
    for (const path of folders)
      expect(readFileSync(join(path, 'node.log'), 'utf8')).toBe('stopped in order\n')
  })

  it('takes repeats of one press for one, and a second press at its word', async () => {
    const program = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('deaf')"
    const deaf: [string, ...string[]] = [process.execPath, '-e', program]
    const network = await start({ commands: [deaf, deaf, deaf] })
    const logs = (): string[] => folders.map((path) => readFileSync(join(path, 'node.log'), 'utf8'))
    await vi.waitFor(() => expect(logs()).toEqual(['deaf\n', 'deaf\n', 'deaf\n']), WAIT)
    const pids = childrenOf(network)
    network.child.kill('SIGINT')
    await network.says(/stopping the validators/)
    network.child.kill('SIGINT')
    expect(network.child.exitCode).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 350))
    network.child.kill('SIGINT')
    expect(await network.ended).toMatchObject({ code: 130 })
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT)
  })

  it('says who died and does not start it again', async () => {
    const network = await start()
    await allRun(network)
    const [victim = 0] = childrenOf(network)
    process.kill(victim, 'SIGKILL')
    const [line] = await network.says(/^validator-\d \(pid \d+\) ended.*$/m)
    expect(line).toContain(
      `(pid ${victim}) ended: killed by SIGKILL; 2 of 3 run, blocks need 3. To start it again: `,
    )
    expect(childrenOf(network)).toHaveLength(2)
    network.child.kill('SIGTERM')
    expect(await network.ended).toMatchObject({ code: 0 })
  })

  it('shows the error of a process that could not start, and ends when none is left', async () => {
    const broken: [string, ...string[]] = [
      process.execPath,
      '-e',
      "console.error('noise\\nE_KEY_MISSING: no key\\n  why: lost'); process.exit(77)",
    ]
    const { code, stdout, stderr } = await (await start({ commands: [broken, broken, broken] })).ended
    expect(code).toBe(1)
    expect(stdout).toMatch(/ended: exit code 77; .*\n {2}E_KEY_MISSING: no key\n {4}why: lost\n/)
    expect(stderr).toContain('no validator runs any more')
  })

  it('takes its processes with it when it is killed with -9', async () => {
    const network = await start()
    await allRun(network)
    const pids = childrenOf(network)
    network.child.kill('SIGKILL')
    await network.ended
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT)
  })
})

it.each([
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 3],
  [7, 5],
  [10, 7],
])('of %i equal validators %i are a quorum', (count, quorum) => expect(validatorsNeeded(count)).toBe(quorum))

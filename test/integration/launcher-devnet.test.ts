/**
 * The main job as a person runs it: the built entry, started by the system's older Node where there is one, runs
 * four validators as processes of their own, goes on from the chain it had, and leaves nobody behind.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { nodePorts, takenPorts } from '../../src/cli/local-network/node-ports.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { type RunInfo, readRunInfo } from '../../src/config/run-file.ts'
import { endAll, isAlive, run, type Spawned } from '../support/cli/processes.ts'

const root = join(import.meta.dirname, '..', '..')
const entry = join(root, 'dist', 'node.js')
const node = ['/usr/bin/node', '/usr/local/bin/node'].find(existsSync) ?? process.execPath

let home = ''
let basePort = 0
let caPort = 0

/** A base with four nodes' ports free; below the range from which the system takes its own. */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = 10_100 + 100 * Math.floor(Math.random() * 200)
    const all = [0, 1, 2, 3].map((i) => nodePorts(base, i, base + 50, base + 60))
    if ((await takenPorts(all)).length === 0) return base
  }
}

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'ensure.mjs')], { stdio: 'ignore' })
})

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'hypermesh-devnet-'))
  basePort = await freeBase()
  caPort = basePort + 50
})

afterEach(() => {
  endAll()
  rmSync(home, { recursive: true, force: true, maxRetries: 10 })
})

function hypermesh(...args: string[]): Spawned {
  return run([node, entry, ...args], { env: { XDG_DATA_HOME: home, NO_COLOR: '1' } })
}

/** So that a test's networks keep off the ports of a person's. */
const ownPorts = (base: number): string[] => [
  ...['--base-port', String(base)],
  ...['--ca-port', String(base + 50), '--stoq-port', String(base + 60)],
]

const devnet = (...args: string[]): Spawned => hypermesh('devnet', ...ownPorts(basePort), ...args)

const validator = (index: number): string => join(home, 'hypermesh', 'dev', `validator-${index}`)

/** What all four say of themselves; a block is final when three are up, the fourth may take a moment more. */
function running(): Promise<RunInfo[]> {
  const look = (): RunInfo[] =>
    [0, 1, 2, 3].map((i) => {
      const info = readRunInfo(dataDirectoryAt(validator(i)))
      if (info === undefined) throw new Error(`validator ${i} does not run`)
      return info
    })
  return vi.waitFor(look, { timeout: 30_000, interval: 50 })
}

describe('devnet', () => {
  it('makes a chain, goes on with it, survives the loss of a validator, and stops in order', {
    timeout: 120_000,
  }, async () => {
    const first = await devnet('--until-height', '2').ended
    expect(first.stderr).toBe('')
    expect(first).toMatchObject({ code: 0, signal: null })
    expect(first.stdout).toMatch(/^block 1 is final \(\d+\.\d s after the start\)$/m)
    expect(first.stdout).toContain(`https://[::1]:${caPort}`)

    const second = devnet()
    const height = Number((await second.says(/^going on from height (\d+)$/m))[1])
    expect(height).toBeGreaterThanOrEqual(2)
    await second.says(new RegExp(`^block ${height + 1} is final`, 'm'))

    // Found without being told where: the devnet in its default place.
    const status = await hypermesh('status', '--json').ended
    expect(JSON.parse(status.stdout)).toMatchObject({ network: 'dev', validators: 4 })

    const twice = await hypermesh('start', '--data', validator(1)).ended
    expect(twice).toMatchObject({ code: 73, stderr: expect.stringContaining('E_DATA_DIR_IN_USE') })

    const infos = await running()
    const { config } = dataDirectoryAt(validator(0))
    const before = readFileSync(config, 'utf8')
    const elsewhere = await hypermesh('devnet', ...ownPorts(await freeBase())).ended
    expect(elsewhere).toMatchObject({
      code: 73,
      stderr: expect.stringMatching(/^E_DEVNET_RUNNING: 4 of the 4 validators run already: .*validator-0/),
    })
    expect(elsewhere.stderr).toContain(`stop them first (kill ${infos.map((info) => info?.pid).join(' ')})`)
    expect(readFileSync(config, 'utf8')).toBe(before)

    process.kill(infos[3]?.pid ?? 0, 'SIGKILL')
    await second.says(/^validator-3 \(pid \d+\) ended: killed by SIGKILL; 3 of 4 run, blocks need 3\./m)
    const made = await hypermesh('request', 'certificate').ended
    const judged = await run([node, entry, 'validate', '-', '--to', `https://[::1]:${caPort}`], {
      input: made.stdout,
    }).ended
    expect(judged.stdout).toMatch(/^Valid\n/)
    expect(judged.code).toBe(0)

    second.child.kill('SIGINT')
    expect(await second.ended).toMatchObject({ code: 0, signal: null })
    expect(infos.filter(({ pid }) => isAlive(pid))).toEqual([])
    // A clean stop takes its run.json along; the one that was killed could not.
    expect([0, 1, 2].filter((i) => existsSync(dataDirectoryAt(validator(i)).run))).toEqual([])
  })

  it('takes its validators with it when it is killed with -9', { timeout: 120_000 }, async () => {
    const network = devnet()
    await network.says(/^block 1 is final/m)
    const infos = await running()
    network.child.kill('SIGKILL')
    await network.ended
    await vi.waitFor(() => expect(infos.filter(({ pid }) => isAlive(pid))).toEqual([]), {
      timeout: 15_000,
      interval: 50,
    })
  })

  it('leaves no keys behind when it is stopped while it makes a network', async () => {
    const making = hypermesh('testnet', 'init', '--validators', '60', '--out', join(home, 'net'))
    await vi.waitFor(() => expect(readdirSync(home)).toHaveLength(1), { timeout: 30_000, interval: 10 })
    making.child.kill('SIGTERM')
    expect(await making.ended).toMatchObject({ code: 143, signal: null })
    expect(readdirSync(home)).toEqual([])
  })

  it('says which ports are taken and how to choose others', async () => {
    const other = run([
      process.execPath,
      '-e',
      `require('net').createServer().listen(${basePort + 11}, '127.0.0.1', () => console.log('up'))`,
    ])
    await other.says(/up/)
    const { code, stderr } = await devnet().ended
    expect(code).toBe(69)
    expect(stderr).toMatch(
      new RegExp(`^E_PORT_IN_USE: in use: tcp ${basePort + 11}\\n {2}why: .*\\n {2}fix: .*--base-port`),
    )
    expect(existsSync(validator(0))).toBe(false)
  })
})

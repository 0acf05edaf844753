/**
 * README.md is true: every shell block of it runs here, in order, in two terminals as the text says, against the
 * network that it starts; and what it says comes out does come out. Only its default ports cannot be moved.
 */

import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { nodePorts, takenPorts } from '../../src/cli/local-network/node-ports.ts'
import { isAlive } from '../support/cli/processes.ts'
import { firstUnmet, type ShellBlock, type Step, shellBlocks } from '../support/docs/shell-blocks.ts'
import { Terminal } from '../support/docs/terminal.ts'

const root = join(import.meta.dirname, '..', '..')
const blocks = shellBlocks(readFileSync(join(root, 'README.md'), 'utf8'))
/** Of one step, for a hang. Installing and compiling may be part of the first. */
const STEP_DEADLINE_MS = 60_000

const home = mkdtempSync(join(tmpdir(), 'hypermesh-tour-'))
const terminals: Terminal[] = []
let isFailed = false

/** The ports that the text names: the devnet's, those of the second network, and a node's defaults. */
function portsOfTheText() {
  return [
    ...[0, 1, 2, 3].map((i) => nodePorts(9_600, i, 8_080, 9_292)),
    ...[0, 1, 2, 3].map((i) => nodePorts(9_700, i)),
    { p2p: 4_001, api: 9_441, metrics: 9_442, ca: 8_090, stoq: 9_290 },
  ]
}

/** As in a new shell: none of what npm or the test runner put there, and the system's Node where there is one. */
function environment(): Record<string, string> {
  const systemNode = ['/usr/bin/node', '/usr/local/bin/node'].find(existsSync) ?? process.execPath
  const paths = (process.env['PATH'] ?? '').split(delimiter).filter((path) => !path.includes('node_modules'))
  return {
    HOME: process.env['HOME'] ?? home,
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    PATH: [dirname(systemNode), ...paths].join(delimiter),
    TMPDIR: home,
    XDG_DATA_HOME: home,
  }
}

function terminal(): Terminal {
  const opened = new Terminal(root, environment())
  terminals.push(opened)
  return opened
}

/** Pids of the nodes that the tour started; those that ended are among them. */
const started = new Set<number>()

/** Looks for more of them, by the files that they write. */
function lookForNodes(): void {
  for (const file of globSync('**/run.json', { cwd: home })) {
    try {
      started.add((JSON.parse(readFileSync(join(home, file), 'utf8')) as { pid: number }).pid)
    } catch {
      // Taken away by its node, which has stopped, since the folder was read.
    }
  }
}

const stillRunning = (): number[] => [...started].filter(isAlive)

async function runStep(shell: Terminal, { commands, expected }: Step): Promise<void> {
  const { output, exitCode } = await shell.run(commands, STEP_DEADLINE_MS)
  lookForNodes()
  expect(firstUnmet(expected, output), `${commands}\n${output}`).toBeUndefined()
  if (expected.length === 0) expect(exitCode, `${commands}\n${output}`).toBe(0)
}

async function runBlock(block: ShellBlock): Promise<void> {
  const [first, second] = terminals
  if (!block.isFirstTerminal) {
    for (const step of block.steps) await runStep(second ?? terminal(), step)
    return
  }
  for (const { commands, expected } of block.steps) {
    const holds = (output: string): boolean => firstUnmet(expected, output) === undefined
    await (first ?? terminal()).runOn(commands, holds, STEP_DEADLINE_MS)
  }
}

describe('the tour of README.md', () => {
  beforeAll(async () => {
    const taken = await takenPorts(portsOfTheText())
    expect(taken, 'the tour uses the default ports; these are in use, stop what has them').toEqual([])
    terminal()
    terminal()
  })

  afterAll(async () => {
    lookForNodes()
    await Promise.all(terminals.map((opened) => opened.end()))
    // The devnet's validators notice by themselves that it is gone.
    await vi.waitFor(() => expect(stillRunning()).toEqual([]), { timeout: 15_000, interval: 50 })
    rmSync(home, { recursive: true, force: true, maxRetries: 10 })
  })

  it('begins with the network in the first terminal, and has much to show', () => {
    expect(blocks.map(({ isFirstTerminal }) => isFirstTerminal).indexOf(true)).toBe(0)
    expect(blocks.length).toBeGreaterThan(10)
    expect(
      blocks.flatMap(({ steps }) => steps).filter(({ expected }) => expected.length > 0).length,
    ).toBeGreaterThan(20)
  })

  it.each(blocks.map((block) => ({ name: `${block.heading}, line ${block.line}`, block })))(
    '$name',
    { timeout: 2 * STEP_DEADLINE_MS },
    async ({ block }) => {
      expect(isFailed, 'a block before this one failed').toBe(false)
      isFailed = true
      await runBlock(block)
      isFailed = false
    },
  )

  it('leaves nothing running after its last line and Ctrl+C', { timeout: 30_000 }, async () => {
    // Four of the first network, two of them twice, one that joined, four of the second network.
    expect(started.size).toBe(11)
    terminals[0]?.interrupt()
    await vi.waitFor(() => expect(stillRunning()).toEqual([]), { timeout: 20_000, interval: 50 })
  })
})

/** The developers' commands say how they are used, and what they were given that they do not take. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const COMMANDS = [
  'scripts/bench.ts',
  'scripts/chaos.ts',
  'scripts/torture.ts',
  'scripts/foreign.ts',
  'test/simulation/command.ts',
]

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, command), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe.each(COMMANDS)('%s', (command) => {
  it('prints its usage when it is asked for', () => {
    const { status, stdout, stderr } = run(command, '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^npm run [a-z:]+ -- /)
  })

  it('ends with 64, the reason and its usage for what it does not take', () => {
    const { stdout: usage } = run(command, '--help')
    const { status, stdout, stderr } = run(command, '--no-such-option')
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' })
    expect(stderr).toBe(`Unknown option '--no-such-option'\n\n${usage}`)
  })
})

it.each([
  ['scripts/bench.ts', '--only', 'nothing', 'there is no part nothing'],
  ['scripts/bench.ts', '--only', 'toString', 'there is no part toString'],
  ['scripts/torture.ts', '--rounds', 'many', '--rounds: expected a whole number, not "many"'],
  ['scripts/torture.ts', '--rounds', '', '--rounds: expected a whole number, not ""'],
  ['scripts/chaos.ts', '--seed', '1.5', '--seed: expected a whole number, not "1.5"'],
  ['scripts/foreign.ts', '--idle-seconds', '1e99', '--idle-seconds: expected a whole number, not "1e99"'],
  ['test/simulation/command.ts', '--seeds', '0x', '--seeds: expected a whole number, not "0x"'],
  ['test/simulation/command.ts', '--mutant', 'none', 'there is no mutant none'],
])('%s %s "%s" ends with 64: %s', (command, option, value, why) => {
  const { status, stdout, stderr } = run(command, option, value)
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' })
  expect(stderr.split('\n')[0]).toBe(why)
})

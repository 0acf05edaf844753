/** The developers' commands say how they are used, and what they were given that they do not take. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const COMMANDS = [
  ['scripts/bench.ts', 'bench'],
  ['scripts/chaos.ts', 'chaos'],
  ['scripts/torture.ts', 'torture'],
  ['scripts/foreign.ts', 'test:foreign'],
  ['test/simulation/command.ts', 'sim'],
] as const

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, command), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe.each(COMMANDS)('%s', (command, name) => {
  it('prints its usage when it is asked for', () => {
    const { status, stdout, stderr } = run(command, '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain(`Usage: npm run ${name} -- [options]\n`)
  })

  it('ends with 64, the reason and its usage for what it does not take', () => {
    const { stdout: usage } = run(command, '--help')
    const { status, stdout, stderr } = run(command, '--no-such-option')
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' })
    expect(stderr).toBe(`error: unknown option '--no-such-option'\n\n${usage}`)
    expect(run(command, 'word').status).toBe(64)
  })
})

it.each([
  ['scripts/bench.ts', '--only', 'nothing', 'Allowed choices are backToBack, '],
  ['scripts/bench.ts', '--only', 'toString', 'Allowed choices are backToBack, '],
  ['scripts/torture.ts', '--rounds', 'many', 'Expected a whole number from 0 '],
  ['scripts/torture.ts', '--rounds', '', 'Expected a whole number from 0 '],
  ['scripts/chaos.ts', '--seed', '1.5', 'Expected a whole number from 0 '],
  ['scripts/foreign.ts', '--idle-seconds', '1e99', 'Expected a whole number from 0 '],
  ['test/simulation/command.ts', '--seeds', '-3', 'Expected a whole number from 0 '],
  ['test/simulation/command.ts', '--mutant', 'none', 'There is no such mutant.'],
])('%s %s "%s" ends with 64: %s', (command, option, value, why) => {
  const { status, stdout, stderr } = run(command, option, value)
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' })
  expect(stderr.split('\n')[0]).toContain(`argument '${value}' is invalid. ${why}`)
})

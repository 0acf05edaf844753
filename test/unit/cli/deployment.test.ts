/** What we ship for operators says what the code does: exit codes in the service unit, commands in both files. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { buildProgram } from '../../../src/cli/program.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')

/** Whether `start` takes all of these options. */
async function startTakes(args: readonly string[]): Promise<void> {
  const program = await buildProgram('start')
  const [start] = program.commands
  const known = start?.options.map(({ long }) => long)
  for (const arg of args.filter((word) => word.startsWith('--'))) expect(known).toContain(arg)
}

describe('the systemd unit', () => {
  const unit = read('configs/hypermesh.service')

  it('does not restart on what only a person can mend', () => {
    const listed = /^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(' ').map(Number)
    const { usage, data, dataDirectory, key, configuration } = EXIT
    expect(listed).toEqual([usage, data, dataDirectory, key, configuration])
  })

  it('starts the node with options that exist', async () => {
    const [, script, command, ...args] = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? []
    expect(script?.endsWith('/dist/node.js')).toBe(true)
    expect(command).toBe('start')
    await startTakes(args)
  })
})

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')

  it('copies what is there', () => {
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(' ').slice(1, -1))
    expect(sources.length).toBeGreaterThan(5)
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('gives the build everything that the build reads', () => {
    const script = read('scripts/ensure.mjs')
    const inputs = /const inputs = \[([^\]]*)\]/.exec(script)?.[1]?.match(/[\w.-]+\.json/g) ?? []
    expect(inputs.length).toBeGreaterThan(2)
    const copied = lines.filter((line) => line.startsWith('COPY ')).join(' ')
    for (const name of inputs) expect(copied).toContain(name)
  })

  it('runs the node as somebody else than root, with options that exist', async () => {
    expect(lines.filter((line) => line.startsWith('USER ')).at(-1)).toBe('USER 1000:1000')
    const command = JSON.parse(lines.find((line) => line.startsWith('CMD '))?.slice(4) ?? '[]') as string[]
    expect(command.slice(0, 3)).toEqual(['node', 'dist/node.js', 'start'])
    await startTakes(command)
  })
})

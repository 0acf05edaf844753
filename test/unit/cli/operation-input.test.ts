/** Operations as a person writes them: what is refused before anything is signed, and where their fields are told. */
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { registerOperationCommand } from '../../../src/cli/operation.ts'
import { readOperation } from '../../../src/cli/operations-client.ts'
import { OPERATION_KINDS } from '../../../src/codec/operation-json.ts'

describe('an operation that is proposed or certified', () => {
  it.each(['checkout', 'resource/checkout', 'service/a/b'])('has a key of its kind, not %s', async (key) => {
    const operation = { kind: 'service-deployment', key, value: 'v2', version: 1 }
    await expect(readOperation({}, JSON.stringify(operation))).rejects.toMatchObject({
      code: 'E_OPERATION',
      advice: { why: `"${key}" is no key of service-deployment`, fix: expect.stringContaining('prefix') },
    })
    const right = { ...operation, key: 'service/checkout' }
    expect(await readOperation({}, JSON.stringify(right))).toEqual(right)
  })

  it('has its fields in the help', () => {
    const program = new Command()
    registerOperationCommand(program)
    const propose = program.commands[0]?.commands.find((command) => command.name() === 'propose')
    let help = ''
    propose?.configureOutput({
      writeOut: (text) => {
        help += text
      },
    })
    propose?.outputHelp()
    for (const kind of OPERATION_KINDS) expect(help).toContain(`\n  ${kind} `)
    expect(help).toMatch(/\n {2}service-deployment +key, value, version\n/)
    expect(help).toMatch(/\n {2}trust-score-modification +account, ppm, overturned\n/)
  })
})

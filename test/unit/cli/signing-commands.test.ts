/** What signs refuses what cannot be meant, before it signs: over a real data directory and an API of canned answers. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createNetwork } from '../../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../../src/cli/local-network/node-ports.ts'
import { readPublicKeys } from '../../../src/cli/node-keys.ts'
import { registerOperationCommand } from '../../../src/cli/operation.ts'
import { sayVote } from '../../../src/cli/operation-vote.ts'
import { registerOperatorCommand } from '../../../src/cli/operator.ts'
import { takeOperatorKey } from '../../../src/cli/operators/operator-client.ts'
import { registerStakeCommand } from '../../../src/cli/stake.ts'
import { genesisHash } from '../../../src/codec/genesis.ts'
import { toHex } from '../../../src/codec/hex.ts'
import { dataDirectoryAt } from '../../../src/config/data-directory.ts'
import { readGenesisFile } from '../../../src/config/read-genesis-file.ts'
import { wholePolicy } from '../../../src/ledger/validation-policy.ts'
import type { GenesisHash, RequestKey } from '../../../src/types/primitives.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const API = 'http://127.0.0.1:1'
const ID = '00'.repeat(32) as RequestKey
const REFUSED = new Error('connection refused')

let data: string
/** Bodies by route; what is not here is 404; null: nobody answers at all. */
let answers: Record<string, unknown> | null
let sent: string[]

beforeEach(async () => {
  const folder = join(temporaryDirectory(), 'net')
  const plan = {
    folder,
    nodeName: (i: number) => `node-${i}`,
    network: 'testnet',
    ports: [nodePorts(20_000, 0)],
  }
  data = (await createNetwork(plan))[0] ?? ''
  answers = {}
  sent = []
  vi.stubGlobal('fetch', async (url: string, init: { readonly method?: string }) => {
    if (answers === null) throw REFUSED
    const route = url.slice(API.length)
    if (init.method === 'POST') sent.push(route)
    const body = answers[route]
    return body === undefined
      ? new Response(JSON.stringify({ detail: 'there is no such thing' }), { status: 404 })
      : new Response(JSON.stringify(body))
  })
})
afterEach(() => void vi.unstubAllGlobals())

const genesis = () => readGenesisFile(dataDirectoryAt(data).genesis)
const status = (network = genesisHash(genesis())) => ({
  genesisHash: network,
  network: 'n',
  final: { height: 5 },
})

/** What a command wrote on standard output. */
async function run(register: (program: Command) => void, ...args: string[]): Promise<string> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  register(program)
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => void write.mockRestore())
  await program.parseAsync([...args, '--data', data, '--api', API], { from: 'user' })
  return write.mock.calls.map(([text]) => String(text)).join('')
}

describe('a vote', () => {
  const votePath = () => join(dataDirectoryAt(data).operationVotes, ID)
  const options = () => ({ data, api: API })

  it('on an operation that the node knows is written', async () => {
    answers = { [`/v1/operations/${ID}`]: { id: ID } }
    expect(await sayVote(options(), ID, 'approve')).toEqual({ data, note: null })
    expect(readFileSync(votePath(), 'utf8')).toBe('approve\n')
  })

  it('on one that the node does not know is refused, and not written', async () => {
    await expect(sayVote(options(), ID, 'approve', 0)).rejects.toMatchObject({
      code: 'E_NO_OPERATION',
      exitCode: 1,
      message: `the node knows no operation ${ID}`,
    })
    expect(existsSync(votePath())).toBe(false)
  })

  it('is written when no node can be asked, with a word about that', async () => {
    answers = null
    const { note } = await sayVote(options(), ID, 'reject')
    expect(note).toMatch(/^not checked whether there is such an operation: no node answers/)
    expect(readFileSync(votePath(), 'utf8')).toBe('reject\n')
  })

  it('is taken back without asking', async () => {
    answers = null
    await sayVote(options(), ID, 'reject')
    expect(await sayVote(options(), ID, 'abstain')).toEqual({ data, note: null })
    expect(existsSync(votePath())).toBe(false)
  })
})

describe('a proposal', () => {
  const propose = (key: string, value: string) => {
    const operation = { kind: 'network-configuration', key, value, version: 1 }
    return run(registerOperationCommand, 'operation', 'propose', JSON.stringify(operation))
  }
  const policy = () =>
    JSON.parse(
      JSON.stringify(wholePolicy(genesis().policy), (_, of) => (typeof of === 'bigint' ? `${of}` : of)),
    )

  it.each([
    ['policy.foo', '500', 'there is no key "policy.foo" of network-configuration', /policy\.minimumStake, /],
    ['policy.minimumStake', 'abc', '"abc" is no value of policy.minimumStake', /\/v1\/policy/],
    ['policy.certificates.RootCA', 'trusted', '"trusted" is no value of policy.certificates.RootCA', /./],
    [
      'policy.maximumStorage',
      '0',
      expect.stringMatching(/^minimumStorage \d+ is above maximumStorage 0$/),
      /./,
    ],
    ['policy.minimumWorkBits', '65', 'minimumWorkBits 65 is above 64', /./],
  ])('of %s = %s is refused before it is signed', async (key, value, why, fix) => {
    answers = { '/v1/policy': policy(), '/v1/status': status() }
    await expect(propose(key, value)).rejects.toMatchObject({
      code: 'E_OPERATION',
      exitCode: 65,
      advice: { why, fix: expect.stringMatching(fix) },
    })
    expect(sent).toEqual([])
  })

  it('that can have an effect is sent', async () => {
    const { id } = await readPublicKeys(data)
    answers = {
      '/v1/policy': policy(),
      '/v1/status': status(),
      [`/v1/accounts/${id}`]: { sequence: 0 },
      '/v1/transactions': { key: ID, state: 'final', height: 6 },
    }
    expect(await propose('policy.minimumStake', '500')).toBe(`final at height 6: operation ${ID}\n`)
    expect(sent).toEqual(['/v1/transactions'])
  })
})

describe('an account of a data directory', () => {
  it.each([
    ['stake', registerStakeCommand],
    ['operator', registerOperatorCommand],
  ] as const)('is not looked for on another network: %s show', async (name, register) => {
    answers = { '/v1/status': status('ab'.repeat(32) as GenesisHash) }
    await expect(run(register, name, 'show')).rejects.toMatchObject({ code: 'E_OTHER_NETWORK', exitCode: 65 })
  })

  it('is told by its id whatever the network', async () => {
    answers = { [`/v1/accounts/${ID}`]: { id: ID, unbonding: [] } }
    expect(await run(registerStakeCommand, 'stake', 'show', '--account', ID)).toContain(`account   ${ID}\n`)
  })

  it('gets no new key from a directory without one, and is told how to make it', async () => {
    answers = { '/v1/status': status() }
    await expect(
      run(registerStakeCommand, 'stake', 'change-key', '--new-key', '/nonexistent'),
    ).rejects.toMatchObject({
      code: 'E_KEY_MISSING',
      exitCode: 77,
      advice: { fix: expect.stringMatching(/^make one with "hypermesh keys new --data \/nonexistent"/) },
    })
  })
})

describe('an update of an operator', () => {
  const update = (...args: string[]) => run(registerOperatorCommand, 'operator', 'update', ...args)

  beforeEach(async () => {
    const { id } = await readPublicKeys(data)
    const key = await takeOperatorKey(data, 'ml-dsa-65')
    answers = {
      '/v1/status': status(),
      [`/v1/accounts/${id}`]: { sequence: 0 },
      '/v1/transactions': { key: ID, state: 'final', height: 6 },
      [`/v1/operators/${id}`]: {
        operatorId: 'acme',
        keyScheme: key.scheme,
        publicKey: toHex(key.publicKey),
        bondedStake: '2000',
        space: null,
        authorityLevel: '3',
        aliases: ['a', 'b'],
        retirement: null,
      },
    }
  })

  it.each([[[]], [['--bond', '2000', '--authority', '3', '--alias', 'b', 'a']]])(
    'with nothing to change is refused: %j',
    async (args) => {
      await expect(update(...args)).rejects.toMatchObject({
        code: 'E_USAGE',
        exitCode: 64,
        message: 'nothing to change: it is registered like that',
      })
      expect(sent).toEqual([])
    },
  )

  it.each([[['--bond', '2001']], [['--authority', '4']], [['--alias', 'a']]])(
    'with %j is sent',
    async (args) => {
      expect(await update(...args)).toBe(`final at height 6: transaction ${ID}\n`)
    },
  )
})

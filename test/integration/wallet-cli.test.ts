/** `wallet` as commands, with real proofs in their thread, against a node's API on a real socket. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNetwork } from '../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../src/cli/local-network/node-ports.ts'
import { registerWalletCommand } from '../../src/cli/wallet.ts'
import { accountId, genesisHash } from '../../src/codec/genesis.ts'
import { mintSigningPayload } from '../../src/codec/shielded.ts'
import { readGenesisFile } from '../../src/config/read-genesis-file.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import type { NodeError } from '../../src/types/errors.ts'
import { ADDRESS_CHARACTERS } from '../../src/wallet/index.ts'
import { FakeLedger } from '../support/wallet/fake-ledger.ts'
import { FakeShieldedNode } from '../support/wallet/fake-shielded-node.ts'

let folder = ''
let data = ''
let genesis = ''
let api = ''
let account = ''
let node: FakeShieldedNode

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-wallet-'))
  const [first = ''] = await createNetwork({
    folder: join(folder, 'net'),
    nodeName: (i) => `node-${i}`,
    network: 'wallets',
    ports: [nodePorts(20_000, 0)],
  })
  data = first
  genesis = join(data, 'genesis.json')
  const document = readGenesisFile(genesis)
  account = accountId((document.validators[0] as (typeof document.validators)[0]).publicKey)
  node = new FakeShieldedNode(
    new FakeLedger([], { verifiesProofs: true, genesisHash: genesisHash(document) }),
  )
  api = await node.listen()
  writeFileSync(join(folder, 'passphrase'), 'a passphrase of some words\nand a second line\n')
})
afterAll(() => {
  node.close()
  rmSync(folder, { recursive: true })
})

let written: string[] = []
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

const wallet = (name: string): string => join(folder, `${name}.json`)

/** Runs one command line with the wallet and the passphrase of these tests; what it wrote. */
async function run(verb: string, name: string, ...args: readonly string[]): Promise<string> {
  written = []
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  registerWalletCommand(program)
  const given = ['--passphrase-file', join(folder, 'passphrase')]
  await program.parseAsync(['wallet', verb, '--wallet', wallet(name), ...given, ...args], { from: 'user' })
  return written.join('')
}

/** What a command line ends with. */
async function failure(verb: string, name: string, ...args: readonly string[]): Promise<NodeError> {
  try {
    await run(verb, name, ...args)
  } catch (error) {
    return error as NodeError
  }
  throw new Error('it did not fail')
}

describe('two wallets', { timeout: 120_000 }, () => {
  it('are made, with the network of a genesis file or of a data directory', async () => {
    const made = await run('new', 'alice', '--genesis', genesis)
    expect(made).toMatch(
      /^wallet {3}.*alice\.json\nnetwork {2}wallets \(genesis [0-9a-f]{64}\)\naddress {2}hm1/,
    )
    const json = JSON.parse(await run('new', 'bob', '--data', data, '--json')) as { address: string }
    expect(json.address).toHaveLength(ADDRESS_CHARACTERS)
    expect(await run('address', 'bob')).toBe(`${json.address}\n`)
    writeFileSync(join(folder, 'bob.address'), `${json.address}\n`)
    expect(await failure('new', 'bob', '--data', data)).toMatchObject({
      code: 'E_WALLET_EXISTS',
      exitCode: 77,
    })
  })

  it('take from an account, pay each other, and pay the account back', async () => {
    const done = /^final: 1000 with fees of 1, transaction ([0-9a-f]{64}) at height 1\n$/.exec(
      await run('deposit', 'alice', '--data', data, '--api', api, '--amount', '1000'),
    )
    // The name under which blocks and the history show it.
    expect(done?.[1]).toBe(node.received[0]?.hash)
    const mint = node.received[0]?.transaction
    if (mint?.mint === null || mint === undefined) throw new Error('no mint')
    expect(mint.mint).toMatchObject({ amount: 1_001n, sequence: 5 })
    expect(accountId(mint.mint.publicKey)).toBe(account)
    const key = selectMlDsa65().publicKey(mint.mint.publicKey)
    expect(key?.verify(mintSigningPayload(mint), mint.mint.signature, SIGNATURE_CONTEXTS.mint)).toBe(true)

    const sent = await run(
      'send',
      'alice',
      '--api',
      api,
      '--to',
      join(folder, 'bob.address'),
      '--amount',
      '300',
      '--json',
    )
    expect(JSON.parse(sent)).toMatchObject({ amount: 300, fees: 1, transactions: 1, height: 2 })
    expect(await run('scan', 'bob', '--api', api)).toBe(
      '1 note found\nspendable  300\nread up to height 2, 2 shielded transactions\n',
    )
    expect(JSON.parse(await run('balance', 'alice', '--json'))).toEqual({
      spendable: 699,
      held: 0,
      expected: 0,
      entries: 2,
      height: 2,
      isConfirmed: true,
    })
    expect(
      await run('withdraw', 'bob', '--data', data, '--api', api, '--amount', '99', '--fee', '0'),
    ).toMatch(/^final: 99 /)
    expect(node.received.at(-1)?.transaction.burn).toEqual({ amount: 99n, to: account })
    expect(await run('history', 'bob')).toMatch(
      /^height 2 {2}received {2}300 {2,}[0-9a-f]{11}….{6}\nheight 3 {2}withdraw {2}99 {3,}to [0-9a-f]{11}….{6} {2}[0-9a-f]{11}….{6}\n$/,
    )
    expect(JSON.parse(await run('history', 'alice', '--json'))).toMatchObject([
      { kind: 'deposit', amount: 1_000, from: account },
      { kind: 'send', amount: 300, fee: 1, to: readFileSync(join(folder, 'bob.address'), 'utf8').trim() },
    ])
  })

  it('read the chain anew when they are told to', async () => {
    const tree = createHash('sha256')
      .update(readFileSync(`${wallet('bob')}.tree`))
      .digest('hex')
    rmSync(`${wallet('bob')}.tree`)
    expect(await failure('balance', 'bob')).toMatchObject({ code: 'E_WALLET_DAMAGED', exitCode: 65 })
    const said = await run('scan', 'bob', '--again', '--genesis', genesis, '--api', api)
    expect(said).toBe('2 notes found\nspendable  201\nread up to height 3, 3 shielded transactions\n')
    expect(
      createHash('sha256')
        .update(readFileSync(`${wallet('bob')}.tree`))
        .digest('hex'),
    ).toBe(tree)
  })
})

describe('a command', { timeout: 120_000 }, () => {
  it.each<[what: string, verb: string, name: string, args: () => string[], code: string, exit: number]>([
    ['with a wallet that is not there', 'balance', 'nobody', () => [], 'E_WALLET_MISSING', 77],
    ['with a folder that is not there', 'balance', 'nowhere/nobody', () => [], 'E_WALLET_MISSING', 77],
    [
      'that pays a file which is not there',
      'send',
      'alice',
      () => ['--api', api, '--to', './bob.adress', '--amount', '5'],
      'E_USAGE',
      64,
    ],
    [
      'that pays no address',
      'send',
      'alice',
      () => ['--api', api, '--to', 'hm1abc', '--amount', '5'],
      'E_WALLET_ADDRESS',
      64,
    ],
    [
      'that pays too much',
      'send',
      'alice',
      () => ['--api', api, '--to', join(folder, 'bob.address'), '--amount', '700'],
      'E_WALLET_INSUFFICIENT',
      1,
    ],
    ['that asks nobody', 'scan', 'alice', () => ['--api', 'http://127.0.0.1:9'], 'E_NO_ANSWER', 69],
    ['that asks no URL', 'scan', 'alice', () => ['--api', 'x'], 'E_USAGE', 64],
    [
      'with no passphrase file',
      'balance',
      'alice',
      () => ['--passphrase-file', join(folder, 'nowhere')],
      'E_FILE',
      65,
    ],
    [
      'with an empty passphrase file',
      'balance',
      'alice',
      () => ['--passphrase-file', '/dev/null'],
      'E_USAGE',
      64,
    ],
    [
      'with another passphrase',
      'balance',
      'alice',
      () => ['--passphrase-file', genesis],
      'E_WALLET_PASSPHRASE',
      77,
    ],
    [
      'that makes one with a short passphrase',
      'new',
      'carol',
      () => ['--genesis', genesis, '--passphrase-file', short()],
      'E_USAGE',
      64,
    ],
    [
      'that makes one for no network',
      'new',
      'carol',
      () => ['--genesis', join(folder, 'nowhere')],
      'E_GENESIS',
      65,
    ],
  ])('%s fails with words of its own', async (_what, verb, name, args, code, exit) => {
    const error = await failure(verb, name, ...args())
    expect(error).toMatchObject({ code, exitCode: exit })
    expect(error.advice.fix ?? '').not.toBe('')
  })

  function short(): string {
    const path = join(folder, 'short')
    writeFileSync(path, '1234567')
    return path
  }

  it('makes a wallet from a node alone where the network began without notes, and only there', async () => {
    expect(await run('new', 'dave', '--api', api)).toMatch(/network {2}test \(genesis/)
    node.override = (route) => (route === '/v1/shielded' ? { status: 200, body: { genesisNotes: 3 } } : null)
    expect(await failure('new', 'erin', '--api', api)).toMatchObject({
      code: 'E_WALLET_GENESIS',
      exitCode: 65,
    })
    node.override = null
  })

  it('takes the passphrase from the environment, and asks nobody where nobody is', async () => {
    const program = new Command().exitOverride()
    registerWalletCommand(program)
    const words = ['wallet', 'balance', '--wallet', wallet('alice')]
    vi.stubEnv('HYPERMESH_WALLET_PASSPHRASE', 'a passphrase of some words')
    await program.parseAsync(words, { from: 'user' })
    expect(written.join('')).toMatch(/spendable {2}699/)
    vi.stubEnv('HYPERMESH_WALLET_PASSPHRASE', '')
    await expect(program.parseAsync(words, { from: 'user' })).rejects.toMatchObject({
      code: 'E_USAGE',
      exitCode: 64,
    })
    vi.unstubAllEnvs()
  })
})

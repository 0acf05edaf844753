/** The command line as a process: help, usage errors, exit codes, and asking a node's API. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../../../src/cli/main.ts'
import { networkKeyFile } from '../../../src/cli/node-keys.ts'
import { buildProgram } from '../../../src/cli/program.ts'
import { dataDirectoryAt } from '../../../src/config/data-directory.ts'
import { endAll, run } from '../../support/cli/processes.ts'

const root = join(import.meta.dirname, '..', '..', '..')
/** What is built: it starts in half the time that the sources take, and a hundred processes are started here. */
const entry = join(root, 'dist', 'node.js')
let home = ''
let server: Server
let api = ''

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'scripts', 'ensure.mjs')], { stdio: 'ignore' })
  home = mkdtempSync(join(tmpdir(), 'hypermesh-cli-'))
  server = createServer((request, response) => {
    if (request.url === '/v1/peers') return void response.end('[]')
    if (request.url === '/v1/blocks/final') return void response.end('{"height":7}')
    if (request.url?.startsWith('/v1/accounts/')) return void response.end('{"validatorId":null}')
    response.statusCode = 404
    response.setHeader('content-type', 'application/problem+json')
    response.end(JSON.stringify({ status: 404, detail: `no ${request.url} here` }))
  }).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.close()
  rmSync(home, { recursive: true, force: true })
})
afterEach(endAll)

function hypermesh(...args: string[]) {
  return run([process.execPath, entry, ...args], { env: { XDG_DATA_HOME: home, NO_COLOR: '1' } }).ended
}

/** A command line from beginning to end in this process: what it would print, and how its process would end. */
async function inProcess(...args: string[]): Promise<{ code: unknown; stdout: string }> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
  const listeners = process.stdout.listeners('error')
  try {
    await main(args)
    return { code: exit.mock.lastCall?.[0], stdout: write.mock.calls.map(([text]) => String(text)).join('') }
  } finally {
    write.mockRestore()
    exit.mockRestore()
    for (const added of process.stdout.listeners('error')) {
      if (!listeners.includes(added)) process.stdout.off('error', added as () => void)
    }
  }
}

describe('every command', async () => {
  const program = await buildProgram()
  const all = program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [[command.name()]]
      : command.commands.map((sub) => [command.name(), sub.name()]),
  )

  it('of a group is no command of its own beside --help', async () => {
    for (const group of ['testnet', 'keys']) {
      expect((await hypermesh(group, '--help')).stdout).not.toMatch(/^ {2}help /m)
    }
  })

  it.each([
    [['help'], ['--help']],
    [
      ['help', 'start'],
      ['start', '--help'],
    ],
    [
      ['help', 'testnet', 'init'],
      ['testnet', 'init', '--help'],
    ],
  ])('is explained by %j as by %j', async (words, options) => {
    const [helped, asked] = [await hypermesh(...words), await hypermesh(...options)]
    expect([helped.code, helped.stdout]).toEqual([0, asked.stdout])
    expect(helped.stdout).toContain('Usage: hypermesh')
  })

  it('is one of these', () => {
    const names = all.map((words) => words.join(' '))
    for (const name of [
      'devnet',
      'testnet init',
      'init',
      'keys new',
      'keys show',
      'start',
      'status',
      'peers',
      'block',
    ]) {
      expect(names).toContain(name)
    }
    expect(names).toContain('request')
    expect(names).toContain('validate')
    for (const name of names) expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)?$/)
  })

  it.each(all.map((words) => [words.join(' '), words] as const))(
    '%s has help with an example',
    async (name, words) => {
      const { code, stdout } = await inProcess(...words, '--help')
      expect(code).toBe(0)
      expect(stdout).toContain(`Usage: hypermesh ${name}`)
      expect(stdout).toMatch(/Examples?:\n {2}\$ /)
    },
  )
})

describe('a mistake', () => {
  it.each<[args: string[], code: number, stderr: RegExp]>([
    [['stats'], 64, /^E_USAGE: unknown command 'stats'\n {2}fix: did you mean status \?\n$/],
    [['status', '--jso'], 64, /^E_USAGE: unknown option '--jso'\n {2}fix: did you mean --json \?\n$/],
    [['start', '--p2p.max-peer', '3'], 64, /did you mean --p2p\.max-peers \?/],
    [['block'], 64, /^E_USAGE: missing required argument/],
    [['block', '0x12'], 64, /^E_USAGE: "0x12" names no block\n {2}fix: /],
    [['devnet', '--validators', '0'], 64, /Expected a whole number from 1 to 32/],
    [['devnet', '--validators', '4x'], 64, /whole number/],
    [['testnet', 'init', '--out', 'x'], 64, /--validators/],
    [['keys', 'new', '--data', 'x', '--role', 'boss'], 64, /Allowed choices are validator, node/],
    [['keys', 'show'], 64, /^E_USAGE: no node is set up here/],
    [['keys', 'show', '--data', '/nowhere'], 73, /^E_DATA_DIR_MISSING: /],
    [['status', '--data', '/nowhere'], 73, /^E_DATA_DIR_MISSING: /],
    [['keys', 'new', '--data', '/proc/x'], 73, /^E_DATA_DIR_WRITE: .*\n {2}why: .*\n {2}fix: /],
    [['start'], 64, /^E_USAGE: no node is set up here/],
    [['start', '--data', '/nowhere'], 73, /^E_DATA_DIR_MISSING: \/nowhere .*\n {2}why: .*\n {2}fix: /],
    [['stake', 'bond', '--amount', '1', '--data', '/nowhere'], 73, /^E_DATA_DIR_MISSING: \/nowhere /],
    [
      ['testnet', 'init', '--validators', '1', '--out', '/etc/hostname'],
      73,
      /^E_FOLDER_WRITE: .*\n {2}why: .*\n {2}fix: /,
    ],
    [
      ['init', '--genesis', '/dev/zero', '--data', 'x', '--bootstrap', '/dnsaddr/a.example'],
      65,
      /^E_FILE: .*\n {2}why: it does not end /,
    ],
    [
      ['testnet', 'init', '--validators', '1', '--out', '/proc/x/net'],
      73,
      /^E_FOLDER_WRITE: .*\n {2}why: .*\n {2}fix: /,
    ],
    [
      ['init', '--genesis', '/nowhere', '--data', 'x', '--bootstrap', '/dnsaddr/a.example'],
      65,
      /^E_FILE: the genesis file \/nowhere/,
    ],
    [
      ['init', '--genesis', 'x', '--data', 'x', '--bootstrap', '127.0.0.1:1'],
      64,
      /did you mean \/ip4\/127\.0\.0\.1\/tcp\/1 \?/,
    ],
  ])('%j ends with %i', async (args, code, stderr) => {
    const result = await hypermesh(...args)
    expect(result.stderr).toMatch(stderr)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).not.toMatch(/^\s+at /m)
  })

  it('shows a stack when asked, wherever the asking stands', async () => {
    for (const args of [
      ['--debug', 'keys', 'show'],
      ['keys', 'show', '--debug'],
    ]) {
      expect((await hypermesh(...args)).stderr).toMatch(/^E_USAGE: .*[\s\S]*^ {4}at /m)
    }
  })
})

describe('asking a node', () => {
  it('prints its answer', async () => {
    expect(await hypermesh('peers', '--api', `${api}/`, '--json')).toMatchObject({ code: 0, stdout: '[]\n' })
    expect(await hypermesh('block', 'final', '--api', api, '--json')).toMatchObject({
      code: 0,
      stdout: '{\n  "height": 7\n}\n',
    })
  })

  it('passes on why not', async () => {
    const { code, stderr } = await hypermesh('block', '9', '--api', api)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^E_NOT_FOUND: no \/v1\/blocks\/9 here\n {2}why: .* answered 404\n {2}fix: check that --api .*\n$/,
    )
  })

  it('refuses an address that is none', async () => {
    const { code, stderr } = await hypermesh('status', '--api', '127.0.0.1:9441')
    expect(code).toBe(64)
    expect(stderr).toMatch(
      /^E_USAGE: --api 127\.0\.0\.1:9441: not the URL of an API\n {2}fix: write it like http/,
    )
  })

  it('says when nobody is there', async () => {
    const { code, stderr } = await hypermesh('status', '--api', 'http://127.0.0.1:9')
    expect(code).toBe(69)
    expect(stderr).toMatch(/^E_NO_ANSWER: no node answers at http:\/\/127\.0\.0\.1:9\n {2}why: .*\n {2}fix: /)
  })
})

it('sets up a network and a node that joins it, and runs neither', async () => {
  const net = join(home, 'net')
  const made = await hypermesh(
    'testnet',
    'init',
    '--validators',
    '2',
    '--out',
    net,
    '--base-port',
    '21000',
    '--json',
  )
  expect(made.stderr).toBe('')
  const { genesis, nodes } = JSON.parse(made.stdout) as {
    genesis: string
    nodes: { folder: string; ports: { p2p: number } }[]
  }
  expect(nodes.map(({ ports }) => ports.p2p)).toEqual([21_000, 21_010])

  const shown = await hypermesh('keys', 'show', '--data', nodes[0]?.folder ?? '', '--json')
  const keys = JSON.parse(shown.stdout) as Record<string, string>
  expect(Object.keys(keys)).toEqual(['role', 'id', 'publicKey', 'peerId'])
  expect(keys['publicKey']).toHaveLength(2 * 1_952)

  const bootstrap = `/ip4/127.0.0.1/tcp/21000/p2p/${keys['peerId']}`
  const joined = await hypermesh(
    'init',
    '--genesis',
    genesis,
    '--bootstrap',
    bootstrap,
    '--data',
    join(home, 'joining'),
    '--json',
  )
  expect(JSON.parse(joined.stdout)).toMatchObject({ network: 'testnet', data: join(home, 'joining') })
  expect(
    await hypermesh('init', '--genesis', genesis, '--bootstrap', bootstrap, '--data', join(home, 'joining')),
  ).toMatchObject({
    code: 73,
    stderr: expect.stringContaining('E_DATA_DIR_EXISTS'),
  })
})

it('asks no other node in place of one that does not run', async () => {
  const data = join(home, 'net', 'node-0')
  for (const verb of [['status'], ['peers'], ['block', 'final'], ['stake', 'show']]) {
    const { code, stderr } = await hypermesh(...verb, '--data', data)
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: expect.stringMatching(/^E_NO_ANSWER: the node of .*node-0 does not run\n {2}fix: /),
    })
  }
})

it('lets no key join the validator set that could not vote', async () => {
  const data = join(home, 'cannot-vote')
  const genesis = join(home, 'net', 'genesis.json')
  const { peerId } = JSON.parse(
    (await hypermesh('keys', 'show', '--data', join(home, 'net', 'node-0'), '--json')).stdout,
  )
  const bootstrap = `/ip4/127.0.0.1/tcp/1/p2p/${peerId}`
  await hypermesh('init', '--genesis', genesis, '--bootstrap', bootstrap, '--data', data)
  const { code, stderr } = await hypermesh('stake', 'join', '--data', data, '--api', api)
  expect(code).toBe(77)
  expect(stderr).toMatch(/^E_SAFETY_RECORD_MISSING: the key of .*cannot-vote has no signing record/)
})

it('says which file is missing when there is no genesis', async () => {
  const data = join(home, 'net', 'node-1')
  rmSync(join(data, 'genesis.json'))
  const { code, stderr } = await hypermesh('start', '--data', data)
  expect(code).toBe(65)
  expect(stderr).toMatch(/^E_GENESIS: .*node-1\/genesis\.json cannot be read: .*\n {2}fix: put the network's/)
})

it('joins with the keys that are there, and makes what is missing', async () => {
  const data = join(home, 'with-keys')
  const made = JSON.parse((await hypermesh('keys', 'new', '--data', data, '--json')).stdout) as Record<
    string,
    string
  >
  // As an init leaves it that was interrupted between its two keys.
  rmSync(networkKeyFile(dataDirectoryAt(data).keys))
  const genesis = join(home, 'net', 'genesis.json')
  const bootstrap = `/ip4/127.0.0.1/tcp/1/p2p/${made['peerId']}`
  const joined = await hypermesh(
    'init',
    '--genesis',
    genesis,
    '--bootstrap',
    bootstrap,
    '--data',
    data,
    '--json',
  )
  expect(joined.stderr).toBe('')
  const { id, peerId } = JSON.parse(joined.stdout) as Record<string, string>
  expect(id).toBe(made['id'])
  expect(peerId).not.toBe(made['peerId'])
  const shown = JSON.parse((await hypermesh('keys', 'show', '--data', data, '--json')).stdout) as object
  expect(shown).toMatchObject({ role: 'validator', id, peerId })
})

it('does not begin the record of a validator that joins with a key of the genesis by itself', async () => {
  const data = join(home, 'late-validator')
  const made = JSON.parse((await hypermesh('keys', 'new', '--data', data, '--json')).stdout) as Record<
    string,
    string
  >
  const template = JSON.parse(readFileSync(join(home, 'net', 'genesis.json'), 'utf8')) as object
  const genesis = join(home, 'own-genesis.json')
  const validators = [{ publicKey: made['publicKey'], stake: '1000' }]
  writeFileSync(genesis, JSON.stringify({ ...template, validators }))
  const bootstrap = `/ip4/127.0.0.1/tcp/1/p2p/${made['peerId']}`
  const joined = await hypermesh('init', '--genesis', genesis, '--bootstrap', bootstrap, '--data', data)
  expect(joined.stdout).toMatch(/^ {2}role {5}validator: /m)
  const started = await hypermesh('start', '--data', data)
  expect(started).toMatchObject({ code: 77, stderr: expect.stringContaining('E_SAFETY_RECORD_MISSING') })
})

it('ends quietly when its reader has gone', async () => {
  const { child, ended } = run(['/bin/sh', '-c', `"${process.execPath}" "${entry}" --help | true`])
  expect(child.pid).toBeGreaterThan(0)
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
})

it('refuses a configuration that it does not understand with 78', async () => {
  const node = join(home, 'net', 'node-0')
  writeFileSync(join(node, 'config.toml'), '[p2p]\nmax-peer = 3\n')
  const { code, stderr } = await hypermesh('start', '--data', node)
  expect(code).toBe(78)
  expect(stderr).toMatch(
    /^E_CONFIG_UNKNOWN_KEY: .*config\.toml: unknown setting p2p\.max-peer\n {2}fix: did you mean p2p\.max-peers \?\n$/,
  )
})

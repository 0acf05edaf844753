/**
 * Receipts of a running network of four processes, over a change of the validators' stake: taken while it runs, checked
 * with every node stopped, by the command line and by a program that has nothing but the genesis file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as ReceiptEntry from '../../src/receipt.ts'
import { run } from '../support/cli/processes.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { certificate, certificateBody, fourProofBody, fourProofs } from '../support/e2e/fresh.ts'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'

const EPOCH = 16
const DIST_ENTRY = join(import.meta.dirname, '..', '..', 'dist', 'receipt.js')

let network: LocalNetwork
let observer: NodeProcess
let folder: string
const file = (name: string): string => join(folder, name)

async function hypermesh(...args: string[]) {
  const { code, stdout, stderr } = await run([...HYPERMESH, ...args]).ended
  return { code, stdout, stderr }
}

/** Takes a receipt by the command line into a file. */
async function take(name: string, id: string, to: string, ...options: string[]): Promise<string> {
  const taken = await hypermesh('receipt', id, '--to', to, ...options)
  expect(taken).toMatchObject({ code: 0, stderr: '' })
  writeFileSync(file(name), taken.stdout)
  return taken.stdout
}

const verify = (name: string, ...options: string[]) =>
  hypermesh('verify', file(name), '--genesis', network.genesisFile, ...options)

const valid = certificate()
const invalid = certificate({ bad: 'stake' })
/** Height and hash of a block that is final. */
let checkpoint: { readonly height: number; readonly hash: string }

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: { epochBlocks: EPOCH, heartbeatMs: 200 } })
  folder = join(network.home, 'receipts')
  mkdirSync(folder)
})

afterAll(async () => {
  await network?.destroy()
})

describe('while the network runs', { timeout: 120_000 }, () => {
  it('a receipt is there a block after the verdict, at every node and by every carrier', async () => {
    writeFileSync(file('request.json'), certificateBody(valid))
    for (const request of [valid, invalid]) {
      expect((await ask(network.node(0).ca, 'certificate', certificateBody(request))).status).toBe(200)
    }
    await take('valid.json', valid.requestId, network.node(0).ca)
    await take('invalid.json', invalid.requestId, network.node(1).ca)
    await take('by-tcp.json', valid.requestId, network.address(2, 'tcp'), '--genesis', network.genesisFile)
    await take('by-quic.json', valid.requestId, network.address(3, 'quic'), '--genesis', network.genesisFile)
  })

  it('a four-proof set has one, found by the request itself', async () => {
    const request = fourProofs()
    const { text } = await ask(network.node(2).ca, 'four-proof', fourProofBody(request))
    expect(JSON.parse(text).result).toBe('Valid')
    writeFileSync(file('set-request.json'), fourProofBody(request))
    const path = file('set-request.json')
    const taken = await hypermesh('receipt', '--request', path, '--to', network.node(3).ca)
    expect(taken).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(file('set.json'), taken.stdout)
  })

  it('a request that nobody knows has none, and says so', async () => {
    const refused = await hypermesh('receipt', 'nobody', '--to', network.node(0).ca)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('REQUEST_NOT_FOUND')
  })

  it('leads through a change of the set, also from a checkpoint', async () => {
    const { folder: data, api } = network.node(0)
    const bonded = await hypermesh('stake', 'bond', '--amount', '500', '--data', data, '--api', api)
    expect(bonded).toMatchObject({ code: 0, stderr: '' })
    const isChanged = async () => {
      const text = await take('later.json', valid.requestId, network.node(1).ca)
      return (JSON.parse(text) as { handOvers: unknown[] }).handOvers.length > 0
    }
    await until(isChanged, 90_000, 'a receipt with a hand-over')
    checkpoint = await network.node(0).block('final')
    const at = String(checkpoint.height)
    await until(
      async () => {
        const taken = await hypermesh(
          'receipt',
          valid.requestId,
          '--to',
          network.node(1).ca,
          '--from-height',
          at,
        )
        if (taken.code !== 0) return false
        writeFileSync(file('from-block.json'), taken.stdout)
        return true
      },
      30_000,
      'a receipt from the checkpoint',
    )
  })

  it('a node that came later and fetched the blocks makes them too', async () => {
    observer = await joiningNode({
      home: network.home,
      name: 'observer',
      genesisFile: network.genesisFile,
      bootstrap: network.address(0, 'tcp'),
      transport: 'tcp',
      isValidator: false,
    })
    observer.start()
    await observer.ready()
    await until(
      async () => {
        const taken = await hypermesh('receipt', valid.requestId, '--to', observer.ca)
        if (taken.code !== 0) throw new Error(taken.stderr)
        writeFileSync(file('observer.json'), taken.stdout)
        return true
      },
      60_000,
      'the receipt of the one who came later',
    )
  })
})

describe('with every node stopped', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    await network.end()
  })

  it.each(['valid.json', 'by-tcp.json', 'by-quic.json', 'later.json', 'observer.json'])(
    '%s holds, of this very request',
    async (name) => {
      const { code, stdout, stderr } = await verify(
        name,
        ...['--request-id', valid.requestId, '--request', file('request.json'), '--require-valid'],
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/^Valid: the receipt holds\n/)
      expect(stdout).toMatch(/signed by {4}[34] of the 4 validators of epoch \d+: stake \d+ of \d+, /)
    },
  )

  it('an Invalid verdict is held too, with its reason', async () => {
    const { code, stdout } = await verify('invalid.json', '--request-id', invalid.requestId)
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Invalid: the receipt holds\n {2}reason {7}stake: found invalid by a quorum of the validators\n/,
    )
    const required = await verify('invalid.json', '--require-valid')
    expect(required.code).toBe(1)
    expect(required.stderr).toContain('E_VERDICT_INVALID')
  })

  it('a four-proof set is compared by its file', async () => {
    const { code, stdout } = await verify('set.json', '--request', file('set-request.json'))
    expect(code).toBe(0)
    expect(stdout).toContain('four-proof set')
  })

  it('the later one says that the set changed; the checkpoint stands for what was before', async () => {
    expect((await verify('later.json')).stdout).toMatch(
      /followed {5}[1-9]\d* changes? of the validators since/,
    )
    const { height, hash } = checkpoint
    const { code, stdout } = await verify('from-block.json', '--checkpoint', `${height}:${hash}`)
    expect(code).toBe(0)
    expect(stdout).toContain(`block ${height}, ${hash}`)
    const unnamed = await verify('from-block.json')
    expect(unnamed.code).toBe(1)
    expect(unnamed.stderr).toContain('start-not-trusted')
  })

  it('a byte changed in the file is refused, and so is a foreign genesis', async () => {
    const text = readFileSync(file('valid.json'), 'utf8')
    const at = text.indexOf('"signature": "') + 500
    writeFileSync(
      file('forged.json'),
      text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1),
    )
    const forged = await verify('forged.json')
    expect(forged.code).toBe(1)
    expect(forged.stderr).toContain('E_RECEIPT: the receipt does not hold: wrong-signature')
    const genesis = readFileSync(network.genesisFile, 'utf8').replace('"network": "e2e"', '"network": "e2f"')
    writeFileSync(file('foreign.json'), genesis)
    const foreign = await hypermesh('verify', file('valid.json'), '--genesis', file('foreign.json'))
    expect(foreign.code).toBe(1)
    expect(foreign.stderr).toContain('the receipt does not hold: wrong-network')
  })

  it('a program checks it with the package alone', async () => {
    const entry = (await import(pathToFileURL(DIST_ENTRY).href)) as typeof ReceiptEntry
    const receipt = entry.parseReceiptJson(readFileSync(file('later.json'), 'utf8'))
    const trust = entry.genesisTrust(entry.parseGenesis(readFileSync(network.genesisFile, 'utf8')))
    if (!receipt.ok) throw new Error(receipt.detail)
    const proven = entry.checkReceipt(receipt.value, trust)
    expect(proven).toMatchObject({ ok: true })
    if (proven.ok) expect(entry.isOnRequestId(proven.value.record, valid.requestId)).toBe(true)
    const bytes = entry.encodeReceipt(receipt.value)
    expect(entry.decodeReceipt(bytes)).toEqual(receipt)
  })
})

/** Receipts over the carriers and by the command line: asked for on a real socket, checked from a file, offline. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { registerReceiptCommand } from '../../src/cli/receipt.ts'
import { registerVerifyCommand } from '../../src/cli/verify.ts'
import { checkpointJson } from '../../src/codec/checkpoint-json.ts'
import { parseReceiptJson, receiptJson } from '../../src/codec/receipt-json.ts'
import { decodeVerdict, encodeVerdict } from '../../src/codec/verdict.ts'
import { formatGenesis } from '../../src/config/genesis-file.ts'
import { requestIdHash } from '../../src/ledger/request-identity.ts'
import { findingsOf } from '../../src/ledger/verdicts/findings.ts'
import { handleEnvelope } from '../../src/rpc/call-handler.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { decodeEnvelopeResponse, encodeEnvelopeRequest } from '../../src/rpc/envelope.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import type { HttpListener } from '../../src/rpc/http/listener.ts'
import { certificateValidationRequest } from '../../src/rpc/trustchain-json-request.ts'
import { ok, refuse } from '../../src/types/errors.ts'
import type { Receipt, ReceiptStart } from '../../src/types/receipt.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork, FIGURES } from '../support/fake-network.ts'
import {
  fromBlock,
  fromSet,
  RECEIPT_GENESIS,
  receiptOf,
  SUCCESSORS,
  TRUST,
  validatorsOf,
} from '../support/receipt-fixture.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const RECEIPT = receiptOf({ isChanged: true })
const decoded = decodeVerdict(RECEIPT.record)
if (!decoded.ok) throw new Error(decoded.detail)
const RECORD = decoded.value
/** The fixture's third request. */
const ID = 'request-3'

let made: Receipt | 'not-ready' | 'unavailable'
let asked: ReceiptStart[]
let service: ValidationService
let server: HttpListener
let written: string[]

beforeEach(async () => {
  made = RECEIPT
  asked = []
  const network = new FakeNetwork()
  service = new ValidationService({
    ...network,
    clock: new FakeClock(),
    nodeName: 'n-1',
    version: '1',
    receipts: {
      make: async (_, start) => {
        asked.push(start)
        return typeof made === 'string' ? refuse(made, `it is ${made}`) : ok(made)
      },
      onAnchor: () => () => undefined,
    },
  })
  network.finalize({ record: RECORD, figures: FIGURES, failures: [] })
  server = makeCaServer(service, {
    listen: { host: '127.0.0.1', port: 0 },
    tls: null,
    limiter: new ClientLimiter(() => performance.now()),
    logger,
  })
  await server.start()
  written = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  await server.close()
})

async function run(...args: readonly string[]): Promise<string> {
  written = []
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  registerReceiptCommand(program)
  registerVerifyCommand(program)
  await program.parseAsync(args, { from: 'user' })
  return written.join('')
}

const get = (path: string) => fetch(`${server.url}/consensus/validation/receipt/${path}`)

describe('the route', () => {
  it.each([ID, RECORD.requestKey])('gives the receipt by %s, as the one text', async (id) => {
    expect(requestIdHash(ID)).toBe(RECORD.requestIdHash)
    const response = await get(id)
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).toBe(receiptJson(RECEIPT))
    expect(parseReceiptJson(text)).toEqual({ ok: true, value: RECEIPT })
  })

  it.each([
    ['?from_height=12', { kind: 'block', height: 12 }],
    ['?from_epoch=3', { kind: 'epoch', epoch: 3 }],
    ['?wait_ms=0', { kind: 'genesis' }],
  ])('takes %s', async (query, start) => {
    expect((await get(`${ID}${query}`)).status).toBe(200)
    expect(asked).toEqual([start])
  })

  it.each([
    ['?wait=1', 'wait: no such parameter'],
    ['?wait_ms=1.5', 'wait_ms: expected one whole number'],
    ['?wait_ms=1&wait_ms=2', 'wait_ms: expected one whole number'],
    ['?wait_ms=10001', 'wait_ms: 10001 is above the maximum 10000'],
    ['?from_height=1&from_epoch=1', 'name one checkpoint, not two'],
    ['?from_height=999999999999999', 'from_height: 999999999999999 is above the maximum'],
  ])('refuses %s', async (query, why) => {
    const response = await get(`${ID}${query}`)
    expect(response.status).toBe(400)
    const { result } = (await response.json()) as {
      result: { Error: { error_code: string; message: string } }
    }
    expect(result.Error.error_code).toBe('INVALID_PROOF_FORMAT')
    expect(result.Error.message).toContain(why)
  })

  it.each([
    ['not-ready', 503, 'RECEIPT_NOT_READY', '1'],
    ['unavailable', 410, 'RECEIPT_UNAVAILABLE', null],
  ] as const)('answers %s with %i', async (refusal, status, code, retryAfter) => {
    made = refusal
    const response = await get(ID)
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe(retryAfter)
    expect(await response.json()).toMatchObject({
      result: { Error: { error_code: code, message: `it is ${refusal}` } },
    })
  })

  it('answers 404 for a request that nobody knows', async () => {
    const response = await get('nobody')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ result: { Error: { error_code: 'REQUEST_NOT_FOUND' } } })
    expect((await get('x'.repeat(1_600))).status).toBe(414)
  })
})

describe('the envelope', () => {
  async function call(payload: string, name = 'consensus/receipt') {
    const [prefix, method] = name === 'receipt' ? ['consensus', 'receipt'] : ['hypermesh', name]
    const request = encodeEnvelopeRequest({
      id: 'one',
      service: prefix as string,
      method: method as string,
      payload: Buffer.from(payload),
      metadata: [],
    })
    const limiter = new ClientLimiter(() => performance.now())
    const answer = decodeEnvelopeResponse(await handleEnvelope(request, { service, limiter, logger }, 'peer'))
    if (!answer.ok) throw new Error(answer.detail)
    return { ...answer.value, text: Buffer.from(answer.value.payload).toString() }
  }

  it.each(['consensus/receipt', 'receipt'])('of %s carries the same text', async (name) => {
    const answer = await call(JSON.stringify({ request_id: ID, wait_ms: 10, from_epoch: null }), name)
    expect(answer).toMatchObject({ success: true, error: null, text: receiptJson(RECEIPT) })
  })

  it('says what is wrong', async () => {
    expect(await call('{"request_id":7}')).toMatchObject({
      success: false,
      error: expect.stringContaining('request_id: expected') as string,
    })
    expect(await call(JSON.stringify({ request_id: ID, wait_ms: 99_999 }))).toMatchObject({
      success: false,
      error: expect.stringContaining('wait_ms: 99999 is above') as string,
    })
    made = 'not-ready'
    const notReady = await call(JSON.stringify({ request_id: ID }))
    expect(notReady).toMatchObject({
      success: false,
      error: expect.stringContaining('RECEIPT_NOT_READY') as string,
    })
    // Asking again does not help here: a success that carries the error.
    const unknown = await call(JSON.stringify({ request_id: 'nobody' }))
    expect(unknown.success).toBe(true)
    expect(unknown.text).toContain('REQUEST_NOT_FOUND')
  })
})

describe('the commands', () => {
  function files() {
    const folder = temporaryDirectory()
    const path = (name: string): string => join(folder, name)
    writeFileSync(path('genesis.json'), formatGenesis(RECEIPT_GENESIS))
    writeFileSync(path('receipt.json'), receiptJson(RECEIPT))
    const { transaction } = numberedTransaction(3)
    writeFileSync(path('request.json'), certificateValidationRequest.write(transaction.request))
    return path
  }

  it('receipt prints the text as the node gave it', async () => {
    expect(await run('receipt', ID, '--to', server.url)).toBe(receiptJson(RECEIPT))
    await run('receipt', ID, '--to', server.url, '--from-height', '9', '--wait', '0')
    expect(asked.at(-1)).toEqual({ kind: 'block', height: 9 })
  })

  it('receipt says why there is none', async () => {
    await expect(run('receipt', 'nobody', '--to', server.url)).rejects.toMatchObject({
      code: 'E_NO_RECEIPT',
      message: expect.stringContaining('REQUEST_NOT_FOUND') as string,
      exitCode: 1,
    })
    made = 'not-ready'
    await expect(run('receipt', ID, '--to', server.url, '--wait', '0')).rejects.toMatchObject({
      advice: { why: 'it is not-ready', fix: 'try again in a moment' },
      exitCode: 69,
    })
  })

  it('receipt takes none that is of another request', async () => {
    made = receiptOf({ position: 1 })
    await expect(run('receipt', ID, '--to', server.url)).rejects.toMatchObject({ code: 'E_ANSWER' })
  })

  it('verify says in words what is proven', async () => {
    const path = files()
    const output = await run(
      ...['verify', path('receipt.json'), '--genesis', path('genesis.json')],
      ...['--request-id', ID, '--request', path('request.json'), '--require-valid'],
    )
    expect(output).toMatch(/^Valid: the receipt holds\n/)
    expect(output).toContain(`request      certificate request ${RECORD.requestKey}`)
    expect(output).toContain(
      `about        the request of id "${ID}" and the request in ${path('request.json')}, in every field that requests have`,
    )
    expect(output).toContain('signed by    3 of the 4 validators of epoch 2: stake 3 of 4, 75.0 %')
    expect(output).toContain(`you trust    network receipts, genesis ${TRUST.genesisHash}`)
    expect(output).toContain('followed     1 change of the validators since')
    const json = JSON.parse(
      await run('verify', path('receipt.json'), '--genesis', path('genesis.json'), '--json'),
    )
    expect(json).toMatchObject({ verdict: 'Valid', requestKey: RECORD.requestKey, signedStake: 3, epoch: 2 })
  })

  it('verify holds an Invalid verdict, unless it must be Valid', async () => {
    const path = files()
    const record = encodeVerdict({
      ...RECORD,
      status: 'invalid',
      findings: findingsOf([{ subject: 'stake', reason: 'too poor' }]),
    })
    writeFileSync(path('invalid.json'), receiptJson(receiptOf({ records: [record], size: 1, position: 0 })))
    const verify = ['verify', path('invalid.json'), '--genesis', path('genesis.json')]
    expect(await run(...verify)).toMatch(
      /^Invalid: the receipt holds\n {2}reason {7}stake: found invalid by a quorum of the validators\n/,
    )
    await expect(run(...verify, '--require-valid')).rejects.toMatchObject({
      code: 'E_VERDICT_INVALID',
      exitCode: 1,
      advice: { why: 'stake: found invalid by a quorum of the validators' },
    })
  })

  it('verify takes a checkpoint: a block, and the set that an earlier receipt was signed by', async () => {
    const path = files()
    const genesis = ['--genesis', path('genesis.json')]
    const block = fromBlock(RECEIPT)
    if (block.trust.kind !== 'block') throw new Error('no block')
    writeFileSync(path('from-block.json'), receiptJson(block.receipt))
    const named = `${block.trust.height}:${block.trust.blockHash}`
    const fromIt = ['verify', path('from-block.json'), ...genesis, '--checkpoint', named]
    expect(await run(...fromIt)).toContain(`: block 4, ${block.trust.blockHash}\n`)

    await run('verify', path('receipt.json'), ...genesis, '--save-checkpoint', path('set.json'))
    const { genesisHash, epochBlocks } = TRUST
    const validators = validatorsOf(SUCCESSORS)
    const set = { kind: 'validator-set', genesisHash, epochBlocks, epoch: 2 as never, validators } as const
    expect(readFileSync(path('set.json'), 'utf8')).toBe(checkpointJson(set))
    const later = { ...fromSet(RECEIPT).receipt, startEpoch: 2 as never }
    writeFileSync(path('from-set.json'), receiptJson(later))
    const output = await run('verify', path('from-set.json'), '--checkpoint', path('set.json'))
    expect(output).toContain('the 4 validators of epoch 2')
    await expect(
      run('verify', path('receipt.json'), ...genesis, '--save-checkpoint', path('set.json')),
    ).rejects.toMatchObject({ code: 'E_FILE' })
  })

  it.each([
    ['a receipt that is no receipt', { text: '{}' }, [], 'malformed', 'format is missing'],
    [
      'one with a field too many',
      { text: receiptJson(RECEIPT).replace('{', '{\n  "more": 1,') },
      [],
      'malformed',
      'more is no field',
    ],
    [
      'one that was written anew',
      { text: JSON.stringify(JSON.parse(receiptJson(RECEIPT))) },
      [],
      'malformed',
      'not in the one form',
    ],
    [
      'one in capitals',
      { text: receiptJson(RECEIPT).replace(/"parentHash": "11/, '"parentHash": "AA') },
      [],
      'malformed',
      'lower-case hex',
    ],
    ['a hand-over left out', { receipt: { ...RECEIPT, handOvers: [] } }, [], 'wrong-signature', 'voter 0'],
    ['another request id', {}, ['--request-id', 'request-4'], 'other-request', 'request-4'],
  ] as [string, { text?: string; receipt?: Receipt }, string[], string, string][])(
    'verify refuses %s, exit 1',
    async (_, { text, receipt }, options, check, why) => {
      const path = files()
      writeFileSync(path('receipt.json'), text ?? receiptJson(receipt ?? RECEIPT))
      const verify = ['verify', path('receipt.json'), '--genesis', path('genesis.json'), ...options]
      await expect(run(...verify)).rejects.toMatchObject({
        code: 'E_RECEIPT',
        message: `the receipt does not hold: ${check}`,
        exitCode: 1,
        advice: { why: expect.stringContaining(why) as string },
      })
    },
  )

  it('verify refuses a request that is another', async () => {
    const path = files()
    const { transaction } = numberedTransaction(4)
    writeFileSync(path('other.json'), certificateValidationRequest.write(transaction.request))
    const verify = ['verify', path('receipt.json'), '--genesis', path('genesis.json')]
    await expect(run(...verify, '--request', path('other.json'))).rejects.toMatchObject({
      code: 'E_RECEIPT',
      advice: { fix: expect.stringContaining('the receipt itself is in order') as string },
    })
  })

  it('verify says what a block to trust looks like', async () => {
    const path = files()
    const verify = [
      'verify',
      path('receipt.json'),
      '--genesis',
      path('genesis.json'),
      '--checkpoint',
      '5:abcd',
    ]
    await expect(run(...verify)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: '--checkpoint 5:abcd: expected HEIGHT:BLOCK_ID, the id in 64 lower-case hex digits',
    })
  })

  it('verify wants to be told what to trust', async () => {
    const path = files()
    await expect(run('verify', path('receipt.json'))).rejects.toMatchObject({ code: 'E_USAGE', exitCode: 64 })
    await expect(
      run('verify', path('receipt.json'), '--checkpoint', path('nothing.json')),
    ).rejects.toMatchObject({ code: 'E_USAGE' })
    writeFileSync(path('set.json'), '{}')
    await expect(run('verify', path('receipt.json'), '--checkpoint', path('set.json'))).rejects.toMatchObject(
      {
        code: 'E_CHECKPOINT',
        exitCode: 65,
      },
    )
  })
})

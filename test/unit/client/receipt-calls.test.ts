/** What the client takes for a receipt: whom it asks, what it makes of each answer, and when it gives up. */
import { describe, expect, it } from 'vitest'
import type { Carrier, CarrierReply } from '../../../src/client/carrier.ts'
import type { ClientError } from '../../../src/client/client-error.ts'
import { configuredEndpoints } from '../../../src/client/endpoint.ts'
import { type ClientOptions, HypermeshClient } from '../../../src/client/hypermesh-client.ts'
import type { ProvenReceipt } from '../../../src/client/receipt-calls.ts'
import { certificateRequestBytes } from '../../../src/client/request-bytes.ts'
import { receiptJson } from '../../../src/codec/receipt-json.ts'
import { asEpoch, asHeight, type BlockHash } from '../../../src/types/primitives.ts'
import type { Receipt, ReceiptTrust } from '../../../src/types/receipt.ts'
import type { AnswerErrorCode } from '../../../src/validation/answer.ts'
import { answerBytes } from '../../support/client/scripted-carrier.ts'
import { VirtualClock } from '../../support/client/virtual-clock.ts'
import { altered, TRUST } from '../../support/receipt-fixture.ts'
import { receiptOn } from '../../support/receipt-on-request.ts'
import { certificateRequest } from '../../support/requests.ts'

const REQUEST = certificateRequest('receipt-1')
const BYTES = certificateRequestBytes(REQUEST)
const RIGHT = receiptOn(BYTES)
const FOREIGN = receiptOn(BYTES, (record) => ({ ...record, requestKey: altered(record.requestKey) }))
const FORGED: Receipt = { ...RIGHT, position: RIGHT.position + 1 }

/** What a node answers when it is asked for a receipt; the last goes on for ever. */
type Line = Receipt | AnswerErrorCode | 'valid' | 'a web page' | 'gone'

function replyOf(line: Line): CarrierReply {
  const of = (payload: Uint8Array, standing: CarrierReply['standing'] = 'success'): CarrierReply => ({
    payload,
    standing,
    note: 'HTTP',
    retryAfterMs: null,
  })
  if (typeof line === 'object') return of(Buffer.from(receiptJson(line)))
  if (line === 'gone') throw new Error('connect ECONNREFUSED')
  if (line === 'valid') return of(answerBytes({ kind: 'valid' }))
  if (line === 'a web page') return of(Buffer.from('<html>'))
  const standing = line === 'REQUEST_NOT_FOUND' || line === 'RECEIPT_UNAVAILABLE' ? 'lasting' : 'try-again'
  return of(answerBytes({ kind: 'error', errorCode: line, message: 'in words' }), standing)
}

function setUp(scripts: readonly (readonly Line[])[], options: Partial<ClientOptions> = {}) {
  const asked: string[] = []
  const clock = new VirtualClock()
  const left = scripts.map((lines) => [...lines])
  const carrier = (endpoint: string): Carrier => ({
    call: async (_method, payload) => {
      asked.push(Buffer.from(payload).toString())
      const lines = left[Number(endpoint.slice(-1))] ?? []
      return replyOf((lines.length > 1 ? lines.shift() : lines[0]) ?? 'gone')
    },
    close: async () => {},
  })
  const client = new HypermeshClient({
    endpoints: configuredEndpoints(
      scripts.map((_, i) => `https://node-${i}`),
      'as-given',
    ),
    carriers: { https: carrier },
    clock,
    random: () => 0.5,
    deadlineMs: 10_000,
    ...options,
  })
  const get = (request: Parameters<HypermeshClient['receipt']>[0] = BYTES, trust: ReceiptTrust = TRUST) =>
    clock.settle(
      client.receipt(request, { trust }).then(
        (receipt: ProvenReceipt) => receipt,
        (error: ClientError) => error.code,
      ),
    )
  return { asked, get }
}

describe('a receipt', () => {
  it('comes with what it proves, with its text, and from whom', async () => {
    const { get, asked } = setUp([[RIGHT]])
    const got = await get()
    expect(got).toMatchObject({ isValid: true, endpoint: 'https://node-0', proven: { signedStake: 3n } })
    if (typeof got === 'string') throw new Error(got)
    expect(Buffer.from(got.payload).toString()).toBe(receiptJson(RIGHT))
    const { request_id: id, wait_ms: waits } = JSON.parse(asked[0] ?? '') as Record<string, unknown>
    expect(id).toBe(got.proven.record.requestKey)
    expect(waits).toBe(5_000)
  })

  it('may be asked for by the request itself, or by its id', async () => {
    expect(await setUp([[RIGHT]]).get(REQUEST)).toMatchObject({ isValid: true })
    expect(await setUp([[RIGHT]]).get('receipt-1')).toMatchObject({ isValid: true })
    expect(await setUp([[RIGHT]]).get('receipt-2')).toBe('E_RECEIPT')
    expect(await setUp([[RIGHT]]).get(Buffer.from('{}'))).toBe('E_REQUEST')
  })

  it('is asked for from where the caller trusts on', async () => {
    const set = { ...TRUST, kind: 'validator-set', epoch: asEpoch(3) } as const
    const block = {
      kind: 'block',
      genesisHash: TRUST.genesisHash,
      epochBlocks: TRUST.epochBlocks,
      height: asHeight(7),
      blockHash: '01'.repeat(32) as BlockHash,
    } as const
    for (const [trust, field, from] of [
      [set, 'from_epoch', 3],
      [block, 'from_height', 7],
    ] as const) {
      const { get, asked } = setUp([[RIGHT]], { passesMax: 1 })
      // The fixture's starts with the founders, which is not what is trusted here.
      expect(await get(BYTES, trust)).toBe('E_RECEIPT')
      expect(JSON.parse(asked[0] ?? '')).toMatchObject({ [field]: from })
    }
  })

  it.each<[string, Line[][], asked: number]>([
    ['is not there yet', [['RECEIPT_NOT_READY', 'RECEIPT_NOT_READY', RIGHT]], 3],
    ['is not known yet', [['REQUEST_NOT_FOUND', RIGHT]], 2],
    ['is not to be had at the first', [['RECEIPT_UNAVAILABLE'], [RIGHT]], 2],
    ['does not come from the first', [['gone'], [RIGHT]], 2],
    ['is forged by the first', [[FORGED], [RIGHT]], 2],
    ['is on another request at the first', [[FOREIGN], [RIGHT]], 2],
    ['is a verdict at the first', [['valid'], [RIGHT]], 2],
    ['is a web page at the first', [['a web page'], [RIGHT]], 2],
  ])('is had in the end when it %s', async (_what, scripts, count) => {
    const { get, asked } = setUp(scripts)
    expect(await get()).toMatchObject({ isValid: true })
    expect(asked).toHaveLength(count)
  })

  it.each<[string, Line[][], code: string]>([
    ['all are forged', [[FORGED], [FOREIGN]], 'E_RECEIPT'],
    ['one is forged and nobody else has one', [[FORGED], ['RECEIPT_NOT_READY']], 'E_RECEIPT'],
    ['nobody has one', [['RECEIPT_NOT_READY'], ['REQUEST_NOT_FOUND']], 'E_NO_RECEIPT'],
    ['nobody can make one', [['RECEIPT_UNAVAILABLE']], 'E_NO_RECEIPT'],
    ['nobody answers', [['gone'], ['gone']], 'E_NO_ANSWER'],
  ])('is none when %s', async (_what, scripts, code) => {
    expect(await setUp(scripts).get()).toBe(code)
  })
})

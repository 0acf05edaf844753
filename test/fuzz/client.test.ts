/** Whatever a node, a DNS server or a person says: the client says what it is, and never throws what nobody expects. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BATCH_ITEMS_MAX, batchAnswer } from '../../src/client/batch.ts'
import type { CallLimits, CarrierReply } from '../../src/client/carrier.ts'
import { ClientError } from '../../src/client/client-error.ts'
import { schemeOf } from '../../src/client/endpoint.ts'
import { envelopeCarrier } from '../../src/client/envelope-carrier.ts'
import { endpointOf } from '../../src/client/node/srv-records.ts'
import { plainOutcome, validationOutcome } from '../../src/client/outcome.ts'
import { lookAtRequest } from '../../src/client/request-bytes.ts'
import { weightedOrder } from '../../src/client/weighted-order.ts'
import { healthAnswer } from '../../src/rpc/trustchain-json-response.ts'
import { answerBytes } from '../support/client/scripted-carrier.ts'

const standing = fc.constantFrom<CarrierReply['standing'][]>('success', 'try-again', 'lasting', 'unsupported')
const KINDS = ['done', 'under-way', 'unknown', 'refused', 'not-ready', 'foreign', 'unsupported']

/** An answer with one byte changed, cut off, or doubled. */
const damaged = fc
  .tuple(fc.constantFrom('valid', 'invalid' as const), fc.nat(1_000), fc.nat(255), fc.boolean())
  .map(([kind, at, byte, isCut]) => {
    const bytes = answerBytes(
      kind === 'valid' ? { kind } : { kind: 'invalid', failedProofs: ['space_proof'], reason: 'r' },
    )
    const place = at % bytes.length
    if (isCut) return bytes.slice(0, place)
    const changed = Uint8Array.from(bytes)
    changed[place] = byte
    return changed
  })
const payload = fc.oneof(
  damaged,
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((json) => Buffer.from(json)),
)

describe('the client', () => {
  it('has an outcome for every reply', () => {
    const reply = fc.record({
      payload,
      standing,
      note: fc.string(),
      retryAfterMs: fc.option(fc.nat(), { nil: null }),
    })
    fc.assert(
      fc.property(reply, (one) => {
        expect(KINDS).toContain(validationOutcome(one).kind)
        expect(KINDS).toContain(plainOutcome(one, healthAnswer, 'health').kind)
        const batch = plainOutcome(one, batchAnswer, 'a batch')
        if (batch.kind === 'done') expect(batch.value.length).toBeLessThanOrEqual(BATCH_ITEMS_MAX)
      }),
    )
  })

  it('takes no verdict from a reply that was no success', () => {
    fc.assert(
      fc.property(damaged, fc.constantFrom('try-again' as const, 'lasting' as const), (bytes, taken) => {
        const outcome = validationOutcome({ payload: bytes, standing: taken, note: '', retryAfterMs: null })
        expect(outcome.kind).not.toBe('done')
      }),
    )
  })

  it('refuses every envelope that is none with an Error', async () => {
    const limits: CallLimits = { deadlineMs: 1, signal: new AbortController().signal, answerBytesMax: 1 }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const carrier = envelopeCarrier({ exchange: async () => bytes, close: async () => {} })
        const call = carrier.call('health', Buffer.from('null'), limits)
        await call.then(
          (reply) => expect(['success', 'try-again', 'lasting']).toContain(reply.standing),
          (error: unknown) => expect(error).toBeInstanceOf(Error),
        )
      }),
    )
  })

  it('knows an address or says that it is none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((text) => `stoq://${text}`),
        ),
        (text) => {
          try {
            expect(['http', 'https', 'stoq', 'libp2p']).toContain(schemeOf(text))
          } catch (error) {
            expect(error).toBeInstanceOf(ClientError)
          }
        },
      ),
    )
  })

  it('makes of a record an address that it can read, or none', () => {
    const odd = fc.constantFrom(
      '999.999.999.999',
      '1.2.3.4',
      'xn--a',
      'xn--',
      'a.xn--zzzzzzzz99',
      '0x7f.1',
      'a..b',
    )
    const name = fc.oneof(fc.string(), fc.domain(), odd)
    fc.assert(
      fc.property(name, fc.integer({ min: -1, max: 70_000 }), (target, port) => {
        const read = endpointOf({ name: target, port, priority: 0, weight: 0 }, 'https')
        if ('endpoint' in read) expect(schemeOf(read.endpoint)).toBe('https')
        else expect(read.why).not.toBe('')
      }),
    )
  })

  it('orders whatever there is, and loses nothing', () => {
    const item = fc.record({ priority: fc.nat(3), weight: fc.oneof(fc.nat(65_535), fc.constant(0)) })
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 32 }), chance, (items, value) => {
        const ordered = weightedOrder(items, () => value)
        expect(new Set(ordered)).toEqual(new Set(items))
        expect(ordered.length).toBe(items.length)
        const priorities = ordered.map(({ priority }) => priority)
        expect(priorities).toEqual([...priorities].sort((a, b) => a - b))
      }),
    )
  })

  it('looks at any request without an opinion', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        expect(lookAtRequest(bytes)).toHaveProperty('kind')
      }),
    )
  })
})

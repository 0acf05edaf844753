/** Whatever bytes come, the network's parsers answer with a value, keep their bounds, and agree with themselves. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeBlocksAnswer,
  decodeBlocksRequest,
  encodeBlocksAnswer,
  encodeBlocksRequest,
} from '../../src/network/block-fetch-codec.ts'
import { encodeFrames, FrameReader, FrameTooLong } from '../../src/network/frames.ts'
import { decodeIdentity } from '../../src/network/identity-certificate.ts'
import {
  asRelayed,
  decodeTransactionBatch,
  encodeTransactionBatch,
} from '../../src/network/transaction-batch.ts'

const bytes = fc.uint8Array({ maxLength: 4_096 })

/** Cuts a buffer at the given places. */
function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b)
  const edges = [0, ...at, whole.length]
  return edges.slice(1).map((end, i) => whole.slice(edges[i], end))
}

describe('the frame reader', () => {
  it('gives back every message, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (messages, places) => {
          const reader = new FrameReader(4_096)
          const frames: Uint8Array[] = []
          for (const chunk of cut(encodeFrames(messages), places))
            reader.push(chunk, (frame) => frames.push(frame))
          expect(frames.map((frame) => [...frame])).toEqual(messages.map((message) => [...message]))
          expect(reader.heldBytes).toBe(0)
        },
      ),
    )
  })

  it('never holds or hands out more than it was given or than the bound', () => {
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 8 }),
        fc.integer({ min: 0, max: 1_000 }),
        (chunks, bytesMax) => {
          const reader = new FrameReader(bytesMax)
          let arrived = 0
          let handed = 0
          try {
            for (const chunk of chunks) {
              arrived += chunk.length
              reader.push(chunk, (frame) => {
                expect(frame.length).toBeLessThanOrEqual(bytesMax)
                handed += frame.length + 4
              })
            }
          } catch (error) {
            expect(error).toBeInstanceOf(FrameTooLong)
          }
          expect(handed).toBeLessThanOrEqual(arrived)
          expect(reader.heldBytes).toBeLessThanOrEqual(bytesMax)
        },
      ),
    )
  })
})

describe('the batch decoder', () => {
  it('takes any bytes, and what it accepts encodes to the same bytes', () => {
    const anything = fc.oneof(
      bytes,
      fc
        .array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { minLength: 1 })
        .map((batch) => encodeTransactionBatch(batch)),
    )
    fc.assert(
      fc.property(anything, fc.option(fc.nat()), (input, flip) => {
        const altered = Uint8Array.from(input)
        if (flip !== null && altered.length > 0) {
          const index = flip % altered.length
          altered[index] = (altered[index] ?? 0) ^ (1 << (flip % 8))
        }
        const batch = decodeTransactionBatch(altered)
        if (batch.ok) {
          const again = encodeTransactionBatch(batch.value.transactions)
          expect([...(batch.value.sender === 'relay' ? asRelayed(again) : again)]).toEqual([...altered])
        } else {
          expect(batch.code).toBe('malformed')
        }
      }),
    )
  })
})

describe.each([
  ['block requests', decodeBlocksRequest, encodeBlocksRequest],
  ['block answers', decodeBlocksAnswer, encodeBlocksAnswer],
] as const)('the decoder of %s', (_name, decode, encode) => {
  it('takes any bytes, and what it accepts encodes to the same bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(bytes, fc.uint8Array({ maxLength: 48 })),
        fc.integer({ min: 0, max: 4 }),
        (input, selector) => {
          for (const candidate of [input, Uint8Array.of(selector, ...input)]) {
            const decoded = decode(candidate)
            if (decoded.ok) expect([...encode(decoded.value as never)]).toEqual([...candidate])
            else expect(decoded.code).toBe('malformed')
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('the decoder of identity certificates', () => {
  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6_000 }), (input) => {
        const decoded = decodeIdentity(input)
        expect(decoded.ok || decoded.code === 'malformed').toBe(true)
      }),
    )
  })
})

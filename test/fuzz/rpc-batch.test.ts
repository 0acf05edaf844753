/** The batch parser: any array comes apart as JSON.parse says, and no item, however broken, spoils another. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BATCH_ITEMS_MAX, type BatchItem, readBatch } from '../../src/rpc/batch.ts'
import { vector } from '../support/requests.ts'

const RUNS = { numRuns: 500 }
const GOOD = [`{"certificate":${vector('certreq_json')}}`, `{"four_proof":${vector('fpreq_json')}}`]
const read = (text: string) => readBatch(Buffer.from(text))

/** JSON with whatever in it: brackets and commas in strings, escapes at their ends, every depth. */
const item = fc.oneof(
  fc.json(),
  fc.constantFrom(...GOOD),
  fc
    .string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', 'ü', '\n') })
    .map((text) => JSON.stringify(text)),
)
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 })

function kindOf(text: string): BatchItem['kind'] {
  if (text === GOOD[0]) return 'certificate'
  return text === GOOD[1] ? 'four-proof' : 'malformed'
}

describe('a batch', () => {
  it('comes apart into the items that are in it', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 12 }), space, (items, gap) => {
        const batch = read(`${gap}[${items.map((text) => gap + text + gap).join(',')}]${gap}`)
        expect(batch.ok && batch.value.map(({ kind }) => kind)).toEqual(items.map(kindOf))
      }),
      RUNS,
    )
  })

  it('keeps its other items when one is overwritten within its brackets', () => {
    const inner = fc.record({ at: fc.nat(1_200), text: fc.string({ maxLength: 6 }) })
    fc.assert(
      fc.property(fc.nat(4), fc.array(inner, { minLength: 1, maxLength: 4 }), (index, edits) => {
        let broken = GOOD[0] ?? ''
        for (const { at, text } of edits) {
          // What changes where strings and brackets end changes where the item ends.
          const piece = text.replace(/["\\[\]{},]/g, '~')
          const place = broken.slice(0, at + 2) + piece
          broken = place + broken.slice(place.length)
        }
        const isSameFrame = broken.replace(/[^"\\[\]{},]/g, '') === GOOD[0]?.replace(/[^"\\[\]{},]/g, '')
        const items = Array.from({ length: 5 }, (_, i) => (i === index ? broken : (GOOD[i % 2] ?? '')))
        const batch = read(`[${items.join(',')}]`)
        if (!isSameFrame) return
        if (!batch.ok) throw new Error(batch.detail)
        expect(batch.value).toHaveLength(5)
        for (const [i, { kind }] of batch.value.entries()) {
          if (i !== index) expect(kind).toBe(i % 2 === 0 ? 'certificate' : 'four-proof')
        }
        const judged = batch.value[index]
        if (judged?.kind === 'malformed') expect(judged.detail).toMatch(new RegExp(`^\\[${index}\\]`))
      }),
      RUNS,
    )
  })

  it('answers any bytes with items or a refusal', () => {
    const pieces = [
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      '\\',
      ' ',
      '1',
      '"certificate":',
      '"four_proof":',
      'null',
      '\u0000',
    ]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
        ),
        (bytes) => {
          const batch = readBatch(bytes)
          if (!batch.ok) expect(batch.detail).not.toBe('')
          else expect(batch.value.length).toBeLessThanOrEqual(BATCH_ITEMS_MAX)
        },
      ),
      RUNS,
    )
  })

  it('takes everything that is an array to JSON.parse, and nothing that is none', () => {
    const pieces = ['[', ']', '{', '}', ',', '"a"', '1', '"a":', 'null', ' ']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        let length: number | null = null
        try {
          const parsed: unknown = JSON.parse(text)
          length = Array.isArray(parsed) ? parsed.length : null
        } catch {
          // Broken inside an item is the item's matter; only what parses says how many there are.
          return
        }
        const batch = read(text)
        expect(batch.ok ? batch.value.length : null).toBe(length)
      }),
      { numRuns: 3_000 },
    )
  })
})

/** Snapshots as bytes: chunks that stay the same while a list grows, bounds on everything, nothing read twice. */
import { describe, expect, it } from 'vitest'
import {
  CHUNK_BYTES_TARGET,
  ChunkWriter,
  decodeChunk,
  decodeHandOver,
  decodeManifest,
  encodeHandOver,
  encodeManifest,
  MANIFEST_BYTES_MAX,
} from '../../../src/codec/snapshot.ts'
import type { HandOver, SnapshotManifest } from '../../../src/types/snapshot.ts'
import { certificate, FinalChain } from '../../support/final-chain.ts'
import { GENESIS } from '../ledger/fixtures.ts'

const { block } = new FinalChain().next()
const MANIFEST: SnapshotManifest = {
  header: block.header,
  certificate: certificate(block, 'commit'),
  finality: certificate(block),
  chunks: [
    { part: 'block', first: 0, count: 1, bytes: 400, sha256: 'aa'.repeat(32) as never },
    { part: 'verdicts', first: 0, count: 7, bytes: 900, sha256: 'bb'.repeat(32) as never },
  ],
}

/** The chunks of a list of entries. */
function chunksOf(entries: readonly Uint8Array[]): Uint8Array[] {
  const writer = new ChunkWriter()
  const chunks: Uint8Array[] = []
  for (const entry of entries) {
    if (!writer.hasRoomFor(entry)) chunks.push(writer.take())
    writer.add(entry)
  }
  if (writer.count > 0) chunks.push(writer.take())
  return chunks
}

describe('a manifest', () => {
  it('comes back as it was, with and without a pre-commit certificate', () => {
    for (const manifest of [MANIFEST, { ...MANIFEST, finality: null }]) {
      expect(decodeManifest(encodeManifest(manifest))).toEqual({ ok: true, value: manifest })
    }
  })

  it('is not read when it is too long, cut off, or more than one', () => {
    const bytes = encodeManifest(MANIFEST)
    expect(decodeManifest(new Uint8Array(MANIFEST_BYTES_MAX + 1)).ok).toBe(false)
    for (let length = 0; length < bytes.length; length += 97) {
      const cut = decodeManifest(bytes.subarray(0, length))
      // What is left may be a shorter manifest, never this one.
      expect(cut).not.toEqual({ ok: true, value: MANIFEST })
    }
    expect(decodeManifest(new Uint8Array([...bytes, 0])).ok).toBe(false)
  })
})

it('a hand-over proof comes back as it was', () => {
  const handOver: HandOver = {
    header: block.header,
    certificate: certificate(block, 'commit'),
    validators: GENESIS.validators,
  }
  expect(decodeHandOver(encodeHandOver(handOver))).toEqual({ ok: true, value: handOver })
})

describe('chunks', () => {
  const entries = Array.from({ length: 5_000 }, (_, i) => new Uint8Array(700).fill(i % 251))

  it('hold all entries in order, each chunk about as large as is meant', () => {
    const chunks = chunksOf(entries)
    expect(chunks.length).toBe(4)
    expect(chunks.every(({ length }) => length <= CHUNK_BYTES_TARGET)).toBe(true)
    const read = chunks.flatMap((chunk) => {
      const count = Math.floor(chunk.length / 704)
      const decoded = decodeChunk(chunk, count)
      return decoded.ok ? decoded.value : []
    })
    expect(read).toEqual(entries)
  })

  it('stay the same when the list grows, but for the last', () => {
    const short = chunksOf(entries.slice(0, 4_000))
    expect(chunksOf(entries).slice(0, short.length - 1)).toEqual(short.slice(0, -1))
  })

  it('take one large entry, and no second beside it', () => {
    const large = new Uint8Array(2 * CHUNK_BYTES_TARGET)
    expect(chunksOf([large, Uint8Array.of(1)]).map(({ length }) => length)).toEqual([large.length + 4, 5])
  })

  it.each([
    ['one entry too many', Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0, 0), 1],
    ['one too few', Uint8Array.of(1, 0, 0, 0, 9), 2],
    ['a length that is cut off', Uint8Array.of(1, 0, 0), 1],
    ['an entry that is cut off', Uint8Array.of(4, 0, 0, 0, 1, 2, 3), 1],
    ['an entry without end', Uint8Array.of(255, 255, 255, 255, 1), 1],
  ])('with %s are refused', (_, bytes, count) => {
    expect(decodeChunk(bytes, count)).toMatchObject({ ok: false, code: 'malformed' })
  })
})

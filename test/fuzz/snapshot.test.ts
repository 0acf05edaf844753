/** Whatever bytes a peer sends for a manifest, a chunk, a proof, a request or an answer: read or refused, never thrown. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeChunk, decodeHandOver, decodeManifest, encodeManifest } from '../../src/codec/snapshot.ts'
import { NO_NOTES } from '../../src/ledger/shielded/genesis-shielded.ts'
import { SnapshotReplay } from '../../src/ledger/snapshot-replay.ts'
import { decodeSnapshotAnswer, decodeSnapshotRequest } from '../../src/network/snapshot-codec.ts'
import type { BlockHash, StateRoot } from '../../src/types/primitives.ts'
import { SNAPSHOT_PARTS } from '../../src/types/snapshot.ts'
import { certificate, FinalChain, stateRootOf } from '../support/final-chain.ts'

const { block } = new FinalChain().next()
const MANIFEST = encodeManifest({
  header: block.header,
  certificate: certificate(block, 'commit'),
  finality: null,
  chunks: [{ part: 'block', first: 0, count: 1, bytes: 400, sha256: 'aa'.repeat(32) as never }],
})

describe('bytes of any kind', () => {
  const decoders = {
    manifest: decodeManifest,
    'hand-over': decodeHandOver,
    request: decodeSnapshotRequest,
    answer: decodeSnapshotAnswer,
    chunk: (bytes: Uint8Array) => decodeChunk(bytes, 3),
  }
  it.each(Object.entries(decoders))('as a %s are read or refused', (_, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const read = decode(bytes)
        expect(typeof read.ok).toBe('boolean')
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  it('flipped in a manifest give another manifest or none', () => {
    fc.assert(
      fc.property(fc.nat(MANIFEST.length * 8 - 1), (bit) => {
        const bytes = new Uint8Array(MANIFEST)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const read = decodeManifest(bytes)
        if (read.ok) expect(encodeManifest(read.value)).toEqual(bytes)
      }),
      { numRuns: 1_000, seed: 2 },
    )
  })

  it('as entries of any part do not break a replay, and never add up to another state', () => {
    const certified = { blockHash: 'cc'.repeat(32) as BlockHash, stateRoot: 'dd'.repeat(32) as StateRoot }
    fc.assert(
      fc.property(
        fc.constantFrom(...SNAPSHOT_PARTS),
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }),
        (part, entries) => {
          const replay = new SnapshotReplay(certified, stateRootOf, NO_NOTES)
          replay.add(part, entries)
          expect(replay.finish().ok).toBe(false)
        },
      ),
      { numRuns: 1_000, seed: 3 },
    )
  })
})

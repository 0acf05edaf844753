/** The bytes of a proof: frozen, bounded, and none of them may be changed. In the long run every single one is. */
import { createHash } from 'node:crypto'
import { describe, expect, inject, it } from 'vitest'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { JOIN_SPLIT_PROOF_BYTES_MAX, verifyJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import { PARAMETERS, shapeOf } from '../../../src/shielded/stark/parameters.ts'
import { proofBytesMax } from '../../../src/shielded/stark/proof-layout.ts'
import { prove } from '../../../src/shielded/stark/prover.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'
import { sampleProof } from '../../support/shielded/sample-proof.ts'

const { publicInputs, proof, trace, statement } = sampleProof(2)
const codeOf = (bytes: Uint8Array): string => {
  const verification = verifyJoinSplit(publicInputs, bytes)
  return verification.ok ? 'ok' : verification.code
}

/** SHA-256 of the proof of seed 2: another one means that proofs made before are refused. */
const FROZEN = 'dc3dfe7ebf07e87653c5ef39bc6b02d3c15c295bc9e11be29b9ddcc8798f659c'

describe("a proof's bytes", () => {
  it('are frozen: the same notes and the same seed give the same proof', () => {
    expect(createHash('sha256').update(proof).digest('hex')).toBe(FROZEN)
  })

  it('are at most what is said, and at most 90 KiB', () => {
    expect(JOIN_SPLIT_PROOF_BYTES_MAX).toBeLessThanOrEqual(90 * 1_024)
    expect(proof.length).toBeLessThanOrEqual(JOIN_SPLIT_PROOF_BYTES_MAX)
    // One place has as many siblings as there are levels: the bound is met to the byte.
    const size = (queries: number, seed: number): { bytes: number; most: number } => {
      const shape = shapeOf(JOIN_SPLIT_AIR, { blowupBits: 2, queries, grindingBits: 0 })
      return {
        bytes: prove(shape, trace, statement, seededBytes(seed, 32)).length,
        most: proofBytesMax(shape),
      }
    }
    const one = size(1, 1)
    expect(one.bytes).toBe(one.most)
    const four = size(4, 1)
    expect(four.bytes).toBeLessThanOrEqual(four.most)
    expect(proofBytesMax(shapeOf(JOIN_SPLIT_AIR, PARAMETERS))).toBe(JOIN_SPLIT_PROOF_BYTES_MAX)
  })

  it('are refused with any one of them changed', () => {
    const step = inject('proofByteStep')
    const random = seededRandom(71)
    const reasons: Record<string, number> = {}
    let tried = 0
    for (let at = 0; at < proof.length; at += at < 64 ? 1 : step) {
      const changed = proof.slice()
      changed[at] = (changed[at] as number) ^ (1 << Math.floor(random() * 8))
      const code = codeOf(changed)
      if (code === 'ok') expect(`byte ${at} changed`).toBe('refused')
      reasons[code] = (reasons[code] ?? 0) + 1
      tried++
    }
    process.stdout.write(`${tried} proofs with a byte changed, all refused: ${JSON.stringify(reasons)}\n`)
    expect(reasons['ok']).toBeUndefined()
  }, 1_800_000)

  it('are refused with some missing or too many', () => {
    for (const length of [0, 1, 32, 64, 9_000, 9_212, 9_213, proof.length - 32, proof.length - 1]) {
      expect(codeOf(proof.subarray(0, length))).toBe('proof-truncated')
    }
    expect(codeOf(Uint8Array.of(...proof, 0))).toBe('proof-trailing-bytes')
    expect(codeOf(Uint8Array.of(...proof, ...new Uint8Array(32)))).toBe('proof-trailing-bytes')
    expect(codeOf(new Uint8Array(JOIN_SPLIT_PROOF_BYTES_MAX + 1).fill(1))).toBe('proof-too-long')
  })

  it('are refused where they are an element in a second spelling', () => {
    // Every element of the openings that is below 2^32 - p, with p added to it.
    const view = new DataView(proof.buffer, proof.byteOffset, proof.length)
    let tried = 0
    for (let at = 65; at < 65 + 9_000; at += 4) {
      const changed = proof.slice()
      new DataView(changed.buffer).setUint32(at, view.getUint32(at, true) + 2_130_706_433, true)
      if (at % 97 === 0) {
        expect(codeOf(changed)).toBe('element-not-canonical')
        tried++
      }
    }
    expect(tried).toBeGreaterThan(10)
  })

  it('may be anything at all: noise is refused and nothing is thrown', () => {
    const random = seededRandom(72)
    for (let i = 0; i < 200; i++) {
      const noise = Uint8Array.from({ length: Math.floor(random() * 4_000) }, () =>
        Math.floor(random() * 256),
      )
      if (i % 2 === 0) noise[0] = 1
      expect(codeOf(noise)).not.toBe('ok')
    }
  })
})

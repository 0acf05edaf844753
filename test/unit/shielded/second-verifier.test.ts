/** Two verifiers, one from the code and one from the text, give the same answer on good and bad proofs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { verifyJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { naiveVerify } from '../../support/shielded/naive-verifier.ts'
import { type SampleProof, sampleProof } from '../../support/shielded/sample-proof.ts'

const text = readFileSync(join(import.meta.dirname, '../../../src/shielded/README.md'), 'utf8')
const airHash = Buffer.from(/has the hash `([0-9a-f]{64})`/.exec(text)?.[1] ?? '', 'hex')

function both(
  { publicInputs, statement }: SampleProof,
  proof: Uint8Array,
): { first: string; second: string } {
  const verification = verifyJoinSplit(publicInputs, proof)
  const second = naiveVerify(
    { elements: [...statement.elements], binding: statement.binding, airHash },
    proof,
  )
  return { first: verification.ok ? 'ok' : verification.code, second }
}

describe('the second verifier', () => {
  it('knows the constraints by the hash that the text gives', () => {
    expect(airHash).toEqual(Buffer.from(JOIN_SPLIT_AIR.hash))
  })

  it.each([2, 3])('accepts the proof of seed %i, as the first does', (seed) => {
    const sample = sampleProof(seed)
    expect(both(sample, sample.proof)).toEqual({ first: 'ok', second: 'ok' })
  })

  it('refuses what the first refuses, and for the same reason', () => {
    const sample = sampleProof(2)
    const { proof } = sample
    const random = seededRandom(70)
    const flipped = (at: number): Uint8Array => {
      const changed = proof.slice()
      changed[at] = (changed[at] as number) ^ (1 << Math.floor(random() * 8))
      return changed
    }
    // Version, roots, openings, FRI roots, final polynomial, nonce: the parts before the rows; then places anywhere.
    const parts = [0, 1, 33, 65, 4_525, 8_985, 9_064, 9_065, 9_097, 9_129, 9_208, 9_209]
    const anywhere = Array.from({ length: 18 }, () => Math.floor(9_213 + random() * (proof.length - 9_213)))
    const mutations = [
      ...[...parts, ...anywhere].map(flipped),
      new Uint8Array(0),
      proof.subarray(0, 64),
      proof.subarray(0, proof.length - 1),
      Uint8Array.of(...proof, 0),
      new Uint8Array(90_366),
      proof.map((byte, i) => (i >= 65 && i < 69 ? 0xff : byte)),
      proof.map((byte, i) => (i >= proof.length - 40_000 && i < proof.length - 39_990 ? 0xff : byte)),
    ]
    const reasons = new Set<string>()
    for (const mutation of mutations) {
      const { first, second } = both(sample, mutation)
      expect(first).not.toBe('ok')
      expect(second).toBe(first)
      reasons.add(first)
    }
    process.stdout.write(`two verifiers agree on ${mutations.length} mutations: ${[...reasons].join(', ')}\n`)
  })
})

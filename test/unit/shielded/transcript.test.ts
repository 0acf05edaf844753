/** Every item of the transcript changes every challenge after it; trees and folding are what the text says. */
import { describe, expect, it } from 'vitest'
import { elementBytes } from '../../../src/shielded/field/element-bytes.ts'
import { multiply, P, power, rootOfUnity } from '../../../src/shielded/field/koala-bear.ts'
import {
  addQuintic,
  multiplyQuintic,
  powerQuintic,
  type Quintic,
  scale,
} from '../../../src/shielded/field/quintic.ts'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { fold } from '../../../src/shielded/stark/fri-fold.ts'
import { hashLeaf, MerkleTree, rootOfLeaves } from '../../../src/shielded/stark/merkle-tree.ts'
import { PARAMETERS, shapeOf } from '../../../src/shielded/stark/parameters.ts'
import { distinctPlaces, Transcript, type TranscriptLabel } from '../../../src/shielded/stark/transcript.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { seededBytes, seededElements } from '../../support/shielded/join-splits.ts'

/** In the order of the protocol. */
const ITEMS: readonly TranscriptLabel[] = [
  'parameters',
  'air',
  'public-inputs',
  'binding',
  'trace-root',
  'quotient-root',
  'openings',
  'fri-root',
  'fri-root',
  'final-polynomial',
  'nonce',
]

/** A challenge after every item. */
function challenges(items: readonly (readonly [TranscriptLabel, Uint8Array])[]): string[] {
  const transcript = new Transcript()
  return items.map(([label, bytes]) => {
    transcript.absorb(label, bytes)
    return transcript.challenge().join()
  })
}

describe('the transcript', () => {
  it('changes every later challenge, and no earlier one, with every item', () => {
    const items = ITEMS.map((label, i) => [label, seededBytes(i, 32)] as const)
    const honest = challenges(items)
    expect(new Set(honest).size).toBe(honest.length)
    for (const changed of items.keys()) {
      for (const alter of [
        (bytes: Uint8Array) => bytes.map((byte, i) => (i === 17 ? byte ^ 1 : byte)),
        (bytes: Uint8Array) => bytes.subarray(1),
        (bytes: Uint8Array) => Uint8Array.of(...bytes, 0),
      ]) {
        const other = challenges(
          items.map(([label, bytes], i) => [label, i === changed ? alter(bytes) : bytes]),
        )
        for (const [i, challenge] of other.entries()) expect(challenge === honest[i]).toBe(i < changed)
      }
    }
    const swapped = challenges(items.map(([label, bytes], i) => [i === 7 ? 'openings' : label, bytes]))
    expect(swapped[7]).not.toBe(honest[7])
  })

  it('begins with parameters, constraints, public inputs and binding', () => {
    const shape = shapeOf(JOIN_SPLIT_AIR, PARAMETERS)
    const statement = { elements: seededElements(5)(52), binding: seededBytes(6, 32) }
    const first = (s: typeof shape, of: typeof statement): string => Transcript.of(s, of).challenge().join()
    const honest = first(shape, statement)
    for (const figure of ['blowupBits', 'queries', 'grindingBits'] as const) {
      const parameters = { ...PARAMETERS, [figure]: PARAMETERS[figure] + 1 }
      expect(first({ ...shape, parameters }, statement)).not.toBe(honest)
    }
    const hash = JOIN_SPLIT_AIR.hash.map((byte, i) => (i === 31 ? byte ^ 1 : byte))
    expect(first({ ...shape, air: { ...JOIN_SPLIT_AIR, hash } }, statement)).not.toBe(honest)
    for (const i of statement.elements.keys()) {
      const elements = statement.elements.map((element, k) => (k === i ? (element + 1) % P : element))
      expect(first(shape, { ...statement, elements })).not.toBe(honest)
    }
    expect(first(shape, { ...statement, binding: seededBytes(7, 32) })).not.toBe(honest)
  })

  it('draws places over the whole domain, and grinds to the first nonce that will do', () => {
    const transcript = new Transcript()
    const places = transcript.places(4_000, 6)
    expect(distinctPlaces(places)).toEqual(Array.from({ length: 64 }, (_, i) => i))
    const nonce = transcript.grind(8)
    expect(transcript.isGround(nonce, 8)).toBe(true)
    expect(Array.from({ length: nonce }, (_, i) => transcript.isGround(i, 8))).not.toContain(true)
    expect(transcript.isGround(nonce, 0)).toBe(true)
  })
})

describe('a Merkle tree', () => {
  const leaves = Array.from({ length: 64 }, (_, i) => seededBytes(i, 20))
  const tree = new MerkleTree(64, (i) => hashLeaf(leaves[i] as Uint8Array))

  it('opens any leaves with the siblings that are needed and no more', () => {
    const random = seededRandom(61)
    for (let run = 0; run < 60; run++) {
      const places = distinctPlaces(Array.from({ length: 1 + run }, () => Math.floor(random() * 64)))
      const siblings = tree.siblings(places)
      let used = 0
      const hashes = places.map((place) => hashLeaf(leaves[place] as Uint8Array))
      const root = rootOfLeaves(6, places, hashes, () => siblings[used++] as Uint8Array)
      expect(root).toEqual(tree.root)
      expect(used).toBe(siblings.length)
    }
  })

  it('takes no node for a leaf', () => {
    const [left, right] = leaves.map(hashLeaf) as [Uint8Array, Uint8Array]
    const node = new MerkleTree(2, (i) => (i === 0 ? left : right)).root
    expect(hashLeaf(Uint8Array.of(...left, ...right))).not.toEqual(node)
  })
})

describe('folding', () => {
  it('gives Σ β^t f_t(x^8)', () => {
    const elements = seededElements(62)
    const coefficients = Array.from({ length: 24 }, () => elements(5) as unknown as Quintic)
    const beta = elements(5) as unknown as Quintic
    const x = elements(1)[0] as number
    const at = (point: number): Quintic =>
      coefficients.reduce<Quintic>((sum, c, i) => addQuintic(sum, scale(c, power(point, i))), [0, 0, 0, 0, 0])
    const values = Array.from({ length: 8 }, (_, k) => at(multiply(x, power(rootOfUnity(3), k))))
    const expected = coefficients.reduce<Quintic>(
      (sum, c, i) =>
        addQuintic(sum, multiplyQuintic(powerQuintic(beta, i % 8), scale(c, power(x, i - (i % 8))))),
      [0, 0, 0, 0, 0],
    )
    expect(fold(values, power(x, P - 2), beta)).toEqual(expected)
    expect(elementBytes([P - 1])).toEqual(Uint8Array.of(0, 0, 0, 0x7f))
  })
})

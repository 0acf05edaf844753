/** What is proven of the parameters, and what the masks leave to be seen. */
import { describe, expect, it } from 'vitest'
import { invert, multiply, power, rootOfUnity, subtract } from '../../../src/shielded/field/koala-bear.ts'
import {
  embed,
  multiplyQuintic,
  ONE,
  powerQuintic,
  type Quintic,
  scale,
  subtractQuintic,
} from '../../../src/shielded/field/quintic.ts'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { JOIN_SPLIT_SHAPE } from '../../../src/shielded/join-split/join-split.ts'
import { domainPoint, nextPoint } from '../../../src/shielded/stark/deep.ts'
import { PARAMETERS, shapeOf } from '../../../src/shielded/stark/parameters.ts'
import { prove } from '../../../src/shielded/stark/prover.ts'
import { COLLISION_BITS, soundnessOf } from '../../../src/shielded/stark/soundness.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { seededBytes, seededElements } from '../../support/shielded/join-splits.ts'
import { sampleProof } from '../../support/shielded/sample-proof.ts'

describe('soundness', () => {
  it('is proven to 110 bits at least', () => {
    const soundness = soundnessOf(JOIN_SPLIT_SHAPE)
    process.stdout.write(`proven soundness: ${JSON.stringify(soundness)}\n`)
    expect(soundness.bits).toBeGreaterThanOrEqual(110)
    expect(soundness.bits).toBeLessThanOrEqual(COLLISION_BITS)
    expect(PARAMETERS).toEqual({ blowupBits: 5, queries: 40, grindingBits: 16 })
  })

  it('falls with every parameter that is lowered', () => {
    const bits = (parameters: Partial<typeof PARAMETERS>): number =>
      soundnessOf(shapeOf(JOIN_SPLIT_AIR, { ...PARAMETERS, ...parameters })).bits
    const inForce = bits({})
    expect(bits({ queries: 39 })).toBeLessThan(inForce)
    expect(bits({ grindingBits: 12 })).toBeLessThan(inForce)
    expect(bits({ blowupBits: 4 })).toBeLessThan(inForce)
    // The prototype's table: 24 queries prove 76 bits, whatever a conjecture says.
    expect(Math.round(bits({ queries: 24 }))).toBe(76)
  })

  it('is of an AIR whose quotient fits into its chunks, and of no other', () => {
    expect(JOIN_SPLIT_AIR.degree).toBe(3 * 255)
    expect(() => shapeOf({ ...JOIN_SPLIT_AIR, degree: 768 }, PARAMETERS)).toThrow(
      'does not fit into its chunks',
    )
    expect(() => shapeOf({ ...JOIN_SPLIT_AIR, rowBits: 6 }, PARAMETERS)).toThrow('do not fold')
  })
})

/** Rank of a matrix over the field, by elimination. */
function rank(rows: readonly (readonly number[])[]): number {
  const left = rows.map((row) => [...row])
  let found = 0
  for (let column = 0; column < (left[0]?.length ?? 0) && found < left.length; column++) {
    const pivot = left.findIndex((row, i) => i >= found && row[column] !== 0)
    if (pivot < 0) continue
    const [chosen] = left.splice(pivot, 1) as [number[]]
    left.splice(found, 0, chosen)
    const inverse = invert(chosen[column] as number)
    for (const row of left.slice(found + 1)) {
      const factor = multiply(row[column] as number, inverse)
      for (const [k, cell] of chosen.entries()) row[k] = subtract(row[k] as number, multiply(factor, cell))
    }
    found++
  }
  return found
}

describe('masks', () => {
  it('have more randomness in every column than is seen of it', () => {
    const { rows, coefficients } = JOIN_SPLIT_SHAPE
    const random = seededRandom(91)
    const places = new Set(Array.from({ length: PARAMETERS.queries }, () => Math.floor(random() * 8_192)))
    const functional = (point: Quintic): Quintic[] => {
      const vanishing = subtractQuintic(powerQuintic(point, rows), ONE)
      return Array.from({ length: coefficients - rows }, (_, k) =>
        multiplyQuintic(vanishing, powerQuintic(point, k)),
      )
    }
    const z = seededElements(92)(5) as unknown as Quintic
    const seen = [
      ...[...places].map((place) => functional(embed(domainPoint(JOIN_SPLIT_SHAPE, place))).map(([c]) => c)),
      ...[z, nextPoint(JOIN_SPLIT_SHAPE, z)].flatMap((point) => {
        const values = functional(point)
        return [0, 1, 2, 3, 4].map((e) => values.map((value) => value[e] as number))
      }),
    ]
    expect(seen.length).toBe(places.size + 10)
    expect(rank(seen)).toBe(seen.length)
    expect(seen.length).toBeLessThan(coefficients - rows)
    expect(nextPoint(JOIN_SPLIT_SHAPE, z)).toEqual(scale(z, rootOfUnity(7)))
    expect(power(rootOfUnity(7), rows)).toBe(1)
  })

  it('are others for another seed, and for another statement under the same seed', () => {
    const { trace, statement } = sampleProof(2)
    const small = shapeOf(JOIN_SPLIT_AIR, { blowupBits: 2, queries: 4, grindingBits: 0 })
    const openings = (of: typeof statement, seed: number): string =>
      Buffer.from(prove(small, trace, of, seededBytes(seed, 32)).subarray(1, 65)).toString('hex')
    const other = { ...statement, binding: seededBytes(93, 32) }
    const roots = [openings(statement, 1), openings(statement, 2), openings(other, 1)]
    expect(new Set(roots).size).toBe(3)
    expect(openings(statement, 1)).toBe(roots[0])
  })

  it('salt every row differently', () => {
    const { proof } = sampleProof(2)
    const salts = new Set<string>()
    const rowsAt = 9_213
    for (let i = 0; i < 30; i++)
      salts.add(Buffer.from(proof.subarray(rowsAt + 908 * i, rowsAt + 908 * i + 16)).toString('hex'))
    expect(salts.size).toBe(30)
  })
})

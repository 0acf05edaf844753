/** The field, its extension and the transform against naive BigInt versions and published figures. */
import { describe, expect, it } from 'vitest'
import {
  add,
  GENERATOR,
  invert,
  invertAll,
  multiply,
  negate,
  P,
  power,
  reduce,
  rootOfUnity,
  subtract,
  TWO_ADICITY,
} from '../../../src/shielded/field/koala-bear.ts'
import { evaluate, interpolate, shiftArgument, transform } from '../../../src/shielded/field/ntt.ts'
import {
  addQuintic,
  BASIS,
  coordinates,
  equalQuintic,
  frobenius,
  invertAllQuintic,
  invertQuintic,
  multiplyQuintic,
  ONE,
  powerQuintic,
  powersQuintic,
  type Quintic,
  scale,
  subtractQuintic,
  weightedSum,
} from '../../../src/shielded/field/quintic.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { seededElements } from '../../support/shielded/join-splits.ts'
import { extInv, extMul, extPow, mod, PRIME } from '../../support/shielded/naive-field.ts'

const EDGES = [
  0,
  1,
  2,
  3,
  (P - 1) / 2,
  (P + 1) / 2,
  P - 3,
  P - 2,
  P - 1,
  2 ** 16,
  2 ** 24,
  2 ** 30,
  2 ** 24 - 1,
]
const big = (a: Quintic): bigint[] => a.map(BigInt)
const small = (a: readonly bigint[]): number[] => a.map(Number)

/** Products next to multiples of P, where a quotient in floating point is most likely to be off by one. */
function adversarialPairs(count: number): (readonly [number, number])[] {
  const elements = seededElements(31)
  return elements(count).flatMap((a) => {
    if (a === 0) return []
    const inverse = Number(power(a, P - 2))
    return [
      [a, inverse],
      [a, multiply(inverse, P - 1)],
      [a, multiply(inverse, 2)],
    ] as const
  })
}

describe('the field', () => {
  it('multiplies, adds and subtracts as integers do', () => {
    const elements = seededElements(30)
    const random = Array.from({ length: 200_000 }, () => elements(2) as [number, number])
    const edges = EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const))
    for (const [a, b] of [...edges, ...adversarialPairs(20_000), ...random]) {
      const [x, y] = [BigInt(a), BigInt(b)]
      if (multiply(a, b) !== Number((x * y) % PRIME)) expect(`${a} * ${b}`).toBe(multiply(a, b))
      if (add(a, b) !== Number((x + y) % PRIME)) expect(`${a} + ${b}`).toBe(add(a, b))
      if (subtract(a, b) !== Number(mod(x - y))) expect(`${a} - ${b}`).toBe(subtract(a, b))
    }
    expect(edges.every(([a]) => add(a, negate(a)) === 0)).toBe(true)
  })

  it('reduces sums of up to a million products', () => {
    const sums = [0, P - 1, P, P + 1, 2 * P, 2 ** 32, 2 ** 51, 2 ** 52 - 1, P * 2 ** 20, P * 2 ** 20 - 1]
    const random = seededElements(32)(2_000).map((a, i) => a * ((i % 1_000) + 1) + i)
    for (const sum of [...sums, ...random]) expect(reduce(sum)).toBe(Number(BigInt(sum) % PRIME))
  })

  it('inverts', () => {
    const values = [...EDGES.slice(1), ...seededElements(33)(100)]
    for (const [i, inverse] of invertAll(values).entries()) {
      expect(multiply(values[i] as number, inverse)).toBe(1)
      expect(inverse).toBe(invert(values[i] as number))
    }
    expect(() => invert(0)).toThrow('zero has no inverse')
  })

  it('has the published roots of unity', () => {
    // Plonky3, `koala_bear.rs`: the generator of order 2^24, and those of order 2 and 4.
    expect(rootOfUnity(TWO_ADICITY)).toBe(0x6ac49f88)
    expect(rootOfUnity(1)).toBe(0x7f000000)
    expect(rootOfUnity(2)).toBe(0x7e010002)
    expect(power(rootOfUnity(TWO_ADICITY), 2 ** 23)).toBe(P - 1)
    // 3 generates: no proper divisor of P - 1 = 2^24 * 127 gives one.
    expect(power(GENERATOR, (P - 1) / 2)).not.toBe(1)
    expect(power(GENERATOR, (P - 1) / 127)).not.toBe(1)
  })
})

describe('the quintic extension', () => {
  const elements = seededElements(34)
  const some = (): Quintic => elements(5) as unknown as Quintic
  const edge: Quintic = [P - 1, P - 1, P - 1, P - 1, P - 1]

  it('multiplies as polynomials modulo X^5 + X^2 - 1', () => {
    const random = seededRandom(35)
    const edges = (): Quintic =>
      [0, 1, 2, 3, 4].map(() => EDGES[Math.floor(random() * EDGES.length)]) as unknown as Quintic
    for (let i = 0; i < 3_000; i++) {
      const [a, b] = i === 0 ? [edge, edge] : i % 2 === 0 ? [some(), some()] : [edges(), edges()]
      expect([...multiplyQuintic(a, b)]).toEqual(small(extMul(big(a), big(b))))
    }
  })

  it('is a field: sums, products and inverses obey its laws', () => {
    const values = Array.from({ length: 50 }, some)
    const inverses = invertAllQuintic(values)
    for (const [i, a] of values.entries()) {
      const [b, c] = [some(), some()]
      expect(multiplyQuintic(a, addQuintic(b, c))).toEqual(
        addQuintic(multiplyQuintic(a, b), multiplyQuintic(a, c)),
      )
      expect(subtractQuintic(addQuintic(a, b), b)).toEqual(a)
      expect(equalQuintic(multiplyQuintic(a, invertQuintic(a)), ONE)).toBe(true)
      expect(inverses[i]).toEqual(invertQuintic(a))
    }
    const [a] = values as [Quintic]
    expect([...invertQuintic(a)]).toEqual(small(extInv(big(a))))
  })

  it('has X of degree five: X^(p^5) = X, and X^p is another', () => {
    const x = BASIS[1] as Quintic
    expect(small(extPow(big(x), PRIME))).toEqual([...frobenius(x)])
    expect(frobenius(x)).not.toEqual(x)
    let image = x
    for (let i = 0; i < 5; i++) image = frobenius(image)
    expect(image).toEqual(x)
  })

  it('takes sums over coordinates', () => {
    const weights = powersQuintic(some(), 300)
    const values = Int32Array.from(elements(310))
    const plain = weights.reduce<Quintic>(
      (sum, weight, i) => addQuintic(sum, scale(weight, values[i + 7] as number)),
      [0, 0, 0, 0, 0],
    )
    expect(weightedSum(values, 7, coordinates(weights), 300)).toEqual(plain)
    expect(weights[9]).toEqual(powerQuintic(weights[1] as Quintic, 9))
  })
})

describe('the transform', () => {
  it('is evaluation at the powers of a root of unity, and back', () => {
    for (const bits of [0, 1, 2, 5, 8]) {
      const coefficients = Int32Array.from(seededElements(40 + bits)(2 ** bits))
      const values = coefficients.slice()
      transform(values, bits)
      const root = rootOfUnity(bits)
      const naive = Array.from(values, (_, i) => {
        const x = BigInt(power(root, i))
        return Number(coefficients.reduceRight((sum, c) => (sum * x + BigInt(c)) % PRIME, 0n))
      })
      expect([...values]).toEqual(naive)
      interpolate(values, bits)
      expect(values).toEqual(coefficients)
    }
  })

  it('shifts the argument', () => {
    const coefficients = Int32Array.from(seededElements(50)(20))
    const shifted = coefficients.slice()
    shiftArgument(shifted, 3)
    for (const x of [0, 1, 77, P - 1])
      expect(evaluate(shifted, x)).toBe(evaluate(coefficients, multiply(3, x)))
  })
})

/** Provers that cheat: with an untrue statement, at a step of the protocol, or with weaker parameters. */
import { describe, expect, it } from 'vitest'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { JOIN_SPLIT_SHAPE } from '../../../src/shielded/join-split/join-split.ts'
import { PUBLIC } from '../../../src/shielded/join-split/layout.ts'
import { PARAMETERS, shapeOf } from '../../../src/shielded/stark/parameters.ts'
import { prove } from '../../../src/shielded/stark/prover.ts'
import { verify } from '../../../src/shielded/stark/verifier.ts'
import { type Cheat, forge } from '../../support/shielded/cheating-prover.ts'
import { DELETION_CASES } from '../../support/shielded/deletion-cases.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'
import { sampleProof } from '../../support/shielded/sample-proof.ts'

/** A small domain and little grinding: the same steps in a tenth of the time. */
const SMALL = shapeOf(JOIN_SPLIT_AIR, { blowupBits: 2, queries: 30, grindingBits: 4 })
const { trace, statement } = sampleProof(2)
const seed = seededBytes(81, 32)
/** Pays out one more than comes in. */
const inflated = DELETION_CASES.find(({ name }) => name === 'limb 0 that does not balance')?.tampered()
if (inflated === undefined) throw new Error('the case has another name')
const untrue = { elements: inflated.publicInputs, binding: statement.binding }

const codeOf = (shape: typeof SMALL, of: typeof untrue | typeof statement, proof: Uint8Array): string => {
  const verification = verify(shape, of, proof)
  return verification.ok ? 'ok' : verification.code
}

describe('a prover that cheats', () => {
  it('is the honest one where it does not', () => {
    expect(forge(SMALL, trace, statement, seed)).toEqual(prove(SMALL, trace, statement, seed))
    expect(codeOf(SMALL, statement, forge(SMALL, trace, statement, seed))).toBe('ok')
  })

  it.each<[Cheat, string]>([
    ['none', 'constraints'],
    ['adaptive-quotient', 'fri-final'],
    ['quotient-after-z', 'constraints'],
  ])('with an untrue statement and %s is refused: %s', (cheat, code) => {
    expect(codeOf(SMALL, untrue, forge(SMALL, inflated.trace, untrue, seed, cheat))).toBe(code)
  })

  it.each<[Cheat, string]>([
    ['false-opening', 'fri-final'],
    ['quotient-after-z', 'constraints'],
    ['stale-lambda', 'fri-value'],
    ['foreign-codeword', 'fri-value'],
    ['foreign-layer', 'fri-value'],
    ['false-final', 'fri-final'],
    ['no-grinding', 'grinding'],
    ['stale-places', 'trace-opening'],
  ])('with a true statement and %s is refused: %s', (cheat, code) => {
    expect(codeOf(SMALL, statement, forge(SMALL, trace, statement, seed, cheat))).toBe(code)
  })

  it('is refused every time when it adapts the quotient under the parameters in force', () => {
    const ungroundShape = shapeOf(JOIN_SPLIT_AIR, { ...PARAMETERS, grindingBits: 0 })
    const codes = Array.from({ length: 2 }, (_, i) =>
      codeOf(
        ungroundShape,
        untrue,
        forge(ungroundShape, inflated.trace, untrue, seededBytes(90 + i, 32), 'adaptive-quotient'),
      ),
    )
    expect(codes).toEqual(['fri-final', 'fri-final'])
  })

  it('gets through when only one place is asked for: the queries are what stops it', () => {
    const one = shapeOf(JOIN_SPLIT_AIR, { blowupBits: 2, queries: 1, grindingBits: 0 })
    const codes = Array.from({ length: 12 }, (_, i) =>
      codeOf(one, untrue, forge(one, inflated.trace, untrue, seededBytes(100 + i, 32), 'four-points')),
    )
    const through = codes.filter((code) => code === 'ok').length
    process.stdout.write(
      `one query lets ${through} of ${codes.length} forgeries that are right at 4 of 16 points through\n`,
    )
    expect(through).toBeGreaterThan(0)
    expect(through).toBeLessThan(codes.length)
  })
})

describe('a proof of something weaker', () => {
  it.each([
    { ...PARAMETERS, queries: 39 },
    { ...PARAMETERS, grindingBits: 0 },
    { ...PARAMETERS, blowupBits: 2 },
  ])('under %o is refused by who checks under those in force', (parameters) => {
    const shape = shapeOf(JOIN_SPLIT_AIR, parameters)
    const proof = prove(shape, trace, statement, seed)
    expect(codeOf(shape, statement, proof)).toBe('ok')
    expect(codeOf(JOIN_SPLIT_SHAPE, statement, proof)).toBe('constraints')
  })

  it('without a constraint is accepted by who does without it, and by nobody else', () => {
    const name = 'balance: limb 0'
    const constraints = JOIN_SPLIT_AIR.constraints.filter((constraint) => constraint.name !== name)
    expect(constraints).toHaveLength(JOIN_SPLIT_AIR.constraints.length - 1)
    const without = shapeOf({ ...JOIN_SPLIT_AIR, constraints }, SMALL.parameters)
    const proof = prove(without, inflated.trace, untrue, seed)
    expect(codeOf(without, untrue, proof)).toBe('ok')
    expect(codeOf(SMALL, untrue, proof)).toBe('constraints')
  })

  it('of other public inputs or another binding is refused, whichever is changed', () => {
    const proof = prove(SMALL, trace, statement, seed)
    for (let i = 0; i < statement.elements.length; i++) {
      const elements = statement.elements.slice()
      elements[i] = (elements[i] as number) ^ 1
      expect(codeOf(SMALL, { ...statement, elements }, proof)).toBe('constraints')
    }
    for (const byte of [0, 31]) {
      const binding = statement.binding.slice()
      binding[byte] = (binding[byte] as number) ^ 1
      expect(codeOf(SMALL, { ...statement, binding }, proof)).toBe('constraints')
    }
    expect(statement.elements).toHaveLength(PUBLIC.burn + 4)
  })
})

/** Verdicts: always right, given once, and the wrong ones push out no right one. */
import { describe, expect, it } from 'vitest'
import { statementOf } from '../../../src/ledger/shielded/statement.ts'
import { ProofVerdicts } from '../../../src/proofs/proof-verdicts.ts'
import { packStatement, unpackStatement } from '../../../src/proofs/statement-bytes.ts'
import type { Hex32 } from '../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import { shieldedTransaction, withWrongProof } from '../../support/shielded/shielded-transaction.ts'

const RIGHT = shieldedTransaction(1)
const WRONG = withWrongProof(RIGHT)

function counted(limits?: ConstructorParameters<typeof ProofVerdicts>[1]) {
  const log: string[] = []
  const verdicts = new ProofVerdicts((place, isRight) => void log.push(`${place} ${isRight}`), limits)
  return { verdicts, log }
}

describe('a verdict', () => {
  it('is found here when nobody has asked before, and remembered, right or wrong', () => {
    const { verdicts, log } = counted()
    expect([verdicts.verify(RIGHT), verdicts.verify(WRONG)]).toEqual([true, false])
    expect([verdicts.verify({ ...RIGHT }), verdicts.verify({ ...WRONG })]).toEqual([true, false])
    expect(log).toEqual(['inline true', 'inline false', 'cache true', 'cache false'])
  })

  it('of a worker is taken over', () => {
    const { verdicts, log } = counted()
    expect(verdicts.known(verdicts.hashOf(RIGHT))).toBe(null)
    verdicts.found(verdicts.hashOf(RIGHT), true)
    expect(verdicts.known(verdicts.hashOf(RIGHT))).toBe(true)
    expect(verdicts.verify(RIGHT)).toBe(true)
    expect(log).toEqual(['worker true', 'cache true'])
  })

  const other = 'cd'.repeat(32)
  it.each<[string, Partial<ShieldedTransaction>]>([
    ['proof', { proof: RIGHT.proof.subarray(1) }],
    ['binding', { binding: other as Hex32 }],
    ['anchor', { anchor: other as Hex32 }],
    ['nullifiers', { nullifiers: [RIGHT.nullifiers[1], RIGHT.nullifiers[0]] }],
    ['commitments', { commitments: [RIGHT.commitments[1], RIGHT.commitments[0]] }],
    ['fee', { fee: RIGHT.fee + 1n }],
    ['burn', { burn: { to: other as never, amount: 1n } }],
  ])('is not that on the same with another %s', (_, changed) => {
    const { verdicts } = counted()
    verdicts.found(verdicts.hashOf(RIGHT), true)
    expect(verdicts.verify({ ...RIGHT, ...changed })).toBe(false)
  })

  it('that is wrong never pushes out one that is right, and both are bounded', () => {
    const { verdicts } = counted({ rightMax: 2, wrongMax: 3 })
    const name = (i: number) => `${i}`.padStart(64, '0') as Hex32
    for (const i of [1, 2, 3]) verdicts.found(name(i), true)
    for (let i = 10; i < 50; i++) verdicts.found(name(i), false)
    expect([1, 2, 3].map((i) => verdicts.known(name(i)))).toEqual([null, true, true])
    expect([45, 46, 47, 48, 49].map((i) => verdicts.known(name(i)))).toEqual([
      null,
      null,
      false,
      false,
      false,
    ])
  })
})

describe('a statement on its way to a worker', () => {
  it('arrives as it is, and takes nothing of the transaction along', () => {
    const burnt = { ...RIGHT, fee: 2n ** 64n - 1n, burn: { to: 'ef'.repeat(32) as never, amount: 77n } }
    const packed = packStatement(burnt)
    expect(packed.byteLength).toBe(216 + RIGHT.proof.length)
    const { publicInputs, proof } = unpackStatement(structuredClone(packed, { transfer: [packed] }))
    expect(publicInputs).toEqual(statementOf(burnt))
    expect(proof).toEqual(RIGHT.proof)
  })
})

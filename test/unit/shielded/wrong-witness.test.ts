/** Witnesses of untrue statements: the prover makes no proof, and one that is forced is refused. */
import { describe, expect, it } from 'vitest'
import { elementBytes } from '../../../src/shielded/field/element-bytes.ts'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { firstViolation, proveJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import {
  decodeStatement,
  type JoinSplitPublicInputs,
  publicInputsOf,
} from '../../../src/shielded/join-split/public-inputs.ts'
import { type JoinSplit, joinSplitTrace, type SpentNote } from '../../../src/shielded/join-split/trace.ts'
import type { JoinSplitWitness } from '../../../src/shielded/join-split/witness.ts'
import { digestBytes } from '../../../src/shielded/notes/digest-bytes.ts'
import { shapeOf } from '../../../src/shielded/stark/parameters.ts'
import { verify } from '../../../src/shielded/stark/verifier.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { forge } from '../../support/shielded/cheating-prover.ts'
import {
  AMOUNTS,
  dummyNote,
  sampleJoinSplit,
  seededBytes,
  seededElements,
} from '../../support/shielded/join-splits.ts'

const SMALL = shapeOf(JOIN_SPLIT_AIR, { blowupBits: 2, queries: 8, grindingBits: 0 })
const { joinSplit, anchor } = sampleJoinSplit(1, AMOUNTS)
const truth = publicInputsOf(joinSplit, anchor, seededBytes(2, 32))
const [first, second] = joinSplit.inputs as [SpentNote, SpentNote]

const other = seededElements(3)
const withFirst = (note: Partial<SpentNote>): JoinSplit => ({
  ...joinSplit,
  inputs: [{ ...first, ...note }, second],
})
const withOutput = (value: bigint): JoinSplit => ({
  ...joinSplit,
  outputs: joinSplit.outputs.map((output, i) => (i === 0 ? { ...output, value } : output)),
})
const paidOut = joinSplit.outputs[0]?.value ?? 0n
const siblings = first.siblings.map((sibling, level) => (level === 9 ? other(8) : sibling))

/** Notes, and public inputs if they are others than those of the notes. */
const CATALOGUE: [what: string, notes: JoinSplit, said?: Partial<JoinSplitPublicInputs>][] = [
  ['an output worth one more', withOutput(paidOut + 1n)],
  ['an output worth a limb more', withOutput(paidOut + 65_536n)],
  ['an output worth one less', withOutput(paidOut - 1n)],
  ['a fee that nobody pays', { ...joinSplit, fee: joinSplit.fee + 1n }],
  ['a mint that is not said', joinSplit, { mint: 0n }],
  ['a burn that is not done', joinSplit, { burn: joinSplit.burn + 1n }],
  ['a fee below what is said', joinSplit, { fee: joinSplit.fee - 1n }],
  ["another's key", withFirst({ spendingKey: other(8) })],
  ['other randomness', withFirst({ randomness: other(7) })],
  ['a note worth more than it was', withFirst({ value: first.value + 1n })],
  ['a path with another sibling', withFirst({ siblings })],
  ['another position', withFirst({ position: first.position ^ 2 })],
  ['the position of the sibling', withFirst({ position: second.position })],
  ['a dummy that is worth something', withFirst({ enabled: false })],
  ['a dummy where a note should be', { ...joinSplit, inputs: [dummyNote(4), second] }],
  ['another anchor', joinSplit, { anchor: digestBytes(other(8)) }],
  ['another nullifier', joinSplit, { nullifiers: [digestBytes(other(8)), truth.nullifiers[1]] }],
  ['nullifiers swapped', joinSplit, { nullifiers: [truth.nullifiers[1], truth.nullifiers[0]] }],
  ['outputs swapped', joinSplit, { commitments: [truth.commitments[1], truth.commitments[0]] }],
  ['another commitment', joinSplit, { commitments: [truth.commitments[0], digestBytes(other(8))] }],
]

/** Those of the catalogue for which a proof is forced, one of a kind; the others are looked at in the trace alone. */
const FORCED = new Set([
  'an output worth one more',
  'a mint that is not said',
  "another's key",
  'a path with another sibling',
  'a dummy that is worth something',
  'another nullifier',
])

describe('an untrue statement', () => {
  it.each(CATALOGUE.map(([what, notes, said = {}]) => ({ what, notes, said })))(
    'of $what has no proof',
    ({ what, notes, said }) => {
      const publicInputs = { ...publicInputsOf(notes, anchor, truth.binding), ...said }
      const statement = decodeStatement(publicInputs)
      if ('ok' in statement) throw new Error(statement.detail)
      const trace = joinSplitTrace(notes)
      expect(firstViolation(trace, statement.elements)).not.toBeNull()
      if (!FORCED.has(what)) return
      const forged = forge(SMALL, trace, statement, seededBytes(5, 32))
      expect(verify(SMALL, statement, forged)).toMatchObject({ ok: false, code: 'constraints' })
    },
  )

  it('is forced for what the list says', () => {
    expect(CATALOGUE.filter(([what]) => FORCED.has(what))).toHaveLength(FORCED.size)
  })

  it('is not proven even where a sum would wrap: at 2^64, or at the prime', () => {
    const rich = sampleJoinSplit(6, { inputs: [2n ** 64n - 1n, 2n ** 64n - 1n], first: 2n ** 64n - 1n })
    const whole = publicInputsOf(rich.joinSplit, rich.anchor, truth.binding)
    const statement = decodeStatement(whole)
    if ('ok' in statement) throw new Error(statement.detail)
    expect(firstViolation(joinSplitTrace(rich.joinSplit), statement.elements)).toBeNull()
    const poor = sampleJoinSplit(6, { inputs: [1n, 1n], first: 1n })
    const [a, b] = poor.joinSplit.outputs as [JoinSplit['outputs'][number], JoinSplit['outputs'][number]]
    for (const value of [2n ** 64n - 1n, 2n ** 48n - 1n, 2_130_706_433n]) {
      const wrapped = {
        ...poor.joinSplit,
        outputs: [
          { ...a, value },
          { ...b, value: 3n },
        ],
      }
      const said = decodeStatement(publicInputsOf(wrapped, poor.anchor, truth.binding))
      if ('ok' in said) throw new Error(said.detail)
      expect(firstViolation(joinSplitTrace(wrapped), said.elements)?.constraint).toContain('balance: limb')
    }
  })
})

describe('true statements by seed', () => {
  it('satisfy the constraints, whatever amounts and positions; one unit more or less does not', () => {
    const random = seededRandom(7)
    const amount = (bits: number): bigint =>
      BigInt(Math.floor(random() * 2 ** Math.min(bits, 40))) << BigInt(Math.max(0, bits - 40))
    for (let run = 0; run < 40; run++) {
      const inputs = [amount(1 + (run % 64)), amount(1 + ((run * 7) % 64))] as const
      const mint = run % 3 === 0 ? amount(20) : 0n
      const available = inputs[0] + inputs[1] + mint
      const fee = available / 10n < 2n ** 63n ? available / 10n : 0n
      const burn = run % 4 === 0 ? available / 20n : 0n
      const position = Math.floor(random() * 2 ** 32)
      const first_ = (available - fee - burn) / 2n
      const sample = sampleJoinSplit(200 + run, { inputs, first: first_, fee, mint, burn }, position)
      const trace = joinSplitTrace(sample.joinSplit)
      const publicInputs = publicInputsOf(sample.joinSplit, sample.anchor, truth.binding)
      const violation = (of: JoinSplitPublicInputs) => {
        const statement = decodeStatement(of)
        if ('ok' in statement) throw new Error(statement.detail)
        return firstViolation(trace, statement.elements)
      }
      expect(violation(publicInputs)).toBeNull()
      expect(violation({ ...publicInputs, mint: publicInputs.mint + 1n })).not.toBeNull()
    }
  })
})

describe('what is no witness, or no statement', () => {
  const bytes = (note: SpentNote) => ({
    spendingKey: digestBytes(note.spendingKey),
    value: note.value,
    randomness: elementBytes(note.randomness),
    place: { position: note.position, siblings: note.siblings.map(digestBytes) },
  })
  const [a, b] = joinSplit.outputs.map(({ owner, value, randomness }) => ({
    owner: digestBytes(owner),
    value,
    randomness: elementBytes(randomness),
  })) as unknown as JoinSplitWitness['outputs']
  const witness: JoinSplitWitness = { inputs: [bytes(first), bytes(second)], outputs: [a, b] }
  const codeOf = (of: JoinSplitWitness, publicInputs: JoinSplitPublicInputs = truth): string => {
    const proof = proveJoinSplit(of, publicInputs, seededBytes(8, 32))
    return proof.ok ? 'ok' : proof.code
  }
  const input = (changed: object): JoinSplitWitness => ({
    ...witness,
    inputs: [{ ...witness.inputs[0], ...changed }, witness.inputs[1]],
  })
  const ff = (count: number): Uint8Array => new Uint8Array(count).fill(0xff)

  it.each<[string, JoinSplitWitness]>([
    ['witness-key-malformed', input({ spendingKey: ff(32) })],
    ['witness-key-malformed', input({ spendingKey: new Uint8Array(31) })],
    ['witness-key-malformed', { ...witness, outputs: [{ ...a, owner: ff(32) }, b] }],
    ['witness-randomness-malformed', input({ randomness: ff(28) })],
    ['witness-randomness-malformed', { ...witness, outputs: [a, { ...b, randomness: new Uint8Array(32) }] }],
    ['witness-value-out-of-range', input({ value: 2n ** 64n })],
    ['witness-value-out-of-range', input({ value: -1n })],
    ['witness-path-malformed', input({ place: { position: 2 ** 32, siblings: [] } })],
    ['witness-path-malformed', input({ place: { position: 0.5, siblings: [] } })],
    ['witness-path-malformed', input({ place: { position: 0, siblings: [] } })],
    ['witness-path-malformed', input({ place: { position: 0, siblings: new Array(32).fill(ff(32)) } })],
    ['witness-dummy-with-value', input({ place: null })],
    ['statement-untrue', input({ value: first.value + 1n })],
  ])('is refused as %s', (code, of) => {
    expect(codeOf(of)).toBe(code)
  })

  it.each<[string, Partial<JoinSplitPublicInputs>]>([
    ['anchor-malformed', { anchor: ff(32) }],
    ['anchor-malformed', { anchor: new Uint8Array(33) }],
    ['nullifier-malformed', { nullifiers: [ff(32), truth.nullifiers[1]] }],
    ['nullifier-malformed', { nullifiers: [truth.nullifiers[0], new Uint8Array(0)] }],
    ['commitment-malformed', { commitments: [truth.commitments[0], ff(32)] }],
    ['amount-out-of-range', { fee: 2n ** 64n }],
    ['amount-out-of-range', { mint: -1n }],
    ['binding-malformed', { binding: new Uint8Array(31) }],
    ['nullifier-repeated', { nullifiers: [truth.nullifiers[0], truth.nullifiers[0]] }],
  ])('is refused as %s', (code, said) => {
    expect(codeOf(witness, { ...truth, ...said })).toBe(code)
  })
})

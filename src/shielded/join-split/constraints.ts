/**
 * What a join-split is, as constraints: the one definition that prover and verifier run. The order is that of the
 * protocol text (README.md), section by section; there is none without a test that shows what it keeps out.
 */
import type { Air, Expression } from '../air/air.ts'
import { AirBuilder } from '../air/air-builder.ts'
import { negate, P } from '../field/koala-bear.ts'
import { HALF_FULL_ROUNDS, INNER_DIAGONAL, PARTIAL_ROUNDS, WIDTH } from '../hash/poseidon2.ts'
import { FULL_ROUND_CONSTANTS, PARTIAL_ROUND_CONSTANTS } from '../hash/poseidon2-constants.ts'
import { LIMB_BITS, TAGS, VALUE_LIMBS } from '../notes/note-hashes.ts'
import {
  CARRIES,
  CARRY_BITS,
  CARRY_OFFSET,
  COLUMN_COUNT,
  COLUMNS,
  PUBLIC,
  PUBLIC_INPUT_COUNT,
  type Register,
  ROW_BITS,
  SELECTORS,
  type SelectorName,
} from './layout.ts'

const TAG_LANE = 15

class JoinSplitAir {
  readonly #air = new AirBuilder({
    name: 'join-split',
    columns: COLUMN_COUNT,
    rowBits: ROW_BITS,
    publicInputs: PUBLIC_INPUT_COUNT,
    selectors: SELECTORS,
  })
  /** What the permutation of the row starts from. */
  readonly #state = this.#register('state')
  /** Lanes of P(x) + x that a tree node takes, and those of a note hash. */
  readonly #nodeHash: readonly Expression[]
  readonly #noteHash: readonly Expression[]

  constructor() {
    const end = this.#permutation()
    const fed = end.map((lane, i) => this.#air.add(lane, this.#state[i] as Expression))
    this.#nodeHash = fed.slice(0, 8)
    this.#noteHash = fed.slice(8)
  }

  #register(register: Register): Expression[] {
    const { at, width } = COLUMNS[register]
    return Array.from({ length: width }, (_, i) => this.#air.column(at + i))
  }

  #next(register: Register): Expression[] {
    const { at, width } = COLUMNS[register]
    return Array.from({ length: width }, (_, i) => this.#air.next(at + i))
  }

  #equal(where: SelectorName, name: string, left: readonly Expression[], right: readonly Expression[]): void {
    for (const [i, a] of left.entries()) {
      this.#air.constrainWhere(where, `${where}: ${name} ${i}`, this.#air.subtract(a, right[i] as Expression))
    }
  }

  #zero(where: SelectorName, name: string, values: readonly Expression[]): void {
    for (const [i, value] of values.entries())
      this.#air.constrainWhere(where, `${where}: ${name} ${i}`, value)
  }

  /** The last lane is the tag. */
  #tagged(where: SelectorName, tag: number): void {
    const lane = this.#state[TAG_LANE] as Expression
    this.#air.constrainWhere(where, `${where}: tag`, this.#air.addConstant(lane, negate(tag)))
  }

  #outerMatrix(lanes: readonly Expression[]): Expression[] {
    const air = this.#air
    const mixed: Expression[] = []
    for (let k = 0; k < WIDTH; k += 4) {
      const four = lanes.slice(k, k + 4)
      const all = air.sum(four)
      for (let i = 0; i < 4; i++) {
        const next = four[(i + 1) % 4] as Expression
        mixed.push(air.add(air.add(all, four[i] as Expression), air.add(next, next)))
      }
    }
    const columns = [0, 1, 2, 3].map((j) => air.sum([0, 4, 8, 12].map((k) => mixed[j + k] as Expression)))
    return mixed.map((lane, i) => air.add(lane, columns[i % 4] as Expression))
  }

  #innerMatrix(lanes: readonly Expression[]): Expression[] {
    const sum = this.#air.sum(lanes)
    return lanes.map((lane, i) => this.#air.add(this.#air.scale(lane, INNER_DIAGONAL[i] as number), sum))
  }

  #cube(a: Expression): Expression {
    return this.#air.multiply(this.#air.multiply(a, a), a)
  }

  /** Every round leads to what is recorded of it; the next goes on from there, so that no degree is above three. */
  #permutation(): Expression[] {
    const air = this.#air
    const recorded = this.#register('rounds')
    let at = 0
    let lanes = this.#outerMatrix(this.#state)
    const full = (name: string, constants: Int32Array): void => {
      for (let round = 0; round < HALF_FULL_ROUNDS; round++) {
        const cubes = lanes.map((lane, i) =>
          this.#cube(air.addConstant(lane, constants[WIDTH * round + i] as number)),
        )
        const next = recorded.slice(at, at + WIDTH)
        for (const [i, lane] of this.#outerMatrix(cubes).entries()) {
          air.constrain(`${name} round ${round}: lane ${i}`, air.subtract(lane, next[i] as Expression))
        }
        at += WIDTH
        lanes = next
      }
    }
    full('first', FULL_ROUND_CONSTANTS.first)
    for (let round = 0; round < PARTIAL_ROUNDS; round++, at++) {
      const [first, ...others] = lanes as [Expression, ...Expression[]]
      const cube = this.#cube(air.addConstant(first, PARTIAL_ROUND_CONSTANTS[round] as number))
      const next = recorded[at] as Expression
      air.constrain(`partial round ${round}`, air.subtract(cube, next))
      lanes = this.#innerMatrix([next, ...others])
    }
    full('last', FULL_ROUND_CONSTANTS.last)
    return lanes
  }

  /** The bits of a limb, or of a carry, as a number. */
  #number(bits: readonly Expression[]): Expression {
    return this.#air.sum(bits.map((bit, i) => this.#air.scale(bit, 2 ** i)))
  }

  #bits(): void {
    for (const [i, bit] of this.#register('bits').entries()) {
      this.#air.constrain(`bit ${i}`, this.#air.multiply(bit, this.#air.addConstant(bit, P - 1)))
    }
  }

  /** Two limbs are the numbers of the row's 32 bits. */
  #limbsOfBits(where: SelectorName, limbs: readonly Expression[]): void {
    const bits = this.#register('bits')
    const numbers = [0, LIMB_BITS].map((from) => this.#number(bits.slice(from, from + LIMB_BITS)))
    this.#equal(where, 'limb of bits', limbs, numbers)
  }

  #keys(): void {
    const key = this.#register('key')
    const nextState = this.#next('state')
    this.#zero('nullifierKey', 'padding', this.#state.slice(8, TAG_LANE))
    this.#tagged('nullifierKey', TAGS.nullifierKey)
    this.#equal('nullifierKey', 'next key', this.#next('key'), this.#noteHash)
    this.#equal('owner', 'key', this.#state.slice(0, 8), key)
    this.#zero('owner', 'padding', this.#state.slice(8, TAG_LANE))
    this.#tagged('owner', TAGS.owner)
    this.#equal('owner', 'next state', nextState.slice(0, 8), this.#noteHash)
    this.#equal('keyKept', 'key', this.#next('key'), key)
  }

  #notes(): void {
    const air = this.#air
    const value = this.#register('value')
    const balance = this.#register('balance')
    const nextBalance = this.#next('balance')
    const [enabled] = this.#register('enabled') as [Expression]
    this.#equal('ownerAndValue', 'value', this.#state.slice(8, 8 + VALUE_LIMBS), value)
    this.#zero('ownerAndValue', 'padding', this.#state.slice(8 + VALUE_LIMBS, TAG_LANE))
    this.#tagged('ownerAndValue', TAGS.ownerAndValue)
    this.#limbsOfBits('ownerAndValue', value.slice(0, 2))
    this.#equal('ownerAndValue', 'upper limb kept', this.#next('value').slice(2), value.slice(2))
    this.#equal('ownerAndValue', 'next state', this.#next('state').slice(0, 8), this.#noteHash)
    const raised = balance.map((limb, i) => air.add(limb, value[i] as Expression))
    this.#equal('inputValue', 'next balance', nextBalance, raised)
    const disabled = air.subtract(air.constant(1), enabled)
    const valueOfDummy = value.map((limb) => air.multiply(limb, disabled))
    this.#zero('inputValue', 'value of a dummy', valueOfDummy)
    const lowered = balance.map((limb, i) => air.subtract(limb, value[i] as Expression))
    this.#equal('outputValue', 'next balance', nextBalance, lowered)
    this.#limbsOfBits('commitment', value.slice(2))
    this.#tagged('commitment', TAGS.commitment)
  }

  /** What of the next state is the node that comes from below: the left half, or the right if the next bit is one. */
  #nextNode(): Expression[] {
    const air = this.#air
    const state = this.#next('state')
    const [bit] = this.#next('bits') as [Expression]
    return Array.from({ length: 8 }, (_, i) => {
      const left = state[i] as Expression
      return air.add(left, air.multiply(bit, air.subtract(state[8 + i] as Expression, left)))
    })
  }

  #path(): void {
    const air = this.#air
    const commitment = this.#register('commitment')
    const nextCommitment = this.#next('commitment')
    const position = this.#register('position')
    const nextPosition = this.#next('position')
    const [enabled] = this.#register('enabled') as [Expression]
    const [nextEnabled] = this.#next('enabled') as [Expression]
    const [bit] = this.#register('bits') as [Expression]
    this.#equal('inputCommitment', 'next commitment', nextCommitment, this.#noteHash)
    this.#equal('inputCommitment', 'next node', this.#nextNode(), this.#noteHash)
    this.#zero('inputCommitment', 'next position', nextPosition)
    this.#equal('pathStep', 'next node', this.#nextNode(), this.#nodeHash)
    const offAnchor = this.#nodeHash.map((lane, i) =>
      air.multiply(enabled, air.subtract(lane, air.publicInput(PUBLIC.anchor + i))),
    )
    this.#zero('pathEnd', 'anchor', offAnchor)
    this.#equal('enabledKept', 'enabled', [nextEnabled], [enabled])
    for (const [i, weight] of (['lowWeight', 'highWeight'] as const).entries()) {
      const change = air.subtract(nextPosition[i] as Expression, position[i] as Expression)
      const kept = air.multiply(air.selector('kept'), change)
      const step = air.multiply(air.selector(weight), bit)
      air.constrain(`kept: position ${i}`, air.subtract(kept, step))
    }
    this.#equal('path', 'commitment', nextCommitment.slice(0, 7), commitment.slice(0, 7))
    this.#equal('kept', 'last lane of the commitment', nextCommitment.slice(7), commitment.slice(7))
  }

  #nullifiers(): void {
    const commitment = this.#register('commitment')
    const lanes = this.#state
    this.#equal('keyAndCommitment', 'key', lanes.slice(0, 8), this.#register('key'))
    this.#equal('keyAndCommitment', 'commitment', lanes.slice(8, TAG_LANE), commitment)
    this.#tagged('keyAndCommitment', TAGS.keyAndCommitment)
    this.#equal('keyAndCommitment', 'next state', this.#next('state').slice(0, 8), this.#noteHash)
    const committed = [...commitment.slice(7), ...this.#register('position')]
    this.#equal('nullifier', 'commitment and position', lanes.slice(8, 11), committed)
    this.#zero('nullifier', 'padding', lanes.slice(11, TAG_LANE))
    this.#tagged('nullifier', TAGS.nullifier)
  }

  #published(): void {
    const places = {
      nullifier0: PUBLIC.nullifiers[0],
      nullifier1: PUBLIC.nullifiers[1],
      commitment0: PUBLIC.commitments[0],
      commitment1: PUBLIC.commitments[1],
    } as const
    for (const [where, at] of Object.entries(places) as [keyof typeof places, number][]) {
      const published = Array.from({ length: 8 }, (_, i) => this.#air.publicInput(at + i))
      this.#equal(where, 'published', this.#noteHash, published)
    }
  }

  /** Inputs and mint are outputs, burn and fee: limb by limb, with carries that are too small to wrap. */
  #balance(): void {
    const air = this.#air
    const balance = this.#register('balance')
    const bits = this.#register('bits')
    this.#zero('first', 'balance', balance)
    this.#equal('balanceKept', 'balance', this.#next('balance'), balance)
    const carries = Array.from({ length: CARRIES }, (_, k) => {
      const number = this.#number(bits.slice(CARRY_BITS * k, CARRY_BITS * (k + 1)))
      return air.addConstant(number, negate(CARRY_OFFSET))
    })
    for (const [k, limb] of balance.entries()) {
      const paid = air.add(air.publicInput(PUBLIC.burn + k), air.publicInput(PUBLIC.fee + k))
      let sum = air.subtract(air.add(limb, air.publicInput(PUBLIC.mint + k)), paid)
      const carriedIn = carries[k - 1]
      const carriedOut = carries[k]
      if (carriedIn !== undefined) sum = air.add(sum, carriedIn)
      if (carriedOut !== undefined) sum = air.subtract(sum, air.scale(carriedOut, 2 ** LIMB_BITS))
      air.constrainWhere('balance', `balance: limb ${k}`, sum)
    }
  }

  build(): Air {
    this.#bits()
    this.#keys()
    this.#notes()
    this.#path()
    this.#nullifiers()
    this.#published()
    this.#balance()
    return this.#air.build()
  }
}

/** The constraints of a join-split, built once. */
export const JOIN_SPLIT_AIR: Air = new JoinSplitAir().build()

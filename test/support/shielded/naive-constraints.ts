/** The constraints of a join-split from the protocol text, over the extension in BigInt. Knows nothing of src/. */
import { type Ext, extAdd, extFrom, extMul, extScale, extSub, extZero } from './naive-field.ts'
import { DIAGONAL, GRAIN_CONSTANTS, M4 } from './naive-poseidon2.ts'

/** Cells of a row and of the next, selectors and public inputs, at one point. */
export interface Row {
  readonly now: readonly Ext[]
  readonly next: readonly Ext[]
  readonly selectors: Readonly<Record<string, Ext>>
  readonly publicInputs: readonly bigint[]
}

const FIRST = [0, 38]
const rows = (...offsets: readonly number[]): number[] =>
  FIRST.flatMap((first) => offsets.map((o) => first + o))
const span = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const ones = (list: readonly number[]): Map<number, bigint> => new Map(list.map((row) => [row, 1n]))
const weighted = (from: number): Map<number, bigint> =>
  new Map(FIRST.flatMap((first) => span(0, 15).map((i) => [first + from + i, 2n ** BigInt(i)] as const)))

/** The table of selectors. */
export const SELECTOR_ROWS: Readonly<Record<string, ReadonlyMap<number, bigint>>> = {
  first: ones([0]),
  nullifierKey: ones(rows(0)),
  owner: ones(rows(1)),
  keyKept: ones(rows(...span(1, 35))),
  ownerAndValue: ones([...rows(2), 76, 78]),
  inputValue: ones(rows(2)),
  outputValue: ones([76, 78]),
  commitment: ones([...rows(3), 77, 79]),
  inputCommitment: ones(rows(3)),
  path: ones(rows(...span(4, 35))),
  pathStep: ones(rows(...span(4, 34))),
  pathEnd: ones(rows(35)),
  kept: ones(rows(...span(4, 36))),
  enabledKept: ones(rows(...span(2, 34))),
  lowWeight: weighted(4),
  highWeight: weighted(20),
  keyAndCommitment: ones(rows(36)),
  nullifier: ones(rows(37)),
  nullifier0: ones([37]),
  nullifier1: ones([75]),
  commitment0: ones([77]),
  commitment1: ones([79]),
  balanceKept: ones(span(0, 79).filter((row) => ![2, 40, 76, 78].includes(row))),
  balance: ones([80]),
}

/** The circulant matrix of 2 M4, M4, M4, M4. */
function outerMatrix(lanes: readonly Ext[]): Ext[] {
  return lanes.map((_, row) =>
    lanes.reduce((sum, lane, column) => {
      const entry = (M4[row % 4]?.[column % 4] as bigint) * (row >> 2 === column >> 2 ? 2n : 1n)
      return extAdd(sum, extScale(lane, entry))
    }, extZero),
  )
}

function innerMatrix(lanes: readonly Ext[]): Ext[] {
  const all = lanes.reduce(extAdd, extZero)
  return lanes.map((lane, i) => extAdd(extScale(lane, DIAGONAL[i] as bigint), all))
}

const cube = (a: Ext): Ext => extMul(a, extMul(a, a))

/** The 148 constraints of the rounds, and the lanes after the last. */
function permutation(x: readonly Ext[], s: readonly Ext[]): { constraints: Ext[]; end: readonly Ext[] } {
  const constraints: Ext[] = []
  let lanes: readonly Ext[] = outerMatrix(x)
  let at = 0
  let constant = 0
  const plus = (lane: Ext): Ext => extAdd(lane, extFrom(GRAIN_CONSTANTS[constant++] as bigint))
  const full = (): void => {
    for (let round = 0; round < 4; round++) {
      const made = outerMatrix(lanes.map((lane) => cube(plus(lane))))
      const recorded = s.slice(at, at + 16)
      constraints.push(...made.map((lane, i) => extSub(lane, recorded[i] as Ext)))
      lanes = recorded
      at += 16
    }
  }
  full()
  for (let round = 0; round < 20; round++) {
    const recorded = s[at++] as Ext
    constraints.push(extSub(cube(plus(lanes[0] as Ext)), recorded))
    lanes = innerMatrix([recorded, ...lanes.slice(1)])
  }
  full()
  return { constraints, end: lanes }
}

const one = extFrom(1n)
const product = (...factors: readonly Ext[]): Ext => factors.reduce(extMul, one)

/** All 384, in the order of the text. */
export function naiveConstraints({ now, next, selectors, publicInputs }: Row): Ext[] {
  const cells = (row: readonly Ext[], at: number, count: number): readonly Ext[] => row.slice(at, at + count)
  const [x, s, key, cm, v, b] = [
    cells(now, 0, 16),
    cells(now, 16, 148),
    cells(now, 164, 8),
    cells(now, 172, 8),
    cells(now, 180, 4),
    cells(now, 184, 32),
  ] as const
  const [pos, bal, en] = [cells(now, 216, 2), cells(now, 218, 4), now[222] as Ext] as const
  const [xn, keyn, cmn, vn, bn] = [
    cells(next, 0, 16),
    cells(next, 164, 8),
    cells(next, 172, 8),
    cells(next, 180, 4),
    next[184] as Ext,
  ] as const
  const [posn, baln, enn] = [cells(next, 216, 2), cells(next, 218, 4), next[222] as Ext] as const
  const { constraints, end } = permutation(x, s)
  const fed = end.map((lane, i) => extAdd(lane, x[i] as Ext))
  const [D, N] = [fed.slice(0, 8), fed.slice(8)]
  const published = (at: number): Ext[] => publicInputs.slice(at, at + 8).map(extFrom)
  const zeros = (count: number): Ext[] => new Array<Ext>(count).fill(extZero)
  const where = (selector: string, left: readonly Ext[], right: readonly Ext[]): void => {
    for (const [i, a] of left.entries()) {
      constraints.push(product(selectors[selector] as Ext, extSub(a, right[i] as Ext)))
    }
  }
  const tag = (selector: string, value: bigint): void => where(selector, x.slice(15), [extFrom(value)])
  const limb = (k: number): Ext =>
    span(0, 15).reduce((sum, i) => extAdd(sum, extScale(b[k + i] as Ext, 2n ** BigInt(i))), extZero)
  const node = span(0, 7).map((i) => {
    const left = xn[i] as Ext
    return extAdd(left, product(bn, extSub(xn[8 + i] as Ext, left)))
  })
  for (const bit of b) constraints.push(product(bit, extSub(bit, one)))
  where('nullifierKey', x.slice(8, 15), zeros(7))
  tag('nullifierKey', 101n)
  where('nullifierKey', keyn, N)
  where('owner', x.slice(0, 8), key)
  where('owner', x.slice(8, 15), zeros(7))
  tag('owner', 102n)
  where('owner', xn.slice(0, 8), N)
  where('keyKept', keyn, key)
  where('ownerAndValue', x.slice(8, 12), v)
  where('ownerAndValue', x.slice(12, 15), zeros(3))
  tag('ownerAndValue', 103n)
  where('ownerAndValue', v.slice(0, 2), [limb(0), limb(16)])
  where('ownerAndValue', vn.slice(2), v.slice(2))
  where('ownerAndValue', xn.slice(0, 8), N)
  where(
    'inputValue',
    baln,
    bal.map((limbOf, i) => extAdd(limbOf, v[i] as Ext)),
  )
  where(
    'inputValue',
    v.map((limbOf) => product(limbOf, extSub(one, en))),
    zeros(4),
  )
  where(
    'outputValue',
    baln,
    bal.map((limbOf, i) => extSub(limbOf, v[i] as Ext)),
  )
  where('commitment', v.slice(2), [limb(0), limb(16)])
  tag('commitment', 104n)
  where('inputCommitment', cmn, N)
  where('inputCommitment', node, N)
  where('inputCommitment', posn, zeros(2))
  where('pathStep', node, D)
  where(
    'pathEnd',
    D.map((lane, i) => product(en, extSub(lane, published(0)[i] as Ext))),
    zeros(8),
  )
  where('enabledKept', [enn], [en])
  for (const [i, weight] of ['lowWeight', 'highWeight'].entries()) {
    const moved = product(selectors['kept'] as Ext, extSub(posn[i] as Ext, pos[i] as Ext))
    constraints.push(extSub(moved, product(selectors[weight] as Ext, b[0] as Ext)))
  }
  where('path', cmn.slice(0, 7), cm.slice(0, 7))
  where('kept', cmn.slice(7), cm.slice(7))
  where('keyAndCommitment', x.slice(0, 8), key)
  where('keyAndCommitment', x.slice(8, 15), cm.slice(0, 7))
  tag('keyAndCommitment', 105n)
  where('keyAndCommitment', xn.slice(0, 8), N)
  where('nullifier', x.slice(8, 11), [cm[7] as Ext, ...pos])
  where('nullifier', x.slice(11, 15), zeros(4))
  tag('nullifier', 106n)
  for (const [i, name] of ['nullifier0', 'nullifier1', 'commitment0', 'commitment1'].entries()) {
    where(name, N, published(8 + 8 * i))
  }
  where('first', bal, zeros(4))
  where('balanceKept', baln, bal)
  const carry = (k: number): Ext =>
    k < 0 || k > 2
      ? extZero
      : [1n, 2n, 4n].reduce(
          (sum, weight, i) => extAdd(sum, extScale(b[3 * k + i] as Ext, weight)),
          extFrom(-4n),
        )
  const amount = (at: number, k: number): Ext => extFrom(publicInputs[at + k] as bigint)
  for (let k = 0; k < 4; k++) {
    const paid = extAdd(amount(48, k), amount(40, k))
    const limbSum = extSub(extAdd(bal[k] as Ext, amount(44, k)), paid)
    const carried = extSub(extAdd(limbSum, carry(k - 1)), extScale(carry(k), 65_536n))
    where('balance', [carried], [extZero])
  }
  return constraints
}

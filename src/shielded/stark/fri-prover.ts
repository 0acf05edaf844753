/** The prover's side of FRI: folds the combined codeword down to a polynomial that is sent, committing on the way. */
import { quinticBytes } from '../field/element-bytes.ts'
import { invert, multiply, powers, rootOfUnity } from '../field/koala-bear.ts'
import { interpolate, shiftArgument } from '../field/ntt.ts'
import type { Quintic } from '../field/quintic.ts'
import { FOLD, fold, layerDomain } from './fri-fold.ts'
import { hashLeaf, MerkleTree } from './merkle-tree.ts'
import { FINAL_COEFFICIENTS, type ProofShape } from './parameters.ts'
import { distinctPlaces, type Transcript } from './transcript.ts'

/** A committed layer: leaf i has the values that fold into value i of the next. */
export interface FriLayer {
  readonly leaves: readonly Uint8Array[]
  readonly tree: MerkleTree
}

export interface FriCommitment {
  readonly layers: readonly FriLayer[]
  /** Coefficients of what is left. */
  readonly final: readonly Quintic[]
}

/** The eight values of group i: places i, i + n/8, i + 2n/8, … */
function group(values: readonly Quintic[], i: number): Quintic[] {
  const groups = values.length / FOLD
  return Array.from({ length: FOLD }, (_, k) => values[i + k * groups] as Quintic)
}

/** Commits to the values and folds them, once for every layer; the transcript gives the challenges. */
export function commitFri(
  shape: ProofShape,
  codeword: readonly Quintic[],
  transcript: Transcript,
): FriCommitment {
  const layers: FriLayer[] = []
  let values = codeword
  for (let layer = 0; layer < shape.folds; layer++) {
    const groups = Array.from({ length: values.length / FOLD }, (_, i) => group(values, i))
    const leaves = groups.map(quinticBytes)
    const tree = new MerkleTree(leaves.length, (i) => hashLeaf(leaves[i] as Uint8Array))
    transcript.absorb('fri-root', tree.root)
    const challenge = transcript.challenge()
    const { bits, shift } = layerDomain(shape, layer)
    const inverses = powers(invert(rootOfUnity(bits)), groups.length)
    const first = invert(shift)
    values = groups.map((members, i) => fold(members, multiply(first, inverses[i] as number), challenge))
    layers.push({ leaves, tree })
  }
  return { layers, final: finalCoefficients(shape, values) }
}

/** The lowest coefficients of the polynomial that has these values; of an honest codeword the others are zero. */
function finalCoefficients(shape: ProofShape, values: readonly Quintic[]): Quintic[] {
  const { bits, shift } = layerDomain(shape, shape.folds)
  const columns = [0, 1, 2, 3, 4].map((e) => {
    const column = Int32Array.from(values, (value) => value[e] as number)
    interpolate(column, bits)
    shiftArgument(column, invert(shift))
    return column
  })
  return Array.from(
    { length: FINAL_COEFFICIENTS },
    (_, i) => columns.map((column) => column[i] as number) as unknown as Quintic,
  )
}

/** What FRI adds to the proof for the places: of every layer the leaves, then the siblings. */
export function openFri(layers: readonly FriLayer[], places: readonly number[]): Uint8Array[] {
  const opened: Uint8Array[] = []
  let known = places
  for (const { leaves, tree } of layers) {
    const groups = leaves.length
    known = distinctPlaces(known.map((place) => place % groups))
    opened.push(...known.map((place) => leaves[place] as Uint8Array), ...tree.siblings(known))
  }
  return opened
}

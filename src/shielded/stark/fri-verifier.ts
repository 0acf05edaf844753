/** The verifier's side of FRI: that the combined values, where asked for, fold down to the final polynomial. */
import { multiply, power, rootOfUnity } from '../field/koala-bear.ts'
import { equalQuintic, type Quintic } from '../field/quintic.ts'
import { evaluateFinal, fold, inversePoint, layerDomain } from './fri-fold.ts'
import { equalBytes, hashLeaf, rootOfLeaves } from './merkle-tree.ts'
import { FOLD_BITS, type ProofShape } from './parameters.ts'
import { FRI_LEAF_BYTES } from './proof-layout.ts'
import { canonicalElements, type ProofReader, ProofRefused, toQuintics } from './proof-reader.ts'
import { distinctPlaces } from './transcript.ts'

/** A layer as the proof commits to it. */
export interface FriRound {
  readonly root: Uint8Array
  readonly challenge: Quintic
}

/**
 * Reads the opened leaves of every layer and follows the values down.
 * @param values of the combined polynomial, by place
 * @throws ProofRefused where something does not fit
 */
export function verifyFri(
  shape: ProofShape,
  reader: ProofReader,
  rounds: readonly FriRound[],
  final: readonly Quintic[],
  values: ReadonlyMap<number, Quintic>,
): void {
  let known = values
  for (const [layer, { root, challenge }] of rounds.entries()) {
    const domain = layerDomain(shape, layer)
    const groupBits = domain.bits - FOLD_BITS
    const groups = readGroups(reader, groupBits, known, root, layer)
    checkMembers(groups, 2 ** groupBits, known, layer)
    known = new Map(
      [...groups].map(([place, members]) => [place, fold(members, inversePoint(domain, place), challenge)]),
    )
  }
  const { bits, shift } = layerDomain(shape, shape.folds)
  for (const [place, value] of known) {
    const point = multiply(shift, power(rootOfUnity(bits), place))
    if (!equalQuintic(evaluateFinal(final, point), value)) {
      throw new ProofRefused('fri-final', `the final polynomial is another at place ${place}`)
    }
  }
}

/** The leaves that the known values are in, by place. */
function readGroups(
  reader: ProofReader,
  groupBits: number,
  known: ReadonlyMap<number, Quintic>,
  root: Uint8Array,
  layer: number,
): Map<number, Quintic[]> {
  const places = distinctPlaces([...known.keys()].map((place) => place % 2 ** groupBits))
  const leaves = places.map(() => reader.take(FRI_LEAF_BYTES))
  const groups = new Map(leaves.map((leaf, i) => [places[i] as number, toQuintics(canonicalElements(leaf))]))
  const opened = rootOfLeaves(groupBits, places, leaves.map(hashLeaf), () => reader.hash())
  if (!equalBytes(opened, root)) {
    throw new ProofRefused('fri-opening', `the leaves of layer ${layer} do not lead to its root`)
  }
  return groups
}

/** The values that are known stand in their leaves. */
function checkMembers(
  groups: ReadonlyMap<number, readonly Quintic[]>,
  count: number,
  known: ReadonlyMap<number, Quintic>,
  layer: number,
): void {
  for (const [place, value] of known) {
    const member = groups.get(place % count)?.[Math.floor(place / count)]
    if (member === undefined || !equalQuintic(member, value)) {
      throw new ProofRefused('fri-value', `layer ${layer} has another value at place ${place}`)
    }
  }
}

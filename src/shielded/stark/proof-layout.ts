/** How the bytes of a proof follow one another, and how many there can be. */
import { QUINTIC_BYTES, quinticBytes } from '../field/element-bytes.ts'
import type { Quintic } from '../field/quintic.ts'
import { SHA256_BYTES } from '../hash/sha256.ts'
import { rowBytes } from './committed-matrix.ts'
import type { Openings } from './deep.ts'
import { FOLD } from './fri-fold.ts'
import { FINAL_COEFFICIENTS, FOLD_BITS, type ProofShape, QUOTIENT_CHUNKS } from './parameters.ts'
import { nonceBytes } from './transcript.ts'

/** First byte: the version of everything here. */
export const PROOF_VERSION = 1
/** Bytes of a leaf of FRI. */
export const FRI_LEAF_BYTES = FOLD * QUINTIC_BYTES

/** What a proof says before it is known which places are asked for, and then what is opened. */
export interface ProofParts {
  readonly traceRoot: Uint8Array
  readonly quotientRoot: Uint8Array
  readonly openings: Openings
  readonly friRoots: readonly Uint8Array[]
  readonly final: readonly Quintic[]
  readonly nonce: number
  /** Rows and siblings of both commitments, then leaves and siblings of the layers. */
  readonly opened: readonly Uint8Array[]
}

/** The openings as the transcript and the proof have them. */
export function openingBytes({ columns, next, chunks }: Openings): Uint8Array {
  return quinticBytes([...columns, ...next, ...chunks])
}

/** The bytes of a proof. */
export function encodeProof(parts: ProofParts): Uint8Array {
  const sections = [
    Uint8Array.of(PROOF_VERSION),
    parts.traceRoot,
    parts.quotientRoot,
    openingBytes(parts.openings),
    ...parts.friRoots,
    quinticBytes(parts.final),
    nonceBytes(parts.nonce),
    ...parts.opened,
  ]
  const bytes = new Uint8Array(sections.reduce((sum, section) => sum + section.length, 0))
  let at = 0
  for (const section of sections) {
    bytes.set(section, at)
    at += section.length
  }
  return bytes
}

/** Siblings of `count` leaves of a tree at the most: when they part as early as they can. */
function siblingsMax(count: number, depth: number): number {
  let siblings = 0
  for (let level = depth; level > 0; level--) {
    const nodes = Math.min(count, 2 ** level)
    siblings += Math.min(nodes, 2 ** level - nodes)
  }
  return siblings
}

/** Bytes of a proof at the most, whatever places are asked for. */
export function proofBytesMax(shape: ProofShape): number {
  const { queries } = shape.parameters
  const openings = 2 * shape.air.columns + QUOTIENT_CHUNKS
  let bytes = 1 + (2 + shape.folds) * SHA256_BYTES + (openings + FINAL_COEFFICIENTS) * QUINTIC_BYTES + 4
  for (const width of [shape.air.columns, shape.quotientColumns]) {
    bytes += queries * rowBytes(width) + siblingsMax(queries, shape.domainBits) * SHA256_BYTES
  }
  for (let layer = 1; layer <= shape.folds; layer++) {
    const depth = shape.domainBits - FOLD_BITS * layer
    const leaves = Math.min(queries, 2 ** depth)
    bytes += leaves * FRI_LEAF_BYTES + siblingsMax(leaves, depth) * SHA256_BYTES
  }
  return bytes
}

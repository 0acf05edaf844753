/** The way from one tip to another: what is undone and what is applied. */
import type { SealedBlock } from '../../types/pow.ts'

export interface Reorganisation {
  /** Newest first. */
  readonly rollback: readonly SealedBlock[]
  /** Oldest first. */
  readonly apply: readonly SealedBlock[]
}

/** @param from the two paths from one root, oldest first */
export function reorganisation(from: readonly SealedBlock[], to: readonly SealedBlock[]): Reorganisation {
  let common = 0
  while (common < from.length && from[common]?.sealHash === to[common]?.sealHash) common += 1
  return { rollback: from.slice(common).reverse(), apply: to.slice(common) }
}

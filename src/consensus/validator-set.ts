/** Quorum arithmetic over a validator set (consensus/README.md, Definitions). Integers throughout. */
import { assert } from '../types/assert.ts'
import type { ValidatorId, ValidatorIndex } from '../types/primitives.ts'
import { asValidatorIndex } from '../types/primitives.ts'
import { quorumOf } from '../types/quorum.ts'
import type { Validator, ValidatorSet } from '../types/validator-set.ts'

/** Sum of all stakes, W. */
export function totalStakeOf(set: ValidatorSet): bigint {
  return set.validators.reduce((sum, validator) => sum + validator.stake, 0n)
}

/** A validator set with its thresholds worked out once. */
export class Electorate {
  readonly set: ValidatorSet
  readonly totalStake: bigint
  /** Q: weight of a quorum. */
  readonly quorum: bigint
  /** A = W − Q + 1: any set of this weight holds an honest member while Byzantine weight ≤ W − Q. */
  readonly amplification: bigint
  readonly #indexById: ReadonlyMap<ValidatorId, ValidatorIndex>

  constructor(set: ValidatorSet) {
    assert(set.validators.length > 0, 'a validator set is not empty')
    assert(
      set.validators.every((validator) => validator.stake > 0n),
      'every validator has stake',
    )
    this.set = set
    this.totalStake = totalStakeOf(set)
    this.quorum = quorumOf(this.totalStake)
    this.amplification = this.totalStake - this.quorum + 1n
    this.#indexById = new Map(set.validators.map((validator, i) => [validator.id, asValidatorIndex(i)]))
  }

  get size(): number {
    return this.set.validators.length
  }

  /** The validator at an index, or null when there is none. */
  at(index: ValidatorIndex): Validator | null {
    return this.set.validators[index] ?? null
  }

  /** Index of a validator by its identity, or null for one that is not in the set. */
  indexOf(id: ValidatorId): ValidatorIndex | null {
    return this.#indexById.get(id) ?? null
  }

  /** Weight of one validator; 0 for an index outside the set. */
  stakeOf(index: ValidatorIndex): bigint {
    return this.set.validators[index]?.stake ?? 0n
  }

  /** Weight of distinct validators together. Repeats count once. */
  weightOf(voters: Iterable<ValidatorIndex>): bigint {
    let weight = 0n
    for (const voter of new Set(voters)) weight += this.stakeOf(voter)
    return weight
  }
}

/** Tells the network, from epoch to epoch, who the validators are. */
import type { Electorate } from '../consensus/validator-set.ts'
import type { Logger } from '../types/logger.ts'
import type { ValidatorId } from '../types/primitives.ts'

/** What is told when the key of a node without a signing record comes into the validator set. */
const NO_RECORD = {
  why: 'its key is in the validator set of this epoch, and it has no signing record',
  fix: 'if this key has never signed anywhere, restart with --i-have-never-signed',
}

/** Why a key of the validator set does not sign here; null when it does, or is not in the set. */
export function notSigningBecause(of: {
  readonly isInSet: boolean
  readonly hasRecord: boolean
  readonly isHeld: boolean
  /** What the wait before the first signature still waits for. */
  readonly waitReason: string | null | undefined
}): string | null {
  if (!of.isInSet) return null
  if (!of.hasRecord) return `${NO_RECORD.why}; ${NO_RECORD.fix}`
  return of.isHeld ? (of.waitReason ?? 'about to sign') : null
}

export interface ValidatorFollowingOptions {
  /** This node's own. */
  readonly id: ValidatorId
  readonly hasRecord: boolean
  /** Whether its duties are held back. */
  readonly isHeld: () => boolean
  readonly setValidators: (ids: readonly ValidatorId[]) => void
  readonly logger: Logger
}

export class ValidatorFollowing {
  readonly #options: ValidatorFollowingOptions
  #last: readonly ValidatorId[] = []

  constructor(options: ValidatorFollowingOptions) {
    this.#options = options
  }

  /** An epoch begins, or this node's duties do. */
  follow({ set }: Electorate): void {
    const { id, hasRecord, isHeld, setValidators, logger } = this.#options
    const ids = set.validators.map((validator) => validator.id)
    if (!hasRecord && ids.includes(id)) logger.error(NO_RECORD, 'this node is a validator that does not vote')
    this.#tellChange(set.epoch, ids)
    // The last epoch's validators still have votes over its last state to exchange.
    const followed = [...new Set([...ids, ...this.#last])]
    // As long as it does not sign it has no place among the validators: no links, no announcements.
    setValidators(isHeld() ? followed.filter((validator) => validator !== id) : followed)
    this.#last = ids
  }
  /** For the operator: that what was bonded or unbonded has taken effect. */
  #tellChange(epoch: number, ids: readonly ValidatorId[]): void {
    const { id, logger } = this.#options
    // Nothing has changed for a node that has just started.
    if (this.#last.length === 0 || ids.includes(id) === this.#last.includes(id)) return
    const is = ids.includes(id) ? 'a validator from this epoch on' : 'no validator any more'
    logger.info({ epoch, validators: ids.length }, `this node is ${is}`)
  }
}

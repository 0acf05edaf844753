/**
 * Notices validators that commit to two things in one slot: what each said first is kept, and a prepare vote that says
 * something else proves it. Different nodes may be told different things; the votes beside a block bring them together.
 */
import { validatorId } from '../codec/genesis.ts'
import type { BallotSlot } from '../types/ballots.ts'
import { type CommitPair, makeCommitPair } from '../types/evidence.ts'
import type { Logger } from '../types/logger.ts'
import type { Vote } from '../types/messages.ts'
import type { Validator } from '../types/validator-set.ts'

/** Slots kept of one validator, the last it spoke of: far more than are open for commits at once. */
const SLOTS_PER_VALIDATOR_MAX = 16

interface Said {
  readonly vote: Vote
  isReported: boolean
}

/** Told of each slot and validator once, while it is remembered. */
export type CommitPairListener = (pair: CommitPair) => void

/** The same listener, the operator told besides. */
export function logged(listener: CommitPairListener, logger: Pick<Logger, 'warn'>): CommitPairListener {
  return (pair) => {
    const { slot, publicKey } = pair
    const about = { validator: validatorId(publicKey), height: slot.height, round: slot.round }
    logger.warn(about, 'a validator committed to two things in one slot')
    listener(pair)
  }
}

export class CommitWatch {
  readonly #listener: CommitPairListener
  /** By validator, then by slot, oldest first. A validator keeps its name over epochs, and slots may span them. */
  readonly #said = new Map<string, Map<string, Said>>()

  constructor(listener: CommitPairListener) {
    this.#listener = listener
  }

  /** A vote whose signature holds. @param validator whose it is */
  heard(vote: Vote, { id, publicKey }: Validator): void {
    if (vote.kind !== 'prepare' || vote.ballots.commits.length === 0) return
    const said = this.#said.get(id) ?? new Map<string, Said>()
    this.#said.set(id, said)
    for (const commit of vote.ballots.commits) {
      const name = nameOf(commit)
      const before = said.get(name)
      if (before === undefined) {
        said.set(name, { vote, isReported: false })
        const oldest = said.keys().next().value
        if (said.size > SLOTS_PER_VALIDATOR_MAX && oldest !== undefined) said.delete(oldest)
        continue
      }
      const pair = before.isReported ? null : makeCommitPair(commit, publicKey, before.vote, vote)
      if (pair === null) continue
      before.isReported = true
      this.#listener(pair)
    }
  }

  /** Those who are in no set any more are forgotten. */
  keepOnly(validators: readonly Validator[]): void {
    const kept = new Set<string>(validators.map(({ id }) => id))
    for (const id of this.#said.keys()) if (!kept.has(id)) this.#said.delete(id)
  }
}

const nameOf = ({ height, round, blockHash }: BallotSlot): string => `${height}:${round}:${blockHash}`

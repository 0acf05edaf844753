/**
 * From consensus event to log line and metric: one exhaustive switch, and the only listener. Life cycle and
 * finality are `info` or below; nothing a peer sent appears at `info` or above.
 */
import type { ConsensusEvent } from '../consensus/event.ts'
import { unreachable } from '../types/assert.ts'
import type { Logger } from '../types/logger.ts'
import type { ValidatorIndex } from '../types/primitives.ts'
import type { Metrics } from './metrics.ts'

export interface ConsensusObserverOptions {
  readonly metrics: Pick<Metrics, 'consensus' | 'validator' | 'ledger'>
  readonly logger: Logger
  /** Of the epoch that is going on; null for a node that follows. */
  readonly self: () => ValidatorIndex | null
  readonly validatorCount: () => number
  /** Share of the stake behind these voters, 0 to 1. */
  readonly powerOf: (voters: readonly ValidatorIndex[]) => number
  /** Seconds with fractions, monotonic, and Unix seconds. */
  readonly now: () => number
  readonly unixSeconds: () => number
}

/** Acceptances remembered until their block is final; more than can be unfinal at once. */
const ACCEPTED_MAX = 256

export class ConsensusObserver {
  readonly #options: ConsensusObserverOptions
  readonly #acceptedAt = new Map<string, number>()
  #lastFinalView = 0

  constructor(options: ConsensusObserverOptions) {
    this.#options = options
  }

  observe(event: ConsensusEvent): void {
    const { metrics, logger, now, unixSeconds, powerOf } = this.#options
    const self = this.#options.self()
    const { consensus, validator, ledger } = metrics
    switch (event.kind) {
      case 'view-entered':
        consensus.view.set(event.view)
        if (event.by !== 'start') consensus.viewDuration.observe(event.previousViewMs / 1_000)
        logger.debug({ view: event.view, leader: event.leader, by: event.by }, 'view entered')
        return
      case 'proposed':
        consensus.proposals.add(1, { outcome: 'own' })
        logger.debug(
          { view: event.view, height: event.height, transactions: event.transactions },
          'block proposed',
        )
        return
      case 'proposal-accepted':
        consensus.proposals.add(1, { outcome: 'accepted' })
        this.#accepted(event.blockHash, now())
        return
      case 'proposal-refused':
        consensus.proposals.add(1, { outcome: 'refused' })
        logger.debug(
          { view: event.view, from: event.from, reason: event.reason, detail: event.detail },
          'proposal refused',
        )
        return
      case 'voted':
        logger.debug({ phase: event.phase, view: event.view, height: event.height }, 'voted')
        return
      case 'certificate-formed':
        consensus.quorumPower.set(powerOf(event.voters), { kind: event.phase })
        return
      case 'block-final': {
        consensus.height.set(event.height)
        consensus.lastFinalTimestamp.set(unixSeconds())
        consensus.viewsPerHeight.observe(Math.max(1, event.view - this.#lastFinalView))
        consensus.missingValidators.set(this.#options.validatorCount() - event.voters.length)
        ledger.transactionsFinal.add(event.transactions)
        if (self !== null) (event.voters.includes(self) ? validator.signed : validator.missed).add(1)
        const acceptedAt = this.#acceptedAt.get(event.blockHash)
        if (acceptedAt !== undefined) consensus.finality.observe(now() - acceptedAt)
        this.#acceptedAt.delete(event.blockHash)
        this.#lastFinalView = event.view
        logger.debug(
          { height: event.height, view: event.view, transactions: event.transactions },
          'block final',
        )
        return
      }
      case 'state-certified':
        logger.debug({ height: event.height, stateRoot: event.stateRoot }, 'state certified')
        return
      case 'view-timed-out':
        consensus.timeouts.add(1)
        logger.debug(
          { view: event.view, leader: event.leader, isLeaderReachable: event.isLeaderReachable },
          'view timed out',
        )
        return
      case 'epoch-over':
        logger.info({ epoch: event.epoch, height: event.height }, 'epoch over')
        return
      case 'timeout-certificate-formed':
        logger.debug({ view: event.view }, 'view left by timeout certificate')
        return
      case 'equivocation-seen':
        consensus.equivocations.add(1, { kind: event.phase })
        logger.warn(
          { validator: event.validator, phase: event.phase, position: event.position },
          'a validator signed two contents for one position',
        )
        return
      case 'message-ignored':
        consensus.messagesIgnored.add(1)
        return
      default:
        unreachable(event)
    }
  }

  #accepted(blockHash: string, at: number): void {
    if (this.#acceptedAt.size >= ACCEPTED_MAX) this.#acceptedAt.clear()
    this.#acceptedAt.set(blockHash, at)
  }
}

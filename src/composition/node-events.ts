/** What becomes final and whether the node is ready, as the events that clients are told of. Decides nothing. */
import { randomBytes } from 'node:crypto'
import type { Metrics } from '../observability/metrics.ts'
import { EventLog } from '../rpc/http/event-log.ts'
import { EventStreams } from '../rpc/http/event-streams.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import { failedNames } from '../validation/answer.ts'
import type { Check } from './readiness.ts'

export class NodeEvents {
  readonly streams: EventStreams
  readonly #log = new EventLog(randomBytes(4).toString('hex'))
  readonly #metrics: Pick<Metrics, 'events' | 'verdicts'>
  #readiness = ''

  constructor(metrics: Pick<Metrics, 'events' | 'verdicts'>) {
    this.#metrics = metrics
    this.streams = new EventStreams({
      log: this.#log,
      cut: (reason) => metrics.events.cut.add(1, { reason }),
    })
  }

  /** Blocks are final and durable: the verdicts in each, then the block. */
  finalized(blocks: readonly FinalizedBlock[]): void {
    for (const { block, changes } of blocks) {
      for (const {
        requestKey,
        requestIdHash,
        kind,
        status,
        findings,
        height,
        blockTime,
        dissenting,
      } of changes.verdicts) {
        this.#metrics.verdicts.verdicts.add(1, { result: status })
        this.#metrics.verdicts.dissents.add(dissenting)
        this.#log.publish('verdict', {
          requestKey,
          requestIdHash,
          kind,
          result: status,
          failedProofs: failedNames(findings),
          height,
          time: blockTime,
        })
      }
      const { header } = block
      this.#log.publish('block', {
        height: header.height,
        hash: block.hash,
        view: header.view,
        proposer: header.proposer,
        time: header.timestamp,
        transactions: block.transactions.length,
      })
    }
  }

  /** Looked at now and then; told of when it is another than before, not when only a figure in a reason is. */
  readiness(checks: readonly Check[]): void {
    this.#metrics.events.readers.set(this.streams.readers)
    const failing = checks.filter(({ ok }) => !ok)
    const state = failing.map(({ name }) => name).join(' ')
    const isFirst = this.#log.newest === 0 && this.#readiness === ''
    if (state === this.#readiness && !isFirst) return
    this.#readiness = state
    this.#log.publish('readiness', {
      ready: failing.length === 0,
      notReadyBecause: failing.map(({ name, reason }) => reason ?? name),
    })
  }
}

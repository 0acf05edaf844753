/**
 * What a node looks at once a second, whatever its network's consensus: waiting transactions that have expired, gauges,
 * and whether it is ready, which goes to clients, to the metrics and to the log.
 */
import type { Mempool } from '../mempool/mempool.ts'
import type { Logger } from '../types/logger.ts'
import type { MonotonicMs } from '../types/primitives.ts'
import { type NodeGaugeParts, setNodeGauges } from './gauges.ts'
import type { NodeEvents } from './node-events.ts'
import type { Check } from './readiness.ts'
import { ReadinessLog } from './readiness-log.ts'
import type { StopOrder } from './stop-order.ts'

const INTERVAL_MS = 1_000

export interface HousekeepingParts extends Omit<NodeGaugeParts, 'checks'> {
  readonly pool: Pick<Mempool, 'size' | 'bytes' | 'expire'>
  readonly readiness: () => readonly Check[]
  readonly events: Pick<NodeEvents, 'readiness'>
  /** Sets the gauges that only this kind of node has. */
  readonly setGauges: () => void
  readonly logger: Logger
  readonly clock: { monotonicMs(): MonotonicMs }
  /** The database cannot be asked any more. */
  readonly onFatal: (error: unknown) => void
}

/** Begins; `order` ends it. */
export function keepHouse(parts: HousekeepingParts, order: StopOrder): void {
  const { pool, readiness, events, setGauges, logger, clock, onFatal } = parts
  const log = new ReadinessLog(logger, () => clock.monotonicMs())
  const timer = setInterval(() => {
    pool.expire()
    setGauges()
    const checks = readiness()
    events.readiness(checks)
    log.observe(checks)
    setNodeGauges({ ...parts, checks }).catch(onFatal)
  }, INTERVAL_MS)
  order.opened('housekeeping', () => clearInterval(timer))
}

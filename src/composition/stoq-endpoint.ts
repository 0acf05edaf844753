/** The STOQ endpoint of a node: its throwaway certificate, its metrics, and doing without where there is no QUIC. */
import type { StoqConfig } from '../config/schema.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ClientLimiter } from '../rpc/client-limiter.ts'
import { makeSelfSigned } from '../rpc/http/self-signed.ts'
import { StoqError } from '../rpc/stoq/errors.ts'
import { StoqListener, type StoqObserver } from '../rpc/stoq/stoq-listener.ts'
import type { Logger } from '../types/logger.ts'
import type { ValidationService } from '../validation/validation-service.ts'
import type { StopOrder } from './stop-order.ts'
import type { SystemClock } from './system-clock.ts'

/** What the known client says it is looking for, and loopback. */
const NAMES = ['hypermesh', 'localhost', '::1', '127.0.0.1']

export interface StoqParts {
  readonly config: StoqConfig
  readonly logger: Logger
  readonly clock: SystemClock
  readonly metrics: Pick<Metrics, 'stoq'>
  readonly service: ValidationService
  /** That of the CA endpoint: a client has one rate over both. */
  readonly limiter: ClientLimiter
}

function observerOf({ stoq }: Pick<Metrics, 'stoq'>): StoqObserver {
  return {
    connection: (result, open) => {
      stoq.accepted.add(1, { result })
      stoq.connections.set(open)
    },
    closed: (open) => stoq.connections.set(open),
    call: (result, seconds) => {
      stoq.calls.add(1, { result })
      stoq.duration.observe(seconds)
    },
  }
}

/**
 * @returns where it listens; null when it is switched off, or there is no QUIC for this platform
 * @throws StoqError when the address is taken or not of this machine
 */
export async function startStoq(
  { config, logger, clock, metrics, service, limiter }: StoqParts,
  order: StopOrder,
): Promise<string | null> {
  if (!config.enabled) return null
  const listener = new StoqListener({
    listen: config.listen,
    // For this run only: no client verifies it, and its key is in a file for a moment (rpc/stoq/quic.ts).
    tls: makeSelfSigned(NAMES, clock.unixMs()),
    service,
    limiter,
    logger,
    observe: observerOf(metrics),
  })
  try {
    await listener.start()
  } catch (error) {
    if (!(error instanceof StoqError) || error.code !== 'E_STOQ_UNAVAILABLE') throw error
    logger.warn(
      { error, ...error.advice },
      'no QUIC on this platform: the node goes without its STOQ endpoint',
    )
    return null
  }
  order.opened('STOQ endpoint', () => listener.close())
  return listener.url
}

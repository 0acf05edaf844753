/** The listeners for clients, one per concern: CA endpoint over HTTP and over STOQ, public API, metrics. */
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { ModuleLogger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ApiPorts } from '../rpc/http/api-ports.ts'
import { makeApiServer } from '../rpc/http/api-server.ts'
import { makeCaServer } from '../rpc/http/ca-server.ts'
import type { EventStreams } from '../rpc/http/event-streams.ts'
import type { HttpListener, ListenAddress } from '../rpc/http/listener.ts'
import { makeMetricsServer } from '../rpc/http/metrics-server.ts'
import { loadOrMakeSelfSigned, loadTlsFiles, type TlsMaterial } from '../rpc/http/self-signed.ts'
import type { ValidationService } from '../validation/validation-service.ts'
import { httpObserver } from './http-metrics.ts'
import type { NodeStorage } from './node-storage.ts'
import type { StopOrder } from './stop-order.ts'
import { startStoq } from './stoq-endpoint.ts'
import type { SystemClock } from './system-clock.ts'
import { meteredLimiter } from './validation-metrics.ts'

/** Base URLs of the listeners. */
export interface ListenerUrls {
  readonly ca: string
  readonly api: string
  readonly metrics: string
  /** Null: switched off, or no QUIC on this platform. */
  readonly stoq: string | null
}

export interface ListenerParts {
  readonly config: Config
  readonly logger: ModuleLogger
  readonly directory: NodeStorage['directory']
  readonly clock: SystemClock
  readonly metrics: Metrics
  readonly service: ValidationService
  readonly views: ApiPorts
  readonly events: EventStreams
}

/** @throws HttpError, StoqError when an address is taken or the TLS files cannot be read */
export async function startListeners(
  { config, logger, directory, clock, metrics, service, views, events }: ListenerParts,
  order: StopOrder,
): Promise<ListenerUrls> {
  const rpcLogger = logger.module('rpc')
  const limiter = meteredLimiter(config, clock, metrics)
  const { cert, key } = config.ca.tls
  const tls: TlsMaterial | null =
    config.ca.scheme === 'http'
      ? null
      : cert === ''
        ? await loadOrMakeSelfSigned(directory.tls, clock.unixMs())
        : await loadTlsFiles(join(directory.root, cert), join(directory.root, key))
  const observe = httpObserver(metrics)
  const options = (address: ListenAddress, material: TlsMaterial | null) => ({
    listen: address,
    tls: material,
    limiter,
    logger: rpcLogger,
    observe,
  })
  const begin = async (what: string, listener: HttpListener): Promise<string> => {
    await listener.start()
    order.opened(what, () => listener.close())
    return listener.url
  }
  return {
    ca: await begin('CA endpoint', makeCaServer(service, options(config.ca.listen, tls), events)),
    api: await begin('public API', makeApiServer(views, options(config.api.listen, null), events)),
    metrics: await begin(
      'metrics listener',
      makeMetricsServer(
        { metrics: () => metrics.render(), readiness: () => views.readiness() },
        options(config.metrics.listen, null),
      ),
    ),
    stoq: await startStoq(
      { config: config.stoq, logger: rpcLogger, clock, metrics, service, limiter },
      order,
    ),
  }
}

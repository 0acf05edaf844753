/** Prometheus metrics and the probes, on a listener of their own so that a scraper needs no way to anything else. */
import type { ReadinessCheck } from './api-ports.ts'
import { HttpListener, type ListenerOptions } from './listener.ts'
import { addProbes } from './probes.ts'

/** No route takes a body. */
const BODY_BYTES_MAX = 1_024

/** What this listener asks the node. */
export interface MetricsPorts {
  /** Prometheus text exposition format 0.0.4. */
  metrics(): Promise<string>
  readiness(): readonly ReadinessCheck[]
}

/** @returns a listener that is not started yet */
export function makeMetricsServer(ports: MetricsPorts, options: ListenerOptions): HttpListener {
  return new HttpListener('metrics', options, BODY_BYTES_MAX, (app) => {
    addProbes(app, () => ports.readiness())
    app.get('/metrics', async (_request, reply) =>
      reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(await ports.metrics()),
    )
  })
}

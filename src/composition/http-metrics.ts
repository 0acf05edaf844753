/** From answered HTTP requests to metrics. */
import { HTTP_ROUTES, type HttpRoute, type Metrics, statusClass } from '../observability/metrics.ts'
import type { HttpObserver } from '../rpc/http/listener.ts'

const KNOWN: ReadonlySet<string> = new Set(HTTP_ROUTES)

export function httpObserver({ http }: Pick<Metrics, 'http'>): HttpObserver {
  return (route, statusCode, seconds) => {
    const label = (KNOWN.has(route) ? route : 'other') as HttpRoute
    http.requests.add(1, { route: label, code: statusClass(statusCode) })
    http.duration.observe(seconds, { route: label })
  }
}

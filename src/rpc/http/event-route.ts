/** `GET /consensus/events`: what becomes final here, and whether the node is ready, as Server-Sent Events. */
import type { FastifyInstance } from 'fastify'
import type { EventStreams } from './event-streams.ts'
import { EVENT_TOPICS, type EventTopic } from './event-views.ts'
import { sendProblem } from './problem.ts'

export type { EventStreams } from './event-streams.ts'

const RETRY_AFTER_S = '5'

/** Adds the route. Its answers end when the listener closes. */
export function addEventRoute(app: FastifyInstance, streams: EventStreams): void {
  const open = new Set<() => void>()
  app.addHook('preClose', (done) => {
    for (const end of open) end()
    done()
  })
  app.get<{ Querystring: Record<string, unknown> }>(
    '/consensus/events',
    { exposeHeadRoute: false },
    (request, reply) => {
      const topics = topicsOf(request.query['topics'])
      if (topics === null) {
        return sendProblem(request, reply, {
          title: 'Bad request',
          status: 400,
          detail: `topics are a list of ${EVENT_TOPICS.join(', ')}`,
          code: 'E_EVENT_TOPIC',
          fix: 'write ?topics=verdict,block or leave it away for all',
        })
      }
      if (!streams.hasRoom()) {
        reply.header('retry-after', RETRY_AFTER_S)
        return sendProblem(request, reply, {
          title: 'Service unavailable',
          status: 503,
          detail: `${streams.readers} clients read events, which is the limit`,
          code: 'E_TOO_MANY_SUBSCRIBERS',
          fix: `try again in ${RETRY_AFTER_S} s, or close streams that nobody reads`,
        })
      }
      const last = request.headers['last-event-id']
      reply.hijack()
      const { raw } = reply
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // A proxy that gathers the answer before it passes it on would never pass it on.
        'x-accel-buffering': 'no',
      })
      const end = streams.serve(raw, topics, typeof last === 'string' && last !== '' ? last : null)
      open.add(end)
      raw.once('close', () => open.delete(end))
      return reply
    },
  )
}

/** The topics of a query; null when one of them is none. */
function topicsOf(query: unknown): ReadonlySet<EventTopic> | null {
  if (query === undefined) return new Set(EVENT_TOPICS)
  const names = String(query).split(',')
  const known = EVENT_TOPICS.filter((topic) => names.includes(topic))
  return known.length > 0 && names.every((name) => (EVENT_TOPICS as readonly string[]).includes(name))
    ? new Set(known)
    : null
}

/** `/livez` and `/readyz`: alive is that the process answers; ready is that every check holds, and which does not. */
import type { FastifyInstance } from 'fastify'
import type { ReadinessCheck } from './api-ports.ts'

/** Adds both routes. With `?verbose` every check is listed, otherwise those that fail. */
export function addProbes(app: FastifyInstance, readiness: () => readonly ReadinessCheck[]): void {
  app.get('/livez', (_request, reply) => reply.type('application/json').send('{"live":true}'))
  app.get<{ Querystring: Record<string, unknown> }>('/readyz', (request, reply) => {
    const checks = readiness()
    const failing = checks.filter((check) => !check.ok)
    const listed = 'verbose' in request.query ? checks : failing
    return reply
      .code(failing.length === 0 ? 200 : 503)
      .type('application/json')
      .send(JSON.stringify({ ready: failing.length === 0, checks: listed }))
  })
}

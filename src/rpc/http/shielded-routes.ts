/** The public API's routes about notes. */
import type { FastifyInstance } from 'fastify'
import { sendJson } from './json-reply.ts'
import { sendProblem } from './problem.ts'
import type { ShieldedPorts } from './shielded-ports.ts'

/** Entries in one answer: some 900 kB of JSON. */
const ENTRIES_MAX = 256
const WHOLE = /^\d{1,10}$/

export function addShieldedRoutes(app: FastifyInstance, ports: ShieldedPorts): void {
  app.get('/v1/shielded', (_request, reply) => sendJson(reply, ports.state()))
  app.get<{ Querystring: { from?: string; limit?: string } }>('/v1/shielded/entries', (request, reply) => {
    const { from = '0', limit = String(ENTRIES_MAX) } = request.query
    const isWhole = WHOLE.test(from) && WHOLE.test(limit)
    if (isWhole && Number(limit) > 0 && Number(limit) <= ENTRIES_MAX) {
      return sendJson(reply, ports.page(Number(from), Number(limit)))
    }
    return sendProblem(request, reply, {
      title: 'Bad request',
      status: 400,
      detail: `"from" is a whole number, and "limit" one from 1 to ${ENTRIES_MAX}`,
      code: 'E_SHIELDED_PAGE',
      fix: 'ask for /v1/shielded/entries?from=0&limit=256, then from where that answer ends',
    })
  })
}

/**
 * The public API: views of the node as JSON, errors as RFC 9457. Shows no secret; all it takes are transactions
 * that prove by themselves who sent them.
 */
import type { FastifyInstance } from 'fastify'
import { isHex } from '../../codec/hex.ts'
import { COUNTER_MAX } from '../../types/primitives.ts'
import type { ApiPorts, BlockReference } from './api-ports.ts'
import { addEventRoute, type EventStreams } from './event-route.ts'
import { sendJson } from './json-reply.ts'
import { HttpListener, type ListenerOptions } from './listener.ts'
import { addOperationRoutes } from './operation-routes.ts'
import { addOperatorRoutes } from './operator-routes.ts'
import { addProbes } from './probes.ts'
import { sendProblem } from './problem.ts'
import { addShieldedRoutes } from './shielded-routes.ts'
import { addStakingRoutes, TRANSACTION_BODY_BYTES_MAX } from './staking-routes.ts'

/**
 * @param events what `/consensus/events` tells; without it there is no such route
 * @returns a listener that is not started yet
 */
export function makeApiServer(
  ports: ApiPorts,
  options: ListenerOptions,
  events?: EventStreams,
): HttpListener {
  return new HttpListener('public API', options, TRANSACTION_BODY_BYTES_MAX, (app) => {
    addRoutes(app, ports)
    if (events !== undefined) addEventRoute(app, events)
  })
}

function addRoutes(app: FastifyInstance, ports: ApiPorts): void {
  addProbes(app, () => ports.readiness())
  addStakingRoutes(app, ports.staking)
  addShieldedRoutes(app, ports.shielded)
  addOperatorRoutes(app, ports.operators)
  addOperationRoutes(app, ports.operations)
  app.get('/v1/status', async (_request, reply) => sendJson(reply, await ports.status()))
  app.get('/v1/peers', async (_request, reply) => sendJson(reply, await ports.peers()))
  app.get('/v1/validators', async (_request, reply) => sendJson(reply, await ports.validators()))
  app.get<{ Params: { id: string } }>('/v1/validators/:id/trust', (request, reply) => {
    const { id } = request.params
    const history = isHex(id, 32) ? ports.trustHistory(id) : null
    if (history !== null) return sendJson(reply, history)
    return sendProblem(request, reply, {
      title: 'Not found',
      status: 404,
      detail: 'no validator of this id, and none of this account, ever took part in verdicts',
      code: 'E_NO_VALIDATOR',
      fix: '/v1/validators lists them; an id is 64 lower-case hex digits',
    })
  })
  app.get<{ Params: { reference: string } }>('/v1/blocks/:reference', async (request, reply) => {
    const reference = blockReference(request.params.reference)
    if (reference === null) {
      return sendProblem(request, reply, {
        title: 'Bad request',
        status: 400,
        detail: 'a block is named by its height, its hash (64 hex digits), "head" or "final"',
        code: 'E_BLOCK_REFERENCE',
        fix: 'write /v1/blocks/final, or a height as /v1/status tells it',
      })
    }
    const block = await ports.block(reference)
    if (block !== null) return sendJson(reply, block)
    const lowestHeight = ports.lowestHeight()
    if (reference.kind === 'height' && reference.height < lowestHeight) {
      return sendProblem(request, reply, {
        title: 'Gone',
        status: 410,
        detail: `block ${reference.height} is pruned here; the lowest is ${lowestHeight}`,
        code: 'E_BLOCK_PRUNED',
        fix: 'ask a node that keeps all blocks',
      })
    }
    return sendProblem(request, reply, {
      title: 'Not found',
      status: 404,
      detail: 'this node has no such block',
      code: 'E_NO_BLOCK',
      fix: 'ask /v1/status for the final height',
    })
  })
}

/** What names a block in a path; null when nothing does. */
export function blockReference(text: string): BlockReference | null {
  if (text === 'head' || text === 'final') return { kind: text }
  if (isHex(text, 32)) return { kind: 'hash', hash: text }
  const height = Number(text)
  return /^(?:0|[1-9][0-9]{0,15})$/.test(text) && height <= COUNTER_MAX ? { kind: 'height', height } : null
}

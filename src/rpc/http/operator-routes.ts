/** The public API's routes about operators and the policy of the network. */
import type { FastifyInstance } from 'fastify'
import { sendJson } from './json-reply.ts'
import type { OperatorPorts } from './operator-ports.ts'
import { sendProblem } from './problem.ts'

export function addOperatorRoutes(app: FastifyInstance, ports: OperatorPorts): void {
  app.get<{ Params: { name: string } }>('/v1/operators/:name', (request, reply) => {
    const operator = ports.operator(request.params.name)
    if (operator !== null) return sendJson(reply, operator)
    return sendProblem(request, reply, {
      title: 'Not found',
      status: 404,
      detail: 'there is no operator of this id, alias or account in the final state',
      code: 'E_NO_OPERATOR',
      fix: 'register one with "hypermesh operator register"',
    })
  })
  app.get('/v1/policy', (_request, reply) => sendJson(reply, ports.policy()))
}

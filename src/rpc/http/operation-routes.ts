/** The public API's routes about operations. They are proposed as transactions, like all that is signed. */
import type { FastifyInstance } from 'fastify'
import { isHex } from '../../codec/hex.ts'
import { sendJson } from './json-reply.ts'
import type { OperationPorts } from './operation-ports.ts'
import { sendProblem } from './problem.ts'

export function addOperationRoutes(app: FastifyInstance, ports: OperationPorts): void {
  app.get('/v1/operations', (_request, reply) => sendJson(reply, ports.operations()))
  app.get<{ Params: { id: string } }>('/v1/operations/:id', (request, reply) => {
    const { id } = request.params
    if (!isHex(id, 32)) {
      return sendProblem(request, reply, {
        title: 'Bad request',
        status: 400,
        detail: 'an operation is named by 64 lower-case hex digits',
        code: 'E_OPERATION_ID',
        fix: '"hypermesh operation list" prints the ids of operations',
      })
    }
    const operation = ports.operation(id)
    if (operation !== null) return sendJson(reply, operation)
    return sendProblem(request, reply, {
      title: 'Not found',
      status: 404,
      detail: 'there is no such operation in the final state, or it was decided long ago',
      code: 'E_NO_OPERATION',
      fix: 'ask again when its transaction is final; the decisions of the last 256 are kept',
    })
  })
}

/** The public API's routes about accounts and stake. Taking a transaction twice is the same as taking it once. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { isHex } from '../../codec/hex.ts'
import { TRANSACTION_BYTES_MAX } from '../../codec/limits.ts'
import { sendJson } from './json-reply.ts'
import { sendProblem } from './problem.ts'
import type { StakingPorts, SubmitRefusal, TransactionView } from './staking-ports.ts'

/** Canonical bytes of the longest such transaction, in base64 and with room for the JSON around it. */
export const TRANSACTION_BODY_BYTES_MAX = Math.ceil(TRANSACTION_BYTES_MAX / 3) * 4 + 1_024

/** Standard alphabet, padded: one spelling for one transaction. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const STATUS: Readonly<Record<SubmitRefusal['is'], number>> = { malformed: 400, illegal: 409, busy: 503 }
/** What is full has room again as soon as a block or a proof is done. */
const RETRY_SECONDS = '1'

export function addStakingRoutes(app: FastifyInstance, ports: StakingPorts): void {
  app.get<{ Params: { id: string } }>('/v1/accounts/:id', (request, reply) => {
    const { id } = request.params
    if (!isHex(id, 32)) {
      return sendProblem(request, reply, {
        title: 'Bad request',
        status: 400,
        detail: 'an account is named by 64 lower-case hex digits',
        code: 'E_ACCOUNT_ID',
        fix: '"hypermesh stake show" prints the id of an account',
      })
    }
    const account = ports.account(id)
    if (account !== null) return sendJson(reply, account)
    return sendProblem(request, reply, {
      title: 'Not found',
      status: 404,
      detail: 'there is no such account in the final state',
      code: 'E_NO_ACCOUNT',
      fix: 'an account comes into being with the first transfer to it',
    })
  })
  app.get('/v1/evidence', (_request, reply) => sendJson(reply, ports.slashes()))
  app.get<{ Params: { key: string } }>('/v1/transactions/:key', (request, reply) => {
    const { key } = request.params
    if (!isHex(key, 32)) {
      return sendProblem(request, reply, {
        title: 'Bad request',
        status: 400,
        detail: 'a transaction is named by 64 lower-case hex digits',
        code: 'E_TRANSACTION_KEY',
        fix: 'take the key that the node answered when it took the transaction',
      })
    }
    return sendJson(reply, ports.transaction(key))
  })
  app.post('/v1/transactions', (request, reply) => {
    const bytes = transactionBytes(request.body)
    if (bytes === null) {
      return sendProblem(request, reply, {
        title: 'Bad request',
        status: 400,
        detail: 'the body is JSON: {"transaction": "<canonical bytes in base64>"}',
        code: 'E_TRANSACTION_BODY',
        fix: 'let "hypermesh stake" or "hypermesh wallet" make and send the transaction',
      })
    }
    const answer = (outcome: TransactionView | SubmitRefusal): FastifyReply => {
      if (!('is' in outcome)) return sendJson(reply.code(outcome.state === 'final' ? 200 : 202), outcome)
      if (outcome.is === 'busy') reply.header('retry-after', RETRY_SECONDS)
      return sendProblem(request, reply, {
        title: 'Transaction refused',
        status: STATUS[outcome.is],
        detail: `${outcome.code}: ${outcome.detail}`,
        code: 'E_TRANSACTION_REFUSED',
        fix: 'the code before the colon says which rule; they are listed in docs/reference/errors.md',
      })
    }
    const outcome = ports.submit(bytes)
    return outcome instanceof Promise ? outcome.then(answer) : answer(outcome)
  })
}

function transactionBytes(body: unknown): Uint8Array | null {
  if (!(body instanceof Uint8Array)) return null
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null || !('transaction' in parsed)) return null
  const { transaction } = parsed
  if (typeof transaction !== 'string' || transaction === '' || !BASE64.test(transaction)) return null
  return Uint8Array.from(Buffer.from(transaction, 'base64'))
}

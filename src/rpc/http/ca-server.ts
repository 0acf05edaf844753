/**
 * The CA endpoint: TrustChain's HTTP routes (spec/stoq.md 4.4) over the one validation handler. Bodies are parsed
 * losslessly here and nowhere else; an Invalid verdict is a 200, because anything else is a transport error to the
 * client.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TEXT_BYTES_MAX } from '../../codec/limits.ts'
import { receiptJson } from '../../codec/receipt-json.ts'
import { unreachable } from '../../types/assert.ts'
import type { AnswerErrorCode, ValidationAnswer } from '../../validation/answer.ts'
import { RECEIPT_RETRY_SECONDS } from '../../validation/receipt-desk.ts'
import type { ValidationService } from '../../validation/validation-service.ts'
import { readJson, type Shape } from '../json-shape.ts'
import { JSON_BYTES_MAX } from '../lossless-json.ts'
import { receiptQuery } from '../receipt-ask.ts'
import { certificateValidationRequest, fourProofValidationRequest } from '../trustchain-json-request.ts'
import { answerJson, healthJson, metricsJson } from '../trustchain-json-response.ts'
import { HttpListener, type ListenerOptions, messageOf, statusOfError } from './listener.ts'

/** spec/four-proofs.md, "The answer". */
export function httpStatusOf(code: AnswerErrorCode): number {
  switch (code) {
    case 'CONSENSUS_NOT_INITIALIZED':
      return 503
    case 'INVALID_PROOF_FORMAT':
      return 400
    case 'BYZANTINE_NODE_DETECTED':
      return 403
    case 'VALIDATION_TIMEOUT':
      return 504
    case 'INTERNAL_CONSENSUS_ERROR':
      return 500
    case 'REQUEST_NOT_FOUND':
      return 404
    case 'RECEIPT_NOT_READY':
      return 503
    case 'RECEIPT_UNAVAILABLE':
      return 410
    default:
      return unreachable(code)
  }
}

/** @returns a listener that is not started yet */
export function makeCaServer(service: ValidationService, options: ListenerOptions): HttpListener {
  return new HttpListener('CA endpoint', options, JSON_BYTES_MAX, (app) => addRoutes(app, service, options))
}

function addRoutes(app: FastifyInstance, service: ValidationService, options: ListenerOptions): void {
  const send = (reply: FastifyReply, json: string, status = 200): FastifyReply =>
    reply.code(status).header('content-type', 'application/json').send(json)

  const sendAnswer = (reply: FastifyReply, answer: ValidationAnswer): FastifyReply => {
    const { result } = answer
    return send(reply, answerJson(answer), result.kind === 'error' ? httpStatusOf(result.errorCode) : 200)
  }

  const addValidation = <T>(
    kind: 'certificate' | 'four-proof',
    shape: Shape<T>,
    validate: (request: T, client: string) => Promise<ValidationAnswer>,
  ): void => {
    app.post(`/consensus/validation/${kind}`, async (request, reply) => {
      const decoded = readJson(shape, bodyOf(request))
      const answer = decoded.ok
        ? await validate(decoded.value, request.ip)
        : service.malformed(kind, decoded.detail)
      return sendAnswer(reply, answer)
    })
  }

  addValidation('certificate', certificateValidationRequest, (request, client) =>
    service.validateCertificate(request, client),
  )
  addValidation('four-proof', fourProofValidationRequest, (request, client) =>
    service.validateProofs(request, client),
  )
  // The id may hold dots, `*` and, percent-encoded, anything; the router has decoded it.
  app.get<{ Params: { id: string } }>('/consensus/validation/status/:id', (request, reply) => {
    const { id } = request.params
    const isTooLong = Buffer.byteLength(id) > TEXT_BYTES_MAX
    return sendAnswer(
      reply,
      isTooLong ? service.errorAnswer('REQUEST_NOT_FOUND', 'the id is too long') : service.status(id),
    )
  })
  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/consensus/validation/receipt/:id',
    async (request, reply) => {
      const { id } = request.params
      const ask = receiptQuery(request.query)
      if (!ask.ok) return sendAnswer(reply, service.errorAnswer('INVALID_PROOF_FORMAT', ask.detail))
      if (Buffer.byteLength(id) > TEXT_BYTES_MAX) {
        return sendAnswer(reply, service.errorAnswer('REQUEST_NOT_FOUND', 'the id is too long'))
      }
      const receipt = await service.receipt(id, ask.value)
      if (receipt.ok) return send(reply, receiptJson(receipt.value))
      if (receipt.code === 'RECEIPT_NOT_READY') reply.header('retry-after', String(RECEIPT_RETRY_SECONDS))
      return sendAnswer(reply, service.errorAnswer(receipt.code, receipt.detail))
    },
  )
  app.get('/consensus/health', (_request, reply) => {
    const health = service.health()
    return send(reply, healthJson(health), health.status === 'healthy' ? 200 : 503)
  })
  app.get('/consensus/metrics', (_request, reply) => send(reply, metricsJson(service.metrics())))

  // On this listener errors are answers too: the client parses one shape and nothing else.
  app.setErrorHandler((error, request, reply) => {
    if (statusOfError(error) !== 500) {
      sendAnswer(reply, service.errorAnswer('INVALID_PROOF_FORMAT', messageOf(error)))
      return
    }
    options.logger.error({ error, requestId: request.id }, 'a validation call failed by a fault of ours')
    const message = 'the node could not answer; its log has the reason'
    sendAnswer(reply, service.errorAnswer('INTERNAL_CONSENSUS_ERROR', message))
  })
}

function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array()
}

/**
 * The CA endpoint: TrustChain's HTTP routes (spec/stoq.md 4.4) over the one validation handler. Bodies are parsed
 * losslessly here and nowhere else; an Invalid verdict is a 200, because anything else is a transport error to the
 * client.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TEXT_BYTES_MAX } from '../../codec/limits.ts'
import { receiptJson } from '../../codec/receipt-json.ts'
import type { ValidationAnswer } from '../../validation/answer.ts'
import type { CallContext } from '../../validation/ports.ts'
import { RECEIPT_RETRY_SECONDS } from '../../validation/receipt-desk.ts'
import type { ValidationService } from '../../validation/validation-service.ts'
import { type BatchItem, readBatch } from '../batch.ts'
import { readJson, type Shape } from '../json-shape.ts'
import { JSON_BYTES_MAX } from '../lossless-json.ts'
import { receiptQuery } from '../receipt-ask.ts'
import { certificateValidationRequest, fourProofValidationRequest } from '../trustchain-json-request.ts'
import { answerJson, healthJson, metricsJson } from '../trustchain-json-response.ts'
import { answerForm, httpStatusOf } from './answer-status.ts'
import { callContext } from './call-context.ts'
import { addEventRoute, type EventStreams } from './event-route.ts'
import { HttpListener, type ListenerOptions } from './listener.ts'
import { retryAfterSeconds, withinRate } from './request-rules.ts'

/**
 * @param events what `/consensus/events` tells; without it there is no such route
 * @returns a listener that is not started yet
 */
export function makeCaServer(
  service: ValidationService,
  options: ListenerOptions,
  events?: EventStreams,
): HttpListener {
  return new HttpListener(
    'CA endpoint',
    options,
    JSON_BYTES_MAX,
    (app) => {
      addRoutes(app, service, options)
      if (events !== undefined) addEventRoute(app, events)
    },
    answerForm((code, message) => service.errorAnswer(code, message)),
  )
}

function send(reply: FastifyReply, json: string, status = 200): FastifyReply {
  return reply.code(status).header('content-type', 'application/json').send(json)
}

function sendAnswer(reply: FastifyReply, answer: ValidationAnswer): FastifyReply {
  const { result } = answer
  if (result.kind !== 'error') return send(reply, answerJson(answer))
  if (result.retryAfterMs !== undefined) reply.header('retry-after', retryAfterSeconds(result.retryAfterMs))
  return send(reply, answerJson(answer), httpStatusOf(result.errorCode))
}

function addRoutes(app: FastifyInstance, service: ValidationService, options: ListenerOptions): void {
  const addValidation = <T>(
    kind: 'certificate' | 'four-proof',
    shape: Shape<T>,
    validate: (request: T, client: string, context: CallContext) => Promise<ValidationAnswer>,
  ): void => {
    app.post(`/consensus/validation/${kind}`, async (request, reply) => {
      const context = callContext(request, reply)
      const decoded = readJson(shape, bodyOf(request))
      const answer = decoded.ok
        ? await validate(decoded.value, request.ip, context)
        : service.malformed(kind, decoded.detail, request.ip, context)
      return sendAnswer(reply, answer)
    })
  }

  addValidation('certificate', certificateValidationRequest, (request, client, context) =>
    service.validateCertificate(request, client, context),
  )
  addValidation('four-proof', fourProofValidationRequest, (request, client, context) =>
    service.validateProofs(request, client, context),
  )
  app.post('/consensus/validation/batch', async (request, reply) => {
    const context = callContext(request, reply)
    const items = readBatch(bodyOf(request))
    if (!items.ok) return sendAnswer(reply, service.malformed('batch', items.detail, request.ip, context))
    // One was taken for the call itself: the limit counts requests, however they come.
    if (!withinRate(options.limiter, request, reply, Math.max(0, items.value.length - 1))) return reply
    const answers = await Promise.all(
      items.value.map((item) => answerItem(service, item, request.ip, context)),
    )
    return send(reply, `[${answers.map(answerJson).join(',')}]`)
  })
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
}

function answerItem(
  service: ValidationService,
  item: BatchItem,
  client: string,
  context: CallContext,
): Promise<ValidationAnswer> | ValidationAnswer {
  if (item.kind === 'certificate') return service.validateCertificate(item.request, client, context)
  if (item.kind === 'four-proof') return service.validateProofs(item.request, client, context)
  return service.malformed(item.of, item.detail, client, context)
}

function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array()
}

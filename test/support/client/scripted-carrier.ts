/** Endpoints that say what a test wrote down, for tables of what the client does next. The last line goes on for ever. */

import type { CallLimits, Carrier, CarrierReply, ClientMethod } from '../../../src/client/carrier.ts'
import { listOf, writeJson } from '../../../src/rpc/json-shape.ts'
import { validationAnswer } from '../../../src/rpc/trustchain-json-response.ts'
import type { AnswerErrorCode, AnswerStatus, ValidationAnswer } from '../../../src/validation/answer.ts'
import { answerWithoutVerdict } from '../../../src/validation/answer.ts'

/** An answer of a node with some name. */
export function answerOf(result: AnswerStatus, validatorId = 'n-1'): ValidationAnswer {
  const answer = answerWithoutVerdict(
    { kind: 'error', errorCode: 'REQUEST_NOT_FOUND', message: '' },
    validatorId,
    0,
  )
  return { ...answer, result, proofHash: result.kind === 'valid' ? new Uint8Array(32).fill(7) : null }
}

export function answerBytes(result: AnswerStatus, validatorId?: string): Uint8Array {
  return Buffer.from(writeJson(validationAnswer, answerOf(result, validatorId)))
}

const valid: AnswerStatus = { kind: 'valid' }

function batchBytes(results: readonly AnswerStatus[]): Uint8Array {
  const answers = results.map((result, i) => answerOf(result, `item-${i}`))
  return Buffer.from(writeJson(listOf(validationAnswer, 64), answers))
}

type Standing = CarrierReply['standing']

/** What an endpoint does with one call. */
export type Line =
  | 'valid'
  | 'invalid'
  | 'pending'
  | AnswerErrorCode
  | 'refuses connections'
  | 'hangs'
  | 'HTTP 502'
  | 'HTTP 429'
  | 'a web page'
  | 'a redirect'
  | 'no batches'
  | 'a batch: the second has no verdict'
  | 'a batch: one answer is missing'

const STANDINGS: Readonly<Record<AnswerErrorCode, Standing>> = {
  CONSENSUS_NOT_INITIALIZED: 'try-again',
  VALIDATION_TIMEOUT: 'try-again',
  INTERNAL_CONSENSUS_ERROR: 'try-again',
  INVALID_PROOF_FORMAT: 'lasting',
  BYZANTINE_NODE_DETECTED: 'lasting',
  REQUEST_NOT_FOUND: 'lasting',
  RECEIPT_NOT_READY: 'try-again',
  RECEIPT_UNAVAILABLE: 'lasting',
  TOO_MANY_REQUESTS: 'try-again',
  NODE_BUSY: 'try-again',
  REQUEST_TIMEOUT: 'try-again',
  ROUTE_NOT_FOUND: 'unsupported',
  METHOD_NOT_ALLOWED: 'unsupported',
  REQUEST_TOO_LARGE: 'lasting',
  UNSUPPORTED_MEDIA_TYPE: 'lasting',
}

function reply(
  standing: Standing,
  payload: Uint8Array,
  note = '',
  retryAfterMs: number | null = null,
): CarrierReply {
  return { standing, payload, note, retryAfterMs }
}

function perform(line: Line, { signal }: CallLimits): CarrierReply | Promise<CarrierReply> {
  const page = Buffer.from('<html>')
  switch (line) {
    case 'valid':
      return reply('success', answerBytes({ kind: 'valid' }))
    case 'invalid':
      return reply(
        'success',
        answerBytes({ kind: 'invalid', failedProofs: ['space_proof'], reason: 'too little' }),
      )
    case 'pending':
      return reply('success', answerBytes({ kind: 'pending', estimatedCompletion: { secs: 1n, nanos: 0 } }))
    case 'refuses connections':
      throw new Error('connect ECONNREFUSED')
    case 'hangs':
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    case 'HTTP 502':
      return reply('try-again', page, 'HTTP 502')
    case 'HTTP 429':
      return reply('try-again', Buffer.from('{"code":"E_RATE_LIMITED"}'), 'HTTP 429', 2_000)
    case 'a web page':
      return reply('success', page, 'HTTP 200')
    case 'a redirect':
      return reply('lasting', new Uint8Array(), 'a redirect, which is not followed')
    case 'no batches':
      return reply('unsupported', page, 'HTTP 404')
    case 'a batch: the second has no verdict':
      return reply(
        'success',
        batchBytes([valid, { kind: 'error', errorCode: 'VALIDATION_TIMEOUT', message: '' }, valid]),
      )
    case 'a batch: one answer is missing':
      return reply('success', batchBytes([valid, valid]))
    default:
      return reply(STANDINGS[line], answerBytes({ kind: 'error', errorCode: line, message: 'in words' }))
  }
}

/** One call as an endpoint got it. */
export interface SeenCall {
  readonly endpoint: string
  readonly method: ClientMethod
  readonly text: string
}

export class ScriptedNetwork {
  readonly calls: SeenCall[] = []
  readonly closed: string[] = []
  readonly #scripts: Map<string, Line[]>

  /** @param scripts lines by endpoint */
  constructor(scripts: Readonly<Record<string, readonly Line[]>>) {
    this.#scripts = new Map(Object.entries(scripts).map(([endpoint, lines]) => [endpoint, [...lines]]))
  }

  /** Who was asked, in order, and for what. */
  get asked(): string[] {
    return this.calls.map(({ endpoint, method }) =>
      method === 'validation_status' ? `${endpoint} status` : endpoint,
    )
  }

  carrier = (endpoint: string): Carrier => ({
    call: async (method, payload, limits) => {
      this.calls.push({ endpoint, method, text: Buffer.from(payload).toString() })
      const lines = this.#scripts.get(endpoint) ?? []
      const line = lines.length > 1 ? lines.shift() : lines[0]
      if (line === undefined) throw new Error(`no script for ${endpoint}`)
      return perform(line, limits)
    },
    close: async () => {
      this.closed.push(endpoint)
    },
  })
}

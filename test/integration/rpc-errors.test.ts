/**
 * The table of errors (spec/four-proofs.md, "The answer") by both doors: over HTTP by its status, in an envelope, as STOQ and
 * libp2p carry it, by whether trying again may help; and everywhere a full result with the status Error as its body.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { handleEnvelope } from '../../src/rpc/call-handler.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { decodeEnvelopeResponse, encodeEnvelopeRequest } from '../../src/rpc/envelope.ts'
import type { StoredVerdict } from '../../src/types/ledger-state.ts'
import type { ValidationServiceOptions } from '../../src/validation/validation-service.ts'
import { verdictOf } from '../support/fake-network.ts'
import { CaEndpoint, resultIn } from '../support/http-calls.ts'
import { certificateRequest, vector } from '../support/requests.ts'

const CERTIFICATE = vector('certreq_json')
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

let opened: CaEndpoint | null = null
afterEach(async () => {
  await opened?.close()
  opened = null
})

/** One request, or the question for the status of one. */
interface Asked {
  readonly path: string
  readonly method: string
  readonly body: string | null
}
const judge = (body = CERTIFICATE): Asked => ({
  path: '/consensus/validation/certificate',
  method: 'validate_certificate',
  body,
})
const status: Asked = { path: '/consensus/validation/status/nobody', method: 'validation_status', body: null }

function expired(): StoredVerdict {
  const request = hashTransaction({ kind: 'validate-certificate', request: certificateRequest() })
  const verdict = verdictOf(request)
  return { ...verdict, record: { ...verdict.record, status: 'expired', findings: 0, round: 2 } }
}

interface Case {
  readonly code: string
  readonly http: number
  readonly isRetried: boolean
  readonly message: RegExp
  readonly asked?: Asked
  readonly prepare?: (ca: CaEndpoint) => void
  readonly options?: Partial<ValidationServiceOptions>
}

const CASES: readonly Case[] = [
  {
    code: 'CONSENSUS_NOT_INITIALIZED',
    http: 503,
    isRetried: true,
    message: /^still catching up$/,
    prepare: ({ network }) => {
      network.notReady = 'still catching up'
    },
  },
  {
    code: 'INVALID_PROOF_FORMAT',
    http: 400,
    isRetried: true,
    message: /nonce: expected an unsigned 64-bit integer, got -1$/,
    asked: judge(CERTIFICATE.replace('18446744073709551557', '-1')),
  },
  {
    code: 'BYZANTINE_NODE_DETECTED',
    http: 403,
    isRetried: false,
    message: /^it is excluded$/,
    options: { barredRequester: () => 'it is excluded' },
  },
  {
    code: 'VALIDATION_TIMEOUT',
    http: 504,
    isRetried: true,
    message: /^no verdict within 100 ms; the request goes on, ask for its status$/,
    options: { limits: { deadlineMs: 100 } },
  },
  {
    code: 'INTERNAL_CONSENSUS_ERROR',
    http: 500,
    isRetried: true,
    message: /^no quorum of the validators found the same in 3 attempts/,
    prepare: ({ network }) => network.finalize(expired()),
  },
  {
    code: 'REQUEST_NOT_FOUND',
    http: 404,
    isRetried: false,
    message: /^no request with this id/,
    asked: status,
  },
]

async function started({ options = {}, prepare }: Case): Promise<CaEndpoint> {
  opened = new CaEndpoint({}, options)
  await opened.listener.start()
  prepare?.(opened)
  return opened
}

/** Lets the deadline pass while a call waits. */
async function whileTimePasses<T>({ clock }: CaEndpoint, call: Promise<T>): Promise<T> {
  let isOver = false
  const over = call.finally(() => {
    isOver = true
  })
  await expect
    .poll(() => {
      if (clock.timers > 0) clock.advance(1_000)
      return isOver
    })
    .toBe(true)
  return over
}

describe('an error has its status and its full result', () => {
  it.each(CASES)('$code over HTTP: $http', async (row) => {
    const ca = await started(row)
    const { path, body } = row.asked ?? judge()
    const reply = await whileTimePasses(ca, ca.call(path, body === null ? {} : { body }))
    expect(reply.status).toBe(row.http)
    expect(resultIn(reply.body)).toMatchObject({
      result: { kind: 'error', errorCode: row.code, message: expect.stringMatching(row.message) },
      proofHash: null,
    })
  })

  it.each(CASES)('$code in an envelope: tried again $isRetried', async (row) => {
    const ca = await started(row)
    const { method, body } = row.asked ?? judge()
    const payload = Buffer.from(body ?? '{"request_id":"nobody"}')
    const request = { id: 'id-1', service: 'hypermesh', method: `consensus/${method}`, payload, metadata: [] }
    const limiter = new ClientLimiter(() => 0)
    const options = { service: ca.service, limiter, logger: SILENT }
    const call = handleEnvelope(encodeEnvelopeRequest(request), options, 'peer-a')
    const response = decodeEnvelopeResponse(await whileTimePasses(ca, call))
    if (!response.ok) throw new Error(response.detail)
    expect(response.value.success).toBe(!row.isRetried)
    expect(resultIn(Buffer.from(response.value.payload).toString())).toMatchObject({
      result: { kind: 'error', errorCode: row.code, message: expect.stringMatching(row.message) },
      proofHash: null,
    })
  })
})

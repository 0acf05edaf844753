/** Asks a node for a verdict over STOQ: one connection, one call. What the node says is the caller's to read. */
import { randomUUID } from 'node:crypto'
import type { EnvelopeResponse } from '../rpc/envelope.ts'
import { StoqError } from '../rpc/stoq/errors.ts'
import { StoqClient } from '../rpc/stoq/stoq-client.ts'
import { METHODS } from './consensus-call.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import type { RequestKind } from './validation-client.ts'

/** STOQ's own port. */
const PORT_DEFAULT = 9_292

/**
 * Sends one request in an envelope.
 * @param url `stoq://[::1]:9292`; without a port, that one
 * @returns the answer's envelope
 * @throws CliError `E_NO_ANSWER` (69) when nobody answers, `E_STOQ_UNAVAILABLE` (69) where there is no QUIC
 */
export async function callStoq(
  url: URL,
  kind: RequestKind,
  payload: Uint8Array,
  timeoutMs: number,
): Promise<EnvelopeResponse> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === '') throw usageError(`${url.href} names no host`, 'write stoq://[::1]:9292')
  const until = performance.now() + timeoutMs
  try {
    const client = await StoqClient.connect(
      { host, port: url.port === '' ? PORT_DEFAULT : Number(url.port) },
      timeoutMs,
    )
    try {
      const request = { id: randomUUID(), service: 'hypermesh', method: METHODS[kind], payload, metadata: [] }
      return await client.call(request, Math.max(1, Math.round(until - performance.now())))
    } finally {
      await client.close()
    }
  } catch (cause) {
    if (!(cause instanceof StoqError) || cause.code === 'E_STOQ_UNAVAILABLE') throw cause
    throw new CliError('E_NO_ANSWER', `no answer from ${url.href}`, {
      why: cause.advice.why ?? cause.message,
      fix: 'start a node there, or name another with --to',
      exitCode: EXIT.network,
      cause,
    })
  }
}

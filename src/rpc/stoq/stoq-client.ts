/**
 * The calling side of STOQ: one connection, any number of calls at a time, each on a stream of its own and with a
 * deadline. It keeps no connection alive and makes no new one: whoever uses it decides that.
 */
import {
  decodeEnvelopeResponse,
  ENVELOPE_BYTES_MAX,
  type EnvelopeRequest,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
} from '../envelope.ts'
import { StoqError } from './errors.ts'
import { dialQuic, type QuicClient } from './quic.ts'

export interface StoqAddress {
  /** IP address without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

/** As the Rust client has it. */
const IDLE_TIMEOUT_MS = 120_000
/** The name that the known client sends; no certificate is asked for it. */
const SERVER_NAME = 'hypermesh'
/** What a caller may bound besides the time. */
export interface ExchangeBounds {
  /** Aborted when the answer is not wanted any more. */
  readonly signal?: AbortSignal
  /** Absent: the longest envelope there is. */
  readonly answerBytesMax?: number
}

/** Half of what a node allows, so that it has room to allow more while these are answered. */
const CALLS_AT_ONCE = 500

export class StoqClient {
  readonly #connection: QuicClient
  readonly #waiting: (() => void)[] = []
  #open = 0

  private constructor(connection: QuicClient) {
    this.#connection = connection
  }

  /** @throws StoqError `E_STOQ_UNAVAILABLE` on a platform without QUIC, `E_STOQ_CONNECT` when nobody answers */
  static async connect({ host, port }: StoqAddress, deadlineMs: number): Promise<StoqClient> {
    const connection = await dialQuic({
      host,
      port,
      serverName: SERVER_NAME,
      deadlineMs,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    })
    return new StoqClient(connection)
  }

  /**
   * Makes one call. More than 500 at a time wait for their turn.
   * @param deadlineMs from now to the answer's last byte
   * @throws StoqError `E_STOQ_LATE`, `E_STOQ_CONNECTION` when the connection is or goes down, `E_STOQ_ANSWER` for an
   *   answer that is no envelope, or to another request
   */
  async call(request: EnvelopeRequest, deadlineMs: number): Promise<EnvelopeResponse> {
    const answer = decodeEnvelopeResponse(await this.exchange(encodeEnvelopeRequest(request), deadlineMs))
    if (!answer.ok) {
      throw new StoqError('E_STOQ_ANSWER', 'the answer is no STOQ envelope', { why: answer.detail })
    }
    // Empty when the request could not be read.
    const { requestId } = answer.value
    if (requestId === request.id || requestId === '') return answer.value
    throw new StoqError('E_STOQ_ANSWER', 'the STOQ answer is to another request', {
      why: `asked as ${request.id}, answered to ${requestId}`,
    })
  }

  /**
   * The same for bytes, whatever they are. A call that is given up is cut, so that the node need not answer it.
   * @throws StoqError as above; the signal's reason
   */
  async exchange(
    request: Uint8Array,
    deadlineMs: number,
    { signal: wanted, answerBytesMax = ENVELOPE_BYTES_MAX }: ExchangeBounds = {},
  ): Promise<Uint8Array> {
    const deadline = AbortSignal.timeout(deadlineMs)
    const ends = [deadline, this.#connection.gone, ...(wanted === undefined ? [] : [wanted])]
    const signal = AbortSignal.any(ends)
    await this.#turn(signal)
    try {
      return await this.#exchange(request, signal, answerBytesMax)
    } catch (error) {
      throw deadline.aborted && error === deadline.reason ? late(deadlineMs) : error
    } finally {
      this.#open -= 1
      this.#waiting.shift()?.()
    }
  }

  /** False: the connection is gone, and every further call fails. */
  get isOpen(): boolean {
    return !this.#connection.gone.aborted
  }

  /** Ends the connection; calls under way fail. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  /** Waits for room, and takes it even when it comes too late: the caller gives it back. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#open >= CALLS_AT_ONCE) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
      const at = this.#waiting.indexOf(resolve)
      if (at !== -1) this.#waiting.splice(at, 1)
    }
    this.#open += 1
  }

  async #exchange(request: Uint8Array, signal: AbortSignal, bytesMax: number): Promise<Uint8Array> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const stream = this.#connection.open()
    const chunks: Uint8Array[] = []
    let received = 0
    stream.on('data', (chunk: Uint8Array) => {
      received += chunk.length
      if (received <= bytesMax) chunks.push(chunk)
      else reject(tooLong(bytesMax))
    })
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('error', (cause) => reject(broken(cause)))
    stream.on('close', () => reject(broken(undefined)))
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    stream.end(request)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', abort)
      chunks.length = 0
      if (!stream.readableEnded) stream.close()
    }
  }
}

function late(deadlineMs: number): StoqError {
  return new StoqError('E_STOQ_LATE', `no answer over STOQ within ${deadlineMs} ms`, { fix: 'try again' })
}

function tooLong(bytesMax: number): StoqError {
  return new StoqError('E_STOQ_ANSWER', `the answer is longer than ${bytesMax} bytes`, {})
}

function broken(cause: unknown): StoqError {
  return new StoqError('E_STOQ_CONNECTION', 'the stream of a STOQ call ended before its answer', {
    ...(cause instanceof Error ? { why: cause.message } : {}),
    fix: 'connect anew, and try again',
    cause,
  })
}

/**
 * Reads and writes the fixed-size handshake messages on a libp2p stream until a deadline. A wrong first
 * byte, a close, a refusal from the other side and lateness all become refusal values. It knows nothing of
 * what the messages mean.
 */

import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { ok, type Result, refuse } from '../types/errors.ts'
import {
  decodeRefusal,
  encodeRefusal,
  type HandshakeMessageKind,
  KIND_BYTES,
  MESSAGE_BYTES,
} from './handshake-messages.ts'
import type { SessionRefusal, SessionRefusalCode } from './refusal.ts'

/** What a stream may hold unread during the handshake; it is 6.4 KB at most, and early traffic after it. */
const READ_BUFFER_BYTES_MAX = 256 * 1024

/** A plain libp2p peer greets with the varint-prefixed line `/multistream/1.0.0`, 19 bytes. */
const MULTISTREAM_FIRST_BYTE = 19

/** How long a refusing side leaves the connection open for its reason to arrive. */
const REFUSAL_LINGER_MS = 250

/** Refusals that leave nobody to tell. */
const TOLD_ALREADY: ReadonlySet<SessionRefusalCode> = new Set(['closed', 'refused-by-remote'])

export class HandshakeChannel {
  readonly #stream: MessageStream
  readonly #signal: AbortSignal
  readonly #received = new Uint8ArrayList()
  readonly #readBufferLengthBefore: number

  /**
   * @param stream nobody else reads from it until `release`
   * @param signal aborted at the deadline, or when the caller gives up
   */
  constructor(stream: MessageStream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
    this.#readBufferLengthBefore = stream.maxReadBufferLength
    stream.maxReadBufferLength = READ_BUFFER_BYTES_MAX
  }

  /** Sends one message. A stream that is closed is noticed by the next `read`. */
  send(message: Uint8Array): void {
    if (this.#stream.status !== 'open') return
    try {
      this.#stream.send(message)
    } catch (error) {
      this.#stream.log('handshake message was not sent - %e', error)
    }
  }

  /** Waits for one whole message of that kind. */
  read(kind: HandshakeMessageKind): Promise<Result<Uint8Array, SessionRefusalCode>> {
    const { promise, resolve } = Promise.withResolvers<Result<Uint8Array, SessionRefusalCode>>()
    const settle = (result: Result<Uint8Array, SessionRefusalCode>) => {
      this.#stream.removeEventListener('message', onMessage)
      this.#stream.removeEventListener('end', onEnd)
      this.#stream.removeEventListener('close', onEnd)
      this.#signal.removeEventListener('abort', onAbort)
      resolve(result)
    }
    const look = () => {
      const result = this.#take(kind)
      if (result !== undefined) settle(result)
    }
    const onMessage = (event: StreamMessageEvent) => {
      this.#received.append(event.data)
      look()
    }
    const onEnd = () => settle(refuse('closed', `the remote closed before its ${kind}`))
    // Whoever aborts the signal knows the better reason, and gives it instead of this one.
    const onAbort = () => settle(refuse('too-slow', `no ${kind} before the deadline`))
    this.#signal.addEventListener('abort', onAbort)
    this.#stream.addEventListener('end', onEnd)
    this.#stream.addEventListener('close', onEnd)
    this.#stream.addEventListener('message', onMessage)
    look()
    if (this.#signal.aborted) onAbort()
    else if (this.#stream.readableEnded || (this.#stream.status !== 'open' && this.#unread === 0)) onEnd()
    return promise
  }

  /** Tells the other side why we refuse, and gives the byte a moment to arrive before the connection goes. */
  async refuse(refusal: SessionRefusal): Promise<void> {
    if (this.#stream.status !== 'open' || TOLD_ALREADY.has(refusal.code)) return
    this.send(encodeRefusal(refusal.code))
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, REFUSAL_LINGER_MS)
    this.#stream.addEventListener('close', () => resolve(), { once: true })
    this.#signal.addEventListener('abort', () => resolve(), { once: true })
    if (!this.#signal.aborted) await promise
    clearTimeout(timer)
  }

  /** Gives the stream back, with whatever came behind the last message. */
  release(): Uint8Array {
    this.#stream.maxReadBufferLength = this.#readBufferLengthBefore
    return this.#received.subarray()
  }

  get #unread(): number {
    return this.#stream.readBufferLength
  }

  #take(kind: HandshakeMessageKind): Result<Uint8Array, SessionRefusalCode> | undefined {
    if (this.#received.byteLength === 0) return undefined
    const first = this.#received.get(0)
    const isRefusal = first === KIND_BYTES.refusal
    if (!isRefusal && first !== KIND_BYTES[kind]) {
      if (kind === 'hello' || first === MULTISTREAM_FIRST_BYTE) {
        return refuse('no-session-layer', 'the remote does not speak the handshake')
      }
      return refuse('malformed', `kind ${first} instead of a ${kind}`)
    }
    const size = isRefusal ? MESSAGE_BYTES.refusal : MESSAGE_BYTES[kind]
    if (this.#received.byteLength < size) return undefined
    const message = this.#received.subarray(0, size)
    this.#received.consume(size)
    if (!isRefusal) return ok(message)
    return refuse('refused-by-remote', `its reason: ${decodeRefusal(message) ?? 'unknown'}`)
  }
}

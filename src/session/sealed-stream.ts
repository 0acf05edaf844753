/**
 * A libp2p stream whose bytes travel as sealed frames over another stream: the whole TCP connection, or one
 * QUIC stream. It ends only by the authenticated end frame; a carrier that ends without one is reported as
 * an error, never as a clean end. Handshake and keys are made elsewhere.
 */

import type {
  AbortOptions,
  MessageStream,
  Stream,
  StreamCloseEvent,
  StreamMessageEvent,
} from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { type Refusal, refuse } from '../types/errors.ts'
import { FrameOpener } from './frame-opener.ts'
import { FrameSealer } from './frame-sealer.ts'
import type { DirectionSecrets } from './key-schedule.ts'
import { leanStream } from './lean-stream.ts'
import { type FrameRefusalCode, SessionError } from './refusal.ts'

/** What carries the frames. A whole connection is closed by libp2p itself, a QUIC stream by us. */
export type SealedCarrier =
  | { readonly scope: 'connection'; readonly raw: MessageStream }
  | { readonly scope: 'stream'; readonly raw: Stream }

export interface SealedStreamInit {
  readonly carrier: SealedCarrier
  readonly secrets: DirectionSecrets
  readonly framesPerKeyMax: number
  /** Sent in the clear before our first frame; a QUIC opener's stream counter. */
  readonly prologue?: Uint8Array
  /** Bytes that the carrier delivered before this stream existed. */
  readonly leftover?: Uint8Array
  /** Told once, when the stream is cut for what the carrier delivered or failed to deliver. */
  readonly onCut: (refusal: Refusal<FrameRefusalCode>) => void
}

export class SealedStream extends AbstractStream {
  readonly #carrier: SealedCarrier
  readonly #raw: MessageStream
  readonly #sealer: FrameSealer
  readonly #opener: FrameOpener
  readonly #onCut: (refusal: Refusal<FrameRefusalCode>) => void
  #prologue: Uint8Array | undefined
  #endSent = false
  #endReceived = false
  #rawIsClosed = false

  constructor(init: SealedStreamInit) {
    const raw = init.carrier.raw
    super({
      id: init.carrier.scope === 'stream' ? init.carrier.raw.id : 'connection',
      log: raw.log.newScope('sealed'),
      direction: raw.direction,
      inactivityTimeout: raw.inactivityTimeout,
      maxReadBufferLength: raw.maxReadBufferLength,
    })
    this.#carrier = init.carrier
    this.#raw = raw
    this.#sealer = new FrameSealer(init.secrets.send, init.framesPerKeyMax)
    this.#opener = new FrameOpener(init.secrets.receive, init.framesPerKeyMax)
    this.#onCut = init.onCut
    this.#prologue = init.prologue
    leanStream(this)
    if (init.leftover !== undefined) this.#receive(init.leftover)
    raw.addEventListener('message', (event: StreamMessageEvent) => this.#receive(event.data))
    raw.addEventListener('drain', () => this.safeDispatchEvent('drain'))
    raw.addEventListener('end', () => this.#rawEnded())
    raw.addEventListener('close', (event) => this.#rawClosed(event))
    if (raw.readableEnded) this.#rawEnded()
  }

  sendData(data: Uint8ArrayList): SendResult {
    return { sentBytes: data.byteLength, canSendMore: this.#sendRaw(this.#sealer.seal(data)) }
  }

  sendReset(error: Error): void {
    this.#raw.abort(error)
  }

  sendPause(): void {
    try {
      this.#raw.pause()
    } catch {
      // The carrier's readable end is closed already: nothing comes that would have to wait.
    }
  }

  sendResume(): void {
    try {
      this.#raw.resume()
    } catch {
      // As in sendPause.
    }
  }

  async sendCloseWrite(options?: AbortOptions): Promise<void> {
    if (!this.#endSent && this.#raw.status === 'open') {
      this.#endSent = true
      this.#sendRaw(new Uint8ArrayList(this.#sealer.sealEnd()))
    }
    if (this.#carrier.scope === 'stream') await this.#raw.close(options)
  }

  async sendCloseRead(options?: AbortOptions): Promise<void> {
    if (this.#carrier.scope === 'stream') await this.#carrier.raw.closeRead(options)
  }

  #sendRaw(frames: Uint8ArrayList): boolean {
    if (this.#prologue !== undefined) {
      frames.prepend(this.#prologue)
      this.#prologue = undefined
    }
    return this.#raw.send(frames)
  }

  /** Runs inside the carrier's event dispatch, where an exception would end the process. */
  #receive(chunk: Uint8Array | Uint8ArrayList): void {
    this.#guard(() => {
      const opened = this.#opener.open(chunk)
      if (opened.data.byteLength > 0) this.onData(opened.data)
      if (opened.refusal !== undefined) {
        this.#cut(opened.refusal)
      } else if (opened.ended && !this.#endReceived) {
        this.#endReceived = true
        this.onRemoteCloseWrite()
      }
    })
  }

  /** The carrier will deliver nothing more. When it was aborted or reset, its 'close' follows and says so. */
  #rawEnded(): void {
    if (this.#raw.status === 'aborted' || this.#raw.status === 'reset') return
    if (this.#missesEnd()) this.#cut(refuse('truncated', 'the carrier ended without the end frame'))
    if (this.#rawIsClosed) this.#guard(() => this.onTransportClosed())
  }

  #rawClosed(event: StreamCloseEvent): void {
    this.#guard(() => {
      if (event.error !== undefined) {
        if (event.local === true) this.abort(event.error)
        else if (this.status === 'open' || this.status === 'closing') this.onRemoteReset()
        return
      }
      this.#rawIsClosed = true
      // A paused carrier still holds bytes, perhaps the end frame; its 'end' follows when they are read.
      if (this.#raw.readBufferLength === 0) this.#rawEnded()
    })
  }

  /**
   * A connection that we are ending ourselves owes us no end frame, and neither does a stream whose rest we
   * do not want to read.
   */
  #missesEnd(): boolean {
    if (this.#endReceived || this.status !== 'open') return false
    if (this.#carrier.scope === 'connection' && this.writeStatus !== 'writable') return false
    return this.readStatus === 'readable' || this.readStatus === 'paused'
  }

  #cut(refusal: Refusal<FrameRefusalCode>): void {
    if (this.status !== 'open' && this.status !== 'closing') return
    this.#onCut(refusal)
    this.#guard(() => this.abort(new SessionError(refusal)))
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.log.error('sealed stream - %e', error)
      this.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

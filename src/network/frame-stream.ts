/**
 * One libp2p stream that carries frames, for as long as it lives: bounded in, pushed out, with a deadline for
 * the first byte. It answers to what the stream does and never throws into libp2p; it knows no protocol.
 */

import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { EMPTY_FRAME, encodeFrames, FRAME_HEADER_BYTES, FrameReader, FrameTooLong } from './frames.ts'
import { abortQuietly, cutReason, guarded, normaliseError, StreamCut } from './guard.ts'
import type { StreamCutReason } from './meter.ts'

/** Frames up to this are put into one buffer for one write; larger ones are not copied. */
const COPY_BYTES_MAX = 64 * 1024

/** Who is told what happens on a {@link FrameStream}. */
export interface FrameStreamEvents {
  /** A frame, also an empty one. The bytes belong to the receiver. */
  onFrame(frame: Uint8Array): void
  /** The stream takes bytes again after {@link FrameStream.send} returned false. */
  onDrain?(): void
  /** Once, at the end; undefined when either side closed it in good order. */
  onEnd(reason: StreamCutReason | undefined, error: Error | undefined): void
}

/** Bounds of a {@link FrameStream}. */
export interface FrameStreamLimits {
  readonly frameBytesMax: number
  /** Absent: the remote may be silent for ever. */
  readonly firstByteDeadlineMs?: number
}

/** A stream of frames. */
export class FrameStream {
  readonly #stream: Stream
  readonly #events: FrameStreamEvents
  readonly #reader: FrameReader
  #deadline: NodeJS.Timeout | undefined
  #ended = false

  constructor(stream: Stream, limits: FrameStreamLimits, events: FrameStreamEvents) {
    this.#stream = stream
    this.#events = events
    this.#reader = new FrameReader(limits.frameBytesMax)
    const onError = (error: Error): void => this.#cut(error)
    if (limits.firstByteDeadlineMs !== undefined) {
      this.#deadline = setTimeout(() => this.cut('silent', 'no byte in time'), limits.firstByteDeadlineMs)
    }
    stream.addEventListener(
      'message',
      guarded((event: { readonly data: Uint8Array | Uint8ArrayList }) => {
        clearTimeout(this.#deadline)
        this.#reader.push(event.data, (frame) => {
          if (!this.#ended) events.onFrame(frame)
        })
      }, onError),
    )
    stream.addEventListener(
      'drain',
      guarded(() => {
        if (!this.#ended) events.onDrain?.()
      }, onError),
    )
    // A QUIC reset looks like this too: no protocol of ours half-closes a frame stream, so it is the end.
    stream.addEventListener(
      'remoteCloseWrite',
      guarded(() => this.close(), onError),
    )
    // The same when it came before we listened, with bytes in front of it. An abort says so by itself.
    stream.addEventListener(
      'end',
      guarded(() => {
        if (stream.status !== 'aborted' && stream.status !== 'reset') this.close()
      }, onError),
    )
    stream.addEventListener(
      'close',
      guarded((event: Event & { readonly error?: Error }) => this.#end(event.error), onError),
    )
    // Its end is past, so no event will tell; not before our maker has hold of us.
    if (stream.status !== 'open') queueMicrotask(() => this.cut('reset', `the stream is ${stream.status}`))
  }

  /** Whether the stream has room. */
  get isWritable(): boolean {
    return !this.#ended && !this.#stream.writableNeedsDrain
  }

  get isEnded(): boolean {
    return this.#ended
  }

  /** Bytes held for an unfinished frame. */
  get heldBytes(): number {
    return this.#reader.heldBytes
  }

  /**
   * Writes messages as frames, in one write.
   *
   * @returns whether there is room for more now; if not, `onDrain` or `onEnd` follows
   */
  send(messages: readonly Uint8Array[]): boolean {
    if (this.#ended) return false
    let length = 0
    for (const message of messages) length += FRAME_HEADER_BYTES + message.byteLength
    return this.#write(length <= COPY_BYTES_MAX ? encodeFrames(messages) : listOfFrames(messages))
  }

  /** Writes an empty frame. */
  sendSignOfLife(): boolean {
    return !this.#ended && this.#write(EMPTY_FRAME)
  }

  /** Cuts the stream for a reason of ours. */
  cut(reason: StreamCutReason, detail: string): void {
    this.#cut(new StreamCut(reason, detail))
  }

  /** Ends in good order: what was sent still leaves. */
  close(): void {
    if (this.#ended) return
    this.#end(undefined)
    this.#stream.close().catch((thrown: unknown) => abortQuietly(this.#stream, normaliseError(thrown)))
  }

  #write(bytes: Uint8Array | Uint8ArrayList): boolean {
    try {
      return this.#stream.send(bytes)
    } catch (thrown) {
      this.#cut(normaliseError(thrown))
      return false
    }
  }

  #cut(error: Error): void {
    if (this.#ended) return
    this.#end(error instanceof FrameTooLong ? new StreamCut('oversize', error.message) : error)
    abortQuietly(this.#stream, error)
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#deadline)
    this.#events.onEnd(error === undefined ? undefined : cutReason(error), error)
  }
}

function listOfFrames(messages: readonly Uint8Array[]): Uint8ArrayList {
  const list = new Uint8ArrayList()
  for (const message of messages) {
    const header = new Uint8Array(FRAME_HEADER_BYTES)
    new DataView(header.buffer).setUint32(0, message.byteLength, true)
    list.append(header, message)
  }
  return list
}

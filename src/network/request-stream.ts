/** One stream of the block protocol as the asker holds it: a request, its answer, the next request. */

import type { Stream } from '@libp2p/interface'
import { type Result, refuse } from '../types/errors.ts'
import { type BlocksAnswer, decodeBlocksAnswer } from './block-fetch-codec.ts'
import { FrameStream } from './frame-stream.ts'
import type { StreamCutReason } from './meter.ts'
import { BLOCKS_ANSWER_BYTES_MAX } from './topics.ts'

type Answer = Result<BlocksAnswer, 'timeout' | 'malformed' | 'closed'>

/** A stream that carries one request at a time. */
export class RequestStream {
  readonly #frames: FrameStream
  #claimed = false
  #settle: ((answer: Answer) => void) | undefined

  /** @param onEnd called once when the stream is of no more use */
  constructor(stream: Stream, onEnd: (reason: StreamCutReason | undefined) => void) {
    this.#frames = new FrameStream(
      stream,
      { frameBytesMax: BLOCKS_ANSWER_BYTES_MAX },
      {
        onFrame: (frame) => this.#onFrame(frame),
        onEnd: (reason, error) => {
          this.#finish(refuse('closed', error?.message ?? 'the stream was closed'))
          onEnd(reason)
        },
      },
    )
  }

  get isBusy(): boolean {
    return this.#claimed
  }

  /** Takes the stream for one request. @returns whether it was free and alive */
  claim(): boolean {
    if (this.#claimed || this.#frames.isEnded) return false
    this.#claimed = true
    return true
  }

  /**
   * Sends the request and waits for its answer; the claim ends with it. A late answer ends the stream, so
   * that it is never taken for the next one's.
   */
  ask(request: Uint8Array, deadlineMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          this.#finish(refuse('timeout', `no answer within ${Math.round(deadlineMs)} ms`))
          this.#frames.cut('slow', 'the answer is late')
        },
        Math.max(0, deadlineMs),
      )
      this.#settle = (answer) => {
        clearTimeout(timer)
        resolve(answer)
      }
      if (this.#frames.isEnded) this.#finish(refuse('closed', 'the stream was closed'))
      else this.#frames.send([request])
    })
  }

  close(): void {
    this.#frames.close()
  }

  #onFrame(frame: Uint8Array): void {
    if (frame.byteLength === 0) return
    if (this.#settle === undefined) {
      this.#frames.cut('malformed', 'an answer that nobody asked for')
      return
    }
    const answer = decodeBlocksAnswer(frame)
    this.#finish(answer)
    if (!answer.ok) this.#frames.cut('malformed', answer.detail)
  }

  #finish(answer: Answer): void {
    const settle = this.#settle
    this.#settle = undefined
    this.#claimed = false
    settle?.(answer)
  }
}

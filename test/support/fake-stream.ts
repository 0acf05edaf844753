/** A libp2p stream in memory for unit tests: records what is sent, delivers what a test wants delivered. */

import { type Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'

/** The parts of a stream that our code uses. */
export class FakeStream extends EventTarget {
  status = 'open'
  writableNeedsDrain = false
  readonly writes: Uint8Array[] = []
  abortedWith: Error | undefined
  /** What `send` returns; false means that the stream is full. */
  hasRoom = true

  /** As the type that the code under test takes. */
  get asStream(): Stream {
    return this as unknown as Stream
  }

  send(data: Uint8Array | Uint8ArrayList): boolean {
    if (this.status !== 'open') throw new Error(`Cannot write to a stream that is ${this.status}`)
    this.writes.push(data instanceof Uint8Array ? data : data.subarray())
    if (!this.hasRoom) this.writableNeedsDrain = true
    return this.hasRoom
  }

  abort(error: Error): void {
    if (this.status !== 'open') return
    this.status = 'aborted'
    this.abortedWith = error
    this.dispatchEvent(new StreamCloseEvent(true, error))
  }

  close(): Promise<void> {
    if (this.status === 'open') {
      this.status = 'closed'
      this.dispatchEvent(new StreamCloseEvent())
    }
    return Promise.resolve()
  }

  /** The remote's bytes arrive. */
  deliver(bytes: Uint8Array): void {
    this.dispatchEvent(new StreamMessageEvent(new Uint8ArrayList(bytes)))
  }

  /** The stream takes bytes again. */
  drain(): void {
    this.hasRoom = true
    this.writableNeedsDrain = false
    this.dispatchEvent(new Event('drain'))
  }

  /** The remote resets. */
  reset(): void {
    this.status = 'reset'
    const error = new Error('reset')
    error.name = 'StreamResetError'
    this.dispatchEvent(new StreamCloseEvent(false, error))
  }

  /** The remote half-closes. */
  remoteCloses(): void {
    this.dispatchEvent(new Event('remoteCloseWrite'))
  }
}

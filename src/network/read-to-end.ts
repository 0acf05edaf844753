/**
 * Reads a libp2p stream to the end of the other side's writing, within bounds. Not by iterating over it: the
 * library's iterator waits for ever when the other side had finished before the iteration began.
 */

import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import type { ByteBudget } from '../types/byte-budget.ts'
import { StreamCut } from './guard.ts'

/** Bounds of one reading. */
export interface ReadLimits {
  readonly bytesMax: number
  readonly firstByteDeadlineMs: number
  /** From the first byte to the last. */
  readonly deadlineMs: number
  readonly budget: ByteBudget
}

/**
 * Reads until the remote half-closes. What is too long, or finds no room, is still read to its end and thrown
 * away: the other side gets its answer instead of a reset.
 *
 * @throws StreamCut when it is silent or late, or what the stream closed with
 */
export function readToEnd(stream: Stream, limits: ReadLimits): Promise<Uint8Array | 'too-long' | 'no-room'> {
  const { bytesMax, budget } = limits
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | 'too-long' | 'no-room'>()
  const list = new Uint8ArrayList()
  let received = 0
  let refusal: 'too-long' | 'no-room' | null = null
  const late = (what: string) => (): void => reject(new StreamCut('silent', what))
  let timer = setTimeout(late('no byte in time'), limits.firstByteDeadlineMs)
  const refuse = (reason: 'too-long' | 'no-room'): void => {
    refusal = reason
    budget.giveBack(list.byteLength)
    list.consume(list.byteLength)
  }
  const onMessage = ({ data }: { data: Uint8Array | Uint8ArrayList }): void => {
    if (received === 0) {
      clearTimeout(timer)
      timer = setTimeout(late('not finished in time'), limits.deadlineMs)
    }
    received += data.byteLength
    // Ten times over is no honest mistake.
    if (received > 10 * bytesMax) reject(new StreamCut('oversize', `more than ${10 * bytesMax} bytes`))
    if (refusal !== null) return
    if (received > bytesMax) refuse('too-long')
    else if (budget.take(data.byteLength)) list.append(data)
    else refuse('no-room')
  }
  const finish = (): void => resolve(refusal ?? list.subarray())
  // 'end' too: bytes and half-close may have come before we listened.
  const onEnd = (): void => {
    if (stream.status !== 'aborted' && stream.status !== 'reset') finish()
  }
  const onClose = (event: { error?: Error }): void =>
    reject(event.error ?? new StreamCut('reset', 'closed before its end'))
  stream.addEventListener('message', onMessage)
  stream.addEventListener('remoteCloseWrite', finish)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  if (stream.readableEnded) finish()
  return promise.finally(() => {
    clearTimeout(timer)
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('remoteCloseWrite', finish)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
    budget.giveBack(list.byteLength)
  })
}

/**
 * Reads one request stream to the end of the caller's writing, within bounds. What is too long, or finds no room,
 * is still read to its end and thrown away, so that a caller who is still writing gets to read why.
 */
import type { Readable } from 'node:stream'
import type { ByteBudget } from '../../types/byte-budget.ts'

/** Bounds of one reading. */
export interface RequestLimits {
  readonly bytesMax: number
  /** From the stream's first byte to its end. */
  readonly deadlineMs: number
  readonly budget: ByteBudget
}

/** The request; or why there is none: `late` its end did not come, `gone` the caller gave it up. */
export type ReadRequest = Uint8Array | 'too-long' | 'no-room' | 'late' | 'gone'

/** Ten times over is no honest mistake: nothing more is read of it. */
const PATIENCE_FACTOR = 10

/** Never rejects. What comes afterwards flows into nothing. */
export function readRequest(stream: Readable, limits: RequestLimits): Promise<ReadRequest> {
  const { bytesMax, deadlineMs, budget } = limits
  const { promise, resolve } = Promise.withResolvers<ReadRequest>()
  let chunks: Uint8Array[] = []
  let held = 0
  let received = 0
  let refusal: 'too-long' | 'no-room' | null = null
  const drop = (): void => {
    budget.giveBack(held)
    held = 0
    chunks = []
  }
  const onData = (chunk: Uint8Array): void => {
    received += chunk.length
    if (received > PATIENCE_FACTOR * bytesMax) resolve('too-long')
    if (refusal !== null) return
    if (received > bytesMax) refusal = 'too-long'
    else if (!budget.take(chunk.length)) refusal = 'no-room'
    if (refusal !== null) {
      drop()
      return
    }
    held += chunk.length
    chunks.push(chunk)
  }
  const onEnd = (): void => resolve(refusal ?? Buffer.concat(chunks))
  const onClose = (): void => resolve('gone')
  const timer = setTimeout(() => resolve('late'), deadlineMs)
  stream.on('data', onData)
  stream.on('end', onEnd)
  stream.on('close', onClose)
  stream.on('error', onClose)
  return promise.finally(() => {
    clearTimeout(timer)
    stream.off('data', onData)
    stream.off('end', onEnd)
    stream.off('close', onClose)
    // 'error' stays heard. Without a reader the stream would stop, and its end never come.
    stream.resume()
    drop()
  })
}

/**
 * Reads a libp2p stream to the end of the other side's writing. Not by iterating over it: the library's iterator
 * waits for ever when the other side had finished before the iteration began and its bytes lay in the buffer.
 */
import type { Stream } from '@libp2p/interface'

/**
 * @param onBytes called with every piece in order; what it throws ends the reading
 * @param signal gives up; the stream is left as it is
 * @throws what the stream closed with, the signal's reason, or what `onBytes` threw
 */
export async function readToEnd(
  stream: Stream,
  onBytes: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const done = Promise.withResolvers<void>()
  const listeners = new AbortController()
  const once = { signal: listeners.signal }
  signal.throwIfAborted()
  signal.addEventListener('abort', () => done.reject(signal.reason), once)
  stream.addEventListener('end', () => done.resolve(), once)
  stream.addEventListener(
    'close',
    ({ error }) => {
      if (error === undefined) done.resolve()
      else done.reject(error)
    },
    once,
  )
  // Last: what is buffered is handed out as soon as somebody listens.
  stream.addEventListener(
    'message',
    ({ data }) => {
      try {
        onBytes(data.subarray())
      } catch (error) {
        done.reject(error)
      }
    },
    once,
  )
  if (stream.readableEnded) done.resolve()
  try {
    await done.promise
  } finally {
    listeners.abort()
  }
}

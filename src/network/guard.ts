/**
 * The one wrapper around everything that libp2p calls for a peer: stream handlers and event callbacks. Nothing
 * a peer does becomes an unhandled error; our own broken invariants are let through and end the process.
 */

import type { Connection, Stream, StreamHandler } from '@libp2p/interface'
import { InvariantViolation } from '../types/assert.ts'
import type { Logger } from '../types/logger.ts'
import type { NetworkMeter, StreamCutReason } from './meter.ts'

/** Thrown inside a guarded handler to cut its stream for a named reason. */
export class StreamCut extends Error {
  readonly reason: StreamCutReason

  constructor(reason: StreamCutReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}

/** libp2p rejects with Errors, with Events that hold one, and with neither. */
export function normaliseError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  if (thrown instanceof Event) {
    const inner = (thrown as Event & { readonly error?: unknown }).error
    return inner instanceof Error ? inner : new Error(`stream ${thrown.type} event`)
  }
  return new Error(String(thrown))
}

/** Why a stream ended, as a label. */
export function cutReason(error: Error): StreamCutReason {
  if (error instanceof StreamCut) return error.reason
  return error.name === 'StreamResetError' || error.name === 'StreamAbortedError' ? 'reset' : 'failed'
}

/** Ends the process by an uncaught exception if the error is our own broken invariant, from wherever we are. */
export function letInvariantsCrash(thrown: unknown): void {
  if (!(thrown instanceof InvariantViolation)) return
  queueMicrotask(() => {
    throw thrown
  })
}

/**
 * Makes a callback, synchronous or not, that never throws and never rejects.
 *
 * @param onError told of everything but an {@link InvariantViolation}, which ends the process
 */
export function guarded<Args extends readonly unknown[]>(
  run: (...args: Args) => void | Promise<void>,
  onError: (error: Error, ...args: Args) => void,
): (...args: Args) => void {
  const failed = (thrown: unknown, args: Args): void => {
    letInvariantsCrash(thrown)
    onError(normaliseError(thrown), ...args)
  }
  return (...args) => {
    try {
      const result = run(...args)
      if (result instanceof Promise) result.catch((thrown: unknown) => failed(thrown, args))
    } catch (thrown) {
      failed(thrown, args)
    }
  }
}

/** What a guarded stream handler reports to. */
export interface StreamGuard {
  /** Protocol id, for the log. */
  readonly protocol: string
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/**
 * A handler for `libp2p.handle`: whatever `serve` throws or rejects with aborts the stream, is counted by
 * reason and logged at debug, because a peer chose it.
 *
 * @param serve must attach its `message` listener before it first awaits, or early bytes are lost
 */
export function guardStreams(
  guard: StreamGuard,
  serve: (stream: Stream, connection: Connection) => void | Promise<void>,
): StreamHandler {
  return guarded(serve, (error, stream, connection) => {
    const reason = cutReason(error)
    guard.meter('stream-cut', reason)
    guard.logger.debug(
      { protocol: guard.protocol, peer: connection.remotePeer.toString(), reason, detail: error.message },
      'a protocol stream was cut',
    )
    abortQuietly(stream, error)
  })
}

/** Aborts something of libp2p's; aborting what is already gone is no news. */
export function abortQuietly(target: { abort(error: Error): void }, error: Error): void {
  try {
    target.abort(error)
  } catch {
    // The muxer below is gone; so is the stream.
  }
}

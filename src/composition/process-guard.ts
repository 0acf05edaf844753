/**
 * The process's last line: what nobody caught. A bug of ours ends the process; a promise that a library left
 * alone, or a socket that a peer reset under it, is a peer's doing and must not (a remote can never crash us).
 */
import { InvariantViolation } from '../types/assert.ts'
import { NodeError } from '../types/errors.ts'
import type { Logger } from '../types/logger.ts'

/** How the other end of a socket can fail: known to reach us as `error` events that a library does not listen to. */
const REMOTE_FAILURES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

/** @returns the way to take the guard away again */
export function guardProcess(logger: Logger, onFatal: (error: unknown) => void): () => void {
  const isOurs = (error: unknown): boolean =>
    error instanceof InvariantViolation || error instanceof NodeError
  const rejected = (reason: unknown): void => {
    if (isOurs(reason)) onFatal(reason)
    else logger.error({ error: reason }, 'a promise was rejected and nobody heard')
  }
  const thrown = (error: unknown): void => {
    const { code } = (error ?? {}) as { code?: unknown }
    if (!isOurs(error) && typeof code === 'string' && REMOTE_FAILURES.has(code)) {
      logger.error({ error }, 'a connection failed and nobody listened')
    } else {
      onFatal(error)
    }
  }
  process.on('unhandledRejection', rejected)
  process.on('uncaughtException', thrown)
  return () => {
    process.off('unhandledRejection', rejected)
    process.off('uncaughtException', thrown)
  }
}

/**
 * The end of the process for what must not go on: a failed safety write, a lost batch, a bug of ours, a fork.
 * At once and from wherever it is called, so that nothing is said afterwards.
 */
import { NodeError } from '../types/errors.ts'
import type { Logger } from '../types/logger.ts'

/** sysexits has no number for a bug; 1 is what an operator's supervisor restarts. */
const EXIT_BUG = 1

export function fatalHandler(logger: Logger): (error: unknown) => void {
  return (error) => {
    const advice = error instanceof NodeError ? error.advice : {}
    logger.error({ error, ...advice, ...dumpOf(error) }, 'stopping at once: going on could do harm')
    process.exit(error instanceof NodeError ? error.exitCode : EXIT_BUG)
  }
}

function dumpOf(error: unknown): { dump?: object } {
  const dump = (error as { dump?: unknown } | null)?.dump
  return typeof dump === 'object' && dump !== null ? { dump } : {}
}

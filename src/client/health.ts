/** How the endpoints say they are: every one asked once, all at the same time. */

import { utf8ToBytes } from '../codec/utf8.ts'
import { type HealthReading, healthAnswer } from '../rpc/trustchain-json-response.ts'
import type { LoopParts } from './call-loop.ts'
import { passOver } from './failover.ts'
import { plainOutcome } from './outcome.ts'
import type { CallFrame } from './verdict.ts'

/** What one endpoint says of itself, or why it said nothing. */
export interface EndpointHealth {
  readonly endpoint: string
  /** It can give verdicts now. */
  readonly isReady: boolean
  /** Null when it did not answer. */
  readonly health: HealthReading | null
  /** Empty when it is ready. */
  readonly why: string
  readonly tookMs: number
}

const HEALTH_BYTES_MAX = 64 * 1024

/** Never rejects for what an endpoint says or fails to say. @throws the signal's reason */
export function healthOfAll(parts: LoopParts, frame: CallFrame): Promise<EndpointHealth[]> {
  const all = parts.pool.all().map(({ endpoint }) => endpoint)
  const asked = all.filter((endpoint) => !frame.except.has(endpoint))
  return Promise.all(asked.map((endpoint) => healthOf(parts, endpoint, all, frame)))
}

async function healthOf(
  parts: LoopParts,
  endpoint: string,
  all: readonly string[],
  frame: CallFrame,
): Promise<EndpointHealth> {
  let why = 'it asked to be left alone for a while'
  let tookMs = 0
  const result = await passOver(parts, {
    ...frame,
    method: 'health',
    payload: utf8ToBytes('null'),
    read: (reply) => plainOutcome(reply, healthAnswer, 'a health answer'),
    answerBytesMax: HEALTH_BYTES_MAX,
    attemptDeadlineMs: parts.attemptDeadlineMs,
    except: new Set(all.filter((other) => other !== endpoint)),
    onAttempt: (attempt) => {
      why = attempt.why
      tookMs = attempt.tookMs
      frame.onAttempt(attempt)
    },
  })
  const health = result.kind === 'done' ? result.value : null
  const isReady = health?.status === 'healthy'
  if (health !== null && !isReady) why = health.reason ?? health.status
  return { endpoint, isReady, health, why: isReady ? '' : why, tookMs }
}

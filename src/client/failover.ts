/**
 * One pass: the same bytes to one endpoint after the other until one of them ends the question. Waits for nothing
 * between endpoints; trying again after a pass is call-loop.ts.
 */
import type { CarrierReply, ClientMethod } from './carrier.ts'
import { type Attempt, ClientError } from './client-error.ts'
import { type Clock, untilAborted } from './clock.ts'
import type { EndpointPool, PooledEndpoint } from './endpoint-pool.ts'
import type { Outcome } from './outcome.ts'

/** How a pass ended. */
export type PassResult<T> =
  | {
      readonly kind: 'done' | 'under-way' | 'refused' | 'unknown'
      readonly value: T
      readonly endpoint: string
    }
  | { readonly kind: 'unsupported'; readonly endpoint: string }
  /** Nobody answered the question. `last` is what the last one that spoke said. */
  | { readonly kind: 'failed'; readonly last: { readonly value: T; readonly endpoint: string } | null }

/** What a pass is about. */
export interface Pass<T> {
  readonly method: ClientMethod
  readonly payload: Uint8Array
  readonly read: (reply: CarrierReply) => Outcome<T>
  readonly answerBytesMax: number
  /** The caller's; at the call's deadline it aborts as well. */
  readonly signal: AbortSignal
  readonly attemptDeadlineMs: number
  /** Of the client's clock. */
  readonly endMs: number
  /** Endpoints not to be asked. Those that turn out to be no nodes are added. */
  readonly except: Set<string>
  readonly onAttempt: (attempt: Attempt) => void
}

/** What a pass works with. */
export interface PassParts {
  readonly pool: EndpointPool
  readonly clock: Clock
}

/** @throws the signal's reason when the caller gives up; ClientError when a carrier lacks an option */
export async function passOver<T>(parts: PassParts, pass: Pass<T>): Promise<PassResult<T>> {
  const { pool, clock } = parts
  let unknown: PassResult<T> | null = null
  let last: { value: T; endpoint: string } | null = null
  for (const target of pool.order(pass.except)) {
    pass.signal.throwIfAborted()
    if (clock.nowMs() >= pass.endMs) break
    const { endpoint } = target
    const outcome = await askOne(parts, pass, target)
    switch (outcome.kind) {
      case 'done':
      case 'under-way':
      case 'refused':
        pool.succeeded(endpoint)
        return { kind: outcome.kind, value: outcome.value, endpoint }
      case 'unknown':
        pool.succeeded(endpoint)
        unknown = { kind: 'unknown', value: outcome.value, endpoint }
        break
      case 'unsupported':
        target.hasBatches = false
        return { kind: 'unsupported', endpoint }
      case 'not-ready':
        pool.failed(endpoint, outcome.retryAfterMs)
        if (outcome.value !== null) last = { value: outcome.value, endpoint }
        break
      case 'foreign':
        pool.failed(endpoint)
        pass.except.add(endpoint)
        break
      case 'unreachable':
        pool.failed(endpoint)
        break
    }
  }
  return unknown ?? { kind: 'failed', last }
}

type AskedOutcome<T> = Outcome<T> | { readonly kind: 'unreachable'; readonly why: string }

async function askOne<T>(
  { pool, clock }: PassParts,
  pass: Pass<T>,
  target: PooledEndpoint,
): Promise<AskedOutcome<T>> {
  const startedMs = clock.nowMs()
  const deadlineMs = Math.max(1, Math.ceil(Math.min(pass.attemptDeadlineMs, pass.endMs - startedMs)))
  const timer = new AbortController()
  const isOver = new AbortController()
  const signal = AbortSignal.any([pass.signal, timer.signal])
  clock.wait(deadlineMs, isOver.signal).then(
    () => timer.abort(new Error(`no answer within ${deadlineMs} ms`)),
    () => undefined,
  )
  const outcome = await pool
    .use(target, (carrier) => {
      const limits = { deadlineMs, signal, answerBytesMax: pass.answerBytesMax }
      return untilAborted(carrier.call(pass.method, pass.payload, limits), signal)
    })
    .then(pass.read, (error: unknown): AskedOutcome<T> => {
      // The caller's own giving up is no failure of the endpoint.
      pass.signal.throwIfAborted()
      // Options that no endpoint can do anything about.
      if (error instanceof ClientError) throw error
      return {
        kind: 'unreachable',
        why: timer.signal.aborted ? timer.signal.reason.message : causeText(error),
      }
    })
    .finally(() => isOver.abort())
  pass.onAttempt({
    endpoint: target.endpoint,
    outcome: attemptOutcome(outcome.kind),
    why: 'why' in outcome ? outcome.why : '',
    tookMs: clock.nowMs() - startedMs,
  })
  return outcome
}

function attemptOutcome(kind: AskedOutcome<unknown>['kind']): Attempt['outcome'] {
  if (kind === 'done') return 'answered'
  return kind === 'unsupported' ? 'foreign' : kind
}

/** Platforms leave the message of an AggregateError empty and the reasons in its errors. */
export function causeText(error: unknown): string {
  const causes: unknown[] = error instanceof AggregateError ? error.errors : [error]
  return causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join('; ')
}

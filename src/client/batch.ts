/**
 * Batches: how many requests become one body, and the answers in their order. A batch only saves round trips: whatever
 * of it comes back without a verdict is asked for one by one, by the same rules as any other call.
 */
import { concatBytes } from '@noble/hashes/utils.js'
import { utf8ToBytes } from '../codec/utf8.ts'
import type { Shape } from '../rpc/json-shape.ts'
import { listOf } from '../rpc/json-shape.ts'
import { validationAnswer } from '../rpc/trustchain-json-response.ts'
import type { ValidationAnswer } from '../validation/answer.ts'

/** Requests of one call to the batch route: their answers, with every reason there can be, fit into one document. */
export const BATCH_ITEMS_MAX = 32
/** Half of what a node reads of a body. */
const BATCH_BYTES_MAX = 1024 * 1024

/** One request of a batch, as bytes. */
export interface BatchPart {
  readonly kind: 'certificate' | 'four-proof'
  readonly bytes: Uint8Array
}

const FIELDS = { certificate: 'certificate', 'four-proof': 'four_proof' } as const

/** The answer to a batch: as many as there were requests, in their order. */
export const batchAnswer: Shape<readonly ValidationAnswer[]> = listOf(validationAnswer, BATCH_ITEMS_MAX)

/** Cuts a list into runs that fit into one body each, in their order. */
export function batchRuns(parts: readonly BatchPart[]): BatchPart[][] {
  const runs: BatchPart[][] = []
  let bytes = 0
  for (const part of parts) {
    const run = runs.at(-1)
    bytes += part.bytes.length
    if (run === undefined || run.length === BATCH_ITEMS_MAX || bytes > BATCH_BYTES_MAX) {
      runs.push([part])
      bytes = part.bytes.length
    } else {
      run.push(part)
    }
  }
  return runs
}

/** `[{"certificate":…},{"four_proof":…}]`, each request byte for byte as it would be sent alone. */
export function batchBody(parts: readonly BatchPart[]): Uint8Array {
  const pieces = parts.flatMap(({ kind, bytes }, i) => [
    utf8ToBytes(`${i === 0 ? '[' : ','}{"${FIELDS[kind]}":`),
    bytes,
    utf8ToBytes('}'),
  ])
  return concatBytes(...pieces, utf8ToBytes(parts.length === 0 ? '[]' : ']'))
}

/** Runs `work` over all items, so many at a time, and hands back the results in order. */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length)
  let next = 0
  const lane = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T, i)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  return results
}

/** Batches: what becomes one body, that nobody's bytes are changed in it, and the order of what comes back. */
import { describe, expect, it } from 'vitest'
import {
  BATCH_ITEMS_MAX,
  type BatchPart,
  batchBody,
  batchRuns,
  mapBounded,
} from '../../../src/client/batch.ts'
import { parseJson } from '../../../src/rpc/lossless-json.ts'
import { vector } from '../../support/requests.ts'

const part = (bytes: number): BatchPart => ({ kind: 'certificate', bytes: new Uint8Array(bytes) })

describe('a batch', () => {
  it('has every request byte for byte, under the name of its kind', () => {
    const certificate = vector('certreq_json')
    const set = vector('fpreq_json')
    const body = batchBody([
      { kind: 'certificate', bytes: Buffer.from(certificate) },
      { kind: 'four-proof', bytes: Buffer.from(set) },
    ])
    expect(Buffer.from(body).toString()).toBe(`[{"certificate":${certificate}},{"four_proof":${set}}]`)
    expect(parseJson(body)).toMatchObject({ ok: true, value: { length: 2 } })
    expect(Buffer.from(batchBody([])).toString()).toBe('[]')
  })

  it.each([
    ['nothing', [], []],
    ['one', [10], [1]],
    ['as many as there may be', Array(BATCH_ITEMS_MAX).fill(10), [BATCH_ITEMS_MAX]],
    ['one more', Array(BATCH_ITEMS_MAX + 1).fill(10), [BATCH_ITEMS_MAX, 1]],
    ['large ones', [600_000, 400_000, 600_000], [2, 1]],
    ['one that is too large alone', [2_000_000, 10], [1, 1]],
  ])('of %s is cut into runs', (_name, sizes, expected) => {
    const parts = sizes.map(part)
    const runs = batchRuns(parts)
    expect(runs.map((run) => run.length)).toEqual(expected)
    expect(runs.flat()).toEqual(parts)
  })

  it('is worked on so many at a time, and keeps its order', async () => {
    let underWay = 0
    let most = 0
    const results = await mapBounded([5, 1, 4, 2, 3, 0], 2, async (turns, i) => {
      most = Math.max(most, ++underWay)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      underWay--
      return `${i}:${turns}`
    })
    expect(results).toEqual(['0:5', '1:1', '2:4', '3:2', '4:3', '5:0'])
    expect(most).toBe(2)
    await expect(mapBounded([1, 2], 2, async () => Promise.reject(new Error('x')))).rejects.toThrow('x')
  })
})

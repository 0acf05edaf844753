/** Batches: what becomes one body, that nobody's bytes are changed in it, and the order of what comes back. */
import { describe, expect, it } from 'vitest'
import {
  BATCH_ITEMS_MAX,
  type BatchPart,
  batchBody,
  batchRuns,
  mapBounded,
} from '../../../src/client/batch.ts'
import { configuredEndpoints } from '../../../src/client/endpoint.ts'
import { HypermeshClient } from '../../../src/client/hypermesh-client.ts'
import { parseJson } from '../../../src/rpc/lossless-json.ts'
import { type Line, ScriptedNetwork } from '../../support/client/scripted-carrier.ts'
import { VirtualClock } from '../../support/client/virtual-clock.ts'
import { certificateRequest, vector } from '../../support/requests.ts'

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

describe('a batch of three', () => {
  const A = 'https://a'
  const B = 'https://b'
  const SINGLES = ['validate_certificate', 'validate_certificate', 'validate_certificate']

  async function batchOf(scripts: Readonly<Record<string, readonly Line[]>>, times = 1) {
    const network = new ScriptedNetwork(scripts)
    const clock = new VirtualClock()
    const endpoints = configuredEndpoints(Object.keys(scripts), 'as-given')
    const client = new HypermeshClient({ endpoints, carriers: { https: network.carrier }, clock })
    const items = ['one', 'two', 'three'].map((id) => ({ certificate: certificateRequest(id) }))
    let results = await clock.settle(client.batch(items))
    for (let i = 1; i < times; i++) results = await clock.settle(client.batch(items))
    return { network, results }
  }

  it('is one call, and what has no verdict in it is asked for alone', async () => {
    const { network, results } = await batchOf({ [A]: ['a batch: the second has no verdict', 'valid'] })
    expect(network.calls.map(({ method }) => method)).toEqual(['validate_batch', 'validate_certificate'])
    expect(network.calls[1]?.text).toContain('"request_id":"two"')
    const names = results.map((result) => (result.ok ? result.verdict.answer.validatorId : result.error.code))
    expect(names).toEqual(['item-0', 'n-1', 'item-2'])
  })

  it.each<[string, Record<string, Line[]>, string[]]>([
    ['the node has no batches', { [A]: ['no batches', 'valid'] }, ['validate_batch', ...SINGLES]],
    [
      'an answer is missing',
      { [A]: ['a batch: one answer is missing', 'valid'] },
      ['validate_batch', ...SINGLES],
    ],
    ['a page comes back', { [A]: ['a web page', 'valid'] }, ['validate_batch', ...SINGLES]],
    [
      'the first node is dead and the second has none',
      { [A]: ['refuses connections', 'valid'], [B]: ['no batches', 'valid'] },
      ['validate_batch', 'validate_batch', ...SINGLES],
    ],
  ])('goes one by one when %s', async (_name, scripts, methods) => {
    const { network, results } = await batchOf(scripts)
    expect(network.calls.map(({ method }) => method)).toEqual(methods)
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true])
  })

  it('does not ask a node twice that has none', async () => {
    const { network } = await batchOf({ [A]: ['no batches', 'valid'] }, 2)
    expect(network.calls.map(({ method }) => method)).toEqual(['validate_batch', ...SINGLES, ...SINGLES])
  })

  it('tells of each request what became of it', async () => {
    const { results } = await batchOf({ [A]: ['no batches', 'invalid', 'INVALID_PROOF_FORMAT', 'valid'] })
    expect(results.map((result) => (result.ok ? result.verdict.result.kind : result.error.code))).toEqual([
      'invalid',
      'E_REFUSED',
      'valid',
    ])
  })
})

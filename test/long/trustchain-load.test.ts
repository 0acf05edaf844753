/**
 * What TrustChain's own performance tests intend (spec/stoq.md 5), against four real validators on this machine and by
 * STOQ, each under the name that it has there. Figures are the benchmark's (`npm run bench`): here nothing may be lost,
 * hang or be judged wrongly, and the goals that do not depend on the machine hold.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mapBounded } from '../../src/client/batch.ts'
import type { HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { nodeClient } from '../../src/client/node/node-client.ts'
import { certificateRequestBytes } from '../../src/client/request-bytes.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { testRequest } from '../support/e2e/trustchain-requests.ts'

const MIB = 1_048_576
/** For a hang. */
const TIMEOUT = { timeout: 300_000 }

let network: LocalNetwork
let client: HypermeshClient

beforeAll(async () => {
  network = await LocalNetwork.start()
  const endpoints = network.ports.map(({ stoq }) => `stoq://[::1]:${stoq}`)
  client = nodeClient({ endpoints: endpoints.slice(0, 1), deadlineMs: 120_000, attemptDeadlineMs: 20_000 })
})

afterAll(async () => {
  await client?.close()
  await network?.destroy()
})

/** Asks so many requests, so many at a time; every one must be Valid. @returns milliseconds of each */
async function judged(count: number, atOnce: number): Promise<number[]> {
  const requests = Array.from({ length: count }, () => testRequest())
  const took = await mapBounded(requests, atOnce, async (request) => {
    const startedMs = performance.now()
    const { isValid } = await client.validateCertificate(request)
    return isValid ? performance.now() - startedMs : Number.NaN
  })
  expect(took.filter(Number.isNaN)).toEqual([])
  return took
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Resident memory of the node that is asked, bytes. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${network.node(0).pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024
}

it('100 single validations, one after the other', TIMEOUT, async () => {
  expect(await judged(100, 1)).toHaveLength(100)
})

it('50 sequential validations: the last takes no longer than the first ones did', TIMEOUT, async () => {
  const took = await judged(50, 1)
  expect(meanOf(took.slice(25))).toBeLessThan(5 * meanOf(took.slice(0, 25)))
})

it.each([1, 10, 50, 100])('100 requests, %i at a time', TIMEOUT, async (atOnce) => {
  expect(await judged(100, atOnce)).toHaveLength(100)
})

it('1,000 requests, 100 at a time', TIMEOUT, async () => {
  expect(await judged(1_000, 100)).toHaveLength(1_000)
})

it(
  'a repeated request is answered from what is stored, with the same bytes and without the network',
  TIMEOUT,
  async () => {
    const request = certificateRequestBytes(testRequest())
    const first = await client.validateCertificate(request)
    const heightBefore = await network.node(0).height()
    const again = await Promise.all(Array.from({ length: 100 }, () => client.validateCertificate(request)))
    for (const { payload } of again) expect(Buffer.from(payload).equals(first.payload)).toBe(true)
    // Heartbeats go on; no block is for these.
    const heights = Array.from(
      { length: (await network.node(0).height()) - heightBefore },
      (_, i) => heightBefore + 1 + i,
    )
    for (const height of heights) {
      const { transactions } = await network.node(0).block(height)
      expect(transactions.filter(({ kind }) => kind === 'validate-certificate')).toEqual([])
    }
  },
)

it('the goals: 100 and more at once, and under 1 MB of memory for each', TIMEOUT, async () => {
  await judged(200, 200)
  const before = residentBytes()
  const took = await judged(400, 400)
  expect(took).toHaveLength(400)
  expect((residentBytes() - before) / 400).toBeLessThan(MIB)
})

/** kill -9 under load, a few rounds of it; `npm run torture` has the long version and the same checks. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { torture } from '../support/e2e/torture.ts'

const ROUNDS = 4
/** Another run, another order of events; a failure names its seed. */
const seed = Date.now() % 1_000_000

let network: LocalNetwork

beforeAll(async () => {
  network = await LocalNetwork.start()
})

afterAll(async () => {
  await network?.destroy()
})

it(`loses nothing that was final when nodes are killed, one, several and all at once (seed ${seed})`, {
  timeout: 180_000,
}, async () => {
  const report = await torture(network, ROUNDS, seed)
  expect(report.problems).toEqual([])
  expect(report.rounds.some(({ killed }) => killed.length === network.nodes.length)).toBe(true)
  expect(report.answered).toBeGreaterThan(20)
  expect(report.signatures.files).toBeGreaterThanOrEqual(2 * network.nodes.length)
  expect(report.signatures.slots).toBeGreaterThan(report.height)
})

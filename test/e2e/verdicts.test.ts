/**
 * Verdicts of four real validators over links that can be cut: two cut off from two give none, and then the right one to
 * the same request; one who does not open what it committed to pays for it; one who lies in every verdict changes none,
 * pays the same, and is excluded. All of it is seen from outside, in the API and in the metrics of the honest.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TRUST_AT_GENESIS, TRUST_TO_STAY } from '../../src/ledger/verdicts/trust.ts'
import type { TrustHistoryView } from '../../src/rpc/http/api-ports.ts'
import { ChaosNetwork } from '../support/chaos/chaos-network.ts'
import { ask, askStatus, verdictOf } from '../support/e2e/ca-client.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { judgedRightly, metricAt, trustAt, trustHistoryAt, validatorsAt } from '../support/e2e/trust.ts'
import { until } from '../support/e2e/until.ts'
import type { Habit } from '../support/maverick/habits.ts'
import { startMaverick } from '../support/maverick/start-maverick.ts'

/** Trust periods so short that the test sees some end, and so long that a few slots missed do not exclude anybody. */
const EPOCH = 96
/** What a caller waits for its verdict, and what the way there and back may take on a busy machine. */
const DEADLINE_MS = 8_000
const SLACK_MS = 4_000
/** From 1,000,000: 800,000, 640,000, 512,000, 409,600. */
const FAULTS_TO_FALL = 4

/** From a request's block to the last in which its batch can be accounted for: windows of 4 and 16, and some. */
const SLOT_BLOCKS = 24

let network: ChaosNetwork
let maverick: NodeProcess | null = null
const node = (i: number): NodeProcess => network.node(i)
const honest = (): NodeProcess[] => [0, 1, 2].map(node)

beforeAll(async () => {
  network = await ChaosNetwork.start({ validators: 4, heartbeatMs: 200, epochBlocks: EPOCH, seed: 4 })
  // Only what the tests ask, so that faults can be counted.
  await network.trickle.stop()
}, 180_000)

afterAll(async () => {
  await maverick?.kill()
  await network?.destroy()
})

/** In place of node 3, on its directory. */
async function replaceTheLast(habit: Habit): Promise<void> {
  await (maverick ?? node(3)).kill()
  const { args } = network.fabric.launches[3] ?? { args: [] }
  const { folder, api, ca } = node(3)
  maverick = startMaverick(folder, [habit], { api, ca, args: ['--log.level', 'info', ...args] })
  // Until it signs: after a kill it listens for a while, and who is absent pays another price.
  await maverick.ready(120_000)
}

/** Asks good and bad requests by turns, of all honest nodes by turns, until something holds. */
async function askUntil(holds: () => Promise<boolean>, what: string): Promise<void> {
  let asked = 0
  await until(
    async () => {
      asked++
      await judgedRightly(node(asked % 3), asked % 2 === 0)
      return holds()
    },
    120_000,
    what,
  )
}

/**
 * Asks one good request at a time, each when the slot of the one before is accounted for, until something holds. One who
 * has just started can be late with its commits: it is absent then, and the next request finds it warmer. Asked without
 * such pauses, it is excluded for absence within seconds.
 */
async function askSlowlyUntil(holds: () => Promise<boolean>, what: string): Promise<void> {
  await until(
    async () => {
      await judgedRightly(node(0), true)
      const end = (await node(0).height()) + SLOT_BLOCKS
      await until(async () => (await node(0).height()) >= end, 60_000, `block ${end}`)
      return holds()
    },
    180_000,
    what,
  )
}

type Change = TrustHistoryView['changes'][number]
/** What one fault leaves of trust. */
const afterFault = (ppm: number): number => ppm - Math.ceil(ppm / 5)

/**
 * Faults that one change is the price of, at a fifth of the trust there is for each: a block can account for several.
 * @returns 0 for a change that is something else: a period's
 */
function faultsIn({ from, ppm }: Change): number {
  let faults = 0
  for (let left = from; left > ppm; left = afterFault(left), faults++) if (afterFault(left) < ppm) return 0
  return faults
}

async function historyOfTheLast(): Promise<TrustHistoryView> {
  const [, , , last] = await validatorsAt(node(0))
  return trustHistoryAt(node(0), last?.validatorId ?? '')
}

describe('two of four cut off from the other two', () => {
  it('neither side gives a verdict, and both requests get the right one when the cut is healed', {
    timeout: 120_000,
  }, async () => {
    for (const [a, b] of [
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
    ] as const) {
      await network.fabric.cut(a, b)
      await network.fabric.cut(b, a)
    }
    const sides = [
      { at: node(0), request: certificate(), expected: 'Valid' },
      { at: node(2), request: certificate({ bad: 'stake' }), expected: { Invalid: expect.anything() } },
    ]
    await Promise.all(
      sides.map(async ({ at, request }) => {
        const startedMs = performance.now()
        const { status, text } = await ask(at.ca, 'certificate', certificateBody(request))
        expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS + SLACK_MS)
        expect({ status, code: JSON.parse(text).result.Error?.error_code }).toEqual({
          status: 504,
          code: 'VALIDATION_TIMEOUT',
        })
        const pending = JSON.parse((await askStatus(at.ca, request.requestId)).text)
        expect(pending.result).toEqual({ Pending: expect.anything() })
      }),
    )
    const trustBefore = await trustAt(node(0))
    await network.fabric.heal()
    for (const { request, expected } of sides) {
      const told = await Promise.all(
        network.nodes.map((one) =>
          until(
            async () => {
              const { status, text } = await askStatus(one.ca, request.requestId)
              return status === 200 && !text.includes('"Pending"') ? text : null
            },
            60_000,
            `the verdict on ${request.requestId} at ${one.name}`,
          ),
        ),
      )
      const verdicts = told.map((text) => verdictOf(text))
      expect(verdicts[0]).toMatchObject({ result: expected })
      for (const verdict of verdicts)
        expect(verdict).toMatchObject({
          result: expected,
          proof_hash: (verdicts[0] as { proof_hash: unknown }).proof_hash,
        })
      // The very request again has the very same answer.
      expect(verdictOf((await ask(node(1).ca, 'certificate', certificateBody(request))).text)).toMatchObject({
        result: expected,
      })
    }
    // Heights froze, so nobody was late.
    expect((await trustAt(node(0))).map(({ ppm }) => ppm)).toEqual(trustBefore.map(({ ppm }) => ppm))
  })
})

describe('one of four, which', () => {
  it('never opens what it committed to, pays a fifth of its trust, and answers stay right', {
    timeout: 240_000,
  }, async () => {
    await replaceTheLast('withhold-openings')
    // Slowly, so that one change is one fault.
    await askSlowlyUntil(
      async () => (await historyOfTheLast()).changes.some((change) => faultsIn(change) > 0),
      'it has paid',
    )
    const { changes } = await historyOfTheLast()
    const first = changes.findLast((change) => faultsIn(change) > 0)
    expect(first?.withheld).toBe(1)
    expect(first === undefined ? 0 : faultsIn(first)).toBe(1)
    expect(changes.every(({ dissented }) => dissented === 0)).toBe(true)
  })

  it('lies in every verdict, changes none, pays the same, and is excluded', {
    timeout: 240_000,
  }, async () => {
    await replaceTheLast('lie-in-verdicts')
    const dissents = async (): Promise<Change[]> =>
      (await historyOfTheLast()).changes.filter((change) => change.dissented > 0 && faultsIn(change) > 0)
    await askSlowlyUntil(async () => (await dissents()).length > 0, 'it has paid for a lie')
    await askUntil(async () => (await historyOfTheLast()).now.status === 'excluded', 'it is excluded')
    const { changes, now } = await historyOfTheLast()
    expect(await dissents()).not.toHaveLength(0)
    // It began with less than full trust, and one fault was what it withheld: so there are fewer than from full trust.
    let faults = 0
    for (const change of changes.toReversed()) {
      for (let left = change.from; faultsIn(change) > 0 && left > change.ppm; left = afterFault(left)) {
        if (left >= TRUST_TO_STAY) faults++
      }
    }
    expect(faults).toBeGreaterThan(1)
    expect(faults).toBeLessThanOrEqual(FAULTS_TO_FALL)
    expect(now).toMatchObject({ exclusions: 1, excludedUntilPeriod: expect.any(Number) })
  })

  it('is seen to be excluded at every honest node, and nobody honest lost by it', {
    timeout: 60_000,
  }, async () => {
    for (const [i, one] of honest().entries()) {
      await until(async () => (await trustAt(one))[3]?.status === 'excluded', 20_000, `${one.name} knows`)
      const views = await trustAt(one)
      expect(views.slice(0, 3).map(({ status }) => status)).toEqual(['active', 'active', 'active'])
      // What a period of absence costs, as at the start of a network, and no fault.
      for (const { ppm, dissented, withheld } of views.slice(0, 3)) {
        expect(ppm).toBeGreaterThanOrEqual(TRUST_AT_GENESIS - 60_000)
        expect({ dissented, withheld }).toEqual({ dissented: 0, withheld: 0 })
      }
      const metrics = (network.fabric.launches[i]?.args ?? []).at(
        (network.fabric.launches[i]?.args ?? []).indexOf('--metrics.listen') + 1,
      )
      const shown = async (series: string): Promise<number> => metricAt(`http://${metrics}`, series)
      await until(
        async () => (await shown('hypermesh_trust_validators{state="excluded"}')) === 1,
        20_000,
        'its metrics say so',
      )
      expect(await shown('hypermesh_trust_validators{state="active"}')).toBe(3)
      // What it still did is accounted for some blocks later: both go on falling until then.
      await until(
        async () => {
          const last = (await trustAt(one)).at(-1)
          return (await shown('hypermesh_trust_lowest_ratio')) === (last?.ppm ?? 0) / 1_000_000
        },
        20_000,
        'its metrics show the trust that its API shows',
      )
      expect(await shown('hypermesh_verdict_dissents_total')).toBeGreaterThan(0)
      expect(await shown('hypermesh_verdicts_total{result="expired"}')).toBe(0)
    }
  })

  it('asks for a certificate under its name and is refused; its word is not heard any more', {
    timeout: 60_000,
  }, async () => {
    const { account } = await historyOfTheLast()
    const request = certificate()
    const own = { ...request, certificateRequest: { ...request.certificateRequest, nodeId: account } }
    const { status, text } = await ask(node(1).ca, 'certificate', certificateBody(own))
    expect({ status, code: JSON.parse(text).result.Error?.error_code }).toEqual({
      status: 403,
      code: 'BYZANTINE_NODE_DETECTED',
    })
    const { text: answer } = await ask(node(0).ca, 'certificate', certificateBody(certificate()))
    expect(JSON.parse(answer)).toMatchObject({
      result: 'Valid',
      metrics: { confidence_level: 1, validator_nodes: 3 },
      details: { bft_status: { byzantine_nodes_detected: 0 } },
    })
    const { differences } = await compareChains(honest())
    expect(differences).toEqual([])
  })
})

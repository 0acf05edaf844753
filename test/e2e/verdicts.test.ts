/**
 * Verdicts with one in four who lies, as real processes: answers stay right, the liar loses trust with every lie and is
 * excluded, everybody can see it. And one who never opens: the same price. And two cut off from two: no verdict from
 * either side, then the right one, to the same request.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TRUST_AT_GENESIS, TRUST_TO_STAY } from '../../src/ledger/verdicts/trust.ts'
import type { ValidatorView } from '../../src/rpc/http/api-ports.ts'
import { ask, askStatus } from '../support/e2e/ca-client.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'
import type { Habit } from '../support/maverick/habits.ts'
import { startMaverick } from '../support/maverick/start-maverick.ts'

/** Trust periods as short as they can be for the windows of a slot to lie within one. */
const EPOCH = 32
/** From 0.8: 0.64, 0.512, 0.4096. */
const LIES_TO_FALL = 3

type Trust = NonNullable<ValidatorView['trust']>

async function trustAt(node: NodeProcess): Promise<Trust[]> {
  const views = (await (await fetch(`${node.api}/v1/validators`)).json()) as { trust: Trust }[]
  return views.map(({ trust }) => trust)
}

/** One request, answered; the verdict and what the answer says of dissent. */
async function judged(node: NodeProcess, bad: boolean) {
  const { text } = await ask(
    node.ca,
    'certificate',
    certificateBody(certificate(bad ? { bad: 'stake' } : {})),
  )
  const answer = JSON.parse(text)
  return { result: answer.result, dissent: answer.details.bft_status.byzantine_nodes_detected as number }
}

describe.each(['lie-in-verdicts', 'withhold-openings'] as const)(
  'one of four with the habit: %s',
  (habit: Habit) => {
    let network: LocalNetwork
    let honest: readonly NodeProcess[]

    beforeAll(async () => {
      network = await LocalNetwork.create({ parameters: { epochBlocks: EPOCH, heartbeatMs: 200 } })
      honest = network.nodes.slice(0, 3)
      for (const node of honest) node.start()
      const { folder, api, ca } = network.node(3)
      startMaverick(folder, [habit], { api, ca })
      await Promise.all(honest.map((node) => node.ready()))
      const [first] = honest as [NodeProcess]
      await until(
        async () => (await first.status()).validatorsConnected === 3,
        60_000,
        'the maverick is there',
      )
    }, 180_000)

    afterAll(async () => {
      await network?.destroy()
    })

    it('answers stay right, and it falls below what it takes to stay', { timeout: 120_000 }, async () => {
      const [first] = honest as [NodeProcess]
      let asked = 0
      await until(
        async () => {
          asked++
          const bad = asked % 2 === 0
          const { result } = await judged(honest[asked % 3] as NodeProcess, bad)
          expect(bad ? result.Invalid.failed_proofs : result).toEqual(bad ? ['stake_proof'] : 'Valid')
          return ((await trustAt(first))[3]?.ppm ?? TRUST_AT_GENESIS) < TRUST_TO_STAY
        },
        90_000,
        'its trust is gone',
      )
      const [, , , liar] = (await trustAt(first)) as [Trust, Trust, Trust, Trust]
      expect(liar.ppm).toBe(409_600)
      expect(asked).toBeGreaterThanOrEqual(LIES_TO_FALL)
    })

    it('it is excluded when the period ends, and nobody honest lost anything', {
      timeout: 120_000,
    }, async () => {
      const [first] = honest as [NodeProcess]
      await until(async () => (await trustAt(first))[3]?.status === 'excluded', 90_000, 'it is excluded')
      for (const node of honest) {
        const views = await trustAt(node)
        expect(views.slice(0, 3).map(({ status }) => status)).toEqual(['active', 'active', 'active'])
        expect(views.slice(0, 3).every(({ ppm }) => ppm >= TRUST_AT_GENESIS - 40_000)).toBe(true)
        expect(views[3]?.exclusions).toBe(1)
      }
      // Three of three decide from here on, and the liar's word is not heard.
      const { result, dissent } = await judged(first, false)
      expect({ result, dissent }).toEqual({ result: 'Valid', dissent: 0 })
      const { differences } = await compareChains(honest)
      expect(differences).toEqual([])
    })
  },
)

describe('two of four away', () => {
  let network: LocalNetwork

  beforeAll(async () => {
    network = await LocalNetwork.start()
  }, 180_000)

  afterAll(async () => {
    await network?.destroy()
  })

  it('no verdict while they are, and the right one when they are back, to the same request', {
    timeout: 120_000,
  }, async () => {
    const [a, , c, d] = network.nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    await Promise.all([c.kill(), d.kill()])
    const request = certificate()
    const body = certificateBody(request)
    const { status, text } = await ask(a.ca, 'certificate', body)
    expect([503, 504]).toContain(status)
    expect(['VALIDATION_TIMEOUT', 'CONSENSUS_NOT_INITIALIZED']).toContain(
      JSON.parse(text).result.Error.error_code,
    )
    c.start()
    d.start()
    await Promise.all(network.nodes.map((node) => node.ready()))
    await until(
      async () => JSON.parse((await ask(a.ca, 'certificate', body)).text).result === 'Valid',
      60_000,
      'its verdict',
    )
    const { text: told } = await askStatus(a.ca, request.requestId)
    expect(JSON.parse(told).result).toBe('Valid')
  })
})

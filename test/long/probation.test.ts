/**
 * The way back: one of four lies in every verdict until it is excluded, and runs the honest program from then on. It
 * waits for its cool-down, asks to come back, is judged at no weight for twenty clean periods, and weighs again. Some
 * four minutes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLEAN_PERIODS_TO_RETURN, TRUST_TO_RETURN } from '../../src/ledger/verdicts/trust.ts'
import type { TrustHistoryView } from '../../src/rpc/http/api-ports.ts'
import { run } from '../support/cli/processes.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'
import { judgedRightly, trustAt, trustHistoryAt, validatorsAt } from '../support/e2e/trust.ts'
import { until } from '../support/e2e/until.ts'
import { startMaverick } from '../support/maverick/start-maverick.ts'

/** Room for the ten agreements that make a period clean … */
const EPOCH = 32
/** … when this many ask at once: a request takes some blocks, and most blocks shall have one. */
const ASKERS = 4

let network: LocalNetwork
let offender: NodeProcess | null = null
/** What is asked all the time, of the honest three by turns. */
let asking: Promise<void> = Promise.resolve()
let isOver = false
let asked = 0

const honest = (): NodeProcess[] => network.nodes.slice(0, 3)

/** Good and bad requests by turns, each answered rightly; ends with {@link isOver} or the first wrong answer. */
async function askOn(): Promise<void> {
  while (!isOver) {
    asked++
    await judgedRightly(network.node(asked % 3), asked % 4 !== 0)
  }
}

/** So many more ask from now on. */
function letAsk(count: number): void {
  asking = Promise.all([asking, ...Array.from({ length: count }, askOn)]).then(() => undefined)
  // Told by the test that waits beside it.
  asking.catch(() => undefined)
}

/** Waits, and fails at once when an answer is wrong. */
function untilAnswers<T>(holds: () => Promise<T>, withinMs: number, what: string): Promise<NonNullable<T>> {
  return Promise.race([
    until(holds, withinMs, what),
    asking.then(() => {
      throw new Error(`the asking ended before: ${what}`)
    }),
  ]) as Promise<NonNullable<T>>
}

async function history(): Promise<TrustHistoryView> {
  const [, , , last] = await validatorsAt(network.node(0))
  return trustHistoryAt(network.node(0), last?.validatorId ?? '')
}

// By another node: a maverick does not say where it listens.
const rejoin = () =>
  run([...HYPERMESH, 'stake', 'rejoin', '--data', network.node(3).folder, '--api', network.node(0).api]).ended

beforeAll(async () => {
  network = await LocalNetwork.create({ parameters: { epochBlocks: EPOCH, heartbeatMs: 200 } })
  for (const node of honest()) node.start()
  const { folder, api, ca } = network.node(3)
  offender = startMaverick(folder, ['lie-in-verdicts'], { api, ca })
  await Promise.all([...honest(), offender].map((node) => node.ready(120_000)))
  // One at first: the fewer lies before the period ends, the shorter the way back.
  letAsk(1)
}, 180_000)

afterAll(async () => {
  isOver = true
  await asking.catch(() => undefined)
  await offender?.kill()
  await network?.destroy()
})

describe('a validator that lied', () => {
  it('is excluded', { timeout: 180_000 }, async () => {
    await untilAnswers(async () => (await history()).now.status === 'excluded', 150_000, 'it is excluded')
  })

  it('is refused before its cool-down is over, and taken on probation after it', {
    timeout: 600_000,
  }, async () => {
    const early = await rejoin()
    expect(early.code).not.toBe(0)
    expect(early.stderr).toContain('it may come back from period')
    letAsk(ASKERS - 1)
    await offender?.kill()
    network.node(3).start()
    await network.node(3).ready(120_000)
    const { excludedUntilPeriod } = (await history()).now
    await untilAnswers(
      async () => (await network.node(0).status()).epoch >= Number(excludedUntilPeriod),
      500_000,
      `period ${excludedUntilPeriod}`,
    )
    expect(await rejoin()).toMatchObject({ code: 0 })
    expect((await history()).now.status).toBe('probation')
  })

  it('weighs again after twenty clean periods of honest work, and not before', {
    timeout: 1_500_000,
  }, async () => {
    const begun = (await network.node(0).status()).epoch
    const beganWith = (await history()).now.ppm
    const { text } = await ask(network.node(0).ca, 'certificate', certificateBody(certificate()))
    expect(JSON.parse(text)).toMatchObject({ result: 'Valid', metrics: { validator_nodes: 3 } })
    await untilAnswers(async () => (await history()).now.status === 'active', 1_400_000, 'it is active')
    const { now, changes } = await history()
    const periods = (changes.find(({ status }) => status === 'active')?.period ?? 0) - begun
    expect(periods).toBeGreaterThanOrEqual(CLEAN_PERIODS_TO_RETURN)
    expect(now.ppm).toBeGreaterThanOrEqual(TRUST_TO_RETURN)
    const figures = { periods, beganWith, endedWith: now.ppm, asked, height: await network.node(0).height() }
    process.stdout.write(`probation: ${JSON.stringify(figures)}\n`)
  })

  it('is heard as the others are, and every node has the same trust in it', { timeout: 60_000 }, async () => {
    await until(
      async () => {
        const { text } = await ask(network.node(1).ca, 'certificate', certificateBody(certificate()))
        return JSON.parse(text).metrics?.validator_nodes === 4
      },
      30_000,
      'a verdict of four',
    )
    isOver = true
    await asking
    const { differences } = await compareChains(network.nodes, (await network.node(0).height()) - EPOCH)
    expect(differences).toEqual([])
    for (const node of network.nodes) {
      await until(async () => (await trustAt(node))[3]?.status === 'active', 20_000, `${node.name} knows`)
    }
  })
})

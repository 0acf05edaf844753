/** A small bounded part of `npm run chaos`, on loopback: three validators that keep the rules and one that does not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChaosNetwork } from '../support/chaos/chaos-network.ts'
import { FAULTS, type Fault } from '../support/chaos/faults.ts'
import { MAVERICKS, maverickFault, sinsIn } from '../support/chaos/mavericks.ts'
import { Trials } from '../support/chaos/trial.ts'

/** A failure names it. */
const seed = Date.now() % 1_000_000

let network: ChaosNetwork
let trials: Trials

beforeAll(async () => {
  const habits = MAVERICKS.find(({ name }) => name.includes('withholds'))?.habits ?? []
  network = await ChaosNetwork.start({ validators: 4, seed, heartbeatMs: 500, maverick: habits })
  trials = new Trials(network)
}, 180_000)

afterAll(async () => {
  await network?.destroy()
})

/** One of the catalogue, shorter. */
function fault(name: string, lastsMs: number): Fault {
  const found = FAULTS.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no fault is called ${name}`)
  return { ...found, lastsMs, victims: () => [0] }
}

describe(`three honest validators beside one that withholds everything (seed ${seed})`, () => {
  it('go on', { timeout: 90_000 }, async () => {
    const trial = await trials.run({ ...maverickFault('withholds'), lastsMs: 1_000 })
    expect(trial.problems).toEqual([])
    expect(trial.blocksMeanwhile).toBeGreaterThanOrEqual(3)
    expect(Object.keys(sinsIn(network.node(3).log()))).toEqual(expect.arrayContaining(['prepare']))
  })

  // With the maverick that makes two of four, so that nothing is final until they are back.
  it.each([
    ['SIGSTOP for 10 s', 3_000],
    ['kill -9 of one', 500],
    ['partition into halves', 2_000],
  ])('are back after one of them had: %s', { timeout: 90_000 }, async (name, lastsMs) => {
    const trial = await trials.run({ ...fault(name, lastsMs), goesOn: false })
    expect(trial.problems).toEqual([])
    expect(trial.victims).toEqual(['node-0'])
  })

  it('agree on everything from the first block on', { timeout: 60_000 }, async () => {
    const { height, slots, problems } = await trials.whole()
    expect(problems).toEqual([])
    expect(height).toBeGreaterThan(9)
    expect(slots).toBeGreaterThan(3 * height)
  })
})

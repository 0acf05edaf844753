/** Whole networks end and begin again: four nodes under load on SIGTERM, a devnet from a copy of its folder. A minute. */

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { endAll, run } from '../support/cli/processes.ts'
import { freeBasePort, LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH } from '../support/e2e/node-process.ts'
import { Trickle } from '../support/e2e/trickle.ts'
import { until } from '../support/e2e/until.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

afterAll(endAll)

it('four nodes under load stop on SIGTERM with 0, all at once and one alone', {
  timeout: 180_000,
}, async () => {
  const four = await LocalNetwork.start()
  const trickle = new Trickle(four.nodes, seededRandom(1))
  await until(() => trickle.answered.length >= 20, 60_000, 'twenty verdicts')
  const stopped = await Promise.all(four.nodes.slice(0, 3).map((node) => node.terminate()))
  // It has no quorum any more, and calls that wait.
  stopped.push(await four.node(3).terminate())
  await trickle.stop()
  for (const ending of stopped) expect(ending).toEqual({ code: 0, signal: null })
  for (const node of four.nodes) expect(node.log()).not.toContain('"level":"error"')
  await four.startAll()
  const { contradictions } = await four.witness.testify()
  expect(contradictions).toEqual([])
  await four.destroy()
})

it('a devnet goes on from a copy of its folder', { timeout: 180_000 }, async () => {
  const basePort = await freeBasePort(4)
  const devnet = (data: string, ...args: string[]) =>
    run([
      ...[...HYPERMESH, 'devnet', '--data', data],
      ...['--base-port', String(basePort), '--ca-port', String(basePort + 50)],
      ...['--stoq-port', String(basePort + 60), ...args],
    ])
  const home = temporaryDirectory()
  const original = join(home, 'devnet')
  const first = await devnet(original, '--until-height', '2').ended
  expect(first).toMatchObject({ code: 0, signal: null, stderr: '' })
  const copy = join(home, 'devnet-copy')
  cpSync(original, copy, { recursive: true })
  const second = await devnet(copy, '--until-height', '3').ended
  expect(second).toMatchObject({ code: 0, signal: null, stderr: '' })
  const height = Number(/^going on from height (\d+)$/m.exec(second.stdout)?.[1])
  expect(height).toBeGreaterThanOrEqual(2)
})

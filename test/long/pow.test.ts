/**
 * Three real miners on loopback: they follow one chain, one of them mines alone and comes back, its branch is
 * undone on its disk and in its memory, nothing is final, and nothing touches a safety record.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNetwork } from '../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../src/cli/local-network/node-ports.ts'
import { safetyLogPath } from '../../src/composition/node-storage.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import type { MiningParameters } from '../../src/types/pow.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'

const MINERS = 3
const WAIT_MS = 90_000
/** Blocks every half second from a few thousand hashes: a laptop under load keeps up. */
const MINING: MiningParameters = {
  targetIntervalMs: 500,
  initialBits: 0x1f_0f_ff_ff,
  limitBits: 0x20_3f_ff_ff,
  retargetWindow: 20,
  maturityBlocks: 60,
}
const HASHES_PER_SECOND = '2700'

let network: LocalNetwork
let miners: NodeProcess[]

const mined = async (miner: NodeProcess) => {
  const status = await miner.status()
  if (status.mined === undefined) throw new Error('the network is not mined')
  return { ...status.mined, final: status.final, ready: status.ready }
}
const safetyHash = (miner: NodeProcess): string =>
  hash('sha256', readFileSync(safetyLogPath(dataDirectoryAt(miner.folder))))
const heightReached = (miner: NodeProcess, height: number): Promise<unknown> =>
  until(async () => (await mined(miner)).height >= height, WAIT_MS, `${miner.name} at height ${height}`)

/** Waits until all show one block at a height, and returns its hash. */
function agreeAt(height: number, among = miners): Promise<string> {
  return until(
    async () => {
      const blocks = await Promise.all(among.map((miner) => miner.block(`${height}`)))
      const hashes = new Set(blocks.map((block) => block?.hash))
      const [hash] = hashes
      return hashes.size === 1 && hash !== undefined && hash
    },
    WAIT_MS,
    `one block at height ${height}`,
  )
}

beforeAll(async () => {
  network = await LocalNetwork.create({
    validators: MINERS,
    make: (out, basePort) =>
      createNetwork({
        folder: out,
        nodeName: (i) => `node-${i}`,
        network: 'e2e-pow',
        ports: Array.from({ length: MINERS }, (_, i) => nodePorts(basePort, i)),
        consensus: { engine: 'pow', mining: MINING },
      }),
  })
  miners = network.nodes.map(
    ({ name, folder, api, ca }) =>
      new NodeProcess({
        name,
        folder,
        api,
        ca,
        args: ['--mining.hash-rate', HASHES_PER_SECOND, '--log.level', 'info'],
      }),
  )
}, 180_000)

afterAll(async () => {
  await network?.destroy()
})

describe('three miners', () => {
  it('converge after one of them was alone, and nothing of it is final', { timeout: 300_000 }, async () => {
    const [a, b, c] = miners as [NodeProcess, NodeProcess, NodeProcess]
    const before = miners.map(safetyHash)
    for (const miner of miners) miner.start()
    await Promise.all(miners.map((miner) => heightReached(miner, 12)))
    const common = await agreeAt(4)

    // The third goes on alone, from what it has on its disk.
    await Promise.all([a.terminate(), b.terminate(), c.kill()])
    c.start()
    const { height: keptHeight } = await until(() => mined(c), WAIT_MS, 'the third answers')
    expect(keptHeight).toBeGreaterThanOrEqual(4)
    expect((await c.block('4'))?.hash).toBe(common)
    await heightReached(c, keptHeight + 3)
    const alone = (await c.block('head'))?.hash ?? ''
    const aloneHeight = (await c.block('head'))?.height ?? 0
    await c.terminate()

    // The other two know nothing of that and get ahead.
    a.start()
    b.start()
    await Promise.all([a, b].map((miner) => heightReached(miner, aloneHeight + 6)))
    c.start()
    await heightReached(c, aloneHeight + 6)
    const agreed = await agreeAt(aloneHeight)
    expect(agreed).not.toBe(alone)
    expect(await agreeAt(4)).toBe(common)

    // One chain goes on, and the state before each block is the same everywhere.
    const top = Math.max(...(await Promise.all(miners.map(mined))).map(({ height }) => height)) + 3
    await Promise.all(miners.map((miner) => heightReached(miner, top)))
    await agreeAt(top - 2)
    for (const miner of miners) {
      const { final, ready } = await mined(miner)
      expect(final.height).toBe(0)
      expect(ready).toBe(true)
      expect((await miner.block('head'))?.isFinal).toBe(false)
    }
    for (const miner of miners) expect((await miner.terminate()).code).toBe(0)
    expect(miners.map(safetyHash)).toEqual(before)
  })
})

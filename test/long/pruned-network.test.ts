/** Four validators that end an epoch every 100 blocks and keep 256 blocks: who joins late does so through a snapshot. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'

const EPOCH_BLOCKS = 100
const BLOCKS = 700

let network: LocalNetwork

/** 0 while it is being started anew. */
async function lowestOf(node: NodeProcess): Promise<number> {
  return await node.status().then(
    ({ lowestHeight }) => lowestHeight,
    () => 0,
  )
}

beforeAll(async () => {
  network = await LocalNetwork.create({ parameters: { heartbeatMs: 0, epochBlocks: EPOCH_BLOCKS } })
  for (const { folder } of network.nodes) {
    const file = join(folder, 'config.toml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('# prune-blocks = 0', 'prune-blocks = 256'))
  }
  await network.startAll()
  await until(async () => (await network.node(0).height()) >= BLOCKS, 120_000, `${BLOCKS} blocks`)
}, 180_000)

afterAll(async () => {
  await network?.destroy()
})

it('has deleted its first blocks, and says so', { timeout: 60_000 }, async () => {
  const node = network.node(0)
  await until(async () => (await lowestOf(node)) > 1, 60_000, 'pruned')
  const gone = await fetch(`${node.api}/v1/blocks/1`)
  expect(gone.status).toBe(410)
  expect(await gone.json()).toMatchObject({ code: 'E_BLOCK_PRUNED' })
})

it('still takes in a node that joins, with the same state', { timeout: 120_000 }, async () => {
  const joiner = await joiningNode({
    home: network.home,
    name: 'late',
    genesisFile: network.genesisFile,
    bootstrap: network.address(0, 'tcp'),
    transport: 'tcp',
  })
  joiner.start()
  await until(
    async () => (await lowestOf(joiner)) >= EPOCH_BLOCKS,
    90_000,
    () => joiner.log().slice(-3_000),
  )
  const from = await lowestOf(joiner)
  expect(from % EPOCH_BLOCKS).toBe(0)
  await until(async () => (await joiner.height()) >= from + 50, 60_000, 'blocks after it')
  const [here, there] = await Promise.all([joiner, network.node(1)].map((node) => node.block(from + 40)))
  expect(here?.stateRoot).toMatch(/^[0-9a-f]{64}$/)
  expect([here?.hash, here?.stateRoot]).toEqual([there?.hash, there?.stateRoot])
})

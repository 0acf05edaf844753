/**
 * Four real validators whose genesis allows a fallback: two are killed, the others mine one provisional chain on
 * the last final block; the two come back, BFT goes on, and what was mined is void.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNetwork } from '../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../src/cli/local-network/node-ports.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'

const WAIT_MS = 90_000

let network: LocalNetwork

beforeAll(async () => {
  network = await LocalNetwork.create({
    validators: 4,
    make: (out, basePort) =>
      createNetwork({
        folder: out,
        nodeName: (i) => `node-${i}`,
        network: 'e2e-fallback',
        ports: Array.from({ length: 4 }, (_, i) => nodePorts(basePort, i)),
        parameters: { heartbeatMs: 500 },
        consensus: {
          engine: 'bft',
          fallback: {
            afterMs: 8_000,
            mining: {
              targetIntervalMs: 500,
              initialBits: 0x1f_0f_ff_ff,
              limitBits: 0x20_3f_ff_ff,
              retargetWindow: 20,
              maturityBlocks: 500,
            },
          },
        },
      }),
  })
  await network.startAll(120_000)
}, 240_000)

afterAll(async () => {
  await network?.destroy()
})

async function mined(node: NodeProcess) {
  const { mined: chain, final } = await node.status()
  if (chain === undefined) throw new Error('nothing is mined here')
  return { ...chain, finalHeight: final.height, finalHash: final.hash }
}

describe('four validators, two of them killed', () => {
  it('mine on the last final block, and finalize again when the two are back', {
    timeout: 300_000,
  }, async () => {
    const { nodes } = network
    const [a, b, c, d] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    await until(async () => (await mined(a)).finalHeight >= 3, WAIT_MS, 'three final blocks')
    expect(await mined(a)).toMatchObject({ isMining: false, work: '0' })

    await Promise.all([c.kill(), d.kill()])
    const isAhead = async (node: NodeProcess): Promise<boolean> => {
      const { height, finalHeight, isMining } = await mined(node)
      return isMining && height >= finalHeight + 5
    }
    await until(async () => (await isAhead(a)) && (await isAhead(b)), WAIT_MS, 'five provisional blocks')
    const stuck = await mined(a)
    expect(stuck.settledHeight).toBe(stuck.finalHeight)
    // One chain, on one final block, which does not move.
    await until(
      async () => {
        const [ofA, ofB] = await Promise.all([mined(a), mined(b)])
        expect(ofA.finalHash).toBe(stuck.finalHash)
        expect(ofB.finalHash).toBe(stuck.finalHash)
        return ofA.hash === ofB.hash
      },
      WAIT_MS,
      'one provisional chain',
    )

    c.start()
    d.start()
    const goal = stuck.finalHeight + 3
    await until(
      async () => (await Promise.all(nodes.map(mined))).every(({ finalHeight }) => finalHeight >= goal),
      WAIT_MS,
      'three more final blocks everywhere',
    )
    const blocks = await Promise.all(nodes.map((node) => node.block(`${goal}`)))
    expect(new Set(blocks.map(({ hash }) => hash)).size).toBe(1)
    for (const { view, isFinal } of blocks) {
      expect(isFinal).toBe(true)
      expect(view).toBeGreaterThan(0)
    }
    await until(
      async () =>
        (await Promise.all(nodes.map(mined))).every(({ isMining, work }) => !isMining && work === '0'),
      WAIT_MS,
      'no mining where there is a quorum',
    )
  })
})

/** A fifth node that knows one validator's address hears of every verdict through it, and finds the others. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask } from '../support/e2e/ca-client.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'

/** Longer than any deadline: a block that nobody tells of is not made up for by the next idle one. */
const HEARTBEAT_MS = 60_000
/** Shorter than it takes a node that was not told to ask whether it missed something. */
const DEADLINE = '2s'
const REQUESTS = 8

let network: LocalNetwork
let node: NodeProcess

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: { heartbeatMs: HEARTBEAT_MS } })
  const { home, genesisFile } = network
  const bootstrap = network.address(2, 'tcp')
  node = await joiningNode({
    home,
    name: 'fifth',
    genesisFile,
    bootstrap,
    transport: 'tcp',
    args: ['--ca.deadline', DEADLINE],
  })
  node.start()
  await node.ready()
}, 60_000)

afterAll(async () => {
  await network?.destroy()
})

it('answers every request, whoever proposes its blocks', { timeout: 60_000 }, async () => {
  for (let i = 0; i < REQUESTS; i += 1) {
    const { status, text } = await ask(node.ca, 'certificate', certificateBody(certificate()))
    expect({ status, result: JSON.parse(text).result }).toEqual({ status: 200, result: 'Valid' })
  }
})

it('is connected to more than the one that it was told of', { timeout: 60_000 }, async () => {
  const all = async (): Promise<boolean> => {
    const indices = (await node.peers()).map(({ validatorIndex }) => validatorIndex)
    return network.nodes.every((_, index) => indices.includes(index))
  }
  await until(all, 30_000, 'it is connected to every validator')
})

it('comes back after a restart while the one that it was told of is away', { timeout: 60_000 }, async () => {
  await node.terminate()
  await network.node(2).kill()
  node.start()
  const isBack = async (): Promise<boolean> => (await node.peers()).length > 0
  await until(() => isBack().catch(() => false), 40_000, 'it is connected to somebody')
  // A block, which does not come by itself: a node that has just begun is ready with the first one that it sees.
  await ask(network.node(0).ca, 'certificate', certificateBody(certificate()))
  await node.ready()
  const body = certificateBody(certificate())
  const answers = async (): Promise<boolean> => {
    const { status, text } = await ask(node.ca, 'certificate', body)
    return status === 200 && JSON.parse(text).result === 'Valid'
  }
  // The view of the dead one may take longer than a call here may.
  await until(answers, 20_000, 'it answers Valid')
})

/**
 * A peer that floods a running network with a thousand transactions whose proofs are wrong and that are right in all
 * else: it loses its connections, and blocks come as before.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { demoWalletFiles } from '../../src/cli/node-location.ts'
import { encodeTransaction } from '../../src/codec/transaction.ts'
import { asHeight } from '../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../src/types/shielded.ts'
import { NodeApi, Wallet } from '../../src/wallet/index.ts'
import { blocksOf } from '../support/e2e/chains.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { metricAt } from '../support/e2e/trust.ts'
import { until } from '../support/e2e/until.ts'
import { type TestNetwork, testNetwork } from '../support/network-node.ts'
import { withWrongProof } from '../support/shielded/shielded-transaction.ts'

const FLOOD = 1_000
/** An empty block after a second: what it takes longer is what the flood costs, and not what the machine has. */
const HEARTBEAT_MS = 1_000
/** Over so many blocks intervals are measured. */
const BLOCKS = 8

let network: LocalNetwork
let attacker: TestNetwork

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: { heartbeatMs: HEARTBEAT_MS }, walletNotes: [1_000n] })
})

afterAll(async () => {
  await attacker?.network.stop()
  await network?.destroy()
})

/** Mean milliseconds between the blocks that become final from now on. */
async function interval(): Promise<number> {
  const from = await network.node(0).height()
  await until(async () => (await network.node(0).height()) >= from + BLOCKS, 60_000, 'blocks go on')
  const [first, last] = [
    await blocksOf(network.node(0), from, from),
    await blocksOf(network.node(0), from + BLOCKS, from + BLOCKS),
  ]
  return ((last[0]?.time ?? 0) - (first[0]?.time ?? 0)) / BLOCKS
}

/** A payment with its proof, which nobody has seen yet. */
async function payment(): Promise<ShieldedTransaction> {
  const files = demoWalletFiles(network.folder)
  const wallet = await Wallet.open(files.wallet, readFileSync(files.passphrase, 'utf8').trim())
  try {
    await wallet.scan(new NodeApi({ apis: [network.node(0).api] }, network.genesisHash))
    const order = { kind: 'send', to: wallet.address, amount: 100n, fee: 1n } as const
    const { transaction } = await wallet.prepare(order, { expiresAtHeight: asHeight(1_000) })
    return transaction.transaction
  } finally {
    await wallet.close()
  }
}

/** A line of a node's metrics. */
const metric = (node: number, series: string): Promise<number> =>
  metricAt(`http://127.0.0.1:${network.ports[node]?.metrics}`, series)

it('costs the peer its connections, the main threads no proof, and the network no time', {
  timeout: 180_000,
}, async () => {
  const { genesisHash } = network
  const normalMs = await interval()
  attacker = await testNetwork({
    listen: [],
    genesisHash,
    bootstrap: network.nodes.map((_, i) => network.address(i, 'tcp')),
  })
  attacker.network.setValidators([])
  await attacker.network.start()
  await until(() => attacker.network.gossip.subscribers('transactions') === 4, 20_000, 'all four hear it')
  const right = await payment()

  let sent = 0
  const during = interval()
  for (; sent < FLOOD; sent++) {
    attacker.network.gossip.publishTransactions([encodeTransaction(withWrongProof(right, sent + 1))])
    await new Promise((resolve) => setImmediate(resolve))
  }
  const duringMs = await during

  for (const i of [0, 1, 2, 3]) {
    const cut = 'hypermesh_p2p_connections_given_up_total{reason="rejected"}'
    await until(async () => (await metric(i, cut)) > 0, 20_000, `node ${i} ends the connection`)
    const banned = 'hypermesh_p2p_connections_refused_total{reason="banned"}'
    await until(async () => (await metric(i, banned)) > 0, 20_000, `node ${i} gives it no other`)
    const wrong = await metric(i, 'hypermesh_shielded_proofs_total{place="worker",verdict="wrong"}')
    expect(wrong).toBeGreaterThanOrEqual(9)
    expect(wrong).toBeLessThanOrEqual(12 + 3)
    expect(await metric(i, 'hypermesh_shielded_proofs_total{place="inline",verdict="wrong"}')).toBe(0)
    expect(await metric(i, 'hypermesh_mempool_items')).toBe(0)
  }
  expect(duringMs, `${normalMs} ms between blocks before the flood`).toBeLessThanOrEqual(1.5 * normalMs)

  // Whoever sends the same with its right proof is heard.
  const answer = await fetch(`${network.node(1).api}/v1/transactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ transaction: Buffer.from(encodeTransaction(right)).toString('base64') }),
  })
  expect(answer.status).toBe(202)
  const { key } = (await answer.json()) as { key: string }
  await until(
    async () => {
      const found = await fetch(`${network.node(2).api}/v1/transactions/${key}`)
      return ((await found.json()) as { state: string }).state === 'final'
    },
    20_000,
    'it is final',
  )
  expect(await metric(1, 'hypermesh_shielded_proofs_total{place="inline",verdict="right"}')).toBe(0)
})

/** Wrong proofs by gossip over real sockets: each is seen through, and a few of them cost the sender its connection. */
import { afterEach, describe, expect, it } from 'vitest'
import { encodeTransaction, hashTransaction } from '../../src/codec/transaction.ts'
import { ShieldedDoor } from '../../src/composition/shielded-door.ts'
import { TransactionFlow } from '../../src/composition/transaction-flow.ts'
import { Mempool } from '../../src/mempool/mempool.ts'
import { ProofVerdicts } from '../../src/proofs/proof-verdicts.ts'
import { ProofWorkers } from '../../src/proofs/proof-workers.ts'
import { asMonotonicMs } from '../../src/types/primitives.ts'
import { addressOf, type TestNetwork, testNetwork, until } from '../support/network-node.ts'
import { shieldedTransaction, withWrongProof } from '../support/shielded/shielded-transaction.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A network layer whose transactions go through the door of a node into a pool. */
async function victim(options: Parameters<typeof testNetwork>[0] = {}) {
  const counts = { right: 0, wrong: 0 }
  const verdicts = new ProofVerdicts((_place, isRight) => void counts[isRight ? 'right' : 'wrong']++)
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const workers = new ProofWorkers({ verdicts, logger })
  closing.push(() => workers.stop())
  const now = () => asMonotonicMs(performance.now())
  const pool = new Mempool(
    { countMax: 1e4, bytesMax: 1e8, countPerSourceMax: 1e4, bytesPerSourceMax: 1e8, timeToLiveMs: 1e6 },
    { now, isFinal: () => false, refusal: () => null, expired: () => {} },
  )
  const door = new ShieldedDoor({
    pool,
    refusalBeforeProof: () => null,
    verify: (transaction, urgency) => workers.verify(transaction, urgency),
    now,
  })
  const flow = new TransactionFlow({
    pool,
    door,
    publish: (transactions) => node.network.gossip.publishTransactions(transactions),
    workArrived: () => {},
    rejected: () => {},
  })
  const node = await running({
    ...options,
    gossip: { onTransactions: (batch, from) => flow.received(batch, from), onBlock: () => 'ignore' },
  })
  return { node, pool, counts }
}

async function running(options: Parameters<typeof testNetwork>[0] = {}): Promise<TestNetwork> {
  const node = await testNetwork(options)
  node.network.setValidators([])
  await node.network.start()
  closing.push(() => node.network.stop())
  return node
}

const isConnected = (node: TestNetwork, to: TestNetwork): boolean =>
  node.host.libp2p.getPeers().some((peer) => peer.toString() === to.host.peerId)

describe('shielded transactions by gossip', () => {
  it('with right proofs come into the pool; a thousand wrong ones cost their sender its connection', async () => {
    const { node, pool, counts } = await victim()
    const bootstrap = [addressOf(node, 'tcp')]
    const [attacker, friend] = [
      await running({ listen: [], bootstrap }),
      await running({ listen: [], bootstrap }),
    ]
    await until(
      () => [attacker, friend].every(({ network }) => network.gossip.subscribers('transactions') > 0),
      'gossip',
    )
    const right = shieldedTransaction(1)
    // Whoever is cut off comes back, and is cut off again: what it can have verified is bounded all the same.
    const connection = node.host.libp2p
      .getConnections()
      .find(({ remotePeer }) => `${remotePeer}` === attacker.host.peerId)
    for (let i = 1; i <= 1_000 && connection?.status === 'open'; i++) {
      attacker.network.gossip.publishTransactions([encodeTransaction(withWrongProof(right, i))])
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => connection?.status !== 'open', 'the attacker is cut off')
    expect(node.meter.of('connection-given-up', 'rejected')).toBeGreaterThan(0)
    expect(pool.size).toBe(0)
    // What waited when it was cut off, at the most.
    expect(counts.wrong).toBeGreaterThanOrEqual(9)
    expect(counts.wrong).toBeLessThanOrEqual(12 + 3)
    expect(isConnected(node, friend)).toBe(true)
    friend.network.gossip.publishTransactions([encodeTransaction(right)])
    await until(() => pool.size === 1, 'the right one is in the pool')
    expect(counts.right).toBeGreaterThan(0)
    expect(node.logger.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('cost an honest node nothing that passes on what came beside them', async () => {
    const far = await victim()
    const middle = await victim({ bootstrap: [addressOf(far.node, 'tcp')] })
    const attacker = await running({ listen: [], bootstrap: [addressOf(middle.node, 'tcp')] })
    await until(
      () => [attacker, middle.node].every(({ network }) => network.gossip.subscribers('transactions') > 0),
      'gossip',
    )
    const right = shieldedTransaction(1)
    // It waits in the middle alone: there another proof of it is nothing new, and not looked at.
    middle.pool.admit(hashTransaction(right), null)
    for (let i = 1; i <= 12; i++) {
      const wrong = encodeTransaction({ ...right, proof: Uint8Array.of(i) })
      attacker.network.gossip.publishTransactions([numberedTransaction(i).bytes, wrong])
      await until(() => far.pool.size === i, `request ${i} has come through`)
    }
    const { meter } = far.node
    const judged = () =>
      (['accept', 'ignore', 'reject'] as const).reduce((sum, is) => sum + meter.of('gossip-received', is), 0)
    await until(() => judged() === 12, 'all of them are judged')
    expect(far.counts).toEqual({ right: 0, wrong: 0 })
    expect(isConnected(far.node, middle.node)).toBe(true)
  })
})

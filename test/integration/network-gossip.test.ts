/** Gossip between real nodes on loopback: verdicts, forwarding, bounds, and nothing lost before anybody listens. */

import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { Gossip, type GossipHandlers, type GossipVerdict } from '../../src/network/gossip.ts'
import { addressOf, type TestNode, testNode, until } from '../support/network-node.ts'

interface GossipNode extends TestNode {
  readonly gossip: Gossip
  readonly transactions: string[]
  readonly blocks: string[]
}

const running: GossipNode[] = []

async function gossipNode(verdict: (text: string) => GossipVerdict = () => 'accept'): Promise<GossipNode> {
  const node = await testNode()
  const transactions: string[] = []
  const blocks: string[] = []
  const handlers: GossipHandlers = {
    onTransactions: (batch) => {
      const texts = batch.map((bytes) => Buffer.from(bytes).toString())
      transactions.push(...texts)
      return verdict(texts[0] ?? '')
    },
    onBlock: (bytes) => {
      blocks.push(Buffer.from(bytes).toString())
      return Promise.resolve('accept')
    },
    onIdentity: () => {
      throw new Error('a handler of ours that fails')
    },
  }
  const gossip = new Gossip({
    libp2p: node.host.libp2p,
    names: node.host.names,
    handlers,
    meter: node.meter.meter,
    logger: node.logger,
  })
  await node.host.start()
  gossip.start()
  const whole = { ...node, gossip, transactions, blocks }
  running.push(whole)
  return whole
}

afterEach(async () => {
  await Promise.all(
    running.splice(0).map(async ({ gossip, host }) => {
      gossip.stop()
      await host.stop()
    }),
  )
})

const connect = async (
  from: GossipNode,
  to: GossipNode,
  transport: 'tcp' | 'quic' = 'tcp',
): Promise<void> => {
  await from.host.libp2p.dial(multiaddr(addressOf(to, transport)))
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('gossip', () => {
  it.each(['tcp', 'quic'] as const)(
    'keeps what is published before anybody listens, and sends it then, over %s',
    async (transport) => {
      const [a, b] = [await gossipNode(), await gossipNode()]
      a.gossip.publishTransactions([bytes('t1'), bytes('t2')])
      expect(a.gossip.publishBlock(bytes('b1'))).toBe('queued')
      await connect(a, b, transport)
      await until(() => b.transactions.length === 2 && b.blocks.length === 1, 'b has heard everything')
      expect(b.transactions).toEqual(['t1', 't2'])
      expect(b.blocks).toEqual(['b1'])
      expect(a.gossip.publishBlock(bytes('b2'))).toBe('sent')
      await until(() => b.blocks.length === 2, 'b has heard the second block')
    },
  )

  it('passes on what was accepted, and only that', async () => {
    const a = await gossipNode()
    const b = await gossipNode((text) =>
      text.startsWith('bad') ? 'reject' : text.startsWith('old') ? 'ignore' : 'accept',
    )
    const c = await gossipNode()
    await connect(a, b)
    await connect(c, b)
    await until(
      () => b.gossip.subscribers('transactions') === 2 && a.gossip.subscribers('transactions') === 1,
      'subscribed',
    )
    for (const text of ['bad 1', 'old 1', 'good 1']) {
      a.gossip.publishTransactions([bytes(text)])
      await until(() => b.transactions.includes(text), `b has heard ${text}`)
    }
    await until(() => c.transactions.length > 0, 'c has heard something')
    expect(c.transactions).toEqual(['good 1'])
    expect(b.meter.of('gossip-received', 'reject')).toBe(1)
    expect(b.meter.of('gossip-received', 'ignore')).toBe(1)
  })
})

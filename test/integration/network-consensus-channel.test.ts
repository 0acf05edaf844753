/** The consensus channel between real nodes on loopback, over TCP and over QUIC. */

import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { ConsensusChannel } from '../../src/network/consensus-channel.ts'
import type { ValidatorId } from '../../src/types/primitives.ts'
import { addressOf, type TestNode, type TestNodeOptions, testNode, until } from '../support/network-node.ts'

interface ChannelNode extends TestNode {
  readonly channel: ConsensusChannel
  readonly received: { readonly from: ValidatorId; readonly bytes: Uint8Array }[]
  readonly changes: { readonly id: ValidatorId; readonly isReachable: boolean }[]
}

const running: ChannelNode[] = []

async function channelNode(options: TestNodeOptions = {}): Promise<ChannelNode> {
  const node = await testNode(options)
  const received: ChannelNode['received'] = []
  const changes: ChannelNode['changes'] = []
  const channel = new ConsensusChannel({
    host: node.host.libp2p,
    protocol: node.host.names.consensusChannel,
    ownId: node.id,
    peers: node.validatorPeers,
    onMessage: (from, bytes) => received.push({ from, bytes }),
    onReachabilityChange: (id, isReachable) => changes.push({ id, isReachable }),
    meter: node.meter.meter,
    logger: node.logger,
  })
  await channel.start()
  await node.host.start()
  const whole = { ...node, channel, received, changes }
  running.push(whole)
  return whole
}

async function stop(node: ChannelNode): Promise<void> {
  running.splice(running.indexOf(node), 1)
  await node.channel.stop()
  await node.host.stop()
}

afterEach(async () => {
  await Promise.all([...running].map(stop))
})

function setValidators(nodes: readonly ChannelNode[], ids = nodes.map(({ id }) => id)): void {
  for (const node of nodes) {
    node.validatorPeers.setValidators(ids)
    node.channel.setValidators(ids)
  }
}

async function connect(from: ChannelNode, to: ChannelNode, transport: 'tcp' | 'quic'): Promise<void> {
  await from.host.libp2p.dial(multiaddr(addressOf(to, transport)))
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const message = (content: string): Uint8Array => Buffer.from(content)

describe.each(['tcp', 'quic'] as const)('the consensus channel over %s', (transport) => {
  it('carries messages both ways, in order and whole', async () => {
    const [a, b] = [await channelNode(), await channelNode()]
    setValidators([a, b])
    await connect(a, b, transport)
    await until(
      () => a.channel.reachable().has(b.id) && b.channel.reachable().has(a.id),
      'both reach each other',
    )

    for (let i = 0; i < 200; i += 1) a.channel.broadcast(message(`a ${i}`))
    const large = Buffer.alloc(3 * 1024 * 1024, 7)
    expect(b.channel.send(a.id, large)).toBe(true)
    b.channel.broadcast(message('after'))
    await until(() => b.received.length === 200 && a.received.length === 2, 'all have arrived')

    expect(b.received.map(({ bytes }) => text(bytes))).toEqual(
      Array.from({ length: 200 }, (_, i) => `a ${i}`),
    )
    expect(b.received.every(({ from }) => from === a.id)).toBe(true)
    expect(Buffer.compare(a.received[0]?.bytes ?? new Uint8Array(), large)).toBe(0)
    expect(text(a.received[1]?.bytes ?? new Uint8Array())).toBe('after')
  })
})

/** The consensus channel between real nodes on loopback, over TCP and over QUIC. */

import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { validatorId } from '../../src/codec/genesis.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { ConsensusChannel } from '../../src/network/consensus-channel.ts'
import { CONSENSUS_CHANNEL } from '../../src/network/consensus-link.ts'
import type { ValidatorId } from '../../src/types/primitives.ts'
import {
  addressOf,
  type TestNode,
  type TestNodeOptions,
  testNetwork,
  testNode,
  until,
} from '../support/network-node.ts'

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

/** Two nodes of which the first has the lower id, and so opens the stream. */
async function lowerAndHigher(): Promise<[ChannelNode, ChannelNode]> {
  const [a, b] = [await channelNode(), await channelNode()]
  return a.id < b.id ? [a, b] : [b, a]
}

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

  it.each(['lower', 'higher'] as const)('comes up whoever dials: the %s id', async (dialler) => {
    const [lower, higher] = await lowerAndHigher()
    setValidators([lower, higher])
    if (dialler === 'lower') await connect(lower, higher, transport)
    else await connect(higher, lower, transport)
    await until(
      () => lower.channel.reachable().has(higher.id) && higher.channel.reachable().has(lower.id),
      'both reach each other',
    )
    const streams = lower.host.libp2p.getConnections().flatMap((connection) => connection.streams)
    expect(streams.filter(({ protocol }) => protocol === lower.host.names.consensusChannel)).toHaveLength(1)
  })

  it('comes up when the validator set is known after the connection', async () => {
    const [a, b] = [await channelNode(), await channelNode()]
    await connect(a, b, transport)
    setValidators([a])
    expect(a.channel.send(b.id, message('to a stranger'))).toBe(false)
    setValidators([a], [a.id, b.id])
    setValidators([b], [a.id, b.id])
    await until(
      () => a.channel.reachable().has(b.id) && b.channel.reachable().has(a.id),
      'both reach each other',
    )
  })

  it('goes down on both sides when one leaves the set, and is refused from then on', async () => {
    const [lower, higher] = await lowerAndHigher()
    setValidators([lower, higher])
    await connect(lower, higher, transport)
    await until(
      () => lower.channel.reachable().has(higher.id) && higher.channel.reachable().has(lower.id),
      'up',
    )
    setValidators([higher], [higher.id])
    await until(() => !lower.channel.reachable().has(higher.id), 'the lower has noticed')
    expect(higher.channel.reachable().size).toBe(0)
    await until(
      () => higher.meter.of('channel-drop', 'not-a-validator') > 1,
      'it tried again and was refused',
    )
    expect(lower.received).toEqual([])
  })

  it('writes what is sent in one turn of the event loop at once, and lazy messages with the next', async () => {
    const [a, b] = [await channelNode(), await channelNode()]
    setValidators([a, b])
    await connect(a, b, transport)
    await until(() => a.channel.reachable().has(b.id), 'up')
    for (let i = 0; i < 50; i += 1) a.channel.broadcast(message(`${i}`), { lazy: i % 2 === 0 })
    await until(() => b.received.length === 50, 'all have arrived')
    expect(a.meter.of('channel-sent', 'message')).toBe(50)
    expect(a.meter.of('channel-sent', 'write')).toBe(1)
    a.channel.broadcast(message('lazy alone'), { lazy: true })
    await until(() => b.received.length === 51, 'the lazy one has arrived by itself')
    expect(b.received.map(({ bytes }) => text(bytes)).slice(0, 50)).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i}`),
    )
  })

  it('writes to whom it is told before the others, and to everyone once', async () => {
    const [a, b, c] = [await channelNode(), await channelNode(), await channelNode()]
    setValidators([a, b, c])
    await connect(a, b, transport)
    await connect(a, c, transport)
    await until(() => a.channel.reachable().size === 2, 'up')
    const written: ValidatorId[] = []
    const streams: Stream[] = []
    for (const connection of a.host.libp2p.getConnections()) {
      const stream = connection.streams.find(({ protocol }) => protocol === a.host.names.consensusChannel)
      const id = connection.remotePeer.equals(b.host.libp2p.peerId) ? b.id : c.id
      if (stream === undefined) continue
      streams.push(stream)
      const send = stream.send.bind(stream)
      stream.send = (data) => {
        written.push(id)
        return send(data)
      }
    }
    const others = [b.id, c.id]
    for (const [i, first] of [c.id, b.id, a.id, undefined].entries()) {
      // One that is full is written to when it has room again.
      await until(() => streams.every((stream) => !stream.writableNeedsDrain), 'both have room')
      written.length = 0
      // What waits for somebody else does not put him in front.
      for (const id of others) if (id !== first) a.channel.send(id, message('lazy'), { lazy: true })
      a.channel.broadcast(message(`${i}`), { first })
      const arrived = () =>
        [b, c].every(({ received }) => received.some(({ bytes }) => text(bytes) === `${i}`))
      await until(arrived, `both have message ${i}`)
      expect([...written].sort()).toEqual([...others].sort())
      if (first === b.id || first === c.id) expect(written[0]).toBe(first)
    }
  })

  it('comes back by itself when the stream is reset or the connection is lost', async () => {
    const [a, b] = [await channelNode(), await channelNode()]
    setValidators([a, b])
    await connect(a, b, transport)
    await until(() => a.channel.reachable().has(b.id) && b.channel.reachable().has(a.id), 'up')

    const [connection] = b.host.libp2p.getConnections()
    const stream = connection?.streams.find(({ protocol }) => protocol === b.host.names.consensusChannel)
    stream?.abort(new Error('reset by a test'))
    await until(() => a.changes.length >= 3 && b.changes.length >= 3, 'down and up again')
    expect(a.changes.map(({ isReachable }) => isReachable)).toEqual([true, false, true])

    connection?.abort(new Error('lost by a test'))
    await until(() => !a.channel.reachable().has(b.id) && !b.channel.reachable().has(a.id), 'down')
    a.channel.broadcast(message('kept for a moment'))
    await connect(b, a, transport)
    await until(() => b.received.length === 1, 'what was sent meanwhile has arrived')
    expect(text(b.received[0]?.bytes ?? new Uint8Array())).toBe('kept for a moment')
  })

  it('does not gather without end for one who does not read', async () => {
    const slow = await testNode()
    const a = await channelNode()
    slow.validatorPeers.setValidators([a.id, slow.id])
    setValidators([a], [a.id, slow.id])
    const protocol = a.host.names.consensusChannel
    const holdUp = (stream: Stream): void => {
      stream.send(Buffer.alloc(4))
      stream.pause()
    }
    await slow.host.libp2p.handle(protocol, holdUp)
    await slow.host.start()
    try {
      const connection = await slow.host.libp2p.dial(multiaddr(addressOf(a, transport)))
      if (slow.id < a.id) holdUp(await connection.newStream(protocol))
      await until(() => a.channel.reachable().has(slow.id), 'the slow one is there')
      const chunk = Buffer.alloc(64 * 1024)
      let largest = 0
      for (let i = 0; i < 1_200; i += 1) {
        a.channel.broadcast(chunk)
        if (i % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
        largest = Math.max(largest, a.channel.queued().bytes)
      }
      expect(largest).toBeLessThanOrEqual(CONSENSUS_CHANNEL.queueBytesMax)
      expect(a.meter.of('channel-drop', 'queue-full')).toBeGreaterThan(0)
      const held = a.host.libp2p
        .getConnections()
        .flatMap(({ streams }) => streams.map((s) => s.writeBufferLength))
      expect(Math.max(0, ...held)).toBeLessThanOrEqual(2 * CONSENSUS_CHANNEL.writeBytesMax)
    } finally {
      await slow.host.stop()
    }
  })
})

describe('a validator that is killed', () => {
  it('is missed at once, and found again when it is back', async () => {
    const seeds = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
    const id = validatorId(selectMlDsa65().keyPairFromSeed(Buffer.from(seeds[0] ?? '', 'hex')).publicKey.raw)
    const node = await testNetwork()
    node.network.setValidators([node.id, id])
    await node.network.start()
    const changes: boolean[] = []
    let child: ChildProcess | undefined
    const spawn = async (listen: string, bootstrap?: string): Promise<string> => {
      const program = join(import.meta.dirname, '../support/network-process.ts')
      const args = [...seeds, listen, `${node.id},${id}`, ...(bootstrap === undefined ? [] : [bootstrap])]
      child = fork(program, args, { execArgv: ['--no-warnings'] })
      const [{ addresses }] = (await once(child, 'message')) as [{ addresses: string[] }]
      return addresses[0] ?? ''
    }
    const watch = setInterval(() => {
      const isReachable = node.network.channel.reachable().has(id)
      if (changes.at(-1) !== isReachable) changes.push(isReachable)
    }, 1)
    try {
      const address = await spawn('/ip4/127.0.0.1/tcp/0', addressOf(node, 'tcp'))
      await until(() => node.network.channel.reachable().has(id), 'it is reachable')
      // Later than its first second, in which it tells where it is found.
      await until(() => node.network.directory.get(id) !== undefined, 'its certificate has come')

      child?.kill('SIGKILL')
      const killedAt = performance.now()
      await until(() => !node.network.channel.reachable().has(id), 'it is missed')
      expect(performance.now() - killedAt).toBeLessThan(1_000)

      // It knows nobody now: our dialer has to find it by its certificate.
      await spawn(address.replace(/\/p2p\/.*/, ''))
      await until(() => node.network.channel.reachable().has(id), 'it is back')
      await until(() => changes.at(-1) === true, 'the watch has seen it')
      expect(changes).toEqual([false, true, false, true])
    } finally {
      clearInterval(watch)
      child?.kill('SIGKILL')
      await node.network.stop()
    }
  })
})

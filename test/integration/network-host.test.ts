/** What an operator meets: addresses in use, other networks, plain peers, slots, calls, the peer table. */

import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { call } from '../../src/network/calls.ts'
import { PROTOCOL_LIMITS } from '../../src/network/topics.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'
import {
  addressOf,
  QUIC,
  TCP,
  type TestNetwork,
  testNetwork,
  testNode,
  until,
} from '../support/network-node.ts'

const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

async function started(options: Parameters<typeof testNetwork>[0] = {}): Promise<TestNetwork> {
  const node = await testNetwork(options)
  await node.network.start()
  stops.push(() => node.network.stop())
  return node
}

const withoutPeer = (address: string): string => address.replace(/\/p2p\/.*/, '')

describe('listening', () => {
  it('is on both transports by default', async () => {
    const node = await started()
    expect(node.host.addresses().filter((address) => address.includes('/tcp/'))).toHaveLength(1)
    expect(node.host.addresses().filter((address) => address.includes('/quic-v1'))).toHaveLength(1)
  })

  it.each(['tcp', 'quic'] as const)(
    'on a %s port in use names the address and what to do',
    async (transport) => {
      const first = await started()
      const taken = withoutPeer(addressOf(first, transport))
      const second = await testNode({ listen: [taken] })
      await expect(second.host.start()).rejects.toMatchObject({
        code: 'E_PORT_IN_USE',
        message: `${taken} is used by another process.`,
      })
    },
  )

  it('on an address of nobody, or without the transport, is refused by name', async () => {
    const node = await testNode({ listen: ['/ip4/203.0.113.7/tcp/0'] })
    await expect(node.host.start()).rejects.toMatchObject({ code: 'E_ADDR_UNAVAILABLE' })
    await expect(testNode({ listen: [QUIC], transports: ['tcp'] })).rejects.toMatchObject({
      code: 'E_ADDR_TRANSPORT',
    })
    await expect(testNode({ listen: ['127.0.0.1:4001'] })).rejects.toMatchObject({ code: 'E_ADDR_FORM' })
    await expect(testNetwork({ bootstrap: [TCP] })).rejects.toMatchObject({ code: 'E_BOOTSTRAP_ID' })
  })

  it('tells others what the operator announces', async () => {
    const announce = ['/ip4/198.51.100.7/tcp/4001']
    const node = await started({ announce })
    expect(node.host.addresses().map(withoutPeer)).toEqual(announce)
  })
})

describe.each(['tcp', 'quic'] as const)('a ping over %s', (transport) => {
  it('succeeds whoever else pings at the same time, and again at once', async () => {
    const [node, peer] = [await started(), await started()]
    const connection = await node.host.libp2p.dial(multiaddr(addressOf(peer, transport)))
    const { ping } = node.host.libp2p.services
    const to = connection.remotePeer
    for (let round = 0; round < 20; round += 1) {
      const times = await Promise.all([node.host.pinger.measure(connection), ping.ping(to), ping.ping(to)])
      expect(times.every((milliseconds) => milliseconds >= 0 && milliseconds < 5_000)).toBe(true)
    }
  })

  it('to a peer that is gone fails', async () => {
    const [node, peer] = [await started(), await started()]
    const connection = await node.host.libp2p.dial(multiaddr(addressOf(peer, transport)))
    await connection.close()
    await expect(node.host.pinger.measure(connection)).rejects.toThrow()
    await expect(node.host.pinger.measure(connection)).rejects.toThrow()
  })
})

describe('who is let in', () => {
  it('is nobody without the post-quantum session', async () => {
    const node = await started()
    const plain = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    stops.push(async () => plain.stop())
    await expect(plain.dial(multiaddr(addressOf(node, 'tcp')))).rejects.toThrow()
    expect(node.network.peers.count()).toBe(0)
  })

  it.each(['tcp', 'quic'] as const)('is nobody of another network, over %s', async (transport) => {
    const node = await started()
    const other = await testNode({ genesisHash: 'cd'.repeat(32) as GenesisHash, listen: [] })
    await other.host.start()
    stops.push(() => other.host.stop())
    await expect(other.host.libp2p.dial(multiaddr(addressOf(node, transport)))).rejects.toThrow()
    expect(node.network.peers.count()).toBe(0)
  })

  it('is a validator even when all other slots are taken', async () => {
    const node = await started({ peersMax: 1 })
    const [stranger, second, validator] = [
      await testNode({ listen: [] }),
      await testNode({ listen: [] }),
      await testNode({ listen: [] }),
    ]
    for (const { host } of [stranger, second, validator]) {
      await host.start()
      stops.push(() => host.stop())
    }
    node.network.setValidators([validator.id])
    const address = multiaddr(addressOf(node, 'tcp'))
    await stranger.host.libp2p.dial(address)
    await until(() => node.network.peers.count() === 1, 'the first has the slot')
    const late = await second.host.libp2p.dial(address).catch(() => undefined)
    await until(() => late === undefined || late.status !== 'open', 'the second is turned away')
    await validator.host.libp2p.dial(address)
    await until(() => node.network.peers.counts().validators === 1, 'the validator is in')
    expect(node.meter.of('connection-refused', 'no-slot')).toBe(1)
  })
})

describe('the peer table', () => {
  it.each(['tcp', 'quic'] as const)('tells what is known of a peer over %s', async (transport) => {
    const before = Date.now()
    const node = await started()
    const peer = await started({ bootstrap: [addressOf(node, transport)] })
    node.network.setValidators([peer.id])
    await until(() => {
      const [entry] = node.network.peers.list()
      return entry?.rttMs != null && entry.userAgent !== null && entry.addresses.length > 0
    }, 'it is identified and measured')
    expect(node.network.peers.list()[0]).toMatchObject({
      peerId: peer.host.peerId,
      nodeId: peer.id,
      validatorId: peer.id,
      direction: 'inbound',
      transport,
      userAgent: 'hypermesh/test',
    })
    const [entry] = node.network.peers.list()
    expect(entry?.sinceMs).toBeGreaterThanOrEqual(before)
    expect(entry?.addresses.map(withoutPeer).sort()).toEqual(peer.host.addresses().map(withoutPeer).sort())
    expect(node.network.peers.counts()).toEqual({ inbound: 1, outbound: 0, validators: 1 })
    expect(peer.network.peers.list()[0]).toMatchObject({
      direction: 'outbound',
      validatorId: null,
      nodeId: node.id,
    })
  })
})

describe.each(['tcp', 'quic'] as const)('calls over %s', (transport) => {
  const options = { answerBytesMax: 4 * 1024 * 1024, deadlineMs: 10_000 }

  it('are answered, each on its own stream', async () => {
    const server = await started({
      calls: {
        answer: (request, client) => Promise.resolve(Buffer.concat([request, Buffer.from(` for ${client}`)])),
        refuse: (reason) => Buffer.from(reason),
      },
    })
    const client = await testNode({ listen: [] })
    await client.host.start()
    stops.push(() => client.host.stop())
    const connection = await client.host.libp2p.dial(multiaddr(addressOf(server, transport)))
    const ask = (request: Uint8Array): Promise<string> =>
      call(connection, client.host.names.validation, request, options).then((answer) =>
        Buffer.from(answer).toString(),
      )

    const answers = await Promise.all(['a', 'b', 'c'].map((text) => ask(Buffer.from(text))))
    expect(answers).toEqual(['a', 'b', 'c'].map((text) => `${text} for ${client.host.peerId}`))
    expect(await ask(new Uint8Array())).toBe(` for ${client.host.peerId}`)
    const { frameBytesMax, messagesBurst } = PROTOCOL_LIMITS.validation
    expect(await ask(new Uint8Array(frameBytesMax + 1))).toBe('too-long')
    expect((await ask(new Uint8Array(frameBytesMax))).length).toBeGreaterThan(frameBytesMax)
    expect(messagesBurst).toBeGreaterThan(100)
  })

  it('fail with a reason when the other side fails, and leave nothing open', async () => {
    const server = await started({
      calls: { answer: () => Promise.reject(new Error('no')), refuse: () => Buffer.from('') },
    })
    const client = await testNode({ listen: [] })
    await client.host.start()
    stops.push(() => client.host.stop())
    const connection = await client.host.libp2p.dial(multiaddr(addressOf(server, transport)))
    await expect(call(connection, client.host.names.validation, Buffer.from('x'), options)).rejects.toThrow()
    await until(
      () => !connection.streams.some(({ protocol }) => protocol === client.host.names.validation),
      'the stream is gone',
    )
  })
})

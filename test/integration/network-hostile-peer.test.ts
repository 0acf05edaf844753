/** A peer with a valid session that does everything wrong, on every protocol: the node runs on. */

import { randomBytes } from 'node:crypto'
import { type Connection, type Stream, StreamResetError } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { wireNames } from '../../src/network/topics.ts'
import { SessionError } from '../../src/session/refusal.ts'
import { asHeight, type BlockHash } from '../../src/types/primitives.ts'
import {
  addressOf,
  GENESIS,
  type TestNetwork,
  type TestNode,
  testNetwork,
  testNode,
  until,
} from '../support/network-node.ts'

const { topics: _topics, ...PROTOCOLS } = wireNames(GENESIS)

let victim: TestNetwork
let friend: TestNetwork
const attackers: TestNode[] = []

beforeAll(async () => {
  victim = await testNetwork()
  await victim.network.start()
  friend = await testNetwork({ bootstrap: [addressOf(victim, 'tcp')] })
  for (const { network } of [victim, friend]) network.setValidators([victim.id, friend.id])
  await friend.network.start()
  await until(() => victim.network.channel.reachable().has(friend.id), 'the friend is there')
})

afterEach(async () => {
  await Promise.all(attackers.splice(0).map(({ host }) => host.stop()))
})

afterAll(async () => {
  await Promise.all([victim.network.stop(), friend.network.stop()])
})

async function attack(transport: 'tcp' | 'quic'): Promise<Connection> {
  const attacker = await testNode({ listen: [] })
  attackers.push(attacker)
  await attacker.host.start()
  for (;;) {
    try {
      return await attacker.host.libp2p.dial(multiaddr(addressOf(victim, transport)))
    } catch (error) {
      // On a busy machine the attacker's own dialler may lose patience; any other end is the victim's.
      if (!String(error).includes('(cancelled)')) throw error
    }
  }
}

/**
 * Opens a stream, also where our own library is using its only one just now: this side sees that before it
 * asks, the victim by cutting the second one. Undefined where the victim cut it before its answer to the
 * negotiation had left, as it may on a channel that is for validators only.
 */
async function open(connection: Connection, protocol: string): Promise<Stream | undefined> {
  for (;;) {
    try {
      return await connection.newStream(protocol)
    } catch (error) {
      if (error instanceof Error && error.name === 'TooManyOutboundProtocolStreamsError') continue
      if (!isCut(error) || connection.status !== 'open') throw error
      if (protocol === PROTOCOLS.consensusChannel) return undefined
    }
  }
}

/** Whether opening failed because the other side ended the stream, not because of anything on ours. */
function isCut(error: unknown): boolean {
  if (error instanceof SessionError) return error.reason === 'truncated'
  return error instanceof StreamResetError
}

/** Sends, and takes it that the stream may be cut in the middle. */
function send(stream: Stream, bytes: Uint8Array): void {
  try {
    stream.send(bytes)
  } catch {
    // Cut by the victim, as it should be.
  }
}

const header = (length: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(length)
  return bytes
}

const CRIMES: Readonly<Record<string, (stream: Stream, connection: Connection) => void | Promise<void>>> = {
  'sends garbage': (stream) => send(stream, randomBytes(64 * 1024)),
  'announces four gigabytes': (stream) =>
    send(stream, Buffer.concat([header(0xffffffff), randomBytes(1_000)])),
  'announces a varint without end': (stream) => send(stream, Buffer.alloc(32, 0xff)),
  'sends empty frames': (stream) => send(stream, Buffer.alloc(64 * 1024)),
  'sends half a frame and half-closes': async (stream) => {
    send(stream, Buffer.concat([header(1_000), randomBytes(10)]))
    await stream.close().catch(() => undefined)
  },
  'sends several megabytes': async (stream) => {
    const chunk = randomBytes(256 * 1024)
    for (let i = 0; i < 16 && stream.status === 'open'; i += 1) {
      send(stream, chunk)
      await new Promise((resolve) => setImmediate(resolve))
    }
  },
  'resets at once': (stream) => stream.abort(new Error('reset')),
  'resets after some bytes': (stream) => {
    send(stream, randomBytes(100))
    stream.abort(new Error('reset'))
  },
  'half-closes at once': async (stream) => {
    await stream.close().catch(() => undefined)
  },
  'loses the connection': (stream, connection) => {
    send(stream, randomBytes(100))
    connection.abort(new Error('gone'))
  },
}

async function runsOn(): Promise<void> {
  const before = victim.messages.length
  friend.network.channel.broadcast(Buffer.from('still there?'))
  await until(() => victim.messages.length > before, 'consensus goes on')
  const block = await friend.network.blocks.fetchByHash('ab'.repeat(32) as BlockHash, victim.host.peerId)
  expect(block.ok).toBe(true)
  const status = await victim.network.blocks.fetchStatus(asHeight(0), friend.host.peerId)
  expect(status.ok).toBe(true)
  expect(victim.logger.lines.filter(({ level }) => level === 'error')).toEqual([])
}

describe.each(['tcp', 'quic'] as const)('a hostile peer over %s', (transport) => {
  it.each(Object.entries(PROTOCOLS))('on %s (%s) does not harm the node', async (_name, protocol) => {
    for (const commit of Object.values(CRIMES)) {
      const connection = await attack(transport)
      const stream = await open(connection, protocol)
      if (stream !== undefined) await commit(stream, connection)
    }
    await runsOn()
  })

  it('cannot harm it with a protocol that nobody speaks, or by leaving in the middle of the negotiation', async () => {
    const connection = await attack(transport)
    await expect(connection.newStream('/nonsense/1')).rejects.toThrow()
    const lazy = await connection.newStream(PROTOCOLS.blocks, { negotiateFully: false })
    lazy.abort(new Error('gone'))
    await runsOn()
  })

  it('who is no validator cannot open the consensus channel', async () => {
    const connection = await attack(transport)
    const stream = await open(connection, PROTOCOLS.consensusChannel)
    await until(() => stream?.status !== 'open', 'the stream was cut')
    expect(victim.meter.of('channel-drop', 'not-a-validator')).toBeGreaterThan(0)
    expect(victim.network.channel.reachable()).toEqual(new Set([friend.id]))
  })

  it('who asks for blocks without end is cut', async () => {
    const connection = await attack(transport)
    const stream = await connection.newStream(PROTOCOLS.blocks)
    const before = victim.meter.of('block-served', 'rate')
    for (let i = 0; i < 64; i += 1) send(stream, Buffer.concat([header(3), randomBytes(3)]))
    await until(() => stream.status !== 'open', 'the stream was cut')
    expect(victim.meter.of('block-served', 'rate')).toBeGreaterThan(before)
  })
})

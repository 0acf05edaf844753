/** Two real libp2p nodes over loopback: what the session layer carries, on TCP and on QUIC. */

import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { cuttingProxy } from '../support/session/cutting-proxy.ts'
import {
  type Carrier,
  type SessionNode,
  type SessionNodeOptions,
  sessionNode,
} from '../support/session/session-node.ts'

const ECHO = '/test/echo/1'
const running: SessionNode[] = []

async function start(options: SessionNodeOptions): Promise<SessionNode> {
  const node = await sessionNode(options)
  running.push(node)
  await node.libp2p.handle(
    ECHO,
    async (stream) => {
      for await (const chunk of stream) {
        if (!stream.send(chunk) && stream.status === 'open') {
          stream.pause()
          await new Promise<void>((resolve) => {
            stream.addEventListener('drain', () => resolve(), { once: true })
            stream.addEventListener('close', () => resolve(), { once: true })
          })
          if (stream.status === 'open') stream.resume()
        }
      }
      await stream.close()
    },
    { maxInboundStreams: 1_000 },
  )
  return node
}

async function echo(stream: Stream, data: Uint8Array): Promise<Buffer> {
  const received: Uint8Array[] = []
  const done = Promise.withResolvers<void>()
  stream.addEventListener('message', ({ data }) => received.push(data.subarray()))
  stream.addEventListener('remoteCloseWrite', () => done.resolve())
  stream.addEventListener('close', ({ error }) => (error === undefined ? done.resolve() : done.reject(error)))
  stream.send(data)
  await stream.close()
  await done.promise
  return Buffer.concat(received)
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ libp2p }) => libp2p.stop()))
})

describe.each<Carrier>(['tcp', 'quic'])('%s', (carrier) => {
  async function pair(): Promise<[SessionNode, SessionNode]> {
    return Promise.all([start({ carrier }), start({ carrier })])
  }

  test('carries 1 MB there and back', async () => {
    const [alice, bob] = await pair()
    const stream = await alice.libp2p.dialProtocol(bob.libp2p.getMultiaddrs(), ECHO)
    const data = randomBytes(1 << 20)
    expect(Buffer.compare(await echo(stream, data), data)).toBe(0)
  })

  test('carries many streams at once, opened by both sides', async () => {
    const [alice, bob] = await pair()
    const connection = await alice.libp2p.dial(bob.libp2p.getMultiaddrs())
    await eventually(() => expect(bob.libp2p.getConnections()).toHaveLength(1))
    const back = bob.libp2p.getConnections()[0]
    const rounds = Array.from({ length: 60 }, async (_, index) => {
      const stream = await (index % 2 === 0 ? connection : back)?.newStream(ECHO)
      const data = randomBytes(5_000 + index)
      return stream !== undefined && Buffer.compare(await echo(stream, data), data) === 0
    })
    expect(await Promise.all(rounds)).not.toContain(false)
  })

  test('knows the ML-DSA key behind a connection as long as it lives', async () => {
    const [alice, bob] = await pair()
    const connection = await alice.libp2p.dial(bob.libp2p.getMultiaddrs())
    await eventually(() => expect(bob.announced).toHaveLength(1))
    expect(alice.peers.identityOf(connection)?.mlDsaPublicKey).toEqual(bob.keyPair.publicKey.raw)
    expect(bob.peers.identityOf(alice.libp2p.peerId.toString())?.mlDsaPublicKey).toEqual(
      alice.keyPair.publicKey.raw,
    )
    await connection.close()
    await eventually(() => expect([alice.peers.size, bob.peers.size]).toEqual([0, 0]))
    expect(alice.peers.identityOf(connection)).toBeUndefined()
  })

  test('turns the ratchet under way', async () => {
    const limits = { framesPerKeyMax: 3 }
    const [alice, bob] = await Promise.all([start({ carrier, limits }), start({ carrier, limits })])
    const stream = await alice.libp2p.dialProtocol(bob.libp2p.getMultiaddrs(), ECHO)
    const data = randomBytes(1 << 20)
    expect(Buffer.compare(await echo(stream, data), data)).toBe(0)
  })

  test('a stream that the remote aborts ends with an error, and the connection lives on', async () => {
    const [alice, bob] = await pair()
    await bob.libp2p.handle('/test/abort/1', async (stream) => {
      stream.addEventListener('message', () => {
        stream.send(Buffer.from('a part'))
        stream.abort(new Error('enough'))
      })
    })
    const connection = await alice.libp2p.dial(bob.libp2p.getMultiaddrs())
    const stream = await connection.newStream('/test/abort/1')
    const error = await new Promise<Error | undefined>((resolve) => {
      stream.addEventListener('message', () => {})
      stream.addEventListener('remoteCloseWrite', () => resolve(undefined))
      stream.addEventListener('close', (event) => resolve(event.error))
      stream.send(Buffer.from('go'))
    })
    expect(error).toBeInstanceOf(Error)
    const data = randomBytes(1_000)
    expect(Buffer.compare(await echo(await connection.newStream(ECHO), data), data)).toBe(0)
  })

  test('closing a connection cuts nothing on either side', async () => {
    const [alice, bob] = await pair()
    const connection = await alice.libp2p.dial(bob.libp2p.getMultiaddrs())
    await echo(await connection.newStream(ECHO), randomBytes(100))
    await eventually(() => expect(bob.libp2p.getConnections()).toHaveLength(1))
    await connection.close()
    await eventually(() => expect(bob.libp2p.getConnections()).toHaveLength(0))
    expect([...alice.logger.codes(), ...bob.logger.codes()]).toEqual([])
  })

  test('a paused reader gets everything after it resumes', async () => {
    const [alice, bob] = await pair()
    const data = randomBytes(1 << 20)
    let sending = false
    await bob.libp2p.handle('/test/send/1', async (stream) => {
      stream.send(data)
      sending = true
      await stream.close()
    })
    const stream = await alice.libp2p.dialProtocol(bob.libp2p.getMultiaddrs(), '/test/send/1')
    const received: Uint8Array[] = []
    const ended = new Promise<void>((resolve) => stream.addEventListener('end', () => resolve()))
    stream.pause()
    stream.addEventListener('message', ({ data }) => received.push(data.subarray()))
    await eventually(() => expect(sending).toBe(true))
    stream.resume()
    await ended
    expect(Buffer.compare(Buffer.concat(received), data)).toBe(0)
  })
})

test('tcp: a connection that somebody ends in the middle fails its streams instead of ending them', async () => {
  const [alice, bob] = await Promise.all([start({ carrier: 'tcp' }), start({ carrier: 'tcp' })])
  const port = Number(
    bob.libp2p
      .getMultiaddrs()[0]
      ?.getComponents()
      .find(({ name }) => name === 'tcp')?.value,
  )
  const proxy = await cuttingProxy(port)
  try {
    const address = multiaddr(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${bob.libp2p.peerId}`)
    const stream = await alice.libp2p.dialProtocol(address, ECHO)
    const closed = new Promise<Error | undefined>((resolve) =>
      stream.addEventListener('close', ({ error }) => resolve(error)),
    )
    const echoed = new Promise((resolve) => stream.addEventListener('message', resolve, { once: true }))
    stream.send(Buffer.from('half of something'))
    await echoed
    proxy.cut()
    expect(await closed).toMatchObject({ reason: 'truncated' })
    await eventually(() => expect(bob.logger.codes()).toEqual(['truncated']))
    expect(alice.logger.codes()).toEqual(['truncated'])
  } finally {
    await proxy.close()
  }
})

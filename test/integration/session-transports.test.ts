/** Two real libp2p nodes over loopback: what the session layer carries, on TCP and on QUIC. */

import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { afterEach, describe, expect, test, vi } from 'vitest'
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
    await vi.waitFor(() => expect(bob.libp2p.getConnections()).toHaveLength(1))
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
    await vi.waitFor(() => expect(bob.announced).toHaveLength(1))
    expect(alice.peers.identityOf(connection)?.mlDsaPublicKey).toEqual(bob.keyPair.publicKey.raw)
    expect(bob.peers.identityOf(alice.libp2p.peerId.toString())?.mlDsaPublicKey).toEqual(
      alice.keyPair.publicKey.raw,
    )
    await connection.close()
    await vi.waitFor(() => expect([alice.peers.size, bob.peers.size]).toEqual([0, 0]))
    expect(alice.peers.identityOf(connection)).toBeUndefined()
  })
})

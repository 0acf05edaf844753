/**
 * Who is refused, on both carriers: before libp2p announces a connection, with the reason in our log, and
 * with the node as well as before.
 */

import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, describe, expect, test } from 'vitest'
import { selectMlDsa65, selectMlKem768 } from '../../src/crypto/select.ts'
import { HandshakeChannel } from '../../src/session/handshake-channel.ts'
import { InitiatorHandshake } from '../../src/session/handshake-initiator.ts'
import { POST_QUANTUM_NOISE } from '../../src/session/tcp-encrypter.ts'
import { eventually } from '../support/eventually.ts'
import { misbehavingNode, type Speech } from '../support/session/misbehaving-initiator.ts'
import {
  type Carrier,
  GENESIS,
  plainNode,
  type SessionNode,
  type SessionNodeOptions,
  sessionNode,
} from '../support/session/session-node.ts'

const PROTOCOL = '/test/hello/1'
const running: Libp2p[] = []

/** A node that answers one protocol and counts the streams that reach it. */
async function start(options: SessionNodeOptions): Promise<SessionNode & { streams: () => number }> {
  const node = await sessionNode(options)
  running.push(node.libp2p)
  let streams = 0
  await node.libp2p.handle(PROTOCOL, async (stream) => {
    streams += 1
    await stream.close()
  })
  return { ...node, streams: () => streams }
}

/** Fails unless the dial does, or the connection that the dialler believes in is closed by the other side. */
async function dialsInVain(dialler: Libp2p, target: SessionNode): Promise<void> {
  const signal = AbortSignal.timeout(20_000)
  const attempt = dialler.dialProtocol(target.libp2p.getMultiaddrs(), PROTOCOL, { signal })
  await expect(attempt).rejects.toThrow()
  expect(signal.aborted).toBe(false)
}

async function stillServes(node: SessionNode & { streams: () => number }, carrier: Carrier): Promise<void> {
  const friend = await start({ carrier })
  const before = node.streams()
  // Again, if a node with a short deadline finds a friend on a busy machine too slow.
  await eventually(() => friend.libp2p.dialProtocol(node.libp2p.getMultiaddrs(), PROTOCOL))
  await eventually(() => expect(node.streams()).toBe(before + 1))
}

async function read(channel: HandshakeChannel, kind: 'reply' | 'confirm'): Promise<Uint8Array> {
  const message = await channel.read(kind)
  if (!message.ok) throw new Error(message.code)
  return message.value
}

const untilClosed = (stream: MessageStream) =>
  new Promise<void>((resolve) => {
    stream.addEventListener('close', () => resolve())
    stream.addEventListener('end', () => resolve())
    // Without a listener an ended stream keeps what it has.
    stream.addEventListener('message', () => {})
  })

afterEach(async () => {
  await Promise.all(running.splice(0).map((libp2p) => libp2p.stop()))
})

describe.each<Carrier>(['tcp', 'quic'])('%s', (carrier) => {
  /** For those who are to miss the deadline. */
  const limits = { handshakeDeadlineMs: 400 }

  async function misbehaving(speech: Speech): Promise<Libp2p> {
    const libp2p = await misbehavingNode(carrier, speech)
    running.push(libp2p)
    return libp2p
  }

  test('a plain libp2p peer opens no stream', async () => {
    const node = await start({ carrier })
    const plain = await plainNode(carrier)
    running.push(plain)
    await dialsInVain(plain, node)
    await eventually(() => expect(node.logger.codes()).toContain('no-session-layer'))
    expect(node.announced).toEqual([])
    expect(node.streams()).toBe(0)
    await stillServes(node, carrier)
  })

  test('a plain libp2p peer is not dialled either', async () => {
    const node = await start({ carrier })
    const plain = await plainNode(carrier)
    running.push(plain)
    await expect(node.libp2p.dial(plain.getMultiaddrs())).rejects.toThrow()
    expect(node.logger.codes()).toHaveLength(1)
    expect(['no-session-layer', 'closed']).toContain(node.logger.codes()[0])
    expect(node.announced).toEqual([])
  })

  test('another genesis', async () => {
    const [ours, theirs] = await Promise.all([
      start({ carrier }),
      start({ carrier, genesisHash: Buffer.alloc(32, 8) }),
    ])
    await dialsInVain(theirs.libp2p, ours)
    await eventually(() => expect(ours.logger.codes()).toEqual(['wrong-genesis']))
    expect(theirs.logger.lines).toMatchObject([
      { level: 'warn', fields: { code: 'refused-by-remote', detail: 'its reason: wrong-genesis' } },
    ])
    expect([...ours.announced, ...theirs.announced]).toEqual([])
    expect(ours.streams()).toBe(0)
  })

  test('a stranger where only known keys are admitted; the policy sees what was proven', async () => {
    const candidates: unknown[] = []
    const picky = await start({
      carrier,
      admit: (candidate) => {
        candidates.push(candidate)
        return { reason: 'not a validator' }
      },
    })
    const stranger = await start({ carrier })
    await dialsInVain(stranger.libp2p, picky)
    await eventually(() => expect(picky.logger.lines).toHaveLength(1))
    expect(picky.logger.lines).toMatchObject([
      { level: 'debug', fields: { code: 'stranger', detail: 'not a validator', direction: 'inbound' } },
    ])
    expect(candidates).toEqual([
      {
        peerId: stranger.libp2p.peerId.toString(),
        mlDsaPublicKey: stranger.keyPair.publicKey.raw,
        address: '127.0.0.1',
        direction: 'inbound',
      },
    ])
    expect([...picky.announced, ...stranger.announced]).toEqual([])
    expect([picky.peers.size, stranger.peers.size]).toEqual([0, 0])
  })

  test('a stranger that we dial never sees our proof', async () => {
    const picky = await start({ carrier, admit: () => ({ reason: 'not a validator' }) })
    const stranger = await start({ carrier })
    await expect(picky.libp2p.dial(stranger.libp2p.getMultiaddrs())).rejects.toThrow()
    expect(picky.logger.codes()).toEqual(['stranger'])
    await eventually(() => expect(stranger.logger.codes()).toEqual(['refused-by-remote']))
    expect([...picky.announced, ...stranger.announced]).toEqual([])
  })

  test('a second identity key beside a live session of the same peer id', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const [node, first, second] = await Promise.all([
      start({ carrier }),
      start({ carrier, privateKey }),
      start({ carrier, privateKey }),
    ])
    await first.libp2p.dial(node.libp2p.getMultiaddrs())
    await dialsInVain(second.libp2p, node)
    await eventually(() => expect(node.logger.codes()).toEqual(['identity-conflict']))
    const identity = node.peers.identityOf(peerIdFromPrivateKey(privateKey).toString())
    expect(identity?.mlDsaPublicKey).toEqual(first.keyPair.publicKey.raw)
  })

  test('a recorded handshake, replayed by the same peer', async () => {
    const node = await start({ carrier })
    const recorded: Uint8Array[] = []
    const speech: Speech = async (stream, peerId) => {
      const handshake = new InitiatorHandshake({
        parties: {
          genesisHash: GENESIS,
          initiatorPeerId: peerId,
          responderPeerId: node.libp2p.peerId.toString(),
        },
        keyPair: selectMlDsa65().keyPairFromSeed(Buffer.alloc(32, 3)),
        mlDsa: selectMlDsa65(),
        mlKem: selectMlKem768(),
      })
      const channel = new HandshakeChannel(stream, AbortSignal.timeout(5_000))
      if (recorded.length === 0) {
        const hello = handshake.hello()
        channel.send(hello)
        expect(handshake.onReply(await read(channel, 'reply'))).toMatchObject({ ok: true })
        const proof = handshake.proof()
        channel.send(proof)
        expect(handshake.onConfirm(await read(channel, 'confirm'))).toMatchObject({ ok: true })
        recorded.push(hello, proof)
        return
      }
      const [hello, proof] = recorded
      if (hello === undefined || proof === undefined) throw new Error('nothing was recorded')
      channel.send(hello)
      await read(channel, 'reply')
      channel.send(proof)
      await untilClosed(stream)
    }
    const replayer = await misbehaving(speech)
    // The honest run is accepted, but the recorder then speaks unsealed and gets no stream.
    await dialsInVain(replayer, node)
    expect(recorded).toHaveLength(2)
    for (const connection of replayer.getConnections()) connection.abort(new Error('the recording is done'))
    await eventually(() => expect(node.peers.size).toBe(0))
    const announced = node.announced.length
    await dialsInVain(replayer, node)
    await eventually(() => expect(node.logger.codes()).toContain('not-authentic'))
    expect(node.announced).toHaveLength(announced)
    expect(node.streams()).toBe(0)
    await stillServes(node, carrier)
  })

  test('a peer that is silent after connecting, at the deadline', async () => {
    const node = await start({ carrier, limits })
    const silent = await misbehaving(untilClosed)
    await dialsInVain(silent, node)
    await eventually(() => expect(node.logger.codes()).toEqual(['too-slow']))
    expect(node.announced).toEqual([])
    await stillServes(node, carrier)
  })

  test('a peer that stops in the middle, at the deadline', async () => {
    const node = await start({ carrier, limits })
    const slow = await misbehaving(async (stream, peerId) => {
      const hello = honestHello(node, peerId)
      stream.send(hello.subarray(0, 700))
      await untilClosed(stream)
    })
    await dialsInVain(slow, node)
    await eventually(() => expect(node.logger.codes()).toEqual(['too-slow']))
    await stillServes(node, carrier)
  })

  test.each<[string, (node: SessionNode, peerId: string) => Uint8Array[], string[]]>([
    ['random bytes', () => [randomBytes(3_000)], ['no-session-layer', 'wrong-version', 'wrong-genesis']],
    ['zeros', () => [new Uint8Array(3_000)], ['no-session-layer']],
    ['another version', () => [Buffer.concat([Uint8Array.of(1, 9), randomBytes(1_224)])], ['wrong-version']],
    [
      'garbage for a proof',
      (node, peer) => [honestHello(node, peer), Buffer.concat([Uint8Array.of(3), randomBytes(5_277)])],
      ['not-authentic'],
    ],
    [
      'random bytes for a proof',
      (node, peer) => [honestHello(node, peer), new Uint8Array(6_000)],
      ['malformed'],
    ],
    [
      'an invalid encapsulation key',
      (node, peer) => [honestHello(node, peer).fill(255, 42)],
      ['invalid-encapsulation-key'],
    ],
    [
      'the hello again for a proof',
      (node, peer) => [honestHello(node, peer), honestHello(node, peer)],
      ['malformed'],
    ],
    ['a refusal', () => [Uint8Array.of(255, 77)], ['refused-by-remote']],
    [
      'a megabyte',
      () => [randomBytes(1 << 20).fill(1, 0, 1)],
      ['wrong-version', 'wrong-genesis', 'closed', 'noise-failed'],
    ],
  ])('%s', async (_, words, codes) => {
    const node = await start({ carrier })
    const babbler = await misbehaving(async (stream, peerId) => {
      for (const word of words(node, peerId)) stream.send(word)
      await untilClosed(stream)
    })
    await dialsInVain(babbler, node)
    await eventually(() => expect(node.logger.codes()).toHaveLength(1))
    expect(codes).toContain(node.logger.codes()[0])
    expect(node.announced).toEqual([])
    expect(node.peers.size).toBe(0)
    await stillServes(node, carrier)
  })

  test('a dial that we give up ourselves is no alarm', async () => {
    const node = await start({ carrier })
    const silent = await start({ carrier, admit: () => true })
    const signal = AbortSignal.abort()
    await expect(node.libp2p.dial(silent.libp2p.getMultiaddrs(), { signal })).rejects.toThrow()
    expect(node.logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
  })

  test('more handshakes at once than the limits allow', async () => {
    const node = await start({ carrier, limits: { ...limits, handshakesPerAddressMax: 2 } })
    const silent = await Promise.all(Array.from({ length: 4 }, () => misbehaving(untilClosed)))
    await Promise.all(silent.map((one) => dialsInVain(one, node)))
    await eventually(() => expect(node.logger.codes()).toHaveLength(4))
    expect(node.logger.codes().sort()).toEqual([
      'too-many-handshakes',
      'too-many-handshakes',
      'too-slow',
      'too-slow',
    ])
    await stillServes(node, carrier)
  })
})

test('tcp: a peer that negotiates the session layer and then speaks plain Noise', async () => {
  const node = await start({ carrier: 'tcp' })
  const plain = await plainNode('tcp', (components) =>
    Object.assign(noise()(components), { protocol: POST_QUANTUM_NOISE }),
  )
  running.push(plain)
  await dialsInVain(plain, node)
  await eventually(() => expect(node.logger.codes()).toEqual(['no-session-layer']))
  expect(node.announced).toEqual([])
})

function honestHello(node: SessionNode, peerId: string): Uint8Array {
  return new InitiatorHandshake({
    parties: {
      genesisHash: GENESIS,
      initiatorPeerId: peerId,
      responderPeerId: node.libp2p.peerId.toString(),
    },
    keyPair: selectMlDsa65().keyPairFromSeed(Buffer.alloc(32, 3)),
    mlDsa: selectMlDsa65(),
    mlKem: selectMlKem768(),
  }).hello()
}

/** The reader of Noise's packets: the same packets as the library's own, however they are cut, and no exception. */

import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MultiaddrConnection, SecuredConnection } from '@libp2p/interface'
import { type NoiseComponents, noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { LengthPrefixedDecoder, multiaddrConnectionPair } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { leanNoise, NoisePackets } from '../../../src/session/noise-packets.ts'
import { until } from '../../support/network-node.ts'
import { silent } from '../../support/session/fake-carrier.ts'

const packet = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength & 0xff), bytes])

const sizes = [1, 0, 3_400, 65_535, 0, 2, 700]
const bodies = sizes.map((size) => randomBytes(size))
const wire = Buffer.concat(bodies.map(packet))
const expected = bodies.filter(({ byteLength }) => byteLength > 0).map((body) => body.toString('hex'))

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += size) pieces.push(bytes.subarray(at, at + size))
  return pieces
}

const hex = (packets: Iterable<Uint8Array | Uint8ArrayList>): string[] =>
  [...packets].map((bytes) => Buffer.from(bytes.subarray()).toString('hex'))

describe.each([1, 2, 3, 1_000, 65_536, wire.byteLength])('cut every %i bytes', (size) => {
  test('gives the packets that were sent', () => {
    const reader = new NoisePackets()
    expect(cut(wire, size).flatMap((piece) => hex(reader.decode(piece)))).toEqual(expected)
  })

  test('gives them from one list of pieces as well', () => {
    const list = new Uint8ArrayList()
    list.appendAll(cut(wire, size))
    expect(hex(new NoisePackets().decode(list))).toEqual(expected)
  })
})

test('is the reader of the library, packet by packet', () => {
  const library = new LengthPrefixedDecoder({
    lengthDecoder: (data) => {
      if (data.byteLength < 2) throw new RangeError('too few bytes')
      return Buffer.from(data.subarray(0, 2)).readUInt16BE(0)
    },
    encodingLength: () => 2,
  })
  const ours = new NoisePackets()
  for (const piece of cut(wire, 1_777)) expect(hex(ours.decode(piece))).toEqual(hex(library.decode(piece)))
})

async function securedPair(): Promise<[SecuredConnection, SecuredConnection]> {
  const secure = async (
    how: 'secureInbound' | 'secureOutbound',
    connection: MultiaddrConnection,
  ): Promise<SecuredConnection> => {
    const privateKey = await generateKeyPair('Ed25519')
    const components: NoiseComponents = {
      privateKey,
      peerId: peerIdFromPrivateKey(privateKey),
      logger: { forComponent: () => silent },
      // Asked for nothing: muxers are not agreed on inside the handshake here.
      upgrader: {} as NoiseComponents['upgrader'],
    }
    return noise()(components)[how](connection, { skipStreamMuxerNegotiation: true })
  }
  const [outbound, inbound] = multiaddrConnectionPair()
  return await Promise.all([secure('secureOutbound', outbound), secure('secureInbound', inbound)])
}

/** How often the library made an error of the kind by which it learns that no packet is left. */
async function rangeErrorsWhile(run: () => Promise<void>): Promise<number> {
  const original = globalThis.RangeError
  let made = 0
  globalThis.RangeError = new Proxy(original, {
    apply: (target, self, args) => {
      made += 1
      return Reflect.apply(target, self, args)
    },
  })
  try {
    await run()
  } finally {
    globalThis.RangeError = original
  }
  return made
}

test.each([
  ['the library', () => undefined, 20],
  ['ours', leanNoise, 0],
] as const)('%s: messages through Noise, and errors made on the way', async (_name, install, errors) => {
  const [sender, receiver] = await securedPair()
  install(receiver.connection)
  const messages = Array.from({ length: 20 }, () => randomBytes(3_400))
  const received: Uint8Array[] = []
  receiver.connection.addEventListener('message', ({ data }) => received.push(data.subarray()))
  const made = await rangeErrorsWhile(async () => {
    for (const [i, message] of messages.entries()) {
      sender.connection.send(message)
      await until(() => received.length === i + 1, `message ${i}`)
    }
  })
  expect(hex(received)).toEqual(hex(messages))
  expect(made).toBe(errors)
})

test('half a packet that the library holds is not lost', () => {
  const decoder = { buffer: new Uint8ArrayList(Uint8Array.of(0)), decode: () => [] }
  const connection = { decoder }
  leanNoise(connection)
  expect(connection.decoder).toBe(decoder)
})

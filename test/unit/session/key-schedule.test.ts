import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, test } from 'vitest'
import {
  connectionSecrets,
  frameKey,
  handshakeKey,
  ratchet,
  type SessionRole,
  sessionSecret,
  streamSecrets,
} from '../../../src/session/key-schedule.ts'

const secret = Buffer.alloc(32, 1)
const transcript = Buffer.alloc(32, 2)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
/** RFC 5869 by another implementation. */
const oracle = (salt: Uint8Array, label: string) =>
  hex(hkdf(sha256, secret, salt, Buffer.from(`hypermesh/session/v1/${label}`), 32))

test('every key is HKDF-SHA-256 under its own label', () => {
  const none = new Uint8Array(0)
  expect(hex(handshakeKey(secret, transcript, 'reply'))).toBe(oracle(transcript, 'reply'))
  expect(hex(handshakeKey(secret, transcript, 'proof'))).toBe(oracle(transcript, 'proof'))
  expect(hex(handshakeKey(secret, transcript, 'confirm'))).toBe(oracle(transcript, 'confirm'))
  expect(hex(sessionSecret(secret, transcript))).toBe(oracle(transcript, 'session'))
  expect(hex(connectionSecrets(secret, 'initiator').send)).toBe(oracle(none, 'connection/initiator'))
  expect(hex(streamSecrets(secret, 'initiator', 'initiator', 5n).send)).toBe(
    oracle(none, 'stream/initiator/5/opener'),
  )
  expect(hex(frameKey(secret))).toBe(oracle(none, 'frame'))
  expect(hex(ratchet(secret))).toBe(oracle(none, 'ratchet'))
})

test('one side of a connection sends under what the other receives under', () => {
  const [initiator, responder] = [
    connectionSecrets(secret, 'initiator'),
    connectionSecrets(secret, 'responder'),
  ]
  expect([initiator.send, initiator.receive]).toEqual([responder.receive, responder.send])
})

describe.each<SessionRole>(['initiator', 'responder'])('a stream that the %s opens', (opener) => {
  test('has its two directions, seen alike from both sides', () => {
    const [one, other] = [
      streamSecrets(secret, 'initiator', opener, 1n),
      streamSecrets(secret, 'responder', opener, 1n),
    ]
    expect([one.send, one.receive]).toEqual([other.receive, other.send])
  })
})

test('no two keys are alike', () => {
  const keys = [
    ...(['reply', 'proof', 'confirm'] as const).map((message) => handshakeKey(secret, transcript, message)),
    sessionSecret(secret, transcript),
    sessionSecret(secret, Buffer.alloc(32, 3)),
    ...Object.values(connectionSecrets(secret, 'initiator')),
    ...(['initiator', 'responder'] as const).flatMap((opener) =>
      [0n, 1n, 10n, 2n ** 53n].flatMap((counter) =>
        Object.values(streamSecrets(secret, 'initiator', opener, counter)),
      ),
    ),
    frameKey(secret),
    ratchet(secret),
  ].map(hex)
  expect(new Set(keys).size).toBe(keys.length)
})

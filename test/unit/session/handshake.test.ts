/** The handshake's two state machines against each other, with everything on the wire altered in turn. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { nobleMlDsa65 } from '../../../src/crypto/ml-dsa-noble.ts'
import { nobleMlKem768 } from '../../../src/crypto/ml-kem-noble.ts'
import { selectMlDsa65, selectMlKem768 } from '../../../src/crypto/select.ts'
import { InitiatorHandshake } from '../../../src/session/handshake-initiator.ts'
import {
  encodeIdentity,
  encodeReply,
  encodeSealed,
  type HandshakeMessageKind,
  MESSAGE_BYTES,
} from '../../../src/session/handshake-messages.ts'
import { ResponderHandshake } from '../../../src/session/handshake-responder.ts'
import { handshakeKey } from '../../../src/session/key-schedule.ts'
import { sealBox } from '../../../src/session/sealed-box.ts'
import { Transcript } from '../../../src/session/transcript.ts'
import { InvariantViolation } from '../../../src/types/assert.ts'
import { flip, PARTIES, parameters, run } from '../../support/session/handshake-pair.ts'

describe('an honest handshake', () => {
  test('gives both sides one secret and the other identity', () => {
    const outcome = run()
    if (!outcome.ok) throw new Error(outcome.code)
    const [ours, theirs] = outcome.secrets
    expect(ours).toHaveLength(32)
    expect(Buffer.compare(ours, theirs)).toBe(0)
    expect(outcome.keys).toEqual([
      parameters({ seed: 2 }).keyPair.publicKey.raw,
      parameters({ seed: 1 }).keyPair.publicKey.raw,
    ])
  })

  test('gives another secret each time', () => {
    const [one, other] = [run(), run()]
    if (!one.ok || !other.ok) throw new Error('refused')
    expect(Buffer.compare(one.secrets[0], other.secrets[0])).not.toBe(0)
  })

  test('works between the native and the noble implementation', () => {
    const noble = { mlDsa: nobleMlDsa65, mlKem: nobleMlKem768 }
    expect(run(noble, { seed: 2 })).toMatchObject({ ok: true })
    expect(run({}, { ...noble, seed: 2 })).toMatchObject({ ok: true })
  })

  test('has messages of the documented sizes', () => {
    const sizes: Record<string, number> = {}
    run({}, { seed: 2 }, (kind, message) => {
      sizes[kind] = message.byteLength
      return message
    })
    expect(sizes).toEqual({ hello: 1226, reply: 6398, proof: 5278, confirm: 19 })
    expect({ ...sizes, refusal: 2 }).toEqual(MESSAGE_BYTES)
  })
})

describe('parties that do not agree', () => {
  test.each<[string, Parameters<typeof run>[1], string, string]>([
    ['another genesis', { parties: { genesisHash: Buffer.alloc(32, 8) } }, 'hello', 'wrong-genesis'],
    [
      'another initiator peer id',
      { parties: { initiatorPeerId: '12D3KooWMallory' } },
      'reply',
      'not-authentic',
    ],
    [
      'another responder peer id',
      { parties: { responderPeerId: '12D3KooWMallory' } },
      'reply',
      'not-authentic',
    ],
    [
      'peer ids the other way round',
      { parties: { initiatorPeerId: PARTIES.responderPeerId, responderPeerId: PARTIES.initiatorPeerId } },
      'reply',
      'not-authentic',
    ],
    [
      'peer ids cut elsewhere',
      { parties: { initiatorPeerId: '12D3KooWAlice1', responderPeerId: '2D3KooWBob' } },
      'reply',
      'not-authentic',
    ],
  ])('%s', (_, responder, at, code) => {
    expect(run({}, responder)).toEqual({ ok: false, at, code })
  })
})

/** One byte of every field of every message. */
const tampering: [HandshakeMessageKind, string, number, HandshakeMessageKind, string][] = [
  ['hello', 'kind', 0, 'hello', 'no-session-layer'],
  ['hello', 'version', 1, 'hello', 'wrong-version'],
  ['hello', 'genesis tag, first', 2, 'hello', 'wrong-genesis'],
  ['hello', 'genesis tag, last', 9, 'hello', 'wrong-genesis'],
  ['hello', 'nonce, first', 10, 'reply', 'not-authentic'],
  ['hello', 'nonce, last', 41, 'reply', 'not-authentic'],
  ['hello', 'encapsulation key, seed', -1, 'reply', 'not-authentic'],
  ['reply', 'kind', 0, 'reply', 'malformed'],
  ['reply', 'nonce, first', 1, 'reply', 'not-authentic'],
  ['reply', 'nonce, last', 32, 'reply', 'not-authentic'],
  ['reply', 'ciphertext, first', 33, 'reply', 'not-authentic'],
  ['reply', 'ciphertext, last', 1120, 'reply', 'not-authentic'],
  ['reply', 'sealed key', 1121, 'reply', 'not-authentic'],
  ['reply', 'sealed signature', 4000, 'reply', 'not-authentic'],
  ['reply', 'tag, first', -16, 'reply', 'not-authentic'],
  ['reply', 'tag, last', -1, 'reply', 'not-authentic'],
  ['proof', 'kind', 0, 'proof', 'malformed'],
  ['proof', 'sealed key', 1, 'proof', 'not-authentic'],
  ['proof', 'sealed signature', 3000, 'proof', 'not-authentic'],
  ['proof', 'tag', -1, 'proof', 'not-authentic'],
  ['confirm', 'kind', 0, 'confirm', 'malformed'],
  ['confirm', 'sealed word', 1, 'confirm', 'not-authentic'],
  ['confirm', 'tag', -1, 'confirm', 'not-authentic'],
]

test.each(tampering)('altered %s, %s: refused at the %4$s', (message, _, at, refusedAt, code) => {
  const outcome = run({}, { seed: 2 }, (kind, bytes) => (kind === message ? flip(bytes, at) : bytes))
  expect(outcome).toEqual({ ok: false, at: refusedAt, code })
})

describe.each(['hello', 'reply', 'proof', 'confirm'] as const)('a %s', (message) => {
  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['empty', () => new Uint8Array(0)],
    ['of its kind byte only', (bytes) => bytes.subarray(0, 1)],
    ['a byte short', (bytes) => bytes.subarray(0, -1)],
    ['a byte long', (bytes) => Buffer.concat([bytes, Uint8Array.of(0)])],
    ['of zeros', (bytes) => new Uint8Array(bytes.byteLength)],
    [
      'of random bytes behind its kind',
      (bytes) => Buffer.concat([bytes.subarray(0, 1), randomBytes(bytes.byteLength - 1)]),
    ],
  ])('that is %s is refused', (_, alter) => {
    const outcome = run({}, { seed: 2 }, (kind, bytes) => (kind === message ? alter(bytes) : bytes))
    expect(outcome).toMatchObject({ ok: false, at: message })
  })

  test('of another handshake is refused', () => {
    const recorded = new Map<HandshakeMessageKind, Uint8Array>()
    run({}, { seed: 2 }, (kind, bytes) => {
      recorded.set(kind, bytes)
      return bytes
    })
    const outcome = run({}, { seed: 2 }, (kind, bytes) =>
      kind === message ? (recorded.get(kind) ?? bytes) : bytes,
    )
    expect(outcome).toMatchObject({ ok: false, code: 'not-authentic' })
  })
})

describe('one who holds the keys of the channel but not the identity', () => {
  const mlDsa = selectMlDsa65()
  const mallory = mlDsa.keyPairFromSeed(Buffer.alloc(32, 66))
  const bob = mlDsa.keyPairFromSeed(Buffer.alloc(32, 2))

  /** A responder that shows `publicKey` with a signature made by `signer`. */
  function reply(
    hello: Uint8Array,
    publicKey: Uint8Array,
    sign: (transcript: Uint8Array) => Uint8Array,
  ): Uint8Array {
    const encapsulation = selectMlKem768().encapsulate(hello.subarray(42))
    if (!encapsulation.ok) throw new Error(encapsulation.code)
    const { ciphertext, sharedSecret } = encapsulation.value
    const nonce = randomBytes(32)
    const transcript = new Transcript(PARTIES)
    for (const item of [hello, nonce, ciphertext]) transcript.add(item)
    const agreed = transcript.digest()
    const identity = encodeIdentity({ publicKey, signature: sign(agreed) })
    const sealedIdentity = sealBox(handshakeKey(sharedSecret, agreed, 'reply'), identity)
    return encodeReply({ nonce, ciphertext, sealedIdentity })
  }

  const responder = SIGNATURE_CONTEXTS['session-responder']
  test.each<[string, Uint8Array, (transcript: Uint8Array) => Uint8Array]>([
    ['signs with its own key', bob.publicKey.raw, (t) => mallory.sign(t, responder)],
    ['signs another transcript', bob.publicKey.raw, () => bob.sign(randomBytes(32), responder)],
    [
      'uses a signature of the initiator role',
      bob.publicKey.raw,
      (t) => bob.sign(t, SIGNATURE_CONTEXTS['session-initiator']),
    ],
    ['uses a vote of the same bytes', bob.publicKey.raw, (t) => bob.sign(t, SIGNATURE_CONTEXTS.prepare)],
    ['signs with zeros', bob.publicKey.raw, () => new Uint8Array(3309)],
    ['shows a key of zeros', new Uint8Array(1952), (t) => bob.sign(t, responder)],
  ])('is refused when it %s', (_, publicKey, sign) => {
    const handshake = new InitiatorHandshake(parameters())
    const outcome = handshake.onReply(reply(handshake.hello(), publicKey, sign))
    expect(outcome).toMatchObject({ ok: false, code: 'invalid-signature' })
  })

  test('honest bytes by the same hand are accepted', () => {
    const handshake = new InitiatorHandshake(parameters())
    const outcome = handshake.onReply(
      reply(handshake.hello(), bob.publicKey.raw, (t) => bob.sign(t, responder)),
    )
    expect(outcome).toMatchObject({ ok: true, value: { mlDsaPublicKey: bob.publicKey.raw } })
  })

  test('a proof that is the reply reflected does not open', () => {
    const initiator = new InitiatorHandshake(parameters())
    const other = new ResponderHandshake(parameters({ seed: 2 }))
    const replied = other.onHello(initiator.hello())
    if (!replied.ok) throw new Error(replied.code)
    const reflected = encodeSealed('proof', replied.value.subarray(-5277))
    expect(other.onProof(reflected)).toMatchObject({ ok: false, code: 'not-authentic' })
  })
})

test('steps out of order are our own bug', () => {
  const initiator = new InitiatorHandshake(parameters())
  expect(() => initiator.onReply(new Uint8Array(MESSAGE_BYTES.reply))).toThrow(InvariantViolation)
  expect(() => initiator.proof()).toThrow(InvariantViolation)
  expect(() => initiator.onConfirm(new Uint8Array(MESSAGE_BYTES.confirm))).toThrow(InvariantViolation)
  const responder = new ResponderHandshake(parameters())
  expect(() => responder.onProof(new Uint8Array(MESSAGE_BYTES.proof))).toThrow(InvariantViolation)
  expect(() => responder.confirm()).toThrow(InvariantViolation)
})

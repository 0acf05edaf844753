/** Arbitrary bytes at every parser of the session layer: only refusals come out, never another throw. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { selectMlDsa65, selectMlKem768 } from '../../src/crypto/select.ts'
import { FrameOpener } from '../../src/session/frame-opener.ts'
import { FrameSealer } from '../../src/session/frame-sealer.ts'
import { HandshakeChannel } from '../../src/session/handshake-channel.ts'
import { InitiatorHandshake } from '../../src/session/handshake-initiator.ts'
import {
  encodeHello,
  type HandshakeMessageKind,
  KIND_BYTES,
  MESSAGE_BYTES,
} from '../../src/session/handshake-messages.ts'
import { ResponderHandshake } from '../../src/session/handshake-responder.ts'
import { FakeCarrier } from '../support/session/fake-carrier.ts'
import { PARTIES, parameters, run } from '../support/session/handshake-pair.ts'

const kinds = ['hello', 'reply', 'proof', 'confirm'] as const

/** Bytes of any length, and bytes that have a message's kind and size. */
const messages = (kind: HandshakeMessageKind) =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .uint8Array({ minLength: MESSAGE_BYTES[kind], maxLength: MESSAGE_BYTES[kind] })
      .map((bytes) => Uint8Array.from(bytes).fill(KIND_BYTES[kind], 0, 1)),
  )

const edits = fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 8 })

test.each(kinds)('any bytes for a %s are refused', (target) => {
  fc.assert(
    fc.property(messages(target), (bytes) => {
      const outcome = run({}, { seed: 2 }, (kind, message) => (kind === target ? bytes : message))
      expect(outcome.ok).toBe(false)
    }),
    { numRuns: 60 },
  )
})

test.each(kinds)('a %s with a few bytes changed is refused, or was not changed', (target) => {
  fc.assert(
    fc.property(edits, (changes) => {
      let changed = false
      const outcome = run({}, { seed: 2 }, (kind, message) => {
        if (kind !== target) return message
        const altered = Uint8Array.from(message)
        for (const { at, value } of changes) altered[at % altered.byteLength] = value
        changed = Buffer.compare(altered, message) !== 0
        return altered
      })
      expect(outcome.ok).toBe(!changed)
    }),
    { numRuns: 60 },
  )
})

test('any encapsulation key and any ciphertext are a value or a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1184, maxLength: 1184 }), (encapsulationKey) => {
      const message = encodeHello(PARTIES.genesisHash, { nonce: new Uint8Array(32), encapsulationKey })
      const reply = new ResponderHandshake(parameters()).onHello(message)
      expect(reply.ok || reply.code === 'invalid-encapsulation-key').toBe(true)
    }),
    { numRuns: 50 },
  )
  const pair = selectMlKem768().generate()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1200 }), (ciphertext) => {
      expect(pair.decapsulate(ciphertext).ok).toBe(ciphertext.byteLength === 1088)
    }),
    { numRuns: 200 },
  )
})

test('any public key and any signature are false or no key', () => {
  const mlDsa = selectMlDsa65()
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1950, maxLength: 1954 }),
      fc.uint8Array({ minLength: 3308, maxLength: 3310 }),
      (key, signature) => {
        expect(mlDsa.publicKey(key)?.verify(new Uint8Array(3), signature, new Uint8Array(3)) ?? false).toBe(
          false,
        )
      },
    ),
    { numRuns: 200 },
  )
})

test('any chunks on a handshake stream settle every read as a value', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.array(fc.uint8Array({ maxLength: 800 }), { maxLength: 12 }),
      async (kind, chunks) => {
        const raw = new FakeCarrier()
        const channel = new HandshakeChannel(raw, new AbortController().signal)
        const read = channel.read(kind)
        for (const chunk of chunks) raw.onData(chunk)
        raw.onRemoteCloseWrite()
        const message = await read
        const whole = Buffer.concat(chunks)
        expect(message.ok).toBe(whole[0] === KIND_BYTES[kind] && whole.byteLength >= MESSAGE_BYTES[kind])
      },
    ),
    { numRuns: 300 },
  )
})

describe('frames', () => {
  const secret = Buffer.alloc(32, 1)

  test('any bytes in any chunks give no data and never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
        const opener = new FrameOpener(secret)
        for (const chunk of chunks) {
          const opened = opener.open(chunk)
          expect(opened.data.byteLength).toBe(0)
          expect(opened.ended).toBe(false)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('what was sealed comes out, however it was written and however it is cut', () => {
    const writes = fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 8 })
    fc.assert(
      fc.property(
        writes,
        fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (data, cuts, framesPerKey) => {
          const sealer = new FrameSealer(secret, framesPerKey)
          const opener = new FrameOpener(secret, framesPerKey)
          const wire = Buffer.concat([...data.map((part) => sealer.seal(part).subarray()), sealer.sealEnd()])
          const received: Uint8Array[] = []
          let ended = false
          for (let at = 0, turn = 0; at < wire.byteLength; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1
            const opened = opener.open(wire.subarray(at, at + size))
            expect(opened.refusal).toBeUndefined()
            received.push(opened.data.subarray())
            ended = opened.ended
            at += size
          }
          expect(Buffer.compare(Buffer.concat(received), Buffer.concat(data))).toBe(0)
          expect(ended).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('with bytes changed, what comes out is a prefix of what was sealed, and there is no end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 5 }),
        edits,
        (data, changes) => {
          const sealer = new FrameSealer(secret)
          const wire = Buffer.concat([...data.map((part) => sealer.seal(part).subarray()), sealer.sealEnd()])
          const altered = Buffer.from(wire)
          for (const { at, value } of changes) altered[at % altered.byteLength] = value
          fc.pre(Buffer.compare(altered, wire) !== 0)
          const opened = new FrameOpener(secret).open(altered)
          const plain = Buffer.concat(data)
          expect(Buffer.compare(opened.data.subarray(), plain.subarray(0, opened.data.byteLength))).toBe(0)
          expect(opened.ended).toBe(false)
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('an initiator survives any reply', () => {
  fc.assert(
    fc.property(messages('reply'), (bytes) => {
      const handshake = new InitiatorHandshake(parameters())
      handshake.hello()
      expect(handshake.onReply(bytes).ok).toBe(false)
    }),
    { numRuns: 60 },
  )
})

/** Falcon-1024: the known answer of its submission, contexts, and that nothing malformed is ever valid or an error. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { falcon1024padded } from '@noble/post-quantum/falcon.js'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/codec/hex.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { FALCON_1024, falconKeyPair, verifyFalcon } from '../../../src/crypto/falcon.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { signatureVerifier } from '../../../src/crypto/verify-signature.ts'

const vector = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../vectors/falcon-1024.json'), 'utf8'),
) as { message: string; publicKey: string; signature: string }
const message = fromHex(vector.message)
const publicKey = fromHex(vector.publicKey)
const signature = fromHex(vector.signature)
const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

describe('the known answer', () => {
  it('has the lengths of the scheme, and verifies', () => {
    expect([publicKey.length, signature.length]).toEqual([
      FALCON_1024.publicKeyBytes,
      FALCON_1024.signatureBytes,
    ])
    expect(falcon1024padded.verify(signature, message, publicKey)).toBe(true)
    expect(falcon1024padded.verify(signature, flipped(message, 0), publicKey)).toBe(false)
  })
})

describe('a key', () => {
  const key = falconKeyPair(new Uint8Array(48).fill(3))
  const context = SIGNATURE_CONTEXTS['stake-attestation']
  const signed = key.sign(message, context)

  it('comes from its seed', () => {
    expect(falconKeyPair(new Uint8Array(48).fill(3)).publicKey).toEqual(key.publicKey)
    expect(signed).toHaveLength(FALCON_1024.signatureBytes)
  })

  it('signs for one purpose and one message', () => {
    expect(verifyFalcon(key.publicKey, message, signed, context)).toBe(true)
    expect(verifyFalcon(key.publicKey, message, signed, SIGNATURE_CONTEXTS['operator-key'])).toBe(false)
    expect(verifyFalcon(key.publicKey, flipped(message, 5), signed, context)).toBe(false)
    expect(verifyFalcon(publicKey, message, signed, context)).toBe(false)
    // Nothing can slide from the context into the message.
    const slid = new Uint8Array([...context.slice(-1), ...message])
    expect(verifyFalcon(key.publicKey, slid, signed, context.slice(0, -1))).toBe(false)
  })

  it('is not fooled by any flipped byte, and throws at nothing', () => {
    for (let at = 0; at < signed.length; at += 37) {
      expect(verifyFalcon(key.publicKey, message, flipped(signed, at), context)).toBe(false)
    }
    for (const length of [0, 1, 1_279, 1_281, 5_000]) {
      expect(verifyFalcon(key.publicKey, message, new Uint8Array(length), context)).toBe(false)
    }
    for (const fill of [0, 10, 255]) {
      expect(verifyFalcon(new Uint8Array(1_793).fill(fill), message, signed, context)).toBe(false)
      expect(verifyFalcon(key.publicKey, message, new Uint8Array(1_280).fill(fill), context)).toBe(false)
    }
    expect(verifyFalcon(new Uint8Array(1_952), message, signed, context)).toBe(false)
  })

  it('is checked by its scheme through the port of the ledger', () => {
    const verify = signatureVerifier(selectMlDsa65())
    expect(verify(key.publicKey, message, signed, 'stake-attestation', 'falcon-1024')).toBe(true)
    expect(verify(key.publicKey, message, signed, 'stake-attestation')).toBe(false)
    expect(verify(key.publicKey, message, signed, 'operator-key', 'falcon-1024')).toBe(false)
  })
})

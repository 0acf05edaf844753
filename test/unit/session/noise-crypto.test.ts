/** The ciphers of Noise: the same bytes as the library's own in pure JavaScript, both ways and in every shape. */

import { randomBytes } from 'node:crypto'
import { pureJsCrypto } from '@libp2p/noise'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { noiseCrypto } from '../../../src/session/noise-crypto.ts'

const key = randomBytes(32)
const nonce = randomBytes(12)
const associated = randomBytes(32)

const halves = (bytes: Uint8Array): Uint8ArrayList => {
  const middle = bytes.byteLength >> 1
  return new Uint8ArrayList(bytes.subarray(0, middle), bytes.subarray(middle))
}

describe.each([0, 1, 63, 1_199, 1_200, 3_400, 65_519])('%i bytes', (size) => {
  const plaintext = randomBytes(size)
  const sealed = pureJsCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, associated, key).subarray()

  test.each([plaintext, halves(plaintext)])('seal to the bytes of the reference', (given) => {
    const ours = noiseCrypto.chaCha20Poly1305Encrypt(given, nonce, associated, key).subarray()
    expect(Buffer.compare(ours, sealed)).toBe(0)
  })

  test.each([sealed, halves(sealed)])('open what the reference sealed', (given) => {
    const ours = noiseCrypto.chaCha20Poly1305Decrypt(given, nonce, associated, key).subarray()
    expect(Buffer.compare(ours, plaintext)).toBe(0)
  })
})

test.each(['text', 'tag', 'nonce', 'associated data', 'key'])('an altered %s does not open', (what) => {
  const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
    const copy = Uint8Array.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const sealed = noiseCrypto.chaCha20Poly1305Encrypt(randomBytes(50), nonce, associated, key).subarray()
  const given = what === 'text' ? flipped(sealed, 0) : what === 'tag' ? flipped(sealed, 65) : sealed
  expect(() =>
    noiseCrypto.chaCha20Poly1305Decrypt(
      given,
      what === 'nonce' ? flipped(nonce, 3) : nonce,
      what === 'associated data' ? flipped(associated, 3) : associated,
      what === 'key' ? flipped(key, 3) : key,
    ),
  ).toThrow()
})

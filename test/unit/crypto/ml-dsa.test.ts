/** ML-DSA-65: published answers, and the two implementations against each other in both directions. */

import { randomBytes } from 'node:crypto'
import { shake128 } from '@noble/hashes/sha3.js'
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { describe, expect, test } from 'vitest'
import type { MlDsa65 } from '../../../src/crypto/ml-dsa.ts'
import { nativeMlDsa65 } from '../../../src/crypto/ml-dsa-native.ts'
import { nobleMlDsa65 } from '../../../src/crypto/ml-dsa-noble.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { InvariantViolation } from '../../../src/types/assert.ts'
import { ACVP_ML_DSA_65_KEY_GEN, CCTV_ML_DSA_65_ACCUMULATED_100 } from '../../vectors/fips-203-204.ts'

const native = nativeMlDsa65()
const implementations: MlDsa65[] = native === undefined ? [nobleMlDsa65] : [native, nobleMlDsa65]
const pairs = implementations.flatMap((a) => implementations.map((b) => [a, b] as const))
const utf8 = new TextEncoder()
const message = utf8.encode('a message')
const context = utf8.encode('hypermesh/test/v1')
const none = new Uint8Array(0)

test('this runtime has the native implementation, and it is the one selected', () => {
  expect(native?.name).toBe('native')
  expect(selectMlDsa65().name).toBe('native')
})

describe.each(implementations)('$name', (mlDsa) => {
  test('derives the public key that NIST published for a seed', () => {
    const { seed, publicKeyHead, publicKeyTail } = ACVP_ML_DSA_65_KEY_GEN
    const raw = Buffer.from(mlDsa.keyPairFromSeed(Buffer.from(seed, 'hex')).publicKey.raw).toString('hex')
    expect(raw).toHaveLength(2 * 1952)
    expect(raw.startsWith(publicKeyHead)).toBe(true)
    expect(raw.endsWith(publicKeyTail)).toBe(true)
  })

  test('gives the accumulated keys and accepts the accumulated signatures of C2SP CCTV', () => {
    const source = shake128.create()
    const accumulator = shake128.create()
    for (let round = 0; round < 100; round += 1) {
      const seed = source.xof(32)
      const { publicKey } = mlDsa.keyPairFromSeed(seed)
      const signature = ml_dsa65.sign(none, ml_dsa65.keygen(seed).secretKey, { extraEntropy: false })
      accumulator.update(publicKey.raw).update(signature)
      expect(publicKey.verify(none, signature, none)).toBe(true)
    }
    expect(Buffer.from(accumulator.xof(32)).toString('hex')).toBe(CCTV_ML_DSA_65_ACCUMULATED_100)
  })

  test.each([0, 1, 1951, 1953, 4096])('has no public key of %i bytes', (bytes) => {
    expect(mlDsa.publicKey(randomBytes(bytes))).toBeUndefined()
  })

  test('takes any 1,952 bytes for a public key, under which nothing verifies', () => {
    const signature = mlDsa.keyPairFromSeed(randomBytes(32)).sign(message, context)
    for (const raw of [randomBytes(1952), new Uint8Array(1952), new Uint8Array(1952).fill(255)]) {
      expect(mlDsa.publicKey(raw)?.verify(message, signature, context)).toBe(false)
    }
  })

  test('keeps its own copy of a public key', () => {
    const pair = mlDsa.keyPairFromSeed(randomBytes(32))
    const raw = Uint8Array.from(pair.publicKey.raw)
    const key = mlDsa.publicKey(raw)
    raw.fill(0)
    expect(key?.raw).toEqual(pair.publicKey.raw)
    expect(key?.verify(message, pair.sign(message, context), context)).toBe(true)
  })

  test.each([0, 31, 33])('a seed of %i bytes is our own bug', (bytes) => {
    expect(() => mlDsa.keyPairFromSeed(randomBytes(bytes))).toThrow(InvariantViolation)
  })
})

describe.each(
  pairs.map(([signer, verifier]) => ({ signer, verifier, name: `${signer.name} → ${verifier.name}` })),
)('$name', ({ signer, verifier }) => {
  const seed = randomBytes(32)
  const pair = signer.keyPairFromSeed(seed)
  const key = verifier.publicKey(pair.publicKey.raw)
  const signature = pair.sign(message, context)
  const flipped = (at: number) => {
    const altered = Uint8Array.from(signature)
    altered[at] = (altered[at] ?? 0) ^ 1
    return altered
  }

  test('derive the same key and verify each other', () => {
    expect(verifier.keyPairFromSeed(seed).publicKey.raw).toEqual(Uint8Array.from(pair.publicKey.raw))
    expect(signature).toHaveLength(3309)
    expect(key?.verify(message, signature, context)).toBe(true)
  })

  test.each<[string, Uint8Array, Uint8Array, Uint8Array]>([
    ['another message', utf8.encode('a messagf'), signature, context],
    ['the empty message', none, signature, context],
    ['another context', message, signature, utf8.encode('hypermesh/test/v2')],
    ['no context', message, signature, none],
    ['a flipped bit in the challenge', message, flipped(0), context],
    ['a flipped bit in the response', message, flipped(1_000), context],
    ['a flipped bit in the hints', message, flipped(3_308), context],
    ['a short signature', message, signature.subarray(0, 3308), context],
    ['a long signature', message, Buffer.concat([signature, none, Uint8Array.of(0)]), context],
    ['an empty signature', message, none, context],
    ['random bytes', message, randomBytes(3309), context],
    ['zeros', message, new Uint8Array(3309), context],
  ])('refuse %s', (_, text, sig, ctx) => {
    expect(key?.verify(text, sig, ctx)).toBe(false)
  })

  test('accept contexts up to 255 bytes', () => {
    for (const ctx of [none, randomBytes(1), randomBytes(255)]) {
      expect(key?.verify(message, pair.sign(message, ctx), ctx)).toBe(true)
    }
  })
})

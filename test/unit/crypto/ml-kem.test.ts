/** ML-KEM-768: published answers, and the two implementations against each other in both directions. */

import { randomBytes } from 'node:crypto'
import { shake128 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { describe, expect, test } from 'vitest'
import type { MlKem768 } from '../../../src/crypto/ml-kem.ts'
import { nativeMlKem768 } from '../../../src/crypto/ml-kem-native.ts'
import { nobleMlKem768 } from '../../../src/crypto/ml-kem-noble.ts'
import { selectMlKem768 } from '../../../src/crypto/select.ts'
import { InvariantViolation } from '../../../src/types/assert.ts'
import { GO_ML_KEM_768_ACCUMULATED_100 } from '../../vectors/fips-203-204.ts'

const native = nativeMlKem768()
const implementations: MlKem768[] = native === undefined ? [nobleMlKem768] : [native, nobleMlKem768]
const pairs = implementations.flatMap((holder) =>
  implementations.map((sender) => ({ holder, sender, name: `${sender.name} → ${holder.name}` })),
)

test('this runtime has the native implementation, and it is the one selected', () => {
  expect(native?.name).toBe('native')
  expect(selectMlKem768().name).toBe('native')
})

describe.each(implementations)('$name', (mlKem) => {
  test("gives the accumulated keys, secrets and rejections of Go's crypto/mlkem", () => {
    const source = shake128.create()
    const accumulator = shake128.create()
    for (let round = 0; round < 100; round += 1) {
      const pair = mlKem.keyPairFromSeed(source.xof(64))
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(
        Uint8Array.from(pair.publicKey),
        source.xof(32),
      )
      const decapsulated = pair.decapsulate(cipherText)
      expect(decapsulated).toMatchObject({ ok: true })
      if (decapsulated.ok) expect(Buffer.compare(decapsulated.value, sharedSecret)).toBe(0)
      const rejected = pair.decapsulate(source.xof(1088))
      expect(rejected).toMatchObject({ ok: true })
      accumulator.update(pair.publicKey).update(cipherText).update(sharedSecret)
      if (rejected.ok) accumulator.update(rejected.value)
    }
    expect(Buffer.from(accumulator.xof(32)).toString('hex')).toBe(GO_ML_KEM_768_ACCUMULATED_100)
  })

  test('makes a fresh key each time', () => {
    expect(Buffer.compare(mlKem.generate().publicKey, mlKem.generate().publicKey)).not.toBe(0)
  })

  test.each<[string, Uint8Array]>([
    ['empty', new Uint8Array(0)],
    ['a byte short', randomBytes(1183)],
    ['a byte long', randomBytes(1185)],
    ['coefficients of 4,095', new Uint8Array(1184).fill(255)],
    ['one coefficient of q = 3,329', oneCoefficientOf(3329)],
  ])('refuses an encapsulation key that is %s', (_, key) => {
    expect(mlKem.encapsulate(key)).toMatchObject({ ok: false, code: 'invalid-encapsulation-key' })
  })

  test('takes an encapsulation key whose coefficient is q - 1', () => {
    expect(mlKem.encapsulate(oneCoefficientOf(3328))).toMatchObject({ ok: true })
  })

  test.each([0, 1, 1087, 1089, 4096])('refuses a ciphertext of %i bytes', (bytes) => {
    const pair = mlKem.generate()
    expect(pair.decapsulate(randomBytes(bytes))).toMatchObject({ ok: false, code: 'invalid-ciphertext' })
  })

  test.each([0, 32, 63, 65])('a seed of %i bytes is our own bug', (bytes) => {
    expect(() => mlKem.keyPairFromSeed(randomBytes(bytes))).toThrow(InvariantViolation)
  })
})

describe.each(pairs)('$name', ({ holder, sender }) => {
  test('agree on the secret', () => {
    const pair = holder.generate()
    expect(pair.publicKey).toHaveLength(1184)
    const sent = sender.encapsulate(pair.publicKey)
    if (!sent.ok) throw new Error(sent.detail)
    expect(sent.value.ciphertext).toHaveLength(1088)
    expect(sent.value.sharedSecret).toHaveLength(32)
    const received = pair.decapsulate(sent.value.ciphertext)
    expect(received.ok && Buffer.compare(received.value, sent.value.sharedSecret)).toBe(0)
  })

  test('an altered ciphertext gives another secret, the same for both', () => {
    const seed = randomBytes(64)
    const sent = sender.encapsulate(holder.keyPairFromSeed(seed).publicKey)
    if (!sent.ok) throw new Error(sent.detail)
    const altered = Uint8Array.from(sent.value.ciphertext)
    altered[500] = (altered[500] ?? 0) ^ 1
    const [one, other] = [holder, sender].map((mlKem) => mlKem.keyPairFromSeed(seed).decapsulate(altered))
    if (!one?.ok || !other?.ok) throw new Error('decapsulation never refuses 1,088 bytes')
    expect(Buffer.compare(one.value, other.value)).toBe(0)
    expect(Buffer.compare(one.value, sent.value.sharedSecret)).not.toBe(0)
  })
})

/** An encapsulation key of zeros but for its first 12-bit coefficient (FIPS 203 ByteEncode, little-endian). */
function oneCoefficientOf(value: number): Uint8Array {
  const key = new Uint8Array(1184)
  key[0] = value & 255
  key[1] = value >> 8
  return key
}

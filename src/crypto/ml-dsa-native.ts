/**
 * ML-DSA-65 by `node:crypto` (OpenSSL 3.5 in Node 24.7 and later). Keys enter as DER built by prefix: the
 * `raw-*` formats are younger than the algorithm. It does not fall back: `selectMlDsa65` does.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { assert } from '../types/assert.ts'
import { ML_DSA_65, type MlDsa65, type MlDsaKeyPair, type MlDsaPublicKey } from './ml-dsa.ts'

/** RFC 9881 §6: PrivateKeyInfo with id-ml-dsa-65 and the seed-only choice `[0] OCTET STRING (SIZE (32))`. */
const PKCS8_SEED_PREFIX = Buffer.from('3034020100300b060960864801650304031204228020', 'hex')

/** RFC 9881 §4: SubjectPublicKeyInfo with id-ml-dsa-65 and a BIT STRING of 1,952 bytes. */
const SPKI_PREFIX = Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex')

class NativePublicKey implements MlDsaPublicKey {
  readonly raw: Uint8Array
  readonly #key: KeyObject

  constructor(raw: Uint8Array, key: KeyObject) {
    this.raw = raw
    this.#key = key
  }

  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean {
    if (signature.byteLength !== ML_DSA_65.signatureBytes) return false
    return verify(null, message, { key: this.#key, context }, signature)
  }
}

class NativeKeyPair implements MlDsaKeyPair {
  readonly publicKey: MlDsaPublicKey
  readonly #privateKey: KeyObject

  constructor(privateKey: KeyObject) {
    const publicKey = createPublicKey(privateKey)
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    this.publicKey = new NativePublicKey(Uint8Array.from(spki.subarray(SPKI_PREFIX.byteLength)), publicKey)
    this.#privateKey = privateKey
  }

  sign(message: Uint8Array, context: Uint8Array): Uint8Array {
    return sign(null, message, { key: this.#privateKey, context })
  }
}

const implementation: MlDsa65 = {
  name: 'native',

  keyPairFromSeed(seed) {
    assert(seed.byteLength === ML_DSA_65.seedBytes, `an ML-DSA seed has 32 bytes, not ${seed.byteLength}`)
    const key = Buffer.concat([PKCS8_SEED_PREFIX, seed])
    return new NativeKeyPair(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  },

  publicKey(raw) {
    if (raw.byteLength !== ML_DSA_65.publicKeyBytes) return undefined
    const own = Uint8Array.from(raw)
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, own]), format: 'der', type: 'spki' })
    return new NativePublicKey(own, key)
  },
}

/** The native implementation, or undefined where this runtime's `node:crypto` has no ML-DSA. */
export function nativeMlDsa65(): MlDsa65 | undefined {
  try {
    generateKeyPairSync('ml-dsa-65')
    return implementation
  } catch {
    return undefined
  }
}

/**
 * ML-KEM-768 by `node:crypto` (OpenSSL 3.5 in Node 24.7 and later), keys as DER built by prefix. It does
 * not fall back: select.ts does.
 */

// What older runtimes lack is asked of the module as a whole: an import by its name would keep the package from loading there.
import crypto, { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { assert } from '../types/assert.ts'
import { ok, refuse } from '../types/errors.ts'
import { ML_KEM_768, type MlKem768, type MlKemKeyPair } from './ml-kem.ts'

/** RFC 9935 §4: SubjectPublicKeyInfo with id-alg-ml-kem-768 and a BIT STRING of 1,184 bytes. */
const SPKI_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex')

/** RFC 9935 §6: PrivateKeyInfo with id-alg-ml-kem-768 and the seed-only choice `[0] OCTET STRING (SIZE (64))`. */
const PKCS8_SEED_PREFIX = Buffer.from('3054020100300b060960864801650304040204428040', 'hex')

function keyPairOf(publicKey: KeyObject, privateKey: KeyObject): MlKemKeyPair {
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return {
    publicKey: spki.subarray(SPKI_PREFIX.byteLength),
    decapsulate(ciphertext) {
      if (ciphertext.byteLength !== ML_KEM_768.ciphertextBytes) {
        return refuse('invalid-ciphertext', `${ciphertext.byteLength} bytes instead of 1088`)
      }
      return ok(crypto.decapsulate(privateKey, ciphertext))
    },
  }
}

const implementation: MlKem768 = {
  name: 'native',

  generate() {
    const { publicKey, privateKey } = generateKeyPairSync('ml-kem-768')
    return keyPairOf(publicKey, privateKey)
  },

  keyPairFromSeed(seed) {
    assert(seed.byteLength === ML_KEM_768.seedBytes, `an ML-KEM seed has 64 bytes, not ${seed.byteLength}`)
    const key = Buffer.concat([PKCS8_SEED_PREFIX, seed])
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    return keyPairOf(createPublicKey(privateKey), privateKey)
  },

  encapsulate(raw) {
    if (raw.byteLength !== ML_KEM_768.publicKeyBytes) {
      return refuse('invalid-encapsulation-key', `${raw.byteLength} bytes instead of 1184`)
    }
    let publicKey: KeyObject
    try {
      publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
    } catch {
      // OpenSSL runs the modulus check of FIPS 203 §7.2 on import, and only a remote's bytes can fail it.
      return refuse('invalid-encapsulation-key', 'a coefficient is not below the modulus')
    }
    const { sharedKey, ciphertext } = crypto.encapsulate(publicKey)
    return ok({ ciphertext, sharedSecret: sharedKey })
  },
}

/** The native implementation, or undefined where this runtime's `node:crypto` has no ML-KEM. */
export function nativeMlKem768(): MlKem768 | undefined {
  try {
    generateKeyPairSync('ml-kem-768')
    return typeof crypto.encapsulate === 'function' ? implementation : undefined
  } catch {
    return undefined
  }
}

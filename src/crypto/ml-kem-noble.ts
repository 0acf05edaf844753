/** ML-KEM-768 by @noble/post-quantum: the portable fallback, and the oracle for the native implementation. */

import { randomBytes } from 'node:crypto'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { assert } from '../types/assert.ts'
import { ok, refuse } from '../types/errors.ts'
import { ML_KEM_768, type MlKem768, type MlKemKeyPair } from './ml-kem.ts'

function keyPairFromSeed(seed: Uint8Array): MlKemKeyPair {
  assert(seed.byteLength === ML_KEM_768.seedBytes, `an ML-KEM seed has 64 bytes, not ${seed.byteLength}`)
  const { publicKey, secretKey } = ml_kem768.keygen(seed)
  return {
    publicKey,
    decapsulate(ciphertext) {
      if (ciphertext.byteLength !== ML_KEM_768.ciphertextBytes) {
        return refuse('invalid-ciphertext', `${ciphertext.byteLength} bytes instead of 1088`)
      }
      return ok(ml_kem768.decapsulate(ciphertext, secretKey))
    },
  }
}

/** The noble implementation. */
export const nobleMlKem768: MlKem768 = {
  name: 'noble',
  generate: () => keyPairFromSeed(randomBytes(ML_KEM_768.seedBytes)),
  keyPairFromSeed,

  encapsulate(raw) {
    if (raw.byteLength !== ML_KEM_768.publicKeyBytes) {
      return refuse('invalid-encapsulation-key', `${raw.byteLength} bytes instead of 1184`)
    }
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(raw)
      return ok({ ciphertext: cipherText, sharedSecret })
    } catch {
      // With the length right, noble throws for the modulus check of FIPS 203 §7.2 only.
      return refuse('invalid-encapsulation-key', 'a coefficient is not below the modulus')
    }
  },
}

/**
 * ML-DSA-65 by @noble/post-quantum: the portable fallback, ten times slower than the runtime's own, and
 * the oracle that the native one is tested against.
 */

import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { assert } from '../types/assert.ts'
import { ML_DSA_65, type MlDsa65, type MlDsaPublicKey } from './ml-dsa.ts'

function publicKeyOf(raw: Uint8Array): MlDsaPublicKey {
  return {
    raw,
    verify(message, signature, context) {
      if (signature.byteLength !== ML_DSA_65.signatureBytes) return false
      return ml_dsa65.verify(signature, message, raw, { context })
    },
  }
}

/** The noble implementation. */
export const nobleMlDsa65: MlDsa65 = {
  name: 'noble',

  keyPairFromSeed(seed) {
    assert(seed.byteLength === ML_DSA_65.seedBytes, `an ML-DSA seed has 32 bytes, not ${seed.byteLength}`)
    const { publicKey, secretKey } = ml_dsa65.keygen(seed)
    return {
      publicKey: publicKeyOf(publicKey),
      sign: (message, context) => ml_dsa65.sign(message, secretKey, { context }),
    }
  },

  publicKey(raw) {
    return raw.byteLength === ML_DSA_65.publicKeyBytes ? publicKeyOf(Uint8Array.from(raw)) : undefined
  },
}

/**
 * The ledger's signature checks (types/signatures.ts) by this runtime's ML-DSA, and Falcon. Keeps imported keys, because an
 * import costs as much as a verification; keeps no result: what was valid once is checked again where it matters.
 */

import { unreachable } from '../types/assert.ts'
import type { VerifySignature } from '../types/signatures.ts'
import { SIGNATURE_CONTEXTS } from './contexts.ts'
import { verifyFalcon } from './falcon.ts'
import type { MlDsa65, MlDsaPublicKey } from './ml-dsa.ts'

/** More than a validator set and the accounts that are busy at once. */
const KEYS_MAX = 1_024

/** @returns a check that is false, never an error, for keys and signatures of another length */
export function signatureVerifier(mlDsa: MlDsa65): VerifySignature {
  const keys = new Map<string, MlDsaPublicKey>()
  const imported = (raw: Uint8Array): MlDsaPublicKey | undefined => {
    const name = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1')
    const known = keys.get(name)
    if (known !== undefined) return known
    const key = mlDsa.publicKey(raw)
    if (key === undefined) return undefined
    if (keys.size >= KEYS_MAX) {
      const oldest = keys.keys().next().value
      if (oldest !== undefined) keys.delete(oldest)
    }
    keys.set(name, key)
    return key
  }
  return (publicKey, payload, signature, context, scheme = 'ml-dsa-65') => {
    switch (scheme) {
      case 'ml-dsa-65':
        return imported(publicKey)?.verify(payload, signature, SIGNATURE_CONTEXTS[context]) ?? false
      case 'falcon-1024':
        return verifyFalcon(publicKey, payload, signature, SIGNATURE_CONTEXTS[context])
      default:
        return unreachable(scheme)
    }
  }
}

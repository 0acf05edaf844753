/**
 * Signatures that cannot be forged inside the simulation: a hash under a secret that only the signer's code
 * path uses. They have the length of real ones, so that the real encodings carry them.
 */
import { hash } from 'node:crypto'
import { SIGNATURE_BYTES } from '../../src/codec/certificates.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../src/crypto/ml-dsa.ts'
import type { SignedKind } from '../../src/crypto/signer.ts'
import type { VerifySignature } from '../../src/types/signatures.ts'

const DIGEST_BYTES = 32

function digest(validator: number, payload: Uint8Array, context: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(validator), context, payload]), 'buffer')
}

export function toySign(validator: number, payload: Uint8Array, kind: SignedKind): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_BYTES)
  signature.set(digest(validator, payload, SIGNATURE_CONTEXTS[kind]))
  return signature
}

export function isToySignature(
  validator: number,
  kind: SignedKind,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  return digest(validator, payload, SIGNATURE_CONTEXTS[kind]).equals(signature.subarray(0, DIGEST_BYTES))
}

/** A key pair for the node's real Signer. */
export function toyKeyPair(validator: number): MlDsaKeyPair {
  return {
    publicKey: { raw: toyPublicKey(validator), verify: () => false },
    sign: (payload, context) => {
      const signature = new Uint8Array(SIGNATURE_BYTES)
      signature.set(digest(validator, payload, context))
      return signature
    },
  }
}

/** A public key of the right length that tells whose it is. */
export function toyPublicKey(validator: number): Uint8Array {
  return new Uint8Array(1_952).fill(validator)
}

/** The ledger's signature check (evidence). */
export const verifyToySignature: VerifySignature = (publicKey, payload, signature, context) =>
  digest(publicKey[0] ?? 0, payload, SIGNATURE_CONTEXTS[context]).equals(signature.subarray(0, DIGEST_BYTES))

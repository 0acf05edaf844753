/**
 * Signatures that cannot be forged inside the simulation: a hash under a secret that only the signer's code
 * path uses. They have the length of real ones, so that the real encodings carry them.
 */
import { hash } from 'node:crypto'
import { SIGNATURE_BYTES } from '../../src/codec/certificates.ts'
import { PUBLIC_KEY_BYTES } from '../../src/codec/genesis.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../src/crypto/ml-dsa.ts'
import type { SignedKind } from '../../src/crypto/signer.ts'
import type { SignatureCheck } from '../../src/runtime/ports.ts'
import type { VerifySignature } from '../../src/types/signatures.ts'
import type { ValidatorSet } from '../../src/types/validator-set.ts'

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

/** Whose key a public key is: the first byte says it. */
export const ownerOf = (publicKey: Uint8Array): number => (publicKey[0] ?? 0) - 1

/** The public key of a validator, by its index in genesis. */
export function toyPublicKey(validator: number): Uint8Array {
  const key = new Uint8Array(PUBLIC_KEY_BYTES)
  key[0] = validator + 1
  return key
}

/** Checks signatures of a set, whoever stands where in it. */
export function toySignatureCheck(set: ValidatorSet): SignatureCheck {
  return {
    isValid: (index, kind, payload, signature) => {
      const key = set.validators[index]?.publicKey
      return key !== undefined && isToySignature(ownerOf(key), kind, payload, signature)
    },
  }
}

/** What the ledger checks signatures with. */
export const verifyToySignature: VerifySignature = (publicKey, payload, signature, context) =>
  digest(ownerOf(publicKey), payload, SIGNATURE_CONTEXTS[context]).equals(signature.subarray(0, DIGEST_BYTES))

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

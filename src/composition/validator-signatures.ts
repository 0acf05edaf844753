/** Checks consensus signatures with the validator set's keys, imported once. Counts nothing, caches no result. */
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import type { MlDsa65, MlDsaPublicKey } from '../crypto/ml-dsa.ts'
import type { SignedKind } from '../crypto/signer.ts'
import { assert } from '../types/assert.ts'
import type { ValidatorSet } from '../types/validator-set.ts'

export class ValidatorSignatures {
  readonly #keys: readonly MlDsaPublicKey[]

  constructor(mlDsa: MlDsa65, set: ValidatorSet) {
    this.#keys = set.validators.map(({ publicKey }) => {
      const key = mlDsa.publicKey(publicKey)
      assert(key !== undefined, 'genesis has public keys of the right length')
      return key
    })
  }

  isValid(validator: number, kind: SignedKind, payload: Uint8Array, signature: Uint8Array): boolean {
    return this.#keys[validator]?.verify(payload, signature, SIGNATURE_CONTEXTS[kind]) ?? false
  }
}

/**
 * ML-DSA-65 (FIPS 204) as this node uses it: keys from 32-byte seeds, always with a context string. Two
 * implementations agree in both directions; select.ts takes the runtime's own where there is one.
 */

/** FIPS 204 table 2, ML-DSA-65; all in bytes. */
export const ML_DSA_65 = { seedBytes: 32, publicKeyBytes: 1952, signatureBytes: 3309 } as const

/** A public key, imported once and used for many verifications. */
export interface MlDsaPublicKey {
  /** Raw FIPS 204 encoding, 1,952 bytes. */
  readonly raw: Uint8Array
  /**
   * FIPS 204 algorithm 3.
   *
   * @param message the signed payload
   * @param signature 3,309 bytes; any other length is false
   * @param context the message type's context string, at most 255 bytes (see contexts.ts)
   */
  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean
}

/** A key pair that can sign. The seed and expanded key stay inside. */
export interface MlDsaKeyPair {
  readonly publicKey: MlDsaPublicKey
  /** FIPS 204 algorithm 2, hedged. Returns 3,309 bytes. */
  sign(message: Uint8Array, context: Uint8Array): Uint8Array
}

/** One implementation of ML-DSA-65. */
export interface MlDsa65 {
  readonly name: 'native' | 'noble'
  /**
   * FIPS 204 algorithm 6 with the given ξ.
   *
   * @param seed 32 bytes; another length is our own bug
   */
  keyPairFromSeed(seed: Uint8Array): MlDsaKeyPair
  /**
   * Imports a raw public key, which may come from a remote.
   *
   * @returns undefined unless it is 1,952 bytes
   */
  publicKey(raw: Uint8Array): MlDsaPublicKey | undefined
}

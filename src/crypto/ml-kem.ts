/**
 * ML-KEM-768 (FIPS 203) as the session handshake uses it: one fresh key pair per handshake. A remote's
 * malformed key or ciphertext is a refusal value; a tampered ciphertext of the right length is none: by
 * FIPS 203 it yields an unrelated secret, which the handshake notices when nothing opens under it.
 */

import type { Result } from '../types/errors.ts'

/** FIPS 203 table 3, ML-KEM-768; all in bytes. */
export const ML_KEM_768 = {
  seedBytes: 64,
  publicKeyBytes: 1184,
  ciphertextBytes: 1088,
  sharedSecretBytes: 32,
} as const

/** A decapsulation key with its public half. */
export interface MlKemKeyPair {
  /** Raw encapsulation key, 1,184 bytes. */
  readonly publicKey: Uint8Array
  /**
   * FIPS 203 algorithm 21.
   *
   * @returns the 32-byte shared secret, or a refusal unless the ciphertext has 1,088 bytes (§7.3)
   */
  decapsulate(ciphertext: Uint8Array): Result<Uint8Array, 'invalid-ciphertext'>
}

/** What encapsulation gives. */
export interface MlKemEncapsulation {
  /** 1,088 bytes, for the other side. */
  readonly ciphertext: Uint8Array
  /** 32 bytes, for us. */
  readonly sharedSecret: Uint8Array
}

/** One implementation of ML-KEM-768. */
export interface MlKem768 {
  readonly name: 'native' | 'noble'
  /** FIPS 203 algorithm 19 with fresh randomness. */
  generate(): MlKemKeyPair
  /**
   * FIPS 203 algorithm 16 with d‖z given; for known answers.
   *
   * @param seed 64 bytes; another length is our own bug
   */
  keyPairFromSeed(seed: Uint8Array): MlKemKeyPair
  /**
   * FIPS 203 algorithm 20.
   *
   * @param publicKey a remote's key; a refusal unless it has 1,184 bytes and passes the modulus check (§7.2)
   */
  encapsulate(publicKey: Uint8Array): Result<MlKemEncapsulation, 'invalid-encapsulation-key'>
}

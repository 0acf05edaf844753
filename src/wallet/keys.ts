/** All keys of a wallet from its one seed: what spends, what recognises a spent note, what is paid to, what opens notes. */
import type { MlKem768, MlKemKeyPair } from '../crypto/ml-kem.ts'
import { selectMlKem768 } from '../crypto/select.ts'
import { sha256Tagged } from '../shielded/hash/sha256.ts'
import { deriveSpendingKey, nullifierKeyOf, ownerOf } from '../shielded/notes/keys.ts'
import { assert } from '../types/assert.ts'
import { WALLET_TAGS } from './tags.ts'

/** Bytes of a master seed. */
export const MASTER_SEED_BYTES = 32

/** A wallet's keys. All but `owner` and the public half of `kem` are secret. */
export interface WalletKeys {
  /** Spends; 32 bytes. */
  readonly spendingKey: Uint8Array
  /** Tells which notes are spent; 32 bytes. */
  readonly nullifierKey: Uint8Array
  /** What notes name the wallet by; 32 bytes. */
  readonly owner: Uint8Array
  /** ML-KEM-768: opens what is sent along with a note. */
  readonly kem: MlKemKeyPair
}

/**
 * @param seed {@link MASTER_SEED_BYTES} from the system's random source
 * @param mlKem default: this runtime's. Every implementation gives the same keys
 */
export function walletKeys(seed: Uint8Array, mlKem: MlKem768 = selectMlKem768()): WalletKeys {
  assert(
    seed.length === MASTER_SEED_BYTES,
    `a master seed has ${MASTER_SEED_BYTES} bytes, not ${seed.length}`,
  )
  const spendingKey = deriveSpendingKey(seed)
  const half = (index: number) => sha256Tagged(WALLET_TAGS.mlKemSeed, seed, Uint8Array.of(index))
  return {
    spendingKey,
    nullifierKey: nullifierKeyOf(spendingKey),
    owner: ownerOf(spendingKey),
    // FIPS 203 algorithm 16: d, then z.
    kem: mlKem.keyPairFromSeed(Uint8Array.of(...half(0), ...half(1))),
  }
}

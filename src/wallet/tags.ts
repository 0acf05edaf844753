/** What the wallet's own hashes and keys are made under: no ledger knows them, so they are not in codec/domains.ts. */

/** Tags of SHA-256 with lengths (shielded/hash/sha256.ts), and of HKDF. */
export const WALLET_TAGS = {
  mlKemSeed: 'hypermesh/wallet/ml-kem-seed/v1',
  addressChecksum: 'hypermesh/wallet/address-checksum/v1',
  noteKey: 'hypermesh/wallet/note-key/v1',
} as const

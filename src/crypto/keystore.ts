/**
 * A node's two keys on disk, as 32-byte seeds: the ML-DSA-65 identity and the Ed25519 network key that makes
 * the libp2p peer id. Never an expanded key: its length differs between runtimes, the seed's does not. It
 * does not know where the files lie.
 */

import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { fromHex, isHex, toHex } from '../codec/hex.ts'
import type { BallotSlot } from '../types/ballots.ts'
import type { GenesisHash, Hex32 } from '../types/primitives.ts'
import { ballotSalts } from './ballot-salt.ts'
import { KeystoreError, readSecretFile, writeSecretFile } from './key-file.ts'
import { ML_DSA_65, type MlDsa65, type MlDsaKeyPair } from './ml-dsa.ts'

/** What an identity is for. */
export type IdentityRole = 'validator' | 'node'

/** An identity with its key ready to sign. */
export interface Identity {
  readonly role: IdentityRole
  readonly keyPair: MlDsaKeyPair
  /** Salts of its ballots on a network; what they are made from stays in here. */
  readonly ballotSalts: (genesisHash: GenesisHash) => (slot: BallotSlot) => Hex32
}

/** An Ed25519 key, RFC 8032. */
export interface NetworkKey {
  /** Secret seed, 32 bytes. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

const VERSION = 1
const SEED_BYTES = 32
const ED25519_PUBLIC_KEY_BYTES = 32

/** RFC 8410 §7: PrivateKeyInfo of an Ed25519 seed; §4: the SubjectPublicKeyInfo prefix has 12 bytes. */
const ED25519_PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const ED25519_SPKI_PREFIX_BYTES = 12

interface KeyFile {
  readonly scheme: 'ml-dsa-65' | 'ed25519'
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  readonly role: string | undefined
}

/**
 * Makes a new identity and keeps it.
 *
 * @throws KeystoreError, E_KEY_EXISTS among others: a key is never overwritten
 */
export async function createIdentity(path: string, role: IdentityRole, mlDsa: MlDsa65): Promise<Identity> {
  const seed = randomBytes(SEED_BYTES)
  const keyPair = mlDsa.keyPairFromSeed(seed)
  await write(path, { scheme: 'ml-dsa-65', seed, publicKey: keyPair.publicKey.raw, role })
  return identityOf(role, seed, keyPair)
}

/** Loads an identity. @throws KeystoreError with what is wrong and what to do */
export async function loadIdentity(path: string, mlDsa: MlDsa65): Promise<Identity> {
  const file = await read(path, 'ml-dsa-65', ML_DSA_65.publicKeyBytes)
  if (file.role !== 'validator' && file.role !== 'node')
    throw malformed(path, 'its role is not validator or node')
  const keyPair = mlDsa.keyPairFromSeed(file.seed)
  requireMatch(path, keyPair.publicKey.raw, file.publicKey)
  return identityOf(file.role, file.seed, keyPair)
}

function identityOf(role: IdentityRole, seed: Uint8Array, keyPair: MlDsaKeyPair): Identity {
  return { role, keyPair, ballotSalts: (genesisHash) => ballotSalts(seed, genesisHash) }
}

/** Makes a new network key and keeps it. @throws KeystoreError, E_KEY_EXISTS among others */
export async function createNetworkKey(path: string): Promise<NetworkKey> {
  const key = networkKeyFromSeed(randomBytes(SEED_BYTES))
  await write(path, { scheme: 'ed25519', ...key, role: undefined })
  return key
}

/** Loads a network key. @throws KeystoreError with what is wrong and what to do */
export async function loadNetworkKey(path: string): Promise<NetworkKey> {
  const file = await read(path, 'ed25519', ED25519_PUBLIC_KEY_BYTES)
  const key = networkKeyFromSeed(file.seed)
  requireMatch(path, key.publicKey, file.publicKey)
  return key
}

/** @param seed 32 bytes */
export function networkKeyFromSeed(seed: Uint8Array): NetworkKey {
  const der = Buffer.concat([ED25519_PKCS8_PREFIX, seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { seed, publicKey: Uint8Array.from(spki.subarray(ED25519_SPKI_PREFIX_BYTES)) }
}

async function write(path: string, { scheme, seed, publicKey, role }: KeyFile): Promise<void> {
  const file = { version: VERSION, scheme, role, publicKey: toHex(publicKey), seed: toHex(seed) }
  await writeSecretFile(path, `${JSON.stringify(file, null, 2)}\n`)
}

async function read(path: string, scheme: KeyFile['scheme'], publicKeyBytes: number): Promise<KeyFile> {
  const text = await readSecretFile(path)
  let file: Record<string, unknown>
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null) throw malformed(path, 'it is not a JSON object')
    file = { ...parsed }
  } catch (error) {
    // Not the parser's message: it quotes the text, and the text is a secret.
    throw error instanceof KeystoreError ? error : malformed(path, 'it is not JSON')
  }
  const { version, seed, publicKey, role } = file
  if (version !== VERSION) throw malformed(path, `its version is not ${VERSION}`)
  if (file['scheme'] !== scheme) throw malformed(path, `its scheme is not ${scheme}`)
  if (typeof seed !== 'string' || !isHex(seed, SEED_BYTES))
    throw malformed(path, 'its seed is not 32 bytes of hex')
  if (typeof publicKey !== 'string' || !isHex(publicKey, publicKeyBytes)) {
    throw malformed(path, `its public key is not ${publicKeyBytes} bytes of hex`)
  }
  return {
    scheme,
    seed: fromHex(seed),
    publicKey: fromHex(publicKey),
    role: typeof role === 'string' ? role : undefined,
  }
}

function malformed(path: string, why: string): KeystoreError {
  return new KeystoreError('E_KEY_MALFORMED', `the key file ${path} cannot be used`, {
    why,
    fix: 'restore it from your backup',
  })
}

function requireMatch(path: string, derived: Uint8Array, stored: Uint8Array): void {
  if (Buffer.compare(derived, stored) === 0) return
  throw new KeystoreError('E_KEY_MISMATCH', `the key file ${path} contradicts itself`, {
    why: 'the public key does not come from the seed: one of the two was changed',
    fix: 'restore the file from your backup',
  })
}

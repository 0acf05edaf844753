/** The two keys of a node in its data directory: which files they are, how they are made, what may be shown of them. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { validatorId } from '../codec/genesis.ts'
import { toHex } from '../codec/hex.ts'
import { dataDirectoryAt, makeKeysFolder, requireInitialised } from '../config/data-directory.ts'
import {
  createIdentity,
  createNetworkKey,
  type Identity,
  type IdentityRole,
  loadIdentity,
  loadNetworkKey,
  type NetworkKey,
} from '../crypto/keystore.ts'
import { selectMlDsa65 } from '../crypto/select.ts'
import { networkKeyFromSeed } from '../network/network-key.ts'
import type { ValidatorId } from '../types/primitives.ts'

/** ML-DSA-65: who the node is; a validator signs its votes with it. */
export function identityKeyFile(keys: string): string {
  return join(keys, 'identity.json')
}

/** Ed25519: what libp2p makes the peer id of. */
export function networkKeyFile(keys: string): string {
  return join(keys, 'network.json')
}

/** The public side of a node's keys. */
export interface PublicKeys {
  readonly role: IdentityRole
  /** Hash of the ML-DSA key; names the validator in genesis, or the node to its peers. */
  readonly id: ValidatorId
  /** ML-DSA-65, 1,952 bytes. */
  readonly publicKey: Uint8Array
  /** Of libp2p, base58. */
  readonly peerId: string
}

async function publicKeysOf(identity: Identity, networkKey: NetworkKey): Promise<PublicKeys> {
  const publicKey = identity.keyPair.publicKey.raw
  const { peerId } = await networkKeyFromSeed(networkKey.seed)
  return { role: identity.role, id: validatorId(publicKey), publicKey, peerId }
}

/** Makes both keys. @throws KeystoreError (77), `E_KEY_EXISTS` among others: a key is never overwritten */
export async function createNodeKeys(data: string, role: IdentityRole): Promise<PublicKeys> {
  const directory = dataDirectoryAt(data)
  makeKeysFolder(directory)
  const { keys } = directory
  const identity = await createIdentity(identityKeyFile(keys), role, selectMlDsa65())
  return publicKeysOf(identity, await createNetworkKey(networkKeyFile(keys)))
}

/**
 * The keys that are there, with any that is missing made: `keys new` may have been first, or an `init` that was
 * interrupted.
 * @param role of an identity that is made; one that is there keeps its own
 * @throws KeystoreError (77)
 */
export async function takeNodeKeys(data: string, role: IdentityRole): Promise<PublicKeys> {
  const directory = dataDirectoryAt(data)
  makeKeysFolder(directory)
  const { keys } = directory
  const identityFile = identityKeyFile(keys)
  const networkFile = networkKeyFile(keys)
  const mlDsa = selectMlDsa65()
  const identity = existsSync(identityFile)
    ? await loadIdentity(identityFile, mlDsa)
    : await createIdentity(identityFile, role, mlDsa)
  const networkKey = existsSync(networkFile)
    ? await loadNetworkKey(networkFile)
    : await createNetworkKey(networkFile)
  return publicKeysOf(identity, networkKey)
}

/** Whether an identity is there already. */
export function hasIdentity(data: string): boolean {
  return existsSync(identityKeyFile(dataDirectoryAt(data).keys))
}

/** @throws KeystoreError (77) when a key is missing or unfit, DataDirectoryError (73) when there is no node */
export async function readPublicKeys(data: string): Promise<PublicKeys> {
  const directory = dataDirectoryAt(data)
  const { keys } = directory
  // "keys new" makes keys before there is a node.
  if (!existsSync(identityKeyFile(keys))) requireInitialised(directory)
  const identity = await loadIdentity(identityKeyFile(keys), selectMlDsa65())
  return publicKeysOf(identity, await loadNetworkKey(networkKeyFile(keys)))
}

/** For `--json`. */
export function publicKeysJson(keys: PublicKeys): object {
  return { role: keys.role, id: keys.id, publicKey: toHex(keys.publicKey), peerId: keys.peerId }
}

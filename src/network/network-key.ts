/** The node's libp2p key: Ed25519 from a 32-byte seed (network.md, "Identity"). It is not the ML-DSA identity. */

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { assert } from '../types/assert.ts'

/** The network key with the peer id that follows from it. */
export interface NetworkKey {
  readonly privateKey: Ed25519PrivateKey
  /** Base58. */
  readonly peerId: string
}

/** @param seed 32 bytes; another length is our own bug */
export async function networkKeyFromSeed(seed: Uint8Array): Promise<NetworkKey> {
  assert(seed.byteLength === 32, `a network key seed has 32 bytes, not ${seed.byteLength}`)
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed)
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString() }
}

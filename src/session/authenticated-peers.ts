/**
 * Which live connection's peer id belongs to which authenticated ML-DSA-65 identity key. Filled by the
 * handshake before libp2p announces a connection, emptied when the last connection of the peer closes.
 * It deliberately knows nothing of roles: whether a key is a validator's is asked of the validator set.
 */

import type { Result } from '../types/errors.ts'
import { ok, refuse } from '../types/errors.ts'

/** A peer whose ML-DSA key was proven in a live session. */
export interface AuthenticatedPeer {
  /** libp2p peer id, as its base58 string. */
  readonly peerId: string
  /** Raw FIPS 204 public key, 1,952 bytes. */
  readonly mlDsaPublicKey: Uint8Array
}

/** Anything that names its remote peer the way a libp2p `Connection` does. */
export interface HasRemotePeer {
  readonly remotePeer: { toString(): string }
}

interface Entry {
  readonly peer: AuthenticatedPeer
  connections: number
}

/** The registry: peer id → identity, for as long as the peer has at least one live session. */
export class AuthenticatedPeers {
  readonly #byPeerId = new Map<string, Entry>()

  /** Number of peers with at least one live session. */
  get size(): number {
    return this.#byPeerId.size
  }

  /**
   * The identity behind a live connection.
   *
   * @param peer a libp2p `Connection`, or a peer id as string
   * @returns undefined when that peer has no live authenticated session
   */
  identityOf(peer: HasRemotePeer | string): AuthenticatedPeer | undefined {
    return this.#byPeerId.get(typeof peer === 'string' ? peer : peer.remotePeer.toString())?.peer
  }

  /** Every peer with a live session, in order of first authentication. */
  peers(): readonly AuthenticatedPeer[] {
    return [...this.#byPeerId.values()].map((entry) => entry.peer)
  }

  /**
   * Counts one more live session of a peer. One peer id speaks for one ML-DSA key at a time: a second key
   * beside a live session is refused, so that `identityOf` never has two answers.
   *
   * @returns the function that ends this session's registration; calling it again does nothing
   */
  register(peer: AuthenticatedPeer): Result<() => void, 'identity-conflict'> {
    const known = this.#byPeerId.get(peer.peerId)
    if (known !== undefined && Buffer.compare(known.peer.mlDsaPublicKey, peer.mlDsaPublicKey) !== 0) {
      return refuse('identity-conflict', 'the peer id has a live session under another ML-DSA key')
    }
    const entry = known ?? { peer, connections: 0 }
    entry.connections += 1
    this.#byPeerId.set(peer.peerId, entry)
    let live = true
    return ok(() => {
      if (!live) return
      live = false
      entry.connections -= 1
      if (entry.connections === 0) this.#byPeerId.delete(peer.peerId)
    })
  }
}

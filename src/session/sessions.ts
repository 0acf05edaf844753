/**
 * What both carriers (TCP encrypter, QUIC wrapper) share: our identity, who is admitted, the limits, and
 * the registry of who is authenticated.
 */

import type { MlDsa65, MlDsaKeyPair } from '../crypto/ml-dsa.ts'
import type { MlKem768 } from '../crypto/ml-kem.ts'
import type { Logger } from '../types/logger.ts'
import type { AuthenticatedPeers } from './authenticated-peers.ts'

/** Who we are in a session. */
export interface SessionIdentity {
  /** Our libp2p peer id as string; the one that the libp2p node is created with. */
  readonly peerId: string
  /** Our ML-DSA-65 identity key. */
  readonly keyPair: MlDsaKeyPair
  /** The network's genesis hash, 32 bytes. */
  readonly genesisHash: Uint8Array
}

/** A remote whose identity has just been proven, asking to be admitted. */
export interface SessionCandidate {
  /** libp2p peer id, proven by Noise or TLS. */
  readonly peerId: string
  /** Raw ML-DSA-65 public key, 1,952 bytes, proven by its signature over the transcript. */
  readonly mlDsaPublicKey: Uint8Array
  /** The connection's remote multiaddr. */
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
}

/** Decides on a proven identity: true, or why not (a constant sentence, for our log). Must not throw. */
export type AdmissionPolicy = (candidate: SessionCandidate) => true | { readonly reason: string }

/** Bounds of the session layer. */
export interface SessionLimits {
  /** From the start of our part of the upgrade to the confirmation. */
  readonly handshakeDeadlineMs: number
  /** Inbound handshakes under way at once, over all addresses. */
  readonly handshakesInFlightMax: number
  /** Inbound handshakes under way at once from one IP address. */
  readonly handshakesPerAddressMax: number
  /** Frames under one key before the ratchet turns; below 2^24. */
  readonly framesPerKeyMax: number
}

/** Everything that a session needs from the node; one object for both carriers. */
export interface SessionOptions {
  readonly identity: SessionIdentity
  readonly admit: AdmissionPolicy
  readonly peers: AuthenticatedPeers
  readonly mlDsa: MlDsa65
  readonly mlKem: MlKem768
  readonly logger: Logger
  readonly limits?: Partial<SessionLimits>
}

/** The session layer of one node; give the same object to both carriers, they share its limits. */
export class Sessions {
  readonly options: SessionOptions

  constructor(options: SessionOptions) {
    this.options = options
  }
}

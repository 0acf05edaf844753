/**
 * What the session layer is given by the node: who we are, whom we admit, and the bounds. Types and defaults
 * only.
 */

import type { MlDsa65, MlDsaKeyPair } from '../crypto/ml-dsa.ts'
import type { MlKem768 } from '../crypto/ml-kem.ts'
import type { Logger } from '../types/logger.ts'
import type { AuthenticatedPeers } from './authenticated-peers.ts'
import { FRAMES_PER_KEY_MAX } from './frame-format.ts'

/** Who opened the connection. */
export type SessionDirection = 'inbound' | 'outbound'

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
  /** The remote's IP address, or what stands for it where the carrier names none. */
  readonly address: string
  readonly direction: SessionDirection
}

/** Decides on a proven identity: true, or why not (a constant sentence, for our log). Must not throw. */
export type AdmissionPolicy = (candidate: SessionCandidate) => true | { readonly reason: string }

/** Bounds of the session layer. */
export interface SessionLimits {
  /** From the start of our part of the upgrade to the confirmation. */
  readonly handshakeDeadlineMs: number
  /** Inbound handshakes under way at once, over all addresses. */
  readonly handshakesInFlightMax: number
  /** Inbound handshakes under way at once from one IPv4 address or IPv6 /64. */
  readonly handshakesPerAddressMax: number
  /** Frames under one key before the ratchet turns; below 2^24. */
  readonly framesPerKeyMax: number
}

/**
 * 5 s is network.md's deadline. A handshake holds about 20 KB and 3 ms of CPU, so 128 in flight are nothing
 * to us; 16 from one address let a whole development network start behind one loopback address.
 */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  handshakeDeadlineMs: 5_000,
  handshakesInFlightMax: 128,
  handshakesPerAddressMax: 16,
  framesPerKeyMax: FRAMES_PER_KEY_MAX,
}

/** Everything that the session layer needs from the node. */
export interface SessionOptions {
  readonly identity: SessionIdentity
  readonly admit: AdmissionPolicy
  readonly peers: AuthenticatedPeers
  readonly mlDsa: MlDsa65
  readonly mlKem: MlKem768
  readonly logger: Logger
  readonly limits?: Partial<SessionLimits>
  /** Told how each handshake ended; not of those that we gave up ourselves. */
  readonly onHandshake?: (result: 'completed' | 'refused') => void
}

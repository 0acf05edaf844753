/**
 * Why a session is refused or cut: the closed set of codes, the numbers that carry a refusal to the other
 * side, and the one error thrown where libp2p's interfaces leave no room for a value.
 */

import type { Refusal } from '../types/errors.ts'
import { NodeError } from '../types/errors.ts'

/**
 * Codes by wire number. A refusal travels as one unauthenticated byte, for the other operator's log only;
 * numbers are never reused.
 */
export const SESSION_REFUSALS = [
  /** The peer speaks plain libp2p: no session layer. */
  'no-session-layer',
  'wrong-version',
  'wrong-genesis',
  /** A handshake message of a wrong kind or shape. */
  'malformed',
  /** FIPS 203 §7.2: the encapsulation key fails its check. */
  'invalid-encapsulation-key',
  /** FIPS 203 §7.3: the ciphertext fails its check. */
  'invalid-ciphertext',
  /** An encrypted handshake message does not open: altered, replayed, or of another transcript. */
  'not-authentic',
  /** The ML-DSA signature over the transcript does not verify. */
  'invalid-signature',
  /** The admission policy does not want this identity. */
  'stranger',
  /** The peer id already has a live session under another ML-DSA key. */
  'identity-conflict',
  /** The remote did not finish the handshake before the deadline. */
  'too-slow',
  /** The remote closed the connection in the middle of the handshake. */
  'closed',
  'too-many-handshakes',
  /** The remote has refused us; the detail names its reason. */
  'refused-by-remote',
  /** Noise did not come to an end. */
  'noise-failed',
  /** Our own side gave up: shutdown, or the dialler's signal. */
  'cancelled',
  /** Noise proved another peer than the one dialled. */
  'unexpected-peer',
] as const

/** Why a session did not come to be. */
export type SessionRefusalCode = (typeof SESSION_REFUSALS)[number]

/** A session refusal as a value. */
export type SessionRefusal = Refusal<SessionRefusalCode>

/** Why a sealed stream is cut after the session came to be. */
export type FrameRefusalCode =
  /** The length field is outside its bounds. */
  | 'frame-length'
  /** A frame does not open: altered, lost, repeated or out of order. */
  | 'frame-altered'
  | 'frame-kind'
  | 'frame-after-end'
  /** The carrier ended before the authenticated end frame: a reset by the remote, or a cut by somebody. */
  | 'truncated'
  /** A QUIC stream names a counter that was seen before or is too old. */
  | 'stream-counter'
  /** More streams wait for their first bytes, or for the end of the handshake, than we hold. */
  | 'too-many-streams'

/** A session was refused or a sealed stream cut; thrown only into libp2p, whose interfaces speak in errors. */
export class SessionError extends NodeError {
  readonly reason: SessionRefusalCode | FrameRefusalCode

  constructor(refusal: Refusal<SessionRefusalCode | FrameRefusalCode>) {
    super('E_SESSION', `post-quantum session (${refusal.code}): ${refusal.detail}`)
    this.reason = refusal.code
  }
}

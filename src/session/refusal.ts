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
  /** The remote refused us without a code that we know. */
  'refused-by-remote',
] as const

/** Why a session did not come to be. */
export type SessionRefusalCode = (typeof SESSION_REFUSALS)[number]

/** A session refusal as a value. */
export type SessionRefusal = Refusal<SessionRefusalCode>

/** A session could not be established; thrown only into libp2p, whose dial and upgrade speak in errors. */
export class SessionError extends NodeError {
  readonly refusal: SessionRefusalCode

  constructor(refusal: SessionRefusal) {
    super('E_SESSION_REFUSED', `post-quantum session refused (${refusal.code}): ${refusal.detail}`)
    this.refusal = refusal.code
  }
}

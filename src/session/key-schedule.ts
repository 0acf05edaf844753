/**
 * Every key of the session layer, by HKDF-SHA-256 (RFC 5869). Handshake keys hang on the transcript up to
 * the ciphertext, traffic secrets on the whole handshake with both identities. One secret per direction; on
 * QUIC one pair per stream.
 */

import { hkdfSync } from 'node:crypto'

/** Who opened the connection, seen from the handshake. */
export type SessionRole = 'initiator' | 'responder'

/** Traffic secrets of one sealed stream, 32 bytes each. */
export interface DirectionSecrets {
  readonly send: Uint8Array
  readonly receive: Uint8Array
}

const NO_SALT = new Uint8Array(0)

function derive(secret: Uint8Array, salt: Uint8Array, label: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, `hypermesh/session/v1/${label}`, 32))
}

/**
 * The AES-256 key of one handshake message; each seals exactly one message.
 *
 * @param sharedSecret ML-KEM shared secret, 32 bytes
 * @param transcript digest up to the ciphertext for `reply` and `proof`, of everything for `confirm`
 */
export function handshakeKey(
  sharedSecret: Uint8Array,
  transcript: Uint8Array,
  message: 'reply' | 'proof' | 'confirm',
): Uint8Array {
  return derive(sharedSecret, transcript, message)
}

/**
 * The secret that all traffic keys of the session come from.
 *
 * @param transcript digest of the whole handshake, both identities and signatures included
 */
export function sessionSecret(sharedSecret: Uint8Array, transcript: Uint8Array): Uint8Array {
  return derive(sharedSecret, transcript, 'session')
}

/** Secrets of the one sealed stream of a TCP connection. */
export function connectionSecrets(session: Uint8Array, role: SessionRole): DirectionSecrets {
  const initiator = derive(session, NO_SALT, 'connection/initiator')
  const responder = derive(session, NO_SALT, 'connection/responder')
  return role === 'initiator'
    ? { send: initiator, receive: responder }
    : { send: responder, receive: initiator }
}

/**
 * Secrets of one QUIC stream.
 *
 * @param role ours in the handshake
 * @param opener whose stream it is
 * @param counter the opener's stream counter, which is never used twice
 */
export function streamSecrets(
  session: Uint8Array,
  role: SessionRole,
  opener: SessionRole,
  counter: bigint,
): DirectionSecrets {
  const stream = `stream/${opener}/${counter}`
  const fromOpener = derive(session, NO_SALT, `${stream}/opener`)
  const fromAcceptor = derive(session, NO_SALT, `${stream}/acceptor`)
  return role === opener
    ? { send: fromOpener, receive: fromAcceptor }
    : { send: fromAcceptor, receive: fromOpener }
}

/** The AES-256 key of the frames under a traffic secret. */
export function frameKey(secret: Uint8Array): Uint8Array {
  return derive(secret, NO_SALT, 'frame')
}

/** The next traffic secret of a direction; the old one cannot be computed from it. */
export function ratchet(secret: Uint8Array): Uint8Array {
  return derive(secret, NO_SALT, 'ratchet')
}

/**
 * The bytes of the four handshake messages and of a refusal. Every message has one fixed size, so there are
 * no lengths to lie about. It checks shapes only: what the fields prove is the state machines' matter.
 *
 *   hello    I→R  kind 1 · version · genesis tag 8 · nonce 32 · encapsulation key 1184
 *   reply    R→I  kind 2 · nonce 32 · ciphertext 1088 · sealed identity 5277
 *   proof    I→R  kind 3 · sealed identity 5277
 *   confirm  R→I  kind 4 · sealed "ok" 18
 *   refusal       kind 255 · code
 *
 * An identity is the ML-DSA public key and the signature over the transcript.
 */

import { createHash } from 'node:crypto'
import { ML_DSA_65 } from '../crypto/ml-dsa.ts'
import { ML_KEM_768 } from '../crypto/ml-kem.ts'
import { assert } from '../types/assert.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { SESSION_REFUSALS, type SessionRefusalCode } from './refusal.ts'

/** Version of the handshake; another one is refused by name. */
export const SESSION_VERSION = 1

export const NONCE_BYTES = 32
const GENESIS_TAG_BYTES = 8
const AEAD_TAG_BYTES = 16
const IDENTITY_BYTES = ML_DSA_65.publicKeyBytes + ML_DSA_65.signatureBytes
const CONFIRMATION = Buffer.from('ok')

/** The handshake's messages. */
export type HandshakeMessageKind = 'hello' | 'reply' | 'proof' | 'confirm'

/** First byte of each message. */
export const KIND_BYTES = { hello: 1, reply: 2, proof: 3, confirm: 4, refusal: 255 } as const

/** Size of each message in bytes, kind byte included. */
export const MESSAGE_BYTES = {
  hello: 2 + GENESIS_TAG_BYTES + NONCE_BYTES + ML_KEM_768.publicKeyBytes,
  reply: 1 + NONCE_BYTES + ML_KEM_768.ciphertextBytes + IDENTITY_BYTES + AEAD_TAG_BYTES,
  proof: 1 + IDENTITY_BYTES + AEAD_TAG_BYTES,
  confirm: 1 + CONFIRMATION.byteLength + AEAD_TAG_BYTES,
  refusal: 2,
} as const

/** A public key with its signature over the transcript. */
export interface SignedIdentity {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Eight bytes that tell two networks apart before anything is proven, so that the operator reads "wrong
 * genesis" and not "not authentic". The full hash is in the transcript.
 */
export function genesisTag(genesisHash: Uint8Array): Uint8Array {
  const tag = createHash('sha256').update('hypermesh/session/genesis-tag/v1').update(genesisHash).digest()
  return tag.subarray(0, GENESIS_TAG_BYTES)
}

export interface Hello {
  readonly nonce: Uint8Array
  readonly encapsulationKey: Uint8Array
}

/** @param nonce 32 bytes @param encapsulationKey 1,184 bytes */
export function encodeHello(genesisHash: Uint8Array, hello: Hello): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(KIND_BYTES.hello, SESSION_VERSION),
    genesisTag(genesisHash),
    hello.nonce,
    hello.encapsulationKey,
  ])
}

/** @param message what a remote sent as its first message */
export function decodeHello(
  message: Uint8Array,
  genesisHash: Uint8Array,
): Result<Hello, 'no-session-layer' | 'wrong-version' | 'wrong-genesis' | 'malformed'> {
  if (message[0] !== KIND_BYTES.hello) return refuse('no-session-layer', 'the first byte is not a hello')
  if (message[1] !== SESSION_VERSION) return refuse('wrong-version', `version ${message[1]}, ours is 1`)
  if (message.byteLength !== MESSAGE_BYTES.hello)
    return refuse('malformed', `hello of ${message.byteLength} bytes`)
  const nonceAt = 2 + GENESIS_TAG_BYTES
  if (Buffer.compare(message.subarray(2, nonceAt), genesisTag(genesisHash)) !== 0) {
    return refuse('wrong-genesis', 'the remote belongs to a network with another genesis')
  }
  const keyAt = nonceAt + NONCE_BYTES
  return ok({ nonce: message.subarray(nonceAt, keyAt), encapsulationKey: message.subarray(keyAt) })
}

export interface Reply {
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
  readonly sealedIdentity: Uint8Array
}

export function encodeReply(reply: Reply): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND_BYTES.reply), reply.nonce, reply.ciphertext, reply.sealedIdentity])
}

export function decodeReply(message: Uint8Array): Result<Reply, 'malformed'> {
  if (message[0] !== KIND_BYTES.reply || message.byteLength !== MESSAGE_BYTES.reply) {
    return refuse('malformed', `not a reply: kind ${message[0]}, ${message.byteLength} bytes`)
  }
  const ciphertextAt = 1 + NONCE_BYTES
  const identityAt = ciphertextAt + ML_KEM_768.ciphertextBytes
  return ok({
    nonce: message.subarray(1, ciphertextAt),
    ciphertext: message.subarray(ciphertextAt, identityAt),
    sealedIdentity: message.subarray(identityAt),
  })
}

/** A proof or a confirmation: the kind byte and one sealed box. */
export function encodeSealed(kind: 'proof' | 'confirm', sealed: Uint8Array): Uint8Array {
  const message = Buffer.concat([Uint8Array.of(KIND_BYTES[kind]), sealed])
  assert(message.byteLength === MESSAGE_BYTES[kind], `${kind} has ${message.byteLength} bytes`)
  return message
}

export function decodeSealed(
  kind: 'proof' | 'confirm',
  message: Uint8Array,
): Result<Uint8Array, 'malformed'> {
  if (message[0] !== KIND_BYTES[kind] || message.byteLength !== MESSAGE_BYTES[kind]) {
    return refuse('malformed', `not a ${kind}: kind ${message[0]}, ${message.byteLength} bytes`)
  }
  return ok(message.subarray(1))
}

export function encodeIdentity(identity: SignedIdentity): Uint8Array {
  return Buffer.concat([identity.publicKey, identity.signature])
}

/** @param plaintext an opened box, whose size the message's own size has fixed */
export function decodeIdentity(plaintext: Uint8Array): SignedIdentity {
  assert(plaintext.byteLength === IDENTITY_BYTES, `identity of ${plaintext.byteLength} bytes`)
  return {
    publicKey: plaintext.subarray(0, ML_DSA_65.publicKeyBytes),
    signature: plaintext.subarray(ML_DSA_65.publicKeyBytes),
  }
}

/** Plaintext of the confirmation. */
export function confirmation(): Uint8Array {
  return CONFIRMATION
}

/** The unauthenticated farewell: why we refuse, for the other operator's log. */
export function encodeRefusal(code: SessionRefusalCode): Uint8Array {
  return Uint8Array.of(KIND_BYTES.refusal, SESSION_REFUSALS.indexOf(code))
}

/** @returns the remote's reason, or undefined when it is a code that we do not know */
export function decodeRefusal(message: Uint8Array): SessionRefusalCode | undefined {
  return SESSION_REFUSALS[message[1] ?? -1]
}

/**
 * The initiator's side of the handshake (network.md, "The ML-KEM session layer"): bytes in, bytes or a
 * refusal out. It does no I/O and keeps no time; the order of its three calls is the caller's duty.
 */

import { randomBytes } from 'node:crypto'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import type { MlKemKeyPair } from '../crypto/ml-kem.ts'
import { assert } from '../types/assert.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import {
  confirmation,
  decodeIdentity,
  decodeReply,
  decodeSealed,
  encodeHello,
  encodeIdentity,
  encodeSealed,
  NONCE_BYTES,
} from './handshake-messages.ts'
import type { HandshakeParameters } from './handshake-parameters.ts'
import { handshakeKey, sessionSecret } from './key-schedule.ts'
import type { SessionRefusalCode } from './refusal.ts'
import { openBox, sealBox } from './sealed-box.ts'
import { Transcript } from './transcript.ts'

/** What the responder has proven, and our answer to it. */
export interface ResponderProven {
  /** Raw ML-DSA-65 public key of the responder. */
  readonly mlDsaPublicKey: Uint8Array
}

/** One handshake as initiator: `hello`, `onReply`, `proof`, `onConfirm`. */
export class InitiatorHandshake {
  readonly #parameters: HandshakeParameters
  readonly #transcript: Transcript
  #ephemeral: MlKemKeyPair | undefined
  #sharedSecret: Uint8Array | undefined
  #proofKey: Uint8Array | undefined

  constructor(parameters: HandshakeParameters) {
    this.#parameters = parameters
    this.#transcript = new Transcript(parameters.parties)
  }

  /** The first message; our ML-KEM key pair lives for this handshake only. */
  hello(): Uint8Array {
    const { mlKem, parties } = this.#parameters
    this.#ephemeral = mlKem.generate()
    const message = encodeHello(parties.genesisHash, {
      nonce: randomBytes(NONCE_BYTES),
      encapsulationKey: this.#ephemeral.publicKey,
    })
    this.#transcript.add(message)
    return message
  }

  /** Checks the responder's identity. Ours is not shown before the caller has admitted it: see `proof`. */
  onReply(message: Uint8Array): Result<ResponderProven, SessionRefusalCode> {
    assert(this.#ephemeral !== undefined, 'a reply before the hello')
    const reply = decodeReply(message)
    if (!reply.ok) return reply
    const secret = this.#ephemeral.decapsulate(reply.value.ciphertext)
    this.#ephemeral = undefined
    if (!secret.ok) return secret
    this.#sharedSecret = secret.value

    this.#transcript.add(reply.value.nonce)
    this.#transcript.add(reply.value.ciphertext)
    const agreed = this.#transcript.digest()
    this.#proofKey = handshakeKey(secret.value, agreed, 'proof')
    const identityBytes = openBox(handshakeKey(secret.value, agreed, 'reply'), reply.value.sealedIdentity)
    if (identityBytes === undefined) return refuse('not-authentic', 'the reply does not open')
    const identity = decodeIdentity(identityBytes)
    const key = this.#parameters.mlDsa.publicKey(identity.publicKey)
    if (!key?.verify(agreed, identity.signature, SIGNATURE_CONTEXTS['session-responder'])) {
      return refuse('invalid-signature', 'the responder did not sign this transcript')
    }
    this.#transcript.add(identityBytes)
    return ok({ mlDsaPublicKey: key.raw })
  }

  /** Our identity, signed over the transcript that now includes the responder's. */
  proof(): Uint8Array {
    assert(this.#proofKey !== undefined, 'a proof before the reply')
    const { keyPair } = this.#parameters
    const identityBytes = encodeIdentity({
      publicKey: keyPair.publicKey.raw,
      signature: keyPair.sign(this.#transcript.digest(), SIGNATURE_CONTEXTS['session-initiator']),
    })
    this.#transcript.add(identityBytes)
    return encodeSealed('proof', sealBox(this.#proofKey, identityBytes))
  }

  /** @returns the session secret, 32 bytes, once the responder has shown that it accepted us */
  onConfirm(message: Uint8Array): Result<Uint8Array, SessionRefusalCode> {
    assert(this.#sharedSecret !== undefined, 'a confirmation before the reply')
    const sealed = decodeSealed('confirm', message)
    if (!sealed.ok) return sealed
    const agreed = this.#transcript.digest()
    const opened = openBox(handshakeKey(this.#sharedSecret, agreed, 'confirm'), sealed.value)
    if (opened === undefined || Buffer.compare(opened, confirmation()) !== 0) {
      return refuse('not-authentic', 'the confirmation does not open')
    }
    return ok(sessionSecret(this.#sharedSecret, agreed))
  }
}

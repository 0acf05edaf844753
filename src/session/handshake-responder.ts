/**
 * The responder's side of the handshake (network.md, "The ML-KEM session layer"): bytes in, bytes or a
 * refusal out. It does no I/O and keeps no time; the order of its three calls is the caller's duty.
 */

import { randomBytes } from 'node:crypto'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import { assert } from '../types/assert.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import {
  confirmation,
  decodeHello,
  decodeIdentity,
  decodeSealed,
  encodeIdentity,
  encodeReply,
  encodeSealed,
  NONCE_BYTES,
} from './handshake-messages.ts'
import type { HandshakeParameters } from './handshake-parameters.ts'
import { handshakeKey, sessionSecret } from './key-schedule.ts'
import type { SessionRefusalCode } from './refusal.ts'
import { openBox, sealBox } from './sealed-box.ts'
import { Transcript } from './transcript.ts'

/** What the initiator has proven. */
export interface InitiatorProven {
  /** Raw ML-DSA-65 public key of the initiator. */
  readonly mlDsaPublicKey: Uint8Array
}

/** One handshake as responder: `onHello`, `onProof`, `confirm`. */
export class ResponderHandshake {
  readonly #parameters: HandshakeParameters
  readonly #transcript: Transcript
  #sharedSecret: Uint8Array | undefined
  #proofKey: Uint8Array | undefined

  constructor(parameters: HandshakeParameters) {
    this.#parameters = parameters
    this.#transcript = new Transcript(parameters.parties)
  }

  /** @returns the reply: our identity, sealed to whoever holds the hello's decapsulation key */
  onHello(message: Uint8Array): Result<Uint8Array, SessionRefusalCode> {
    const { parties, mlKem, keyPair } = this.#parameters
    const hello = decodeHello(message, parties.genesisHash)
    if (!hello.ok) return hello
    const encapsulation = mlKem.encapsulate(hello.value.encapsulationKey)
    if (!encapsulation.ok) return encapsulation
    const { ciphertext, sharedSecret } = encapsulation.value
    const nonce = randomBytes(NONCE_BYTES)

    this.#transcript.add(message)
    this.#transcript.add(nonce)
    this.#transcript.add(ciphertext)
    const agreed = this.#transcript.digest()
    const identityBytes = encodeIdentity({
      publicKey: keyPair.publicKey.raw,
      signature: keyPair.sign(agreed, SIGNATURE_CONTEXTS['session-responder']),
    })
    this.#transcript.add(identityBytes)
    this.#sharedSecret = sharedSecret
    this.#proofKey = handshakeKey(sharedSecret, agreed, 'proof')
    const sealedIdentity = sealBox(handshakeKey(sharedSecret, agreed, 'reply'), identityBytes)
    return ok(encodeReply({ nonce, ciphertext, sealedIdentity }))
  }

  /** Checks the initiator's identity, which signed a transcript that includes ours. */
  onProof(message: Uint8Array): Result<InitiatorProven, SessionRefusalCode> {
    assert(this.#proofKey !== undefined, 'a proof before the hello')
    const sealed = decodeSealed('proof', message)
    if (!sealed.ok) return sealed
    const identityBytes = openBox(this.#proofKey, sealed.value)
    if (identityBytes === undefined) return refuse('not-authentic', 'the proof does not open')
    const identity = decodeIdentity(identityBytes)
    const key = this.#parameters.mlDsa.publicKey(identity.publicKey)
    const signed = this.#transcript.digest()
    if (!key?.verify(signed, identity.signature, SIGNATURE_CONTEXTS['session-initiator'])) {
      return refuse('invalid-signature', 'the initiator did not sign this transcript')
    }
    this.#transcript.add(identityBytes)
    return ok({ mlDsaPublicKey: key.raw })
  }

  /** The confirmation for an initiator that the caller has admitted, and the session secret (32 bytes). */
  confirm(): { readonly message: Uint8Array; readonly secret: Uint8Array } {
    assert(this.#sharedSecret !== undefined, 'a confirmation before the proof')
    const agreed = this.#transcript.digest()
    const key = handshakeKey(this.#sharedSecret, agreed, 'confirm')
    return {
      message: encodeSealed('confirm', sealBox(key, confirmation())),
      secret: sessionSecret(this.#sharedSecret, agreed),
    }
  }
}

/** Both sides of a handshake in memory, and a run of it in which a test may alter each message. */

import type { MlDsa65 } from '../../../src/crypto/ml-dsa.ts'
import type { MlKem768 } from '../../../src/crypto/ml-kem.ts'
import { selectMlDsa65, selectMlKem768 } from '../../../src/crypto/select.ts'
import { InitiatorHandshake } from '../../../src/session/handshake-initiator.ts'
import type { HandshakeMessageKind } from '../../../src/session/handshake-messages.ts'
import type { HandshakeParameters } from '../../../src/session/handshake-parameters.ts'
import { ResponderHandshake } from '../../../src/session/handshake-responder.ts'
import type { SessionParties } from '../../../src/session/transcript.ts'

export const PARTIES: SessionParties = {
  genesisHash: Buffer.alloc(32, 7),
  initiatorPeerId: '12D3KooWAlice',
  responderPeerId: '12D3KooWBob',
}

export interface SideOptions {
  readonly parties?: Partial<SessionParties>
  readonly mlDsa?: MlDsa65
  readonly mlKem?: MlKem768
  readonly seed?: number
}

export function parameters({ parties, mlDsa, mlKem, seed = 1 }: SideOptions = {}): HandshakeParameters {
  const implementation = mlDsa ?? selectMlDsa65()
  return {
    parties: { ...PARTIES, ...parties },
    keyPair: implementation.keyPairFromSeed(Buffer.alloc(32, seed)),
    mlDsa: implementation,
    mlKem: mlKem ?? selectMlKem768(),
  }
}

/** What a run came to: both secrets, or who refused which message and why. */
export type Outcome =
  | {
      readonly ok: true
      readonly secrets: readonly [initiator: Uint8Array, responder: Uint8Array]
      readonly keys: readonly [seenByInitiator: Uint8Array, seenByResponder: Uint8Array]
    }
  | { readonly ok: false; readonly at: HandshakeMessageKind; readonly code: string }

export type Interference = (kind: HandshakeMessageKind, message: Uint8Array) => Uint8Array

/** Runs a handshake to its end or its first refusal. */
export function run(
  initiatorOptions: SideOptions = {},
  responderOptions: SideOptions = { seed: 2 },
  interfere: Interference = (_, message) => message,
): Outcome {
  const initiator = new InitiatorHandshake(parameters(initiatorOptions))
  const responder = new ResponderHandshake(parameters(responderOptions))
  const reply = responder.onHello(interfere('hello', initiator.hello()))
  if (!reply.ok) return { ok: false, at: 'hello', code: reply.code }
  const seenByInitiator = initiator.onReply(interfere('reply', reply.value))
  if (!seenByInitiator.ok) return { ok: false, at: 'reply', code: seenByInitiator.code }
  const seenByResponder = responder.onProof(interfere('proof', initiator.proof()))
  if (!seenByResponder.ok) return { ok: false, at: 'proof', code: seenByResponder.code }
  const { message, secret } = responder.confirm()
  const confirmed = initiator.onConfirm(interfere('confirm', message))
  if (!confirmed.ok) return { ok: false, at: 'confirm', code: confirmed.code }
  return {
    ok: true,
    secrets: [confirmed.value, secret],
    keys: [seenByInitiator.value.mlDsaPublicKey, seenByResponder.value.mlDsaPublicKey],
  }
}

/** A copy of `bytes` with one bit of byte `at` flipped; negative counts from the end. */
export function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const index = at < 0 ? copy.byteLength + at : at
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

/**
 * Signs a validator's consensus messages and refuses what would be misbehaviour: a second content for a
 * slot, a step back, a vote in a view that was given up. A second line of defence behind the replica's own
 * rules (S1, R3c, R3d, R5 of the consensus spec): a refusal here is a bug of ours, so it stops the node. It
 * does not make anything durable; the safety log does, and seeds this at the next start.
 */

import { hash } from 'node:crypto'
import { assert } from '../types/assert.ts'
import { SIGNATURE_CONTEXTS } from './contexts.ts'
import type { MlDsaKeyPair } from './ml-dsa.ts'

/** The kinds of consensus message that a validator signs; a proposal is a prepare vote. */
export const SIGNED_KINDS = ['prepare', 'pre-commit', 'commit', 'timeout'] as const

export type SignedKind = (typeof SIGNED_KINDS)[number]

/** What is signed at most once. */
export interface SigningSlot {
  readonly kind: SignedKind
  readonly epoch: number
  /** The view; for a commit vote the height. */
  readonly position: number
}

/** The newest slot of a kind that was signed, as the safety record keeps it. */
export interface SignedSlot {
  readonly epoch: number
  readonly position: number
  /** The signing payload, 56 to 120 bytes. */
  readonly payload: Uint8Array
  /** 3,309 bytes. */
  readonly signature: Uint8Array
}

/** The newest signed slot of each kind; a kind is absent when this key never signed it. */
export type SigningHistory = { readonly [Kind in SignedKind]?: SignedSlot }

/** SHA-256 of a signing payload, by which two are told apart. */
export function payloadDigest(payload: Uint8Array): Uint8Array {
  return hash('sha256', payload, 'buffer')
}

type Point = Pick<SigningSlot, 'epoch' | 'position'>

function compare(a: Point, b: Point): number {
  return a.epoch - b.epoch || a.position - b.position
}

export class Signer {
  readonly #keyPair: MlDsaKeyPair
  readonly #newest = new Map<SignedKind, SignedSlot>()

  /** @param history what this key has signed before, from the durable safety record; `{}` for a new key */
  constructor(keyPair: MlDsaKeyPair, history: SigningHistory) {
    this.#keyPair = keyPair
    for (const kind of SIGNED_KINDS) {
      const slot = history[kind]
      if (slot !== undefined) this.#newest.set(kind, slot)
    }
  }

  /** Raw ML-DSA-65 public key, 1,952 bytes. */
  get publicKey(): Uint8Array {
    return this.#keyPair.publicKey.raw
  }

  /**
   * Whether a signature of this key that came from outside can be one of ours: not newer than the newest that was
   * signed here, and no other content than that one. Older slots are not remembered, so they count as ours.
   * @param payload of the signature, or as many of its first bytes as are known
   */
  recognises(slot: SigningSlot, payload: Uint8Array): boolean {
    const newest = this.#newest.get(slot.kind)
    const order = newest === undefined ? 1 : compare(slot, newest)
    if (newest === undefined || order > 0) return false
    return order < 0 || Buffer.compare(payload, newest.payload.subarray(0, payload.length)) === 0
  }

  /**
   * Signs under the kind's context string; asked again for the same content, gives the same bytes (S1).
   *
   * @param payload the signing payload of the slot, see codec/signing-payloads.ts
   * @returns 3,309 bytes
   * @throws InvariantViolation when the slot or a later one was signed with another content, or the view was
   *   given up by a timeout
   */
  sign(slot: SigningSlot, payload: Uint8Array): Uint8Array {
    const { kind, epoch, position } = slot
    const newest = this.#newest.get(kind)
    if (newest !== undefined) {
      const order = compare(slot, newest)
      if (order === 0) {
        // S1
        const same = Buffer.compare(payload, newest.payload) === 0
        assert(same, `asked to sign a second ${kind} in epoch ${epoch} at ${position}`)
        return newest.signature
      }
      assert(order > 0, `asked to sign a ${kind} in epoch ${epoch} at ${position}, behind ${newest.position}`)
    }
    if (kind === 'prepare' || kind === 'pre-commit') {
      // R3(d) and R5: pre-commit's half of this is load-bearing for safety.
      const timeout = this.#newest.get('timeout')
      const givenUp = timeout !== undefined && compare(slot, timeout) <= 0
      assert(
        !givenUp,
        `asked to sign a ${kind} in view ${position}, given up by the timeout of ${timeout?.position}`,
      )
    }
    const signature = this.#keyPair.sign(payload, SIGNATURE_CONTEXTS[kind])
    this.#newest.set(kind, { epoch, position, payload, signature })
    return signature
  }
}

/**
 * Which connected peer is which validator: the key proven by its live session, hashed, looked up in the
 * current set. It trusts nothing that a peer says about itself.
 */

import { validatorId } from '../codec/genesis.ts'
import type { ValidatorId } from '../types/primitives.ts'

/** Anything that names its remote peer the way a libp2p `Connection` does, or the peer id itself. */
export type PeerLike = { readonly remotePeer: { toString(): string } } | string

/** The identity proven on a live connection; `AuthenticatedPeers` of the session layer is one. */
export interface PeerIdentities {
  identityOf(peer: PeerLike): { readonly mlDsaPublicKey: Uint8Array } | undefined
}

/** The current validator set against the live sessions. */
export class ValidatorPeers {
  readonly #identities: PeerIdentities
  readonly #ownId: ValidatorId
  readonly #ids = new WeakMap<Uint8Array, ValidatorId>()
  #validators: ReadonlySet<ValidatorId> = new Set()

  constructor(identities: PeerIdentities, ownId: ValidatorId) {
    this.#identities = identities
    this.#ownId = ownId
  }

  /** Whether our own identity is in the current set. */
  get areWeValidator(): boolean {
    return this.#validators.has(this.#ownId)
  }

  /** Replaces the set. */
  setValidators(ids: readonly ValidatorId[]): void {
    this.#validators = new Set(ids)
  }

  /** The current set. */
  validators(): ReadonlySet<ValidatorId> {
    return this.#validators
  }

  /** Identity of a connected peer, validator or not; undefined without a live session. */
  identityOf(peer: PeerLike): ValidatorId | undefined {
    const key = this.#identities.identityOf(peer)?.mlDsaPublicKey
    if (key === undefined) return undefined
    let id = this.#ids.get(key)
    if (id === undefined) {
      id = validatorId(key)
      this.#ids.set(key, id)
    }
    return id
  }

  /** The validator behind a connected peer, if it is one. */
  validatorOf(peer: PeerLike): ValidatorId | undefined {
    const id = this.identityOf(peer)
    return id !== undefined && this.#validators.has(id) ? id : undefined
  }
}

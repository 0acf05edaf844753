/**
 * Where validators are found: the newest believed identity certificate of each. Only validators have a place,
 * which bounds it and gives strangers nothing to fill. It sends and fetches nothing.
 */

import { validatorId } from '../codec/genesis.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { GenesisHash, ValidatorId } from '../types/primitives.ts'
import {
  decodeIdentity,
  type IdentityRefusal,
  type IdentityVerifier,
  type KnownIdentity,
  verifyIdentity,
} from './identity-certificate.ts'

/** What became of an offered certificate. */
export type OfferOutcome = Result<'new' | 'known', IdentityRefusal | 'not-a-validator'>

/** Parts of an {@link IdentityDirectory}. */
export interface IdentityDirectoryOptions {
  readonly genesisHash: GenesisHash
  readonly verify: IdentityVerifier
  /** Unix time in milliseconds. */
  readonly nowMs: () => number
  /** A validator was found, or found elsewhere. */
  readonly onChange: (identity: KnownIdentity) => void
}

/** The directory. */
export class IdentityDirectory {
  readonly #options: IdentityDirectoryOptions
  readonly #known = new Map<ValidatorId, KnownIdentity>()
  #validators: ReadonlySet<ValidatorId> = new Set()

  constructor(options: IdentityDirectoryOptions) {
    this.#options = options
  }

  /** Who has a place from now on; the others are forgotten. */
  setValidators(ids: readonly ValidatorId[]): void {
    this.#validators = new Set(ids)
    for (const id of [...this.#known.keys()]) if (!this.#validators.has(id)) this.#known.delete(id)
  }

  /** Takes a certificate as bytes, if it is true and newer than what is known. */
  async offer(bytes: Uint8Array): Promise<OfferOutcome> {
    const certificate = decodeIdentity(bytes)
    if (!certificate.ok) return certificate
    const { statement } = certificate.value
    const id = validatorId(statement.mlDsaPublicKey)
    // Cheap questions first: no signature is verified for a stranger or for old news.
    if (!this.#validators.has(id)) return refuse('not-a-validator', id)
    if (!this.#isNews(id, statement.sequence)) return ok('known')
    const { genesisHash, nowMs, verify, onChange } = this.#options
    const verified = await verifyIdentity(certificate.value, genesisHash, nowMs(), verify)
    if (!verified.ok) return verified
    // Another one may have been taken meanwhile.
    if (!this.#validators.has(id) || !this.#isNews(id, statement.sequence)) return ok('known')
    const identity = { ...verified.value, bytes }
    this.#known.set(id, identity)
    onChange(identity)
    return ok('new')
  }

  /** Puts our own certificate in, which needs no proof. */
  setOwn(identity: KnownIdentity): void {
    this.#known.set(identity.id, identity)
  }

  get(id: ValidatorId): KnownIdentity | undefined {
    return this.#known.get(id)
  }

  /** Every known certificate. */
  all(): readonly KnownIdentity[] {
    return [...this.#known.values()]
  }

  /** Whether some validator's place is still empty. */
  get hasGaps(): boolean {
    return this.#known.size < this.#validators.size
  }

  #isNews(id: ValidatorId, sequence: number): boolean {
    const known = this.#known.get(id)
    return known === undefined || known.statement.sequence < sequence
  }
}

/**
 * Signatures of prepare votes that were found valid: who leads a view sends the votes that vouch for the commits in
 * its block, and everybody has had them from their voters already. Remembers nothing that was refused.
 */
import type { SignatureCheck } from './ports.ts'

/** Views whose votes are remembered, for each validator. Commits are said for four blocks. */
const VIEWS = 4

export class RememberedSignatures implements SignatureCheck {
  readonly #check: SignatureCheck
  readonly #countMax: number
  /** By voter and payload, oldest first: the signature that is valid over it. */
  readonly #valid = new Map<string, Uint8Array>()

  /** @param validators how many there are */
  constructor(check: SignatureCheck, validators: number) {
    this.#check = check
    this.#countMax = VIEWS * validators
  }

  isValid(...args: Parameters<SignatureCheck['isValid']>): boolean {
    const [validator, kind, payload, signature] = args
    if (kind !== 'prepare') return this.#check.isValid(...args)
    const key = `${validator}:${Buffer.from(payload).toString('latin1')}`
    const known = this.#valid.get(key)
    if (known !== undefined && Buffer.compare(known, signature) === 0) return true
    if (!this.#check.isValid(...args)) return false
    // Signing is hedged: another valid signature over the same is as good, and replaces the one before.
    this.#valid.delete(key)
    this.#valid.set(key, signature)
    const oldest = this.#valid.keys().next().value
    if (this.#valid.size > this.#countMax && oldest !== undefined) this.#valid.delete(oldest)
    return true
  }
}

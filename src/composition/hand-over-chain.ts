/**
 * The changes of the validator set from genesis to today, for receipts. A node that followed the chain has the proofs;
 * one that caught up by blocks has seen no commit certificate over what it fetched, and gets the proofs that it misses
 * from peers. Every proof is checked once, with its signatures: a receipt with one left out would prove nothing.
 */
import { decodeHandOver } from '../codec/snapshot.ts'
import { followHandOver, type HandOverContext, setInEpoch } from '../ledger/hand-over.ts'
import { validatorSetRoot } from '../ledger/staking/staking-root.ts'
import type { HandOvers } from '../storage/hand-overs.ts'
import { asEpoch, type Epoch, type Hex32 } from '../types/primitives.ts'
import type { HandOver } from '../types/snapshot.ts'
import type { ValidatorSet } from '../types/validator-set.ts'

export interface HandOverChainOptions extends HandOverContext {
  readonly handOvers: Pick<HandOvers, 'from' | 'put'>
  /** Of genesis. */
  readonly founders: ValidatorSet
  /** Proofs of the first change at the end of an epoch or later, as peers give them; bytes that nobody has checked. */
  readonly fetch: (fromEpoch: Epoch) => AsyncIterable<Uint8Array>
}

export class HandOverChain {
  readonly #options: HandOverChainOptions
  /** The newest set that is proven; its epoch is the first that it decided. */
  #set: ValidatorSet
  /** Epochs at whose ends the set changed. */
  readonly #proven = new Set<Epoch>()
  #reaching: Promise<unknown> = Promise.resolve()

  constructor(options: HandOverChainOptions) {
    this.#options = options
    this.#set = options.founders
  }

  /**
   * Whether the proofs lead to the set of this root in this epoch. Asks peers for what is missing.
   * @throws StorageError E_DB_WRITE, E_DB_CORRUPT
   */
  reach(epoch: Epoch, root: Hex32): Promise<boolean> {
    const reached = this.#reaching.then(() => this.#reach(epoch, root))
    this.#reaching = reached.catch(() => undefined)
    return reached
  }

  /** The changes at the ends of the epochs from `from` up to, not including, `to`, both reached. */
  async between(from: Epoch, to: Epoch): Promise<HandOver[]> {
    const found: HandOver[] = []
    for (let next = from; next < to; ) {
      const handOver = await this.#kept(next)
      if (handOver === null || handOver.header.epoch >= to) break
      if (this.#proven.has(handOver.header.epoch)) found.push(handOver)
      next = asEpoch(handOver.header.epoch + 1)
    }
    return found
  }

  /** The set of an epoch that is reached. */
  async setIn(epoch: Epoch): Promise<ValidatorSet> {
    const last = (await this.between(asEpoch(0), epoch)).at(-1)
    return { epoch, validators: last?.validators ?? this.#options.founders.validators }
  }

  async #reach(epoch: Epoch, root: Hex32): Promise<boolean> {
    // What is proven beyond an epoch was proven through it.
    while (this.#set.epoch <= epoch) {
      const kept = await this.#nextKept(epoch)
      // A set that is back is trusted without the way there: its keys were never taken from it.
      if (kept === null && this.#isThere(epoch, root)) return true
      const next = kept ?? (await this.#nextFetched(epoch))
      if (next === null) return false
      this.#set = next
      this.#proven.add(asEpoch(next.epoch - 1))
    }
    return true
  }

  #isThere(epoch: Epoch, root: Hex32): boolean {
    const there = setInEpoch(this.#set, epoch)
    return there !== null && validatorSetRoot(there.validators) === root
  }

  async #nextKept(epoch: Epoch): Promise<ValidatorSet | null> {
    const handOver = await this.#kept(this.#set.epoch)
    return handOver === null ? null : this.#followed(handOver, epoch)
  }

  async #nextFetched(epoch: Epoch): Promise<ValidatorSet | null> {
    const { handOvers, fetch } = this.#options
    for await (const bytes of fetch(this.#set.epoch)) {
      const handOver = decodeHandOver(bytes)
      const next = handOver.ok ? this.#followed(handOver.value, epoch) : null
      if (next === null || !handOver.ok) continue
      await handOvers.put(handOver.value.header.epoch, bytes)
      return next
    }
    return null
  }

  #followed(handOver: HandOver, epoch: Epoch): ValidatorSet | null {
    if (handOver.header.epoch >= epoch) return null
    const next = followHandOver(this.#set, handOver, this.#options)
    return next.ok ? next.value : null
  }

  async #kept(from: Epoch): Promise<HandOver | null> {
    const bytes = await this.#options.handOvers.from(from)
    const handOver = bytes === null ? null : decodeHandOver(bytes)
    return handOver?.ok === true ? handOver.value : null
  }
}

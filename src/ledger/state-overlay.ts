/** The additions of one block, or of the part of it executed so far, in front of the state they were made on. */
import type { StateAccumulators, StateChanges } from '../types/ledger-state.ts'
import type { Hex32, Nullifier, RequestKey } from '../types/primitives.ts'
import type { StakingState } from '../types/staking.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import type { VerdictVoting } from '../types/voting.ts'
import type { StateReader } from './state-reader.ts'

/**
 * A reader that answers from its own additions first and asks the parent for the rest. The parent is asked for
 * by a function on every lookup, so that an overlay never keeps a chain of older ones alive.
 */
export class StateOverlay implements StateReader {
  readonly accumulators: StateAccumulators
  readonly staking: StakingState
  readonly voting: VerdictVoting
  readonly #parent: () => StateReader
  readonly #nullifiers = new Set<Nullifier>()
  readonly #verdicts = new Map<RequestKey, VerdictRecord>()
  readonly #keysOfIds = new Map<Hex32, RequestKey>()
  readonly #sequences = new Map<Hex32, bigint>()

  /** @param after the additions; while executing, what the parent has */
  constructor(parent: () => StateReader, after: Pick<StateReader, 'accumulators' | 'staking' | 'voting'>) {
    this.#parent = parent
    this.accumulators = after.accumulators
    this.staking = after.staking
    this.voting = after.voting
  }

  /** The overlay of a whole block. */
  static of(parent: () => StateReader, changes: StateChanges): StateOverlay {
    const overlay = new StateOverlay(parent, changes)
    overlay.spent(changes.nullifiers)
    for (const { requestKey, requestIdHash } of changes.judgements) overlay.ordered(requestKey, requestIdHash)
    for (const verdict of changes.verdicts) overlay.decided(verdict, [])
    return overlay
  }

  /** A request is ordered. Call in the order of the block: the first user of an id keeps it. */
  ordered(requestKey: RequestKey, requestIdHash: Hex32): void {
    if (!this.#keysOfIds.has(requestIdHash)) this.#keysOfIds.set(requestIdHash, requestKey)
  }

  /** Notes are spent. */
  spent(nullifiers: readonly Nullifier[]): void {
    for (const nullifier of nullifiers) this.#nullifiers.add(nullifier)
  }

  /** Adds what one verdict leaves behind, in their order. */
  decided(verdict: VerdictRecord, nullifiers: readonly Nullifier[]): void {
    this.spent(nullifiers)
    this.#verdicts.set(verdict.requestKey, verdict)
    if (verdict.sequence !== null) this.#sequences.set(verdict.sequence.nodeIdHash, verdict.sequence.number)
  }

  hasNullifier(nullifier: Nullifier): boolean {
    return this.#nullifiers.has(nullifier) || this.#parent().hasNullifier(nullifier)
  }

  verdict(requestKey: RequestKey): VerdictRecord | null {
    return this.#verdicts.get(requestKey) ?? this.#parent().verdict(requestKey)
  }

  requestKeyOfId(requestIdHash: Hex32): RequestKey | null {
    // The parent first: an id belongs to the request that used it first, and this block came later.
    return this.#parent().requestKeyOfId(requestIdHash) ?? this.#keysOfIds.get(requestIdHash) ?? null
  }

  lastSequence(nodeIdHash: Hex32): bigint {
    return this.#sequences.get(nodeIdHash) ?? this.#parent().lastSequence(nodeIdHash)
  }
}

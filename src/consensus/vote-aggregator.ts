/**
 * Counts votes by stake. The first vote of a validator for a slot counts and stays; a second with other
 * content is reported and never replaces it (R12). Contents are compared, not signature bytes: ML-DSA
 * signing is hedged, so one content has many signatures.
 */
import type { VoterSignature } from '../types/certificates.ts'
import type { ValidatorIndex } from '../types/primitives.ts'
import type { Electorate } from './validator-set.ts'

/**
 * What became of a vote. `quorum` is returned exactly once per slot and content, `equivocation` once per slot and
 * voter.
 */
export type CountOutcome =
  | { readonly kind: 'counted' | 'repeated' }
  | { readonly kind: 'equivocation'; readonly first: CountedVote }
  | { readonly kind: 'quorum'; readonly signatures: readonly VoterSignature[] }

/** What a validator voted for, and its signature. */
export interface CountedVote extends Signed {
  readonly content: string
}

/** A signature with what it covers besides the content. */
type Signed = Pick<VoterSignature, 'signature' | 'commits'>

interface Slot {
  /** Validators with a second content: seen once, that is enough. */
  readonly equivocators: Set<ValidatorIndex>
  readonly byVoter: Map<ValidatorIndex, CountedVote>
  readonly weightByContent: Map<string, bigint>
}

/** Votes of one kind, by slot: a view for prepare and pre-commit, a height for commit. */
export class VoteAggregator {
  readonly #electorate: Electorate
  readonly #slots = new Map<number, Slot>()

  constructor(electorate: Electorate) {
    this.#electorate = electorate
  }

  /**
   * Whether a vote could still tell something: the first of its voter while there is no quorum, or a second one
   * with other content (R12), once.
   */
  isOfInterest(slot: number, voter: ValidatorIndex, content: string): boolean {
    const entry = this.#slots.get(slot)
    if (entry === undefined) return true
    const first = entry.byVoter.get(voter)
    if (first !== undefined) return first.content !== content && !entry.equivocators.has(voter)
    for (const weight of entry.weightByContent.values()) if (weight >= this.#electorate.quorum) return false
    return true
  }

  /** Whether this voter's vote for the slot has been counted. */
  has(slot: number, voter: ValidatorIndex): boolean {
    return this.#slots.get(slot)?.byVoter.has(voter) === true
  }

  /** Whether this voter was seen to vote for two contents. */
  isEquivocator(slot: number, voter: ValidatorIndex): boolean {
    return this.#slots.get(slot)?.equivocators.has(voter) === true
  }

  /** @param content what is voted for; equal content gives equal strings */
  count(slot: number, voter: ValidatorIndex, content: string, { signature, commits }: Signed): CountOutcome {
    let entry = this.#slots.get(slot)
    if (entry === undefined) {
      entry = { byVoter: new Map(), weightByContent: new Map(), equivocators: new Set() }
      this.#slots.set(slot, entry)
    }
    const first = entry.byVoter.get(voter)
    if (first !== undefined) {
      if (first.content === content || entry.equivocators.has(voter)) return { kind: 'repeated' }
      entry.equivocators.add(voter)
      return { kind: 'equivocation', first }
    }
    entry.byVoter.set(voter, { content, signature, commits })
    const before = entry.weightByContent.get(content) ?? 0n
    const weight = before + this.#electorate.stakeOf(voter)
    entry.weightByContent.set(content, weight)
    if (before >= this.#electorate.quorum || weight < this.#electorate.quorum) return { kind: 'counted' }
    return { kind: 'quorum', signatures: signaturesFor(entry, content) }
  }

  /** Weight behind one content of a slot. */
  weightOf(slot: number, content: string): bigint {
    return this.#slots.get(slot)?.weightByContent.get(content) ?? 0n
  }

  /** The contents of a slot that have at least this weight. */
  contentsWithWeight(slot: number, weight: bigint): string[] {
    const weights = this.#slots.get(slot)?.weightByContent ?? new Map<string, bigint>()
    return [...weights].filter(([, has]) => has >= weight).map(([content]) => content)
  }

  /** Who has voted in a slot, whatever for. */
  votersOf(slot: number): ValidatorIndex[] {
    return [...(this.#slots.get(slot)?.byVoter.keys() ?? [])].sort((a, b) => a - b)
  }

  /** Forgets slots below `slot`. */
  pruneBelow(slot: number): void {
    for (const known of this.#slots.keys()) if (known < slot) this.#slots.delete(known)
  }
}

/** Signatures for one content in order of voter. */
function signaturesFor(slot: Slot, content: string): VoterSignature[] {
  return [...slot.byVoter]
    .filter(([, vote]) => vote.content === content)
    .map(([voter, { signature, commits }]) => ({ voter, signature, commits }))
    .sort((a, b) => a.voter - b.voter)
}

/**
 * What validators say about requests before anybody knows what the others found: first a hash (commit), later what
 * it was of (opening). Rules in ledger/verdicts; the flow in ledger/verdicts/README.md.
 */
import type { BlockHash, Height, Hex32, ValidatorIndex } from './primitives.ts'

/**
 * Components of one finding, lowest bits first. `request` is for rules about the request as a whole, `requester` for
 * whether the ledger bars whoever asks.
 */
export const COMPONENTS = ['space', 'stake', 'work', 'time', 'request', 'requester'] as const
export type Component = (typeof COMPONENTS)[number]

/** Two bits of a component. */
export const ABSTAINED = 0
export const FOUND_VALID = 1
export const FOUND_INVALID = 2

/** What one validator, or the network, found about one request: two bits for each component, 12 in all. */
export type Findings = number
/** No findings are above: every bit of every component. */
export const FINDINGS_MAX = 2 ** (2 * COMPONENTS.length) - 1

/** Where a ballot belongs: the block that ordered the requests, and which attempt at a verdict on them it is. */
export interface BallotSlot {
  readonly height: Height
  readonly blockHash: BlockHash
  /** 0 at first, one more after every attempt that found no quorum. */
  readonly round: number
}

/** The hash of an opening. Signed: it is part of the prepare vote that carries it. */
export interface BallotCommit extends BallotSlot {
  readonly commit: Hex32
}

/** What a commit was of. Needs no signature: only who made the commit knew the salt. */
export interface BallotOpening extends BallotSlot {
  /** Of the rules that the validator judged by. */
  readonly rules: number
  /** One for each request of the slot, in their order. */
  readonly findings: readonly Findings[]
  readonly salt: Hex32
}

/** What a vote carries besides the vote. */
export interface Ballots {
  /** In order of height and round; only in prepare votes, whose signature covers them. */
  readonly commits: readonly BallotCommit[]
  readonly openings: readonly BallotOpening[]
}

/** Nothing to say. */
export const NO_BALLOTS: Ballots = { commits: [], openings: [] }

/** A commit as a block holds it. */
export interface CastCommit extends BallotCommit {
  /** In the set that decides the block. */
  readonly voter: ValidatorIndex
}

/** An opening as a block holds it. */
export interface CastOpening extends BallotOpening {
  readonly voter: ValidatorIndex
}

/** Whether both are about the same attempt at the same block's requests; two blocks of one height are two slots. */
export function isSameSlot(a: BallotSlot, b: BallotSlot): boolean {
  return a.height === b.height && a.round === b.round && a.blockHash === b.blockHash
}

/** Order of two slots: by height, then round. */
export function compareSlots(a: BallotSlot, b: BallotSlot): number {
  return a.height - b.height || a.round - b.round
}

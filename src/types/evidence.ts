/**
 * Proof that a validator signed two contents for one slot (R12). Holds all that is needed to check it but the
 * knowledge whose key it is: the ledger keeps which account a validator key belongs to. Commit votes are not
 * slashable: a broken disk can make an honest validator contradict itself there.
 */
import { type BallotCommit, type BallotSlot, isSameSlot } from './ballots.ts'
import type { Vote } from './messages.ts'
import type { BlockHash, Epoch, Height, Hex32, View } from './primitives.ts'

/** The kinds of vote that may be signed once per (epoch, view). A proposal is its leader's prepare vote. */
export type SlashableKind = 'prepare' | 'pre-commit'

/** One of the two contents, with the signature over it (codec/signing-payloads.ts). */
export interface SignedContent {
  readonly height: Height
  readonly blockHash: BlockHash
  /** ML-DSA-65, 3,309 bytes. */
  readonly signature: Uint8Array
  /** What a prepare vote signed for the commits it carried (codec/ballots.ts); else null. No part of the content. */
  readonly commits: Hex32 | null
}

/** Two signed contents of one validator for one slot. `first` has the lower (blockHash, height): one form per offence. */
export interface Evidence {
  readonly kind: SlashableKind
  readonly epoch: Epoch
  readonly view: View
  /** The offender's validator key, ML-DSA-65, 1,952 bytes. */
  readonly publicKey: Uint8Array
  readonly first: SignedContent
  readonly second: SignedContent
}

/**
 * The evidence that two signed contents of one slot make, in its one form; null when their contents are equal.
 * Contents are compared, never signature bytes: ML-DSA signing is hedged.
 * @param publicKey the key that both signatures are valid under; nothing is verified here
 */
export function makeEvidence(
  kind: SlashableKind,
  epoch: Epoch,
  view: View,
  publicKey: Uint8Array,
  a: SignedContent,
  b: SignedContent,
): Evidence | null {
  const order = compareContents(a, b)
  if (order === 0) return null
  const [first, second] = order < 0 ? [a, b] : [b, a]
  return { kind, epoch, view, publicKey, first, second }
}

/** Order of two contents by (block hash, height): below 0, 0 when they are equal, above 0. */
export function compareContents(a: SignedContent, b: SignedContent): number {
  if (a.blockHash !== b.blockHash) return a.blockHash < b.blockHash ? -1 : 1
  return a.height - b.height
}

/** What a prepare vote signs, whole: the commits themselves in the place of their digest. */
export type SignedCommits = Pick<Vote, 'epoch' | 'view' | 'height' | 'blockHash' | 'signature'> & {
  readonly commits: readonly BallotCommit[]
}

/**
 * Proof that a validator committed to two things in one slot (spec/commit-reveal.md 5.5): two of its prepare votes. No
 * equivocation about blocks: both may be right about theirs. `first` has the lower commit for the slot.
 */
export interface CommitPair {
  readonly slot: BallotSlot
  /** The offender's validator key, ML-DSA-65, 1,952 bytes. */
  readonly publicKey: Uint8Array
  readonly first: SignedCommits
  readonly second: SignedCommits
}

/** What a vote commits to in a slot; null when it says nothing about it. */
export function commitIn({ commits }: Pick<SignedCommits, 'commits'>, slot: BallotSlot): Hex32 | null {
  return commits.find((commit) => isSameSlot(commit, slot))?.commit ?? null
}

/**
 * The evidence that two prepare votes of one validator make about a slot, in its one form; null when they say the same
 * or one says nothing.
 * @param publicKey the key that both are signed with; nothing is verified here
 */
export function makeCommitPair(slot: BallotSlot, publicKey: Uint8Array, a: Vote, b: Vote): CommitPair | null {
  const [one, other] = [signedCommits(a), signedCommits(b)]
  const [x, y] = [commitIn(one, slot), commitIn(other, slot)]
  if (x === null || y === null || x === y) return null
  const { height, blockHash, round } = slot
  const [first, second] = x < y ? [one, other] : [other, one]
  return { slot: { height, blockHash, round }, publicKey, first, second }
}

function signedCommits({ epoch, view, height, blockHash, signature, ballots }: Vote): SignedCommits {
  return { epoch, view, height, blockHash, signature, commits: ballots.commits }
}

/**
 * What commit and reveal adds to blocks and messages, beside a quorum certificate (spec/commit-reveal.md section 7, gate
 * 2). Measured on the bytes of the real codecs: a block of a chain under load, which holds the commits of all validators
 * to one block's requests and their openings of an earlier one's.
 */
import { hashBlock, headerSchema, transactionBytesInBlock, transactionsRoot } from '../../src/codec/block.ts'
import { encodeQuorumCertificate, SIGNATURE_BYTES } from '../../src/codec/certificates.ts'
import { encodeMessage } from '../../src/codec/messages.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { ALL_VALID } from '../../src/ledger/verdicts/findings.ts'
import { type BallotCommit, type BallotOpening, type Ballots, NO_BALLOTS } from '../../src/types/ballots.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { Vote } from '../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type BlockHash,
  type Hex32,
  type ValidatorIndex,
} from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'

/** Most of a certificate's bytes that ballots may take of a block. */
export const BALLOT_SHARE_MAX = 0.12
/** Sizes of network that the gate names, all of equal stakes. */
export const SIZES = [4, 31, 100]
const REQUESTS = 100

/** Bytes at one size of network. */
export interface BallotBytes {
  readonly validators: number
  /** A prepare certificate of a quorum, whose voters all had commits. */
  readonly certificate: number
  /** What ballots take of the block. */
  readonly inBlock: number
  /** {@link inBlock} by {@link certificate}. */
  readonly share: number
  /** Parts of {@link inBlock}; the last is all else: slots, voters, rules, lengths. */
  readonly parts: Readonly<Record<'commits' | 'salts' | 'findings' | 'framing', number>>
  /**
   * What the votes that vouch for the commits add to the proposal: their signatures, which everybody has sent to
   * everybody, and all else in them.
   */
  readonly besideBlock: { readonly signatures: number; readonly framing: number }
  /** What ballots add to the prepare votes of everyone, all together. */
  readonly inVotes: number
}

const HEIGHT = 1_000
const hash = (byte: string): string => byte.repeat(32)
const slotAt = (height: number) => ({
  height: asHeight(height),
  blockHash: hash('b1') as BlockHash,
  round: 0,
})
const COMMIT: BallotCommit = { ...slotAt(HEIGHT), commit: hash('0a') as Hex32 }
const SIGNATURE = new Uint8Array(SIGNATURE_BYTES)

const openingOf = (requests: number): BallotOpening => ({
  ...slotAt(HEIGHT - 2),
  rules: 1,
  findings: Array.from({ length: requests }, () => ALL_VALID),
  salt: hash('c1') as Hex32,
})

/** @param validators how many there are @returns bytes of the block and of what comes with it */
export function ballotBytes(validators: number): BallotBytes {
  const voters = Array.from({ length: validators }, (_, i) => asValidatorIndex(i))
  const certificate = encodeQuorumCertificate({
    kind: 'prepare',
    ...VOTED_FOR,
    stateRoot: null,
    signatures: voters
      .slice(0, Math.floor((2 * validators) / 3) + 1)
      .map((voter) => ({ voter, signature: SIGNATURE, commits: hash('0c') as Hex32 })),
  }).length
  const inBlock = transactionBytesInBlock(castBy(voters, REQUESTS).bytes.length)
  const findings = inBlock - transactionBytesInBlock(castBy(voters, 0).bytes.length)
  const block = blockWith(castBy(voters, REQUESTS))
  const votes = voters.map((voter) => voteWith(voter, { commits: [COMMIT], openings: [] }))
  const signatures = validators * SIGNATURE_BYTES
  const inVote =
    encodeMessage(voteWith(0, { commits: [COMMIT], openings: [openingOf(REQUESTS)] })).length -
    encodeMessage(voteWith(0, NO_BALLOTS)).length
  return {
    validators,
    certificate,
    inBlock,
    share: inBlock / certificate,
    parts: {
      commits: 32 * validators,
      salts: 32 * validators,
      findings,
      framing: inBlock - 64 * validators - findings,
    },
    besideBlock: { signatures, framing: proposalBytes(block, votes) - proposalBytes(block, []) - signatures },
    inVotes: validators * inVote,
  }
}

/** What the votes with the commits are for: the block on which the measured one builds. */
const VOTED_FOR = {
  epoch: asEpoch(0),
  view: asView(HEIGHT),
  height: asHeight(HEIGHT),
  blockHash: hash('b1') as BlockHash,
}

function castBy(voters: readonly ValidatorIndex[], requests: number): HashedTransaction {
  const opening = openingOf(requests)
  return hashTransaction({
    kind: 'ballots',
    commits: voters.map((voter) => ({ ...COMMIT, voter })),
    openings: voters.map((voter) => ({ ...opening, voter })),
  })
}

function blockWith(ballots: HashedTransaction): HashedBlock {
  const header = {
    ...headerSchema.fromRaw(headerSchema.ssz.defaultValue()),
    height: asHeight(HEIGHT + 1),
    justify: { view: VOTED_FOR.view, blockHash: VOTED_FOR.blockHash },
    transactionsRoot: transactionsRoot([ballots]),
  }
  return hashBlock({ header, transactions: [ballots] })
}

function proposalBytes(block: HashedBlock, ballotVotes: readonly Vote[]): number {
  return encodeMessage({
    kind: 'proposal',
    block,
    timeoutCertificate: null,
    ballotVotes,
    signature: SIGNATURE,
    commits: [],
  }).length
}

function voteWith(voter: number, ballots: Ballots): Vote {
  return {
    kind: 'prepare',
    ...VOTED_FOR,
    voter: asValidatorIndex(voter),
    signature: SIGNATURE,
    ballots,
  }
}

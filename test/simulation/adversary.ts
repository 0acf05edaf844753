/**
 * A Byzantine validator: runs the honest code and bends what it says, with its own key only, or with the keys of
 * all who conspire. Each kind of misbehaviour has its own probability, drawn from the seed (swarm testing).
 */
import { hashBlock, transactionsRoot } from '../../src/codec/block.ts'
import { MESSAGE_BYTES_MAX } from '../../src/codec/limits.ts'
import { encodeMessage } from '../../src/codec/messages.ts'
import { signedVotePayload, timeoutSigningPayload } from '../../src/codec/signing-payloads.ts'
import { proofCommitment } from '../../src/ledger/proof-commitment.ts'
import type { BallotConduct } from '../../src/runtime/own-ballots.ts'
import type { BlockRange } from '../../src/storage/chain-store.ts'
import type { BlockHeader, CertificateReference, HashedBlock } from '../../src/types/block.ts'
import {
  type ConsensusMessage,
  type Proposal,
  type Timeout,
  type Vote,
  voteOfProposal,
} from '../../src/types/messages.ts'
import {
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  COUNTER_MAX,
  type Hex32,
  type StateRoot,
  type ValidatorIndex,
  type View,
} from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { type BallotHabits, bendBallots, conductOf, HONEST_BALLOTS, otherCommits } from './ballot-liar.ts'
import type { Conspiracy } from './conspiracy.ts'
import { NoteForger } from './notes/note-forger.ts'
import { toySign } from './toy-signatures.ts'

export { Conspiracy } from './conspiracy.ts'

/** Probabilities, 0 to 1. */
export interface Misbehaviour extends BallotHabits {
  /** A message to one receiver is left out. */
  readonly withhold: number
  /** A proposal is sent in two versions. */
  readonly equivocate: number
  /** A vote is also made for the other blocks of the view, with every key at hand. */
  readonly doubleVote: number
  /** A timeout reports another view, or is for another view. */
  readonly forgeTimeout: number
  /** After a failed view: the proposal builds on the lowest certificate a quorum of timeouts allows. */
  readonly stale: number
  /** A proposal is on an older block, and claims that this one was certified in the view before. */
  readonly fork: number
  /** A proposal breaks a rule of the ledger: state root, a transaction for the second time, time, height. */
  readonly illegal: number
  /** Votes are made in the names of all others, with a signature of its own. */
  readonly impersonate: number
  /** A certificate is sent with signatures, height or parts that are not those of the quorum. */
  readonly forgeCertificate: number
  /** An old message of anybody is sent again. */
  readonly replay: number
  /** Bytes that are no message, one that is damaged, or more than a message may have. */
  readonly garbage: number
  /** Blocks for those who catch up: damaged, out of order, or without their certificate. */
  readonly badRange: number
  /** Of 1: takes no transactions, so that its blocks hold none. */
  readonly censor: number
}

export const HONEST: Misbehaviour = {
  withhold: 0,
  equivocate: 0,
  doubleVote: 0,
  forgeTimeout: 0,
  stale: 0,
  fork: 0,
  illegal: 0,
  impersonate: 0,
  forgeCertificate: 0,
  replay: 0,
  garbage: 0,
  badRange: 0,
  censor: 0,
  ...HONEST_BALLOTS,
}

export interface Bent {
  readonly to: number
  readonly bytes: Uint8Array
}

/** One byte more than a channel carries. */
const OVERSIZED = new Uint8Array(MESSAGE_BYTES_MAX + 1)
const OVERSIZED_CHANCE = 0.1

export class Adversary {
  readonly isCensor: boolean
  /** What it does about notes, on a network that has some. */
  readonly forger: NoteForger
  readonly #index: ValidatorIndex
  readonly #keys: readonly ValidatorIndex[]
  readonly #knows: Conspiracy
  readonly #habits: Misbehaviour
  #old: HashedTransaction | null = null
  /** What was proposed in place of the block that the honest code made; it is voted for in its place too. */
  #instead: HashedBlock | null = null

  constructor(
    index: ValidatorIndex,
    keys: readonly ValidatorIndex[],
    knows: Conspiracy,
    habits: Misbehaviour,
  ) {
    this.#index = index
    this.#keys = keys
    this.#knows = knows
    this.#habits = habits
    this.isCensor = habits.censor === 1
    this.forger = new NoteForger(knows.random, habits.illegal)
  }

  /** What it says about requests, and when: the rest is the honest code's (runtime/ballot-box.ts). */
  get conduct(): BallotConduct {
    return conductOf(this.#habits, this.#knows.random)
  }

  /** A message reached this validator. */
  observe(message: ConsensusMessage): void {
    this.#knows.observe(message)
  }

  /** What is said instead. `receivers` are validators. */
  bend(message: ConsensusMessage, receivers: readonly number[]): Bent[] {
    const { withhold, impersonate, forgeCertificate, replay, garbage } = this.#habits
    const { random } = this.#knows
    const said: Bent[] = []
    const say = (to: number, what: ConsensusMessage): void => {
      if (!random.chance(withhold)) said.push({ to, bytes: encodeMessage(what) })
    }
    for (const [i, version] of this.#versionsOf(message).entries()) {
      // What takes the place of the block that was made is shown to all.
      const isInstead = version.kind === 'proposal' && version.block === this.#instead
      // A proposal whose commits are bent is the same proposal; the one with second commits is not.
      const isSame =
        version === message ||
        (i === 0 && version.kind === 'proposal' && 'block' in message && version.block === message.block)
      const isSplit = !isInstead && (!isSame || random.chance(0.5))
      for (const to of receivers) if (!isSplit || random.chance(0.6)) say(to, version)
    }
    if ((message.kind === 'prepare' || message.kind === 'pre-commit') && random.chance(impersonate)) {
      for (const to of receivers) {
        for (const other of receivers) say(to, { ...message, voter: asValidatorIndex(other) })
      }
    }
    if (random.chance(forgeCertificate)) {
      const forged = this.#knows.forgedCertificates(this.#index)
      if (forged !== null) for (const to of receivers) say(to, forged)
    }
    for (const to of receivers) {
      if (random.chance(replay)) {
        const old = this.#knows.anySeen()
        if (old !== null) said.push({ to, bytes: old })
      }
      if (random.chance(garbage)) said.push({ to, bytes: this.#damaged(encodeMessage(message)) })
    }
    return said
  }

  /** Blocks that a peer asked for. */
  bendRange(range: BlockRange): BlockRange {
    const { random } = this.#knows
    if (!random.chance(this.#habits.badRange) || range.blocks.length === 0) return range
    const { blocks, certificate } = range
    switch (random.below(4)) {
      case 0:
        return { blocks: blocks.map((bytes) => this.#damaged(bytes)), certificate }
      case 1:
        return { blocks: blocks.slice(1), certificate }
      case 2:
        return { blocks, certificate: certificate === null ? null : this.#damaged(certificate) }
      default:
        return { blocks, certificate: null }
    }
  }

  #versionsOf(message: ConsensusMessage): ConsensusMessage[] {
    const { forgeTimeout } = this.#habits
    const { random } = this.#knows
    const bent =
      (message.kind === 'prepare' || message.kind === 'pre-commit') && message.voter === this.#index
    if (bent) {
      const vote = this.#withBallots(message)
      return [...this.#votesFor(vote), ...this.#secondCommits(vote)]
    }
    if (message.kind === 'proposal') {
      const bent = this.#withBentCommits(message)
      const versions = this.#proposalsFor(bent)
      // What it votes for besides its proposals; their own votes are in them.
      const vote = voteOfProposal(bent)
      const votes = this.#votesFor(vote).filter((one) => one !== vote)
      const seconds = this.#secondCommits(vote).map(
        ({ ballots, signature }): Proposal => ({ ...bent, commits: ballots.commits, signature }),
      )
      return [...versions, ...votes, ...seconds]
    }
    if (message.kind === 'timeout' && message.voter === this.#index && random.chance(forgeTimeout)) {
      const isFar = random.chance(0.1)
      const view = random.chance(0.7) ? message.view : asView(message.view + random.below(80))
      const highQcView = asView(isFar ? COUNTER_MAX - 1 : random.below(view))
      return [message, this.#timeoutOf(message, isFar ? asView(COUNTER_MAX) : view, highQcView)]
    }
    return [message]
  }

  /** What its proposal becomes: on another block, against the rules, or two of them. */
  #proposalsFor(message: Proposal): Proposal[] {
    const { equivocate, stale, fork, illegal } = this.#habits
    const { random } = this.#knows
    const first = (random.chance(stale) ? this.#staleProposal(message) : null) ?? message
    const forked = random.chance(fork) ? this.#forkingProposal(first) : null
    if (forked !== null) this.#instead = forked.block
    if (forked !== null) return [forked, ...(random.chance(equivocate) ? [message] : [])]
    if (first === message) this.#knows.keepBlock(message.block)
    else this.#instead = first.block
    // One that is illegal by its notes already is shown as it is.
    const isIllegal = random.chance(illegal) && !this.forger.isIn(first.block)
    const versions = isIllegal ? [this.#illegalProposal(first)] : [first]
    if (random.chance(equivocate)) versions.push(this.#secondProposal(first))
    this.#old = message.block.transactions[0] ?? this.#old
    return versions
  }

  /** What its vote becomes: for another block, or for all blocks of the view. */
  #votesFor(message: Vote): Vote[] {
    const { random } = this.#knows
    if (message.kind === 'prepare') this.#knows.keepVote(message)
    const instead = this.#instead?.header.view === message.view ? this.#instead : null
    if (instead !== null) return this.#keys.map((voter) => this.#voteFor(message, instead, voter))
    if (!random.chance(this.#habits.doubleVote)) return [message]
    // Pre-commit votes as well, before there is a certificate.
    const kinds = message.kind === 'prepare' ? (['prepare', 'pre-commit'] as const) : [message.kind]
    const votes = this.#knows
      .blocksOf(message.view)
      .flatMap((block) => this.#keys.flatMap((voter) => kinds.map((kind) => ({ block, voter, kind }))))
      .map(({ block, voter, kind }) => this.#voteFor({ ...message, kind }, block, voter))
    return [message, ...votes]
  }

  /** The vote with ballots that are not what they should be, signed anew. */
  #withBallots(vote: Vote): Vote {
    const ballots = bendBallots(vote.ballots, this.#habits, this.#knows, this.#index)
    if (ballots === vote.ballots) return vote
    const bent = { ...vote, ballots }
    const payload = signedVotePayload(this.#knows.genesisHash, bent)
    return { ...bent, signature: toySign(this.#index, payload, vote.kind) }
  }

  /** A vote for the same block that commits to something else. */
  #secondCommits(vote: Vote): Vote[] {
    const { pair } = this.#habits
    // No number is drawn for the others: their stories stay as they are.
    if (vote.kind !== 'prepare' || pair === 0 || !this.#knows.random.chance(pair)) return []
    const ballots = otherCommits(vote.ballots)
    if (ballots === null) return []
    const second = { ...vote, ballots }
    const payload = signedVotePayload(this.#knows.genesisHash, second)
    return [{ ...second, signature: toySign(this.#index, payload, vote.kind) }]
  }

  /** The proposal with commits that are not what they should be, signed anew. */
  #withBentCommits(proposal: Proposal): Proposal {
    const vote = voteOfProposal(proposal)
    const { ballots, signature } = this.#withBallots(vote)
    return signature === vote.signature ? proposal : { ...proposal, commits: ballots.commits, signature }
  }

  /** With its prepare vote for the block, which says what the one for the honest code's block said. */
  #signed(
    block: HashedBlock,
    { timeoutCertificate, ballotVotes, commits }: Omit<Proposal, 'kind' | 'block' | 'signature'>,
  ): Proposal {
    this.#knows.keepBlock(block)
    const unsigned: Proposal = {
      kind: 'proposal',
      block,
      timeoutCertificate,
      ballotVotes,
      signature: new Uint8Array(0),
      commits,
    }
    const payload = signedVotePayload(this.#knows.genesisHash, voteOfProposal(unsigned))
    return { ...unsigned, signature: toySign(this.#index, payload, 'prepare') }
  }

  #secondProposal(first: Proposal): Proposal {
    const { header, transactions } = first.block
    const block = hashBlock({
      header: { ...header, timestamp: asUnixMs(header.timestamp + 1) },
      transactions,
    })
    return this.#signed(block, first)
  }

  /** TC from the lowest reports, block on the lowest certificate that goes with it. */
  #staleProposal({ block, timeoutCertificate, commits }: Proposal): Proposal | null {
    if (timeoutCertificate === null) return null
    const lowest = this.#knows.lowestTimeoutCertificate(timeoutCertificate, this.#keys)
    if (lowest === null) return null
    // Now and then on one that is lower still, which the certificate forbids.
    const highQc = this.#knows.random.chance(0.5)
      ? (this.#knows.certificateBelow(lowest.highQc.view) ?? lowest.highQc)
      : lowest.highQc
    const parent = this.#knows.blockOf(highQc.blockHash)
    if (parent === null) return null
    const justify = { view: highQc.view, blockHash: highQc.blockHash }
    const changed = { timeoutCertificate: lowest, ballotVotes: [], commits }
    return this.#signed(this.#emptyBlock(block.header, parent, justify), changed)
  }

  /** A block of the leader's view on another parent, legal but for what `justify` says. */
  #emptyBlock(of: BlockHeader, parent: HashedBlock, justify: CertificateReference): HashedBlock {
    const { parentStateRoot } = this.#knows.childOf(parent.hash)?.header ?? of
    const header = {
      ...of,
      justify,
      parentHash: parent.hash,
      height: asHeight(parent.header.height + 1),
      transactionsRoot: transactionsRoot([]),
      // What a block without transactions on this parent has: it is legal.
      proofCommitment: proofCommitment([]),
      nullifierRoot: parent.header.nullifierRoot,
      noteCommitmentRoot: parent.header.noteCommitmentRoot,
      parentStateRoot,
    }
    return hashBlock({ header, transactions: [] })
  }

  /** On an older block, for which it claims the certificate of the view before. */
  #forkingProposal({ block, timeoutCertificate, commits }: Proposal): Proposal | null {
    const { header } = block
    const parent = this.#knows.forkPoint(header)
    if (parent === null || parent.header.view >= header.view) return null
    const justify = { view: asView(header.view - 1), blockHash: parent.hash }
    const changed = { timeoutCertificate, ballotVotes: [], commits }
    return this.#signed(this.#emptyBlock(header, parent, justify), changed)
  }

  /** A block that no honest validator may vote for. */
  #illegalProposal(proposal: Proposal): Proposal {
    const { header, transactions } = proposal.block
    const wrongRoot = 'ee'.repeat(32)
    const changes: Partial<BlockHeader>[] = this.forger.isTempted
      ? [{ noteCommitmentRoot: wrongRoot as Hex32 }, { proofCommitment: 'ee'.repeat(48) }]
      : [
          { parentStateRoot: wrongRoot as StateRoot },
          { nullifierRoot: wrongRoot as Hex32 },
          { timestamp: asUnixMs(header.timestamp + 3_600_000) },
          { height: asHeight(header.height + 1) },
        ]
    const old = this.#old
    if (old !== null && this.#knows.random.chance(0.4)) {
      const twice = [...transactions, old, old]
      const repeated = { ...header, transactionsRoot: transactionsRoot(twice) }
      return this.#signed(hashBlock({ header: repeated, transactions: twice }), proposal)
    }
    const change = changes[this.#knows.random.below(changes.length)]
    const changed = hashBlock({ header: { ...header, ...change }, transactions })
    return this.#signed(changed, proposal)
  }

  #voteFor(like: Vote, block: HashedBlock, voter: ValidatorIndex): Vote {
    const ballots = like.kind === 'prepare' ? like.ballots : { ...like.ballots, commits: [] }
    const vote = { ...like, ballots, voter, blockHash: block.hash, height: block.header.height }
    const payload = signedVotePayload(this.#knows.genesisHash, vote)
    return { ...vote, signature: toySign(voter, payload, like.kind) }
  }

  #timeoutOf(like: Timeout, view: View, highQcView: View): Timeout {
    const timeout = { ...like, view, highQcView }
    const payload = timeoutSigningPayload(this.#knows.genesisHash, timeout)
    return { ...timeout, signature: toySign(this.#index, payload, 'timeout') }
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    const { random } = this.#knows
    if (random.chance(OVERSIZED_CHANCE)) return OVERSIZED
    const damaged = bytes.slice(0, random.chance(0.3) ? random.below(bytes.length) : bytes.length)
    for (let i = 0; i < 3 && damaged.length > 0; i++) {
      damaged[random.below(damaged.length)] = random.below(256)
    }
    return damaged
  }
}

/**
 * What Byzantine validators know: the messages that reached them (or all there are, when they are in one hand), and
 * the certificates that can be put together from them, true and false ones. Signs with the keys it is given only.
 */

import { commitsDigest } from '../../src/codec/ballots.ts'
import { encodeMessage } from '../../src/codec/messages.ts'
import { timeoutSigningPayload } from '../../src/codec/signing-payloads.ts'
import type { Electorate } from '../../src/consensus/validator-set.ts'
import type { BallotCommit, BallotOpening, BallotSlot } from '../../src/types/ballots.ts'
import type { BlockHeader, HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate, TimeoutCertificate, VoterSignature } from '../../src/types/certificates.ts'
import { type ConsensusMessage, type Timeout, type Vote, voteOfProposal } from '../../src/types/messages.ts'
import {
  asHeight,
  asView,
  type BlockHash,
  type GenesisHash,
  type ValidatorIndex,
  type View,
} from '../../src/types/primitives.ts'
import type { Random } from './random.ts'
import { toySign } from './toy-signatures.ts'

type ReportedTimeout = TimeoutCertificate['timeouts'][number]

const REMEMBERED = 200
const STOLEN_MAX = 8
/** Blocks that are not final yet are among so many. */
const RECENT = 4

export class Conspiracy {
  readonly genesisHash: GenesisHash
  readonly electorate: Electorate
  readonly random: Random
  readonly #blocks = new Map<View, HashedBlock[]>()
  readonly #byHash = new Map<BlockHash, HashedBlock>()
  readonly #timeouts = new Map<View, Map<ValidatorIndex, Timeout>>()
  readonly #votes = new Map<string, { readonly vote: Vote; readonly signatures: VoterSignature[] }>()
  readonly #certificates = new Map<View, QuorumCertificate>()
  readonly #commits = new Map<string, Map<ValidatorIndex, BallotCommit>>()
  readonly #openings = new Map<string, Map<ValidatorIndex, BallotOpening>>()
  readonly #seen: ConsensusMessage[] = []

  constructor(genesisHash: GenesisHash, electorate: Electorate, random: Random) {
    this.genesisHash = genesisHash
    this.electorate = electorate
    this.random = random
  }

  /** A message was seen. */
  observe(message: ConsensusMessage): void {
    if (this.#seen.length < REMEMBERED) this.#seen.push(message)
    else this.#seen[this.random.below(REMEMBERED)] = message
    switch (message.kind) {
      case 'proposal':
        this.keepBlock(message.block)
        this.#keepPrepare(voteOfProposal(message))
        return
      case 'prepare':
        this.#keepPrepare(message)
        return
      case 'openings':
        for (const opening of message.openings)
          keep(this.#openings, slotName(opening), message.voter, opening)
        return
      case 'timeout': {
        const ofView = this.#timeouts.get(message.view) ?? new Map<ValidatorIndex, Timeout>()
        this.#timeouts.set(message.view, ofView.set(message.voter, message))
        return
      }
      case 'certificates':
        if (message.highQc !== null) this.#certificates.set(message.highQc.view, message.highQc)
        return
      case 'pre-commit':
        this.#keepBallots(message)
        return
      case 'commit':
      case 'certificate-request':
        return
    }
  }

  /** What another validator committed to in a slot; null when nothing was heard. */
  commitFor(slot: BallotSlot, self: ValidatorIndex): BallotCommit | null {
    return this.#heard(this.#commits, slot, self)
  }

  /** What another validator opened in a slot; null when nothing was heard. */
  openingFor(slot: BallotSlot, self: ValidatorIndex): BallotOpening | null {
    return this.#heard(this.#openings, slot, self)
  }

  /** All that was opened in a slot, by whom. */
  openingsOf(slot: BallotSlot): readonly (readonly [ValidatorIndex, BallotOpening])[] {
    return [...(this.#openings.get(slotName(slot)) ?? [])]
  }

  /** The latest openings of others, in each slot of the one whose commit {@link commitFor} gives. */
  openingsOfOthers(self: ValidatorIndex): readonly BallotOpening[] {
    return [...this.#openings].slice(-STOLEN_MAX).flatMap(([slot, said]) => {
      const victim = [...(this.#commits.get(slot)?.keys() ?? [])].find((voter) => voter !== self)
      const opening = victim === undefined ? undefined : said.get(victim)
      return opening === undefined ? [] : [opening]
    })
  }

  #heard<T>(
    said: ReadonlyMap<string, ReadonlyMap<ValidatorIndex, T>>,
    slot: BallotSlot,
    self: ValidatorIndex,
  ): T | null {
    for (const [voter, ballot] of said.get(slotName(slot)) ?? []) if (voter !== self) return ballot
    return null
  }

  #keepPrepare(vote: Vote): void {
    this.keepVote(vote)
    this.#keepBallots(vote)
  }

  #keepBallots({ voter, ballots }: Vote): void {
    for (const commit of ballots.commits) keep(this.#commits, slotName(commit), voter, commit)
    for (const opening of ballots.openings) keep(this.#openings, slotName(opening), voter, opening)
  }

  keepBlock(block: HashedBlock): void {
    if (this.#byHash.has(block.hash)) return
    this.#byHash.set(block.hash, block)
    const ofView = this.#blocks.get(block.header.view) ?? []
    ofView.push(block)
    this.#blocks.set(block.header.view, ofView)
  }

  blocksOf(view: View): readonly HashedBlock[] {
    return this.#blocks.get(view) ?? []
  }

  blockOf(hash: BlockHash): HashedBlock | null {
    return this.#byHash.get(hash) ?? null
  }

  /** Any block that was built on this one: it says what state this one led to. */
  childOf(hash: BlockHash): HashedBlock | null {
    for (const block of this.#byHash.values()) if (block.header.parentHash === hash) return block
    return null
  }

  /** A block that one could fork from: the parent of the given one's parent, or any of the last few. */
  forkPoint(header: BlockHeader): HashedBlock | null {
    const parent = this.#byHash.get(header.parentHash)
    const grandparent = parent === undefined ? undefined : this.#byHash.get(parent.header.parentHash)
    if (grandparent !== undefined && this.random.chance(0.7)) return grandparent
    return [...this.#byHash.values()].at(-1 - this.random.below(RECENT)) ?? null
  }

  /** The highest certificate of a lower view. */
  certificateBelow(view: View): QuorumCertificate | null {
    let highest: QuorumCertificate | null = null
    for (const certificate of this.#certificates.values()) {
      if (certificate.view < view && certificate.view > (highest?.view ?? 0)) highest = certificate
    }
    return highest
  }

  /** An old message of anybody, in bytes; null before the first. */
  anySeen(): Uint8Array | null {
    const message = this.#seen[this.random.below(Math.max(1, this.#seen.length))]
    return message === undefined ? null : encodeMessage(message)
  }

  keepVote(vote: Vote): void {
    const key = `${vote.view}/${vote.blockHash}`
    const entry = this.#votes.get(key) ?? { vote, signatures: [] }
    this.#votes.set(key, entry)
    if (entry.signatures.some(({ voter }) => voter === vote.voter)) return
    const commits = commitsDigest(vote.ballots.commits)
    entry.signatures.push({ voter: vote.voter, signature: vote.signature, commits })
    if (!this.#isQuorum(entry.signatures) || this.#certificates.has(vote.view)) return
    const { epoch, view, height, blockHash } = vote
    const signatures = [...entry.signatures].sort((a, b) => a.voter - b.voter)
    this.#certificates.set(view, {
      kind: 'prepare',
      epoch,
      view,
      height,
      blockHash,
      stateRoot: null,
      signatures,
    })
  }

  /** A certificate of the same view from the lowest reports, those of the keys at hand being view 0. */
  lowestTimeoutCertificate(
    given: TimeoutCertificate,
    keys: readonly ValidatorIndex[],
  ): TimeoutCertificate | null {
    const all = new Map<ValidatorIndex, ReportedTimeout>(this.#timeouts.get(given.view))
    for (const timeout of given.timeouts) if (!all.has(timeout.voter)) all.set(timeout.voter, timeout)
    const zero = timeoutSigningPayload(this.genesisHash, { ...given, highQcView: asView(0) })
    for (const voter of keys) {
      all.set(voter, { voter, highQcView: asView(0), signature: toySign(voter, zero, 'timeout') })
    }
    // Now and then with less than a quorum, which nobody may take.
    const enough = this.random.chance(0.3) ? this.electorate.amplification : this.electorate.quorum
    const weight = (): bigint => this.electorate.weightOf(chosen.map(({ voter }) => voter))
    const chosen: ReportedTimeout[] = []
    for (const timeout of [...all.values()].sort((a, b) => a.highQcView - b.highQcView)) {
      if (weight() >= enough) break
      chosen.push(timeout)
    }
    if (weight() < enough) return null
    const highest = Math.max(...chosen.map(({ highQcView }) => highQcView))
    const highQc = this.#certificates.get(asView(highest))
    if (highQc === undefined) return null
    const timeouts = chosen
      .map(({ voter, signature, highQcView }) => ({ voter, signature, highQcView }))
      .sort((a, b) => a.voter - b.voter)
    return { ...given, timeouts, highQc }
  }

  /** Right references under wrong contents: what a check that trusts references would let through. */
  forgedCertificates(voter: ValidatorIndex): ConsensusMessage | null {
    const { random } = this
    const known = [...this.#certificates.values()]
    const certificate = known[random.below(known.length)]
    if (certificate === undefined) return null
    const wrongs: QuorumCertificate[] = [
      { ...certificate, signatures: [] },
      { ...certificate, height: asHeight(certificate.height + 1 + random.below(1_000)) },
      { ...certificate, kind: 'pre-commit' },
      { ...certificate, view: asView(certificate.view + 1) },
      { ...certificate, view: asView(0), blockHash: 'ab'.repeat(32) as BlockHash, signatures: [] },
      { ...certificate, signatures: certificate.signatures.map((s) => ({ ...s, voter })) },
    ]
    const wrong = wrongs[random.below(wrongs.length)] as QuorumCertificate
    const [view, timeouts] = [...this.#timeouts].at(-1) ?? [asView(0), undefined]
    const isTimeout = timeouts !== undefined && random.chance(0.6)
    return {
      kind: 'certificates',
      highQc: isTimeout ? null : wrong,
      finality: !isTimeout && wrong.kind === 'pre-commit' ? wrong : null,
      highTc: isTimeout
        ? {
            epoch: certificate.epoch,
            view,
            timeouts: [...timeouts.values()]
              .sort((a, b) => a.voter - b.voter)
              .map(({ voter, signature, highQcView }) => ({ voter, signature, highQcView })),
            highQc: wrong,
          }
        : null,
    }
  }

  #isQuorum(signatures: readonly { readonly voter: ValidatorIndex }[]): boolean {
    return this.electorate.weightOf(signatures.map(({ voter }) => voter)) >= this.electorate.quorum
  }
}

function keep<T>(
  said: Map<string, Map<ValidatorIndex, T>>,
  slot: string,
  voter: ValidatorIndex,
  ballot: T,
): void {
  const of = said.get(slot) ?? new Map<ValidatorIndex, T>()
  said.set(slot, of.set(voter, ballot))
}

/** A slot by name. */
export function slotName({ height, blockHash, round }: BallotSlot): string {
  return `${height}/${round}/${blockHash}`
}

/**
 * A Byzantine validator: runs the honest code and bends what it says, with its own key only. It sees all that
 * reaches it. Each kind of misbehaviour has its own probability, drawn from the seed (swarm testing).
 */
import { hashBlock } from '../../src/codec/block.ts'
import { encodeMessage } from '../../src/codec/messages.ts'
import {
  proposalSigningPayload,
  timeoutSigningPayload,
  voteSigningPayload,
} from '../../src/codec/signing-payloads.ts'
import type { Electorate } from '../../src/consensus/validator-set.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate, TimeoutCertificate, VoterSignature } from '../../src/types/certificates.ts'
import type { ConsensusMessage, Proposal, Timeout, Vote } from '../../src/types/messages.ts'
import {
  asHeight,
  asUnixMs,
  asView,
  type BlockHash,
  type GenesisHash,
  type ValidatorIndex,
  type View,
} from '../../src/types/primitives.ts'
import type { Random } from './random.ts'
import { toySign } from './toy-signatures.ts'

/** Probabilities, 0 to 1. */
export interface Misbehaviour {
  /** A message to one receiver is left out. */
  readonly withhold: number
  /** A proposal is sent in two versions. */
  readonly equivocate: number
  /** A vote is also made for another block of the view. */
  readonly doubleVote: number
  /** A timeout reports another view, or is for another view. */
  readonly forgeTimeout: number
  /** After a failed view: the proposal builds on the lowest certificate a quorum of timeouts allows. */
  readonly stale: number
  /** A certificate is sent with signatures, height or parts that are not those of the quorum. */
  readonly forgeCertificate: number
  /** An old message of anybody is sent again. */
  readonly replay: number
  /** Bytes that are no message, or one that is damaged. */
  readonly garbage: number
}

export interface Bent {
  readonly to: number
  readonly bytes: Uint8Array
}

const REMEMBERED = 200

export class Adversary {
  readonly #index: ValidatorIndex
  readonly #genesisHash: GenesisHash
  readonly #electorate: Electorate
  readonly #random: Random
  readonly #habits: Misbehaviour
  readonly #blocks = new Map<View, HashedBlock[]>()
  readonly #timeouts = new Map<View, Map<ValidatorIndex, Timeout>>()
  readonly #votes = new Map<string, { readonly vote: Vote; readonly signatures: VoterSignature[] }>()
  readonly #certificates = new Map<View, QuorumCertificate>()
  readonly #seen: Uint8Array[] = []

  constructor(
    index: ValidatorIndex,
    genesisHash: GenesisHash,
    electorate: Electorate,
    random: Random,
    habits: Misbehaviour,
  ) {
    this.#index = index
    this.#genesisHash = genesisHash
    this.#electorate = electorate
    this.#random = random
    this.#habits = habits
  }

  /** A message reached this validator. */
  observe(message: ConsensusMessage): void {
    if (this.#seen.length < REMEMBERED) this.#seen.push(encodeMessage(message))
    else this.#seen[this.#random.below(REMEMBERED)] = encodeMessage(message)
    switch (message.kind) {
      case 'proposal':
        this.#keepBlock(message.block)
        return
      case 'prepare':
        this.#keepVote(message)
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
      case 'commit':
      case 'certificate-request':
        return
    }
  }

  /** What is said instead. `receivers` are validators. */
  bend(message: ConsensusMessage, receivers: readonly number[]): Bent[] {
    const { withhold, forgeCertificate, replay, garbage } = this.#habits
    const random = this.#random
    const said: Bent[] = []
    const say = (to: number, what: ConsensusMessage): void => {
      if (!random.chance(withhold)) said.push({ to, bytes: encodeMessage(what) })
    }
    for (const version of this.#versionsOf(message)) {
      const isSplit = version !== message || random.chance(0.5)
      for (const to of receivers) if (!isSplit || random.chance(0.6)) say(to, version)
    }
    if (random.chance(forgeCertificate)) {
      const forged = this.#forgedCertificates()
      if (forged !== null) for (const to of receivers) say(to, forged)
    }
    for (const to of receivers) {
      if (random.chance(replay) && this.#seen.length > 0) {
        said.push({ to, bytes: this.#seen[random.below(this.#seen.length)] as Uint8Array })
      }
      if (random.chance(garbage)) said.push({ to, bytes: this.#damaged(encodeMessage(message)) })
    }
    return said
  }

  #versionsOf(message: ConsensusMessage): ConsensusMessage[] {
    const { equivocate, doubleVote, forgeTimeout, stale } = this.#habits
    const random = this.#random
    if (message.kind === 'proposal') {
      this.#keepBlock(message.block)
      const versions: Proposal[] = []
      const old = random.chance(stale) ? this.#staleProposal(message) : null
      versions.push(old ?? message)
      if (random.chance(equivocate)) versions.push(this.#secondProposal(versions[0] as Proposal))
      return versions
    }
    if ((message.kind === 'prepare' || message.kind === 'pre-commit') && message.voter === this.#index) {
      if (message.kind === 'prepare') this.#keepVote(message)
      if (!random.chance(doubleVote)) return [message]
      const others = (this.#blocks.get(message.view) ?? []).filter(({ hash }) => hash !== message.blockHash)
      return [message, ...others.map((block) => this.#voteFor(message, block))]
    }
    if (message.kind === 'timeout' && message.voter === this.#index && random.chance(forgeTimeout)) {
      const view = random.chance(0.7) ? message.view : asView(message.view + random.below(80))
      return [message, this.#timeoutOf(message, view, asView(random.below(view)))]
    }
    return [message]
  }

  #keepBlock(block: HashedBlock): void {
    const ofView = this.#blocks.get(block.header.view) ?? []
    if (!ofView.some(({ hash }) => hash === block.hash)) ofView.push(block)
    this.#blocks.set(block.header.view, ofView)
  }

  #keepVote(vote: Vote): void {
    const key = `${vote.view}/${vote.blockHash}`
    const entry = this.#votes.get(key) ?? { vote, signatures: [] }
    this.#votes.set(key, entry)
    if (entry.signatures.some(({ voter }) => voter === vote.voter)) return
    entry.signatures.push({ voter: vote.voter, signature: vote.signature })
    const weight = this.#electorate.weightOf(entry.signatures.map(({ voter }) => voter))
    if (weight < this.#electorate.quorum || this.#certificates.has(vote.view)) return
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

  #signed(block: HashedBlock, timeoutCertificate: TimeoutCertificate | null): Proposal {
    const { epoch, view } = block.header
    const payload = proposalSigningPayload(this.#genesisHash, { epoch, view, blockHash: block.hash })
    return {
      kind: 'proposal',
      block,
      timeoutCertificate,
      signature: toySign(this.#index, payload, 'proposal'),
    }
  }

  #secondProposal(first: Proposal): Proposal {
    const { header, transactions } = first.block
    const block = hashBlock({
      header: { ...header, timestamp: asUnixMs(header.timestamp + 1) },
      transactions,
    })
    this.#keepBlock(block)
    return this.#signed(block, first.timeoutCertificate)
  }

  /** TC from the lowest reports, block on the lowest certificate that goes with it. */
  #staleProposal({ block, timeoutCertificate }: Proposal): Proposal | null {
    if (timeoutCertificate === null) return null
    const lowest = this.#lowestTimeoutCertificate(timeoutCertificate)
    if (lowest === null) return null
    const { highQc } = lowest
    const parent = [...this.#blocks.values()].flat().find(({ hash }) => hash === highQc.blockHash)
    if (parent === undefined) return null
    const justify = { view: highQc.view, blockHash: highQc.blockHash }
    const header = {
      ...block.header,
      justify,
      parentHash: parent.hash,
      height: asHeight(parent.header.height + 1),
    }
    const stale = hashBlock({ header, transactions: [] })
    return this.#signed(stale, lowest)
  }

  #lowestTimeoutCertificate(given: TimeoutCertificate): TimeoutCertificate | null {
    const seen = [...(this.#timeouts.get(given.view)?.values() ?? [])]
    const own = given.timeouts.find(({ voter }) => voter === this.#index)
    const all = new Map(
      seen.map((timeout) => [timeout.voter, timeout as VoterSignature & { highQcView: View }]),
    )
    for (const timeout of given.timeouts) if (!all.has(timeout.voter)) all.set(timeout.voter, timeout)
    const zero = timeoutSigningPayload(this.#genesisHash, { ...given, highQcView: asView(0) })
    const lie = {
      voter: this.#index,
      highQcView: asView(0),
      signature: toySign(this.#index, zero, 'timeout'),
    }
    all.set(this.#index, own === undefined ? lie : { ...own, ...lie })
    const chosen: (VoterSignature & { highQcView: View })[] = []
    for (const timeout of [...all.values()].sort((a, b) => a.highQcView - b.highQcView)) {
      if (this.#electorate.weightOf(chosen.map(({ voter }) => voter)) >= this.#electorate.quorum) break
      chosen.push(timeout)
    }
    if (this.#electorate.weightOf(chosen.map(({ voter }) => voter)) < this.#electorate.quorum) return null
    const highest = Math.max(...chosen.map(({ highQcView }) => highQcView))
    const highQc = this.#certificates.get(asView(highest))
    if (highQc === undefined) return null
    const timeouts = chosen
      .map(({ voter, signature, highQcView }) => ({ voter, signature, highQcView }))
      .sort((a, b) => a.voter - b.voter)
    return { ...given, timeouts, highQc }
  }

  #voteFor(like: Vote, block: HashedBlock): Vote {
    const vote = { ...like, blockHash: block.hash, height: block.header.height }
    return {
      ...vote,
      signature: toySign(this.#index, voteSigningPayload(this.#genesisHash, vote), like.kind),
    }
  }

  #timeoutOf(like: Timeout, view: View, highQcView: View): Timeout {
    const timeout = { ...like, view, highQcView }
    const payload = timeoutSigningPayload(this.#genesisHash, timeout)
    return { ...timeout, signature: toySign(this.#index, payload, 'timeout') }
  }

  /** Right references under wrong contents: what a check that trusts references would let through. */
  #forgedCertificates(): ConsensusMessage | null {
    const random = this.#random
    const known = [...this.#certificates.values()]
    const certificate = known[random.below(known.length)]
    if (certificate === undefined) return null
    const wrongs: QuorumCertificate[] = [
      { ...certificate, signatures: [] },
      { ...certificate, height: asHeight(certificate.height + 1 + random.below(1_000)) },
      { ...certificate, kind: 'pre-commit' },
      { ...certificate, view: asView(certificate.view + 1) },
      { ...certificate, view: asView(0), blockHash: 'ab'.repeat(32) as BlockHash, signatures: [] },
      { ...certificate, signatures: certificate.signatures.map((s) => ({ ...s, voter: this.#index })) },
    ]
    const wrong = wrongs[random.below(wrongs.length)] as QuorumCertificate
    const views = [...this.#timeouts.keys()]
    const timeouts = this.#timeouts.get(views[views.length - 1] ?? asView(0))
    const view = views[views.length - 1]
    const isTimeout = timeouts !== undefined && view !== undefined && random.chance(0.6)
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

  #damaged(bytes: Uint8Array): Uint8Array {
    const damaged = bytes.slice(0, this.#random.chance(0.3) ? this.#random.below(bytes.length) : bytes.length)
    for (let i = 0; i < 3 && damaged.length > 0; i++) {
      damaged[this.#random.below(damaged.length)] = this.#random.below(256)
    }
    return damaged
  }
}

/**
 * Looks at every verified signature of our own key for one that was not made here: then another process signs with
 * the key, or the safety record is not the newest. Either way nothing may be signed here. What to do about it is the
 * caller's; a signature that nobody shows us it cannot see.
 */
import {
  certificateSigningPayload,
  preparePayloadStart,
  signedVotePayload,
  timeoutSigningPayload,
} from '../codec/signing-payloads.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import { type ConsensusMessage, type Vote, voteOfProposal } from '../types/messages.ts'
import type { Epoch, GenesisHash, ValidatorIndex, View } from '../types/primitives.ts'

/** Kinds with a record of their own. Commit votes have none (R7): two processes sign the same one. */
type WatchedKind = 'prepare' | 'pre-commit' | 'timeout'

/** A signature of our key that was not made here. */
export interface ForeignSignature {
  readonly kind: WatchedKind
  readonly epoch: Epoch
  readonly view: View
}

export interface DoppelgangerWatchOptions {
  readonly genesisHash: GenesisHash
  /** Our place in the validator set of an epoch; null when we are not in it. */
  readonly indexIn: (epoch: Epoch) => ValidatorIndex | null
  /** Whether a signature can be one of ours, by as many first bytes of its payload as are known; the signer knows. */
  readonly recognises: (
    slot: { readonly kind: WatchedKind; readonly epoch: Epoch; readonly position: View },
    payload: Uint8Array,
  ) => boolean
  readonly onForeign: (signature: ForeignSignature) => void
}

export class DoppelgangerWatch {
  readonly #options: DoppelgangerWatchOptions

  constructor(options: DoppelgangerWatchOptions) {
    this.#options = options
  }

  /** A message or certificate whose signatures hold. */
  verified(message: ConsensusMessage | QuorumCertificate): void {
    if ('signatures' in message) this.#certificate(message)
    else if (message.kind === 'proposal') {
      this.#vote(voteOfProposal(message))
      if (message.timeoutCertificate !== null) this.#timeouts(message.timeoutCertificate)
    } else if (message.kind === 'prepare' || message.kind === 'pre-commit') {
      this.#vote(message)
    } else if (message.kind === 'timeout') {
      const { epoch, view, voter } = message
      if (!this.#isOurs(epoch, voter)) return
      this.#look('timeout', epoch, view, timeoutSigningPayload(this.#genesis, message))
    } else if (message.kind === 'certificates') {
      for (const certificate of [message.highQc, message.finality]) {
        if (certificate !== null) this.#certificate(certificate)
      }
      if (message.highTc !== null) this.#timeouts(message.highTc)
    }
  }

  /** Final blocks: a quorum took them from their proposers. */
  final(blocks: readonly { readonly block: HashedBlock; readonly finality: QuorumCertificate }[]): void {
    for (const { block, finality } of blocks) {
      this.#block(block)
      this.#certificate(finality)
    }
  }

  get #genesis(): GenesisHash {
    return this.#options.genesisHash
  }

  #isOurs(epoch: Epoch, signer: ValidatorIndex): boolean {
    return this.#options.indexIn(epoch) === signer
  }

  #vote(vote: Vote): void {
    const { kind, epoch, view, voter } = vote
    if (this.#isOurs(epoch, voter)) this.#look(kind, epoch, view, signedVotePayload(this.#genesis, vote))
  }

  /** The proposer's prepare vote; its commits are not known from the block. */
  #block({ header, hash }: HashedBlock): void {
    const { epoch, view, height, proposer } = header
    if (view === 0 || !this.#isOurs(epoch, proposer)) return
    const payload = preparePayloadStart(this.#genesis, { epoch, view, height, blockHash: hash })
    this.#look('prepare', epoch, view, payload)
  }

  #certificate(certificate: QuorumCertificate): void {
    const { kind, epoch, view, signatures } = certificate
    const ours = signatures.find(({ voter }) => this.#isOurs(epoch, voter))
    if (kind === 'commit' || ours === undefined) return
    this.#look(kind, epoch, view, certificateSigningPayload(this.#genesis, certificate, ours.commits))
  }

  #timeouts({ epoch, view, timeouts, highQc }: TimeoutCertificate): void {
    for (const { voter, highQcView } of timeouts) {
      if (!this.#isOurs(epoch, voter)) continue
      this.#look('timeout', epoch, view, timeoutSigningPayload(this.#genesis, { epoch, view, highQcView }))
    }
    this.#certificate(highQc)
  }

  #look(kind: WatchedKind, epoch: Epoch, view: View, payload: Uint8Array): void {
    const { recognises, onForeign } = this.#options
    if (!recognises({ kind, epoch, position: view }, payload)) onForeign({ kind, epoch, view })
  }
}

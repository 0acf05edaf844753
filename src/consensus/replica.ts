/**
 * The replica: rules S0 to R16 of README.md as a synchronous state machine. No clock, randomness, I/O, logging
 * or signature work in here; same options and same inputs in the same order give identical effects.
 * {@link Replica.step} throws only InvariantViolation, which nobody catches.
 */
import { unreachable } from '../types/assert.ts'
import type { CertificateReference, HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { ChainParameters } from '../types/genesis.ts'
import type { ConsensusMessage, Proposal } from '../types/messages.ts'
import type { BlockHash, Epoch, Height, ValidatorIndex, View } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { Verified } from '../types/verified.ts'
import { handleAfterEpoch } from './after-epoch.ts'
import { applyFinalityCertificate, onCertificates, sendCertificates } from './certificate-rules.ts'
import { type CommitsDigest, type ReplicaState, StepContext } from './context.ts'
import { fetchDuty } from './duty-fetch.ts'
import { finalizeDuty, onBlocksCommitted } from './duty-finalize.ts'
import { onBlockBuilt, proposeDuty, resumeProposing } from './duty-propose.ts'
import { preCommitDuty, prepareDuty } from './duty-vote.ts'
import type { ConsensusEffect } from './effect.ts'
import type { ConsensusEvent } from './event.ts'
import { initialState } from './initial-state.ts'
import type { ConsensusInput, Instant } from './input.ts'
import type { LeaderRecord } from './leader-election.ts'
import { onCommitVote } from './on-commit-vote.ts'
import { onProposal } from './on-proposal.ts'
import { onReachability } from './on-reachability.ts'
import { type EncodeProposal, onSigned } from './on-signed.ts'
import { onStarted } from './on-started.ts'
import { onTimeout, reconsiderUnprovenTimeouts } from './on-timeout.ts'
import { onTimer } from './on-timer.ts'
import { onVote } from './on-vote.ts'
import { ballotsArrived, onOpenings } from './open-ballots.ts'
import type { Pacemaker } from './pacemaker.ts'
import { type Triage, triage } from './triage.ts'
import { forgetKeptBlocks, noteActivity, noteQuiet } from './view-entry.ts'

export interface ReplicaOptions {
  /** Of the epoch this replica acts in: it serves one, and another one serves the next (R13). */
  readonly validatorSet: ValidatorSet
  /** Height of the epoch's last block; null for an epoch without end. */
  readonly epochEnd: Height | null
  /** Null for a node that follows without voting. */
  readonly self: ValidatorIndex | null
  readonly parameters: ChainParameters
  /** Last final block. */
  readonly final: HashedBlock
  /**
   * Certificate of this epoch that made it final: on it or on a descendant. Null when no block of this epoch is
   * final: then `final` is the epoch's root, genesis or the last block of the epoch before.
   */
  readonly finality: QuorumCertificate | null
  /** What leaders are judged by (R14): final blocks, and who weighs. */
  readonly leaderRecord: LeaderRecord
  /** What the epoch before learnt of delays; null at the start of the process. */
  readonly pacemaker: Pacemaker | null
  /** Fold of the durable safety records (S0). */
  readonly recovered: SafetyRecord
  /** `recovered.proposal`, decoded. */
  readonly recoveredProposal: Proposal | null
  /** `recovered.blocks`, decoded. */
  readonly recoveredBlocks: readonly HashedBlock[]
  readonly encodeProposal: EncodeProposal
  readonly commitsDigest: CommitsDigest
}

/** What one input led to: effects to perform in order, events to tell. */
export interface Step {
  readonly effects: readonly ConsensusEffect[]
  readonly events: readonly ConsensusEvent[]
}

/** A read-only look at a replica, for status and tests. */
export interface ReplicaView {
  readonly epoch: Epoch
  readonly view: View
  readonly leader: ValidatorIndex
  readonly highQcView: View
  readonly final: HashedBlock
  readonly certifiedHeight: number
  readonly prepareVoters: readonly ValidatorIndex[]
  readonly preCommitVoters: readonly ValidatorIndex[]
  readonly timeoutVoters: readonly ValidatorIndex[]
  readonly unreachable: readonly ValidatorIndex[]
}

export class Replica {
  readonly #state: ReplicaState
  readonly #options: ReplicaOptions

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.#state = initialState(options)
  }

  /** Index of the validator it acts for; null when it follows. */
  get self(): ValidatorIndex | null {
    return this.#state.self
  }

  /** What it has learnt of delays, for the replica of the next epoch. */
  get pacemaker(): Pacemaker {
    return this.#state.pacemaker
  }

  /** Canonical bytes of a block that is not final, or final and perhaps not durable yet. */
  blockBytes(hash: BlockHash): Uint8Array | null {
    const { tree, keptBlocks } = this.#state
    return (tree.get(hash) ?? keptBlocks.get(hash))?.bytes ?? null
  }

  /** Takes one input. @throws InvariantViolation for a bug of ours, nothing else */
  step(input: ConsensusInput, now: Instant): Step {
    const context = new StepContext(this.#state, now, this.#options.commitsDigest)
    if (!this.#state.isHalted) {
      if (this.#state.isEpochOver) handleAfterEpoch(context, input)
      else this.#handle(context, input)
      if (!this.#state.isHalted && !this.#state.isEpochOver) performDuties(context)
    }
    return { effects: context.effects, events: context.events }
  }

  /** R16: whether checking a message's signatures can be of use now. */
  triage(message: ConsensusMessage): Triage {
    return this.#state.isHalted ? 'ignore' : triage(this.#state, message)
  }

  /** The certificate held for this view and block: checking another one of them would be for nothing. */
  held(reference: CertificateReference): QuorumCertificate | null {
    return this.#state.certificates.get(reference)
  }

  /** The whole safety record as of now: stands for every record so far. */
  safetySnapshot(): SafetyRecord {
    const { safety, certificates, keptBlocks } = this.#state
    forgetKeptBlocks(this.#state)
    return safety.snapshot(
      certificates.highQc,
      certificates.highTc,
      keptBlocks.bytes(),
      this.#state.tree.root.header.height,
    )
  }

  /** What an onlooker may know. */
  look(): ReplicaView {
    const { epoch, view, leaders, certificates, tree, certifiedHeight, unreachable } = this.#state
    return {
      epoch,
      view,
      leader: leaders.leaderOf(view),
      highQcView: certificates.highQc.view,
      final: tree.root,
      certifiedHeight,
      prepareVoters: this.#state.prepareVotes.votersOf(view),
      preCommitVoters: this.#state.preCommitVotes.votersOf(view - 1),
      timeoutVoters: this.#state.timeouts.votersOf(view),
      unreachable: [...unreachable].sort((a, b) => a - b),
    }
  }

  #handle(context: StepContext, input: ConsensusInput): void {
    const { state } = context
    switch (input.kind) {
      case 'started':
        onStarted(context, this.#options.recoveredProposal)
        return
      case 'message-received':
        onMessage(context, input.from, input.message)
        return
      case 'timer-expired':
        onTimer(context, input.timer, input.view)
        return
      case 'resumed':
        state.isYielding = false
        state.hasYielded = true
        return
      case 'signed':
        onSigned(context, input.request, input, this.#options.encodeProposal)
        return
      case 'block-built':
        onBlockBuilt(context, input.view, input.built)
        return
      case 'ballots-opened':
        ballotsArrived(context)
        return
      case 'block-checked':
        onBlockChecked(state, input)
        return
      case 'blocks-committed':
        onBlocksCommitted(context, input)
        return
      case 'blocks-received':
        for (const block of input.blocks) state.tree.add(block)
        if (input.finality !== null) applyFinalityCertificate(context, input.finality)
        return
      case 'work-arrived':
        state.hasWork = true
        noteActivity(context)
        resumeProposing(context)
        return
      case 'work-exhausted':
        state.hasWork = false
        noteQuiet(context)
        return
      case 'reachability-changed':
        onReachability(context, input.validator, input.isReachable)
        return
      default:
        unreachable(input)
    }
  }
}

function onBlockChecked(
  { tree }: ReplicaState,
  { blockHash, outcome }: ConsensusInput & { kind: 'block-checked' },
): void {
  tree.checked(blockHash, outcome.ok ? outcome : null)
}

function onMessage(context: StepContext, from: ValidatorIndex, message: Verified<ConsensusMessage>): void {
  switch (message.kind) {
    case 'proposal':
      onProposal(context, from, message)
      return
    case 'prepare':
    case 'pre-commit':
      onVote(context, from, message)
      return
    case 'openings':
      onOpenings(context, message)
      return
    case 'commit':
      onCommitVote(context, message)
      return
    case 'timeout':
      onTimeout(context, from, message)
      return
    case 'certificates':
      onCertificates(context, message)
      return
    case 'certificate-request':
      sendCertificates(context, from, message.view)
      return
    default:
      unreachable(message)
  }
}

/** Everything that follows from what is known. Order: earlier duties may enable later ones. */
function performDuties(context: StepContext): void {
  reconsiderUnprovenTimeouts(context)
  preCommitDuty(context)
  finalizeDuty(context)
  if (context.state.isHalted) return
  for (const { block, parent } of context.state.tree.takeCheckable()) {
    context.perform({ kind: 'check-block', block, parent })
  }
  prepareDuty(context)
  proposeDuty(context)
  fetchDuty(context)
}

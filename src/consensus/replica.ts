/**
 * The replica: rules S0 to R16 of README.md as a synchronous state machine. No clock, randomness, I/O, logging
 * or signature work in here; same options and same inputs in the same order give identical effects.
 * {@link Replica.step} throws only InvariantViolation, which nobody catches.
 */
import { assert, unreachable } from '../types/assert.ts'
import type { CertificateReference, HashedBlock } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import type { ChainParameters } from '../types/genesis.ts'
import type { ConsensusMessage, Proposal } from '../types/messages.ts'
import {
  asHeight,
  asMonotonicMs,
  asValidatorIndex,
  asView,
  type BlockHash,
  type ValidatorIndex,
  type View,
} from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import { BlockTree } from './block-tree.ts'
import { applyFinalityCertificate, onCertificates, sendCertificates } from './certificate-rules.ts'
import { CertificateStore } from './certificate-store.ts'
import { type ReplicaState, StepContext } from './context.ts'
import { fetchDuty } from './duty-fetch.ts'
import { finalizeDuty, onBlocksCommitted } from './duty-finalize.ts'
import { onBlockBuilt, proposeDuty, resumeProposing } from './duty-propose.ts'
import { preCommitDuty, prepareDuty } from './duty-vote.ts'
import type { ConsensusEffect } from './effect.ts'
import type { ConsensusEvent } from './event.ts'
import type { ConsensusInput, Instant } from './input.ts'
import { KeptBlocks } from './kept-blocks.ts'
import { LeaderSchedule } from './leader-schedule.ts'
import { onCommitVote } from './on-commit-vote.ts'
import { onProposal } from './on-proposal.ts'
import { onReachability } from './on-reachability.ts'
import { type EncodeProposal, onSigned } from './on-signed.ts'
import { onStarted } from './on-started.ts'
import { onTimeout, reconsiderUnprovenTimeouts } from './on-timeout.ts'
import { onTimer } from './on-timer.ts'
import { onVote } from './on-vote.ts'
import { Pacemaker } from './pacemaker.ts'
import { restartView, SafetyState } from './safety.ts'
import { TimeoutAggregator } from './timeout-aggregator.ts'
import { type Triage, triage } from './triage.ts'
import { Electorate } from './validator-set.ts'
import { forgetKeptBlocks, noteActivity, noteQuiet } from './view-entry.ts'
import { VoteAggregator } from './vote-aggregator.ts'

export interface ReplicaOptions {
  readonly validatorSet: ValidatorSet
  /** Null for a node that follows without voting. */
  readonly self: ValidatorIndex | null
  readonly parameters: ChainParameters
  /** Last final block. */
  readonly final: HashedBlock
  /** Certificate that made it final: on it or on a descendant. Null exactly at genesis. */
  readonly finality: QuorumCertificate | null
  /** Fold of the durable safety records (S0). */
  readonly recovered: SafetyRecord
  /** `recovered.proposal`, decoded. */
  readonly recoveredProposal: Proposal | null
  /** `recovered.blocks`, decoded. */
  readonly recoveredBlocks: readonly HashedBlock[]
  readonly encodeProposal: EncodeProposal
}

/** What one input led to: effects to perform in order, events to tell. */
export interface Step {
  readonly effects: readonly ConsensusEffect[]
  readonly events: readonly ConsensusEvent[]
}

/** A read-only look at a replica, for status and tests. */
export interface ReplicaView {
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

  /** Canonical bytes of a block that is not final, or final and perhaps not durable yet. */
  blockBytes(hash: BlockHash): Uint8Array | null {
    const { tree, keptBlocks } = this.#state
    return (tree.get(hash) ?? keptBlocks.get(hash))?.bytes ?? null
  }

  /** Takes one input. @throws InvariantViolation for a bug of ours, nothing else */
  step(input: ConsensusInput, now: Instant): Step {
    const context = new StepContext(this.#state, now)
    if (!this.#state.isHalted) {
      this.#handle(context, input)
      if (!this.#state.isHalted) performDuties(context)
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
    return safety.snapshot(certificates.highQc, certificates.highTc, keptBlocks.bytes())
  }

  /** What an onlooker may know. */
  look(): ReplicaView {
    const { view, schedule, certificates, tree, certifiedHeight, unreachable } = this.#state
    return {
      view,
      leader: schedule.leaderOf(view),
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
      case 'signed':
        onSigned(context, input.request, input.signature, this.#options.encodeProposal)
        return
      case 'block-built':
        onBlockBuilt(context, input.view, input.built)
        return
      case 'block-checked':
        state.tree.checked(input.blockHash, input.outcome.ok ? input.outcome.stateRoot : null)
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

function onMessage(context: StepContext, from: ValidatorIndex, message: Verified<ConsensusMessage>): void {
  switch (message.kind) {
    case 'proposal':
      onProposal(context, from, message)
      return
    case 'prepare':
    case 'pre-commit':
      onVote(context, from, message)
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

function initialState(options: ReplicaOptions): ReplicaState {
  const { final, finality, recovered, self, parameters } = options
  const electorate = new Electorate(options.validatorSet)
  assert((finality === null) === (final.header.height === 0), 'exactly genesis needs no finality certificate')
  const ofFinal = finality === null ? genesisCertificate(final) : finality
  const highest =
    recovered.highQc !== null && recovered.highQc.view > ofFinal.view ? recovered.highQc : ofFinal
  const certificates = new CertificateStore(
    // Own durable records and the own database: checked when they were written.
    mintVerified(highest),
    recovered.highTc === null ? null : mintVerified<TimeoutCertificate>(recovered.highTc),
    finality === null ? null : mintVerified(finality),
  )
  if (finality !== null && finality.height > final.header.height) {
    certificates.addPendingFinality(mintVerified(finality))
  }
  if (highest.kind === 'pre-commit' && highest.height > final.header.height) {
    certificates.addPendingFinality(mintVerified(highest))
  }
  certificates.add(mintVerified(ofFinal))
  const tree = new BlockTree(final)
  const keptBlocks = new KeptBlocks()
  for (const block of options.recoveredBlocks) {
    tree.add(block)
    keptBlocks.keep(block)
  }
  const others = options.validatorSet.validators.map((_, i) => asValidatorIndex(i)).filter((i) => i !== self)
  return {
    self,
    epoch: options.validatorSet.epoch,
    parameters,
    electorate,
    schedule: new LeaderSchedule(electorate),
    pacemaker: new Pacemaker(parameters),
    safety: new SafetyState(recovered),
    tree,
    keptBlocks,
    certificates,
    prepareVotes: new VoteAggregator(electorate),
    preCommitVotes: new VoteAggregator(electorate),
    commitVotes: new VoteAggregator(electorate),
    timeouts: new TimeoutAggregator(electorate),
    proposals: new Map(),
    equivocalViews: new Set(),
    unprovenTimeouts: new Map(),
    lastCommitVote: null,
    committed: new Map(),
    certifiedHeight: asHeight(0),
    committedHeight: final.header.height,
    committedTime: final.header.timestamp,
    unreachable: new Set(others),
    view: restartView(recovered, highest.view, ofFinal.view),
    viewEnteredAt: asMonotonicMs(0),
    quietSince: asMonotonicMs(0),
    activeSince: null,
    hasWork: false,
    isStarting: true,
    proposalStage: 'not-started',
    isEmptyDue: false,
    refusedView: asView(0),
    timeoutRepeats: 0,
    isFetchTimerSet: false,
    syncTarget: asHeight(0),
    lastReplyAt: new Map(),
    lastRequestAt: new Map(),
    isHalted: false,
  }
}

/** Genesis carries QC(PREPARE, 0, G): it needs no signatures, being the same for all by its hash. */
export function genesisCertificate(genesis: HashedBlock): QuorumCertificate {
  return {
    kind: 'prepare',
    epoch: genesis.header.epoch,
    view: genesis.header.view,
    height: genesis.header.height,
    blockHash: genesis.hash,
    stateRoot: null,
    signatures: [],
  }
}

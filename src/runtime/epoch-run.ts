/**
 * One epoch's replica with what belongs to it alone: its validators, their signatures, its timers, its effects.
 * What outlives an epoch (the safety record, the chain, the pool, the network) is handed in.
 */
import { commitsDigest } from '../codec/ballots.ts'
import { decodeBlock } from '../codec/block.ts'
import { decodeMessage, encodeMessage } from '../codec/messages.ts'
import type { ConsensusEffect, TimerName } from '../consensus/effect.ts'
import type { ConsensusEvent } from '../consensus/event.ts'
import type { ConsensusInput } from '../consensus/input.ts'
import type { LeaderRecord } from '../consensus/leader-election.ts'
import type { Pacemaker } from '../consensus/pacemaker.ts'
import { Replica } from '../consensus/replica.ts'
import { recoveredForEpoch } from '../consensus/safety.ts'
import { Electorate } from '../consensus/validator-set.ts'
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { ChainParameters } from '../types/genesis.ts'
import type { ConsensusMessage, Proposal } from '../types/messages.ts'
import type { GenesisHash, Height, ValidatorId, ValidatorIndex, View } from '../types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../types/safety.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import { EffectHandler, type EffectHandlerOptions } from './effect-handler.ts'
import { Ingress, type IngressOutcome } from './ingress.ts'
import { MessageVerifier, type OnVerified } from './message-verifier.ts'
import type { Clock, SignatureCheck, TimerPort } from './ports.ts'
import { RememberedSignatures } from './remembered-signatures.ts'
import { ReplicaDriver } from './replica-driver.ts'
import { Timers } from './timers.ts'

type TimerExpired = (timer: TimerName, view: View) => void

export interface EpochRunOptions {
  readonly genesisHash: GenesisHash
  readonly parameters: ChainParameters
  readonly validatorSet: ValidatorSet
  readonly epochEnd: Height | null
  /** Identity of this node's validator key and the fold of its safety records; null for one that never votes. */
  readonly validator: { readonly id: ValidatorId; readonly recovered: SafetyRecord } | null
  readonly final: HashedBlock
  /** Null when `final` is the epoch's root. */
  readonly finality: QuorumCertificate | null
  readonly leaderRecord: LeaderRecord
  readonly pacemaker: Pacemaker | null
  readonly signatures: SignatureCheck
  readonly clock: Clock
  /** What the effects need of the world; `self` is this node's index in the epoch's set. */
  readonly effects: (run: {
    readonly self: ValidatorIndex | null
    readonly electorate: Electorate
    readonly timers: TimerPort
    readonly input: (input: ConsensusInput) => void
  }) => EffectHandlerOptions
  readonly observe: (event: ConsensusEvent) => void
  /** Timers of another clock than the machine's, as a simulator has. */
  readonly timers: ((onExpired: TimerExpired) => TimerPort) | undefined
  /** Told of every effect before it is performed. */
  readonly beforeEffect: ((effect: ConsensusEffect) => void) | undefined
  readonly onVerified?: OnVerified | undefined
  readonly onFatal: (error: unknown) => void
}

export class EpochRun {
  readonly electorate: Electorate
  readonly epochEnd: Height | null
  readonly self: ValidatorIndex | null
  readonly replica: Replica
  readonly verifier: MessageVerifier
  readonly #timers: TimerPort
  readonly #driver: ReplicaDriver
  readonly #effects: EffectHandler
  readonly #ingress: Ingress

  constructor(options: EpochRunOptions) {
    const { validatorSet, validator, final, clock, onFatal } = options
    this.electorate = new Electorate(validatorSet)
    this.epochEnd = options.epochEnd
    this.self = votingIndex(this.electorate, validator)
    this.replica = makeReplica(options, this.self)
    const onExpired: TimerExpired = (timer, view) => this.input({ kind: 'timer-expired', timer, view })
    this.#timers = options.timers?.(onExpired) ?? new Timers(onExpired)
    this.#effects = new EffectHandler(
      options.effects({
        self: this.self,
        electorate: this.electorate,
        timers: this.#timers,
        input: (input) => this.input(input),
      }),
    )
    this.#driver = new ReplicaDriver(this.replica, clock, {
      perform: (effect) => {
        options.beforeEffect?.(effect)
        return this.#effects.perform(effect)
      },
      turnEnded: () => this.#effects.turnEnded(),
      observe: options.observe,
      onFatal,
    })
    this.verifier = new MessageVerifier(
      options.genesisHash,
      this.electorate,
      new RememberedSignatures(options.signatures, this.electorate.size),
      (certificate) => this.replica.held(certificate),
      rootOf(final, options.finality),
      options.onVerified,
    )
    this.#ingress = new Ingress({
      electorate: this.electorate,
      verifier: this.verifier,
      triage: (message) => this.replica.triage(message),
      input: (input) => this.input(input),
    })
  }

  get epoch(): number {
    return this.electorate.set.epoch
  }

  input(input: ConsensusInput): void {
    this.#driver.input(input)
  }

  /** A message of this epoch, decoded. */
  take(from: ValidatorId, message: ConsensusMessage): IngressOutcome {
    return this.#ingress.take(from, message)
  }

  /** Takes no more inputs. */
  stop(): void {
    this.#driver.stop()
    this.#effects.stop()
    this.#timers.stop()
  }
}

/** The block that needs no signatures in this epoch; null once a block of the epoch is final. */
function rootOf(final: HashedBlock, finality: QuorumCertificate | null): HashedBlock | null {
  return finality === null ? final : null
}

/** A record of a later epoch means that an old database was brought back: nothing is signed until it caught up. */
function votingIndex(electorate: Electorate, validator: EpochRunOptions['validator']): ValidatorIndex | null {
  if (validator === null || validator.recovered.epoch > electorate.set.epoch) return null
  return electorate.indexOf(validator.id)
}

function makeReplica(options: EpochRunOptions, self: ValidatorIndex | null): Replica {
  const { validatorSet, epochEnd, parameters, final, finality, leaderRecord, pacemaker, validator } = options
  const recovered =
    validator === null || self === null
      ? { ...EMPTY_SAFETY_RECORD, epoch: validatorSet.epoch }
      : recoveredForEpoch(validator.recovered, validatorSet.epoch)
  return new Replica({
    validatorSet,
    epochEnd,
    self,
    parameters,
    final,
    finality,
    leaderRecord,
    pacemaker,
    recovered,
    recoveredProposal: decodeProposal(recovered),
    recoveredBlocks: unfinalBlocks(recovered, final.header.height),
    encodeProposal: encodeMessage,
    commitsDigest,
  })
}

function decodeProposal(recovered: SafetyRecord): Proposal | null {
  if (recovered.proposal === null) return null
  const message = decodeMessage(recovered.proposal.bytes)
  assert(message.ok && message.value.kind === 'proposal', 'the recorded proposal decodes')
  return message.value
}

function unfinalBlocks(recovered: SafetyRecord, finalHeight: Height): HashedBlock[] {
  const blocks: HashedBlock[] = []
  for (const bytes of recovered.blocks) {
    const block = decodeBlock(bytes)
    assert(block.ok, 'a recorded block decodes')
    if (block.value.header.height > finalHeight) blocks.push(block.value)
  }
  return blocks
}

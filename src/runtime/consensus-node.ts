/**
 * The shell around one replica, assembled: driver, effects, ingress, execution, finality. Everything it
 * touches of the world comes in as a port, so that the node and a simulator host the same code.
 */
import { decodeBlock } from '../codec/block.ts'
import { decodeQuorumCertificate } from '../codec/certificates.ts'
import { decodeFinalAnnouncement } from '../codec/final-announcement.ts'
import { decodeMessage, encodeMessage } from '../codec/messages.ts'
import { decodeSafetyRecord } from '../codec/safety-record.ts'
import type { ConsensusEvent } from '../consensus/event.ts'
import { Replica, type ReplicaView } from '../consensus/replica.ts'
import { foldSafetyRecords } from '../consensus/safety.ts'
import { Electorate } from '../consensus/validator-set.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import type { StateReader } from '../ledger/state-reader.ts'
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { Logger } from '../types/logger.ts'
import type { Proposal } from '../types/messages.ts'
import type { BlockHash, Height, RequestKey, StateRoot, ValidatorId } from '../types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../types/safety.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { Verified } from '../types/verified.ts'
import { AnswerFigureMeter } from './answer-figures.ts'
import { BlockExecutor } from './block-executor.ts'
import type { ConsensusEngine } from './consensus-engine.ts'
import { DurableOutbox } from './durable-outbox.ts'
import { EffectHandler } from './effect-handler.ts'
import { Finalizer } from './finalizer.ts'
import { Ingress, type IngressOutcome } from './ingress.ts'
import { MessageVerifier } from './message-verifier.ts'
import type {
  BlockFetcher,
  Clock,
  ConsensusTransport,
  FinalListener,
  FinalStore,
  RangeSyncPort,
  SafetyLogPort,
  SignatureCheck,
  SlotSigner,
  TransactionPool,
} from './ports.ts'
import { ReplicaDriver } from './replica-driver.ts'
import { Timers } from './timers.ts'

/** What makes a node a validator: its key and the record of what the key signed. */
export interface ValidatorDuties {
  readonly id: ValidatorId
  readonly signer: SlotSigner
  readonly log: SafetyLogPort
  readonly recovered: SafetyRecord
}

export interface ConsensusNodeOptions {
  readonly rules: ChainRules
  readonly validatorSet: ValidatorSet
  /** Null for a node that follows without voting. */
  readonly validator: ValidatorDuties | null
  /** Last final block, as stored. */
  readonly tip: {
    readonly block: HashedBlock
    readonly stateRoot: StateRoot
    readonly finality: QuorumCertificate | null
  }
  readonly finalState: StateReader
  readonly store: FinalStore
  readonly pool: TransactionPool
  readonly transport: ConsensusTransport
  readonly fetcher: BlockFetcher
  readonly sync: RangeSyncPort
  readonly signatures: SignatureCheck
  readonly clock: Clock
  readonly observe: (event: ConsensusEvent) => void
  readonly onFinal: FinalListener
  readonly onHalt: (reason: string, dump: object) => void
  readonly onFatal: (error: unknown) => void
  readonly logger: Logger
}

export class ConsensusNode implements ConsensusEngine {
  readonly electorate: Electorate
  readonly #options: ConsensusNodeOptions
  readonly #replica: Replica
  readonly #driver: ReplicaDriver
  readonly #ingress: Ingress
  readonly #verifier: MessageVerifier
  readonly #figures: AnswerFigureMeter
  readonly #finalizer: Finalizer
  readonly #timers: Timers

  constructor(options: ConsensusNodeOptions) {
    this.#options = options
    const { rules, clock, pool, store, validator, logger } = options
    this.electorate = new Electorate(options.validatorSet)
    const self = validator === null ? null : this.electorate.indexOf(validator.id)
    assert(validator === null || self !== null, 'a validator is in the set')
    this.#replica = makeReplica(options, self)
    this.#timers = new Timers((timer, view) => this.#input({ kind: 'timer-expired', timer, view }))
    this.#figures = new AnswerFigureMeter(this.electorate, rules.parameters.blockBytesMax)
    const executor = new BlockExecutor({
      rules,
      final: { hash: options.tip.block.hash, stateRoot: options.tip.stateRoot },
      finalState: options.finalState,
      pool,
      stopwatch: () => clock.monotonicMs(),
    })
    const input = this.#input
    this.#finalizer = new Finalizer({
      executor,
      store,
      pool,
      figures: this.#figures,
      clock,
      input,
      onFinal: options.onFinal,
      onFatal: options.onFatal,
    })
    const effects = new EffectHandler({
      genesisHash: rules.genesisHash,
      electorate: this.electorate,
      validator:
        validator === null || self === null
          ? null
          : {
              index: self,
              signer: validator.signer,
              log: validator.log,
              outbox: new DurableOutbox(validator.log, options.onFatal),
              snapshot: () => this.#replica.safetySnapshot(),
            },
      clock,
      timers: this.#timers,
      transport: options.transport,
      executor,
      finalizer: this.#finalizer,
      fetcher: options.fetcher,
      sync: options.sync,
      figures: this.#figures,
      input,
      onHalt: options.onHalt,
      onFatal: options.onFatal,
      logger,
    })
    this.#driver = new ReplicaDriver(this.#replica, clock, {
      perform: (effect) => effects.perform(effect),
      turnEnded: () => effects.turnEnded(),
      observe: options.observe,
      onFatal: options.onFatal,
    })
    this.#verifier = new MessageVerifier(
      rules.genesisHash,
      this.electorate,
      options.signatures,
      (certificate) => this.#replica.held(certificate),
    )
    this.#ingress = new Ingress({
      electorate: this.electorate,
      verifier: this.#verifier,
      triage: (message) => this.#replica.triage(message),
      input,
    })
  }

  /** Begins to take part. Channel and gossip may already deliver. */
  start(): void {
    this.#input({ kind: 'started' })
  }

  /** Takes no more inputs, waits for what is being written. */
  async stop(): Promise<void> {
    this.#driver.stop()
    this.#timers.stop()
    await this.#finalizer.settled()
  }

  /** Bytes from another validator's channel. */
  receive(from: ValidatorId, bytes: Uint8Array): IngressOutcome {
    this.#figures.transferred(bytes.length)
    return this.#ingress.receive(from, bytes)
  }

  /** A validator's channel opened or closed. */
  reachabilityChanged(id: ValidatorId, isReachable: boolean): void {
    const validator = this.electorate.indexOf(id)
    if (validator !== null) this.#input({ kind: 'reachability-changed', validator, isReachable })
  }

  /** Requests have come into the pool. */
  workArrived(requestKeys: readonly RequestKey[]): void {
    const now = this.#options.clock.monotonicMs()
    for (const requestKey of requestKeys) this.#figures.arrived(requestKey, now)
    this.#input({ kind: 'work-arrived' })
  }

  /** The pool has become empty. */
  workExhausted(): void {
    this.#input({ kind: 'work-exhausted' })
  }

  /**
   * A final block that was announced.
   * @returns accept: new and its certificate holds; ignore: known; reject: it does not hold
   */
  announced(bytes: Uint8Array): 'accept' | 'ignore' | 'reject' {
    const decoded = decodeFinalAnnouncement(bytes)
    if (!decoded.ok) return 'reject'
    const { block, finality } = decoded.value
    if (block.header.height <= this.look().final.header.height) return 'ignore'
    // On the block itself it proves the block; on a descendant it only says how far the chain has come.
    if (finality.kind !== 'pre-commit' || finality.height < block.header.height) return 'reject'
    const isOwn = finality.height === block.header.height
    if (isOwn && finality.blockHash !== block.hash) return 'reject'
    const verified = this.#verifier.verifyCertificate(finality)
    if (verified === null) return 'reject'
    this.take(isOwn ? [block] : [], verified)
    return 'accept'
  }

  /** Blocks that lead to a certified final block, from range sync or an announcement. */
  take(blocks: readonly HashedBlock[], finality: Verified<QuorumCertificate>): void {
    this.#input({ kind: 'blocks-received', blocks, finality })
  }

  /** A pre-commit certificate in canonical bytes, checked; null when it does not hold. */
  verifyFinality(bytes: Uint8Array): Verified<QuorumCertificate> | null {
    const decoded = decodeQuorumCertificate(bytes)
    if (!decoded.ok || decoded.value.kind !== 'pre-commit') return null
    return this.#verifier.verifyCertificate(decoded.value)
  }

  /** What an onlooker may know. */
  look(): ReplicaView {
    return this.#replica.look()
  }

  /** A block above the final one, for peers that ask. */
  unfinalBlock(hash: BlockHash): Uint8Array | null {
    return this.#replica.blockBytes(hash)
  }

  readonly #input: ReplicaDriver['input'] = (input) => this.#driver.input(input)
}

/** Folds what the safety log replayed. @throws InvariantViolation for a record that the CRC let through */
export function recoverSafety(records: Iterable<Uint8Array>): SafetyRecord {
  const decoded: SafetyRecord[] = []
  for (const bytes of records) {
    const record = decodeSafetyRecord(bytes)
    assert(record.ok, 'a safety record decodes')
    decoded.push(record.value)
  }
  return foldSafetyRecords(decoded)
}

function makeReplica(options: ConsensusNodeOptions, self: Replica['self']): Replica {
  const { rules, validatorSet, tip, validator } = options
  const recovered = validator?.recovered ?? EMPTY_SAFETY_RECORD
  return new Replica({
    validatorSet,
    self,
    parameters: rules.parameters,
    final: tip.block,
    finality: tip.finality,
    recovered,
    recoveredProposal: decodeProposal(recovered),
    recoveredBlocks: unfinalBlocks(recovered, tip.block.header.height),
    encodeProposal: encodeMessage,
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

/** What a consensus node is made with: the ports to network, disk, ledger and clock, and the bounds it keeps. */
import type { ConsensusEffect, TimerName } from '../consensus/effect.ts'
import type { ConsensusEvent } from '../consensus/event.ts'
import type { LeaderRecord } from '../consensus/leader-election.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import type { StateReader } from '../ledger/state-reader.ts'
import type { BallotSlot } from '../types/ballots.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { Logger } from '../types/logger.ts'
import type { OperationVote } from '../types/operations.ts'
import type {
  Epoch,
  Height,
  Hex32,
  RequestKey,
  StateRoot,
  ValidatorId,
  ValidatorIndex,
  View,
} from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { RuleFailure } from '../types/verdict.ts'
import type { CommitPairListener } from './commit-watch.ts'
import type { OnVerified } from './message-verifier.ts'
import type { BallotConduct } from './own-ballots.ts'
import type {
  BlockFetcher,
  BlockProofsPort,
  Clock,
  ConsensusTransport,
  EquivocationListener,
  FinalListener,
  FinalStore,
  RangeSyncPort,
  SafetyLogPort,
  SignatureCheck,
  SlotSigner,
  TimerPort,
  TransactionPool,
} from './ports.ts'

/** What makes a node a validator: its key and the record of what the key signed. */
export interface ValidatorDuties {
  readonly id: ValidatorId
  readonly signer: SlotSigner
  readonly log: SafetyLogPort
  readonly recovered: SafetyRecord
  /** How its ballots are made (own-ballots.ts). */
  readonly ballots: {
    readonly saltOf: (slot: BallotSlot) => Hex32
    readonly vote?: (operation: RequestKey) => OperationVote
    readonly conduct?: BallotConduct
  }
}

export interface ConsensusNodeOptions {
  readonly rules: ChainRules
  /** The validators that decide the block after the last durable one (R13). */
  readonly nextSet: () => ValidatorSet
  /** Height of an epoch's last block; null when it has none. */
  readonly epochEndOf: (epoch: Epoch) => Height | null
  /** What leaders are judged by (R14). */
  readonly leaderRecord: LeaderRecord
  /** Null for a node that never votes, whatever the set. */
  readonly validator: ValidatorDuties | null
  /** Last final block, as stored. */
  readonly tip: {
    readonly block: HashedBlock
    readonly stateRoot: StateRoot
    readonly finality: QuorumCertificate | null
  }
  readonly finalState: StateReader
  /** What this node's rules found about a request of a final block; null when it was not there to judge. */
  readonly judgement: (requestKey: RequestKey) => readonly RuleFailure[] | null
  /** Absent: proofs are verified where blocks are executed. */
  readonly proofs?: BlockProofsPort
  readonly store: FinalStore
  readonly pool: TransactionPool
  readonly transport: ConsensusTransport
  readonly fetcher: BlockFetcher
  readonly sync: RangeSyncPort
  readonly signatures: (set: ValidatorSet) => SignatureCheck
  readonly clock: Clock
  readonly observe: (event: ConsensusEvent) => void
  /** Told of every message and certificate whose signatures hold, before the replica has it. */
  readonly onVerified?: OnVerified
  readonly onFinal: FinalListener
  /** An epoch begins, the first one of this run included. */
  readonly onEpoch: (electorate: Electorate, self: ValidatorIndex | null) => void
  readonly onEquivocation: EquivocationListener
  readonly onCommitPair: CommitPairListener
  readonly onHalt: (reason: string, dump: object) => void
  readonly onFatal: (error: unknown) => void
  readonly logger: Logger
  /** Timers of another clock than the machine's, as a simulator has. */
  readonly timers?: (onExpired: TimerExpired) => TimerPort
  /** Told of every effect before it is performed. */
  readonly beforeEffect?: (effect: ConsensusEffect) => void
}

type TimerExpired = (timer: TimerName, view: View) => void

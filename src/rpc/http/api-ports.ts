/**
 * What the public API shows, as plain data, and what it asks the node for it. Amounts of stake are bigint here and
 * decimal strings in JSON, so that every client reads them exactly. Times are Unix milliseconds.
 */

import type { OperationPorts } from './operation-ports.ts'
import type { OperatorPorts } from './operator-ports.ts'
import type { ShieldedPorts } from './shielded-ports.ts'
import type { StakingPorts } from './staking-ports.ts'

/** Everything that a person asks first. */
export interface StatusView {
  readonly version: string
  readonly network: string
  readonly genesisHash: string
  readonly node: {
    readonly name: string
    readonly peerId: string
    /** Multiaddrs where other nodes reach it, each with its peer id. */
    readonly addresses: readonly string[]
    readonly role: 'validator' | 'follower'
    readonly validatorId: string | null
    readonly validatorIndex: number | null
    /** Place of its key in the set; that of a follower while it only listens whether the key is in use elsewhere. */
    readonly seat: number | null
    readonly uptimeSeconds: number
  }
  readonly ready: boolean
  /** Why not, one sentence each; empty when ready. */
  readonly notReadyBecause: readonly string[]
  readonly epoch: number
  /** Height of the epoch's last block, with which the validator set changes; null when it never does. */
  readonly epochEndHeight: number | null
  readonly view: number
  /** Null where there are none: on a network that is mined. */
  readonly leader: {
    readonly validatorIndex: number
    readonly validatorId: string
    readonly isThisNode: boolean
  } | null
  /** Only where genesis says that there is mining: the heaviest chain, of which nothing mined is final. */
  readonly mined?: {
    readonly height: number
    readonly hash: string
    readonly time: number
    /** Of the whole chain, in decimal digits. */
    readonly work: string
    readonly bits: number | null
    /** Up to here nothing is undone by a heavier chain. */
    readonly settledHeight: number
    readonly isMining: boolean
  }
  readonly final: {
    readonly height: number
    readonly hash: string
    readonly view: number
    readonly time: number
    readonly stateRoot: string
    /** Indices of the validators whose signatures are in its certificate. */
    readonly voters: readonly number[]
  }
  /** Height of the highest block with a commit certificate over its state; null before the first. */
  readonly certifiedHeight: number | null
  /** From here on every block is kept; older ones were pruned. */
  readonly lowestHeight: number
  /** Highest height that any peer has told of; null while nobody has. */
  readonly targetHeight: number | null
  readonly validators: number
  readonly validatorsConnected: number
  readonly peers: number
  /** Punishments within the evidence windows, and the stake that they and earlier ones took. */
  readonly slashes: { readonly recent: number; readonly burnt: bigint }
  readonly mempool: { readonly transactions: number; readonly bytes: number }
}

export interface PeerView {
  readonly peerId: string
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  readonly transport: 'tcp' | 'quic'
  /** Hash of its ML-DSA key, proven in the session. */
  readonly identity: string | null
  readonly validatorIndex: number | null
  readonly connectedSeconds: number
  readonly rttMs: number | null
}

export interface ValidatorView {
  /** Null for one that is not in the set yet and will be in the next epoch's, as things are. */
  readonly index: number | null
  readonly validatorId: string
  /** Voting weight; 0 when it is not in the set yet. */
  readonly stake: bigint
  /** In the next epoch, as things are; 0 when it will not be in the set. */
  readonly nextStake: bigint
  readonly isThisNode: boolean
  readonly isConnected: boolean
  /** How far it is trusted to take part in verdicts; null for one that never could. */
  readonly trust: TrustView | null
}

/** Trust in a validator as the ledger has it; the counters are of the period that goes on. */
export interface TrustView {
  /** 0 to 1, for reading; the ledger counts in parts per million. */
  readonly score: number
  readonly ppm: number
  readonly status: 'active' | 'probation' | 'excluded'
  readonly exclusions: number
  /** The first period in which it may come back; null while it is not excluded. */
  readonly excludedUntilPeriod: number | null
  readonly cleanPeriods: number
  readonly slots: number
  readonly agreed: number
  readonly dissented: number
  readonly withheld: number
  readonly absent: number
}

/** How trust in one validator came to be what it is. */
export interface TrustHistoryView {
  readonly account: string
  /** As the ledger has it now. */
  readonly now: TrustView
  /** Every change that a final block made, newest first; at most the latest 240, and none from before a snapshot. */
  readonly changes: readonly {
    readonly height: number
    readonly period: number
    /** Trust before it and after it, in parts per million. */
    readonly from: number
    readonly ppm: number
    readonly status: TrustView['status']
    /** What was counted in the period so far; at its end, in all of it. */
    readonly slots: number
    readonly agreed: number
    readonly dissented: number
    readonly withheld: number
    readonly absent: number
  }[]
}

export interface BlockView {
  readonly hash: string
  readonly height: number
  readonly view: number
  readonly epoch: number
  readonly parentHash: string
  readonly time: number
  readonly proposer: number
  readonly transactionsRoot: string
  readonly proofCommitment: string
  readonly noteCommitmentRoot: string
  readonly nullifierRoot: string
  readonly parentStateRoot: string
  /** After the block; null when it is not executed here. */
  readonly stateRoot: string | null
  readonly isFinal: boolean
  /** Of its certificate; empty when there is none here. */
  readonly voters: readonly number[]
  readonly bytes: number
  readonly transactions: readonly {
    readonly hash: string
    readonly kind: string
    readonly requestKey: string
    /** Null while there is none, and for what gets none. */
    readonly verdict: 'valid' | 'invalid' | 'expired' | null
    readonly reasons: readonly string[]
  }[]
}

/** Which block is asked for. `head` is the highest that is known, `final` the highest that is final. */
export type BlockReference =
  | { readonly kind: 'height'; readonly height: number }
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'head' }
  | { readonly kind: 'final' }

/** One thing that must hold for the node to be ready; `reason` says what is wrong with figures. */
export interface ReadinessCheck {
  readonly name: string
  readonly ok: boolean
  readonly reason: string | null
}

/** What the public API asks the node. */
export interface ApiPorts {
  readonly staking: StakingPorts
  readonly shielded: ShieldedPorts
  readonly operators: OperatorPorts
  readonly operations: OperationPorts
  status(): StatusView | Promise<StatusView>
  /** From here on this node has every block; below, it pruned them. */
  lowestHeight(): number
  peers(): readonly PeerView[] | Promise<readonly PeerView[]>
  validators(): readonly ValidatorView[] | Promise<readonly ValidatorView[]>
  /** Of the validator of this id, or of this account; null when it never had any. */
  trustHistory(id: string): TrustHistoryView | null
  /** Null when there is no such block here. */
  block(reference: BlockReference): BlockView | null | Promise<BlockView | null>
  readiness(): readonly ReadinessCheck[]
}

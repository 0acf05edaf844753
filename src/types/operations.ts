/**
 * Operations: what changes the network itself, decided by its validators. Critical ones are decided like requests, by
 * commit and reveal; standard ones by a certificate of more than a third of the active stake, and they write to a key
 * space of their own. Values: nothing here is changed in place. The rules are in ledger/operations.
 */
import type { Evidence } from './evidence.ts'
import type { AssurancePolicy, ValidationPolicy } from './genesis.ts'
import type { AccountId, Height, RequestKey } from './primitives.ts'

/** Bytes of a key, of a value, and of the payload of an operation that no rule here knows. */
export const OPERATION_KEY_BYTES_MAX = 96
export const OPERATION_VALUE_BYTES_MAX = 1_024
export const OPERATION_PAYLOAD_BYTES_MAX = 4_096
/** Canonical bytes of one operation: all that wait are one row of the database. */
export const OPERATION_BYTES_MAX = 16_384
/** Signatures of one certificate: they fit into one transaction. */
export const AUTHORITY_SIGNATURES_MAX = 72
/** Critical operations that wait, all together and of one proposer. */
export const OPEN_OPERATIONS_MAX = 64
export const OPEN_OPERATIONS_PER_PROPOSER_MAX = 4
/** Keys of the standard key space. */
export const STANDARD_ENTRIES_MAX = 512
/** Standard operations whose time to be escalated is not over, or which are being decided again. */
export const RECENT_STANDARD_MAX = 64
/** Operations whose end is remembered, and losses of trust by verdicts that may be overturned. */
export const DECIDED_OPERATIONS_MAX = 256
export const TRUST_LOSSES_MAX = 256

/** What a standard operation says: one key of its own space, and the value that it has from then on. */
interface KeyedOperation {
  /** With the prefix of its kind, as `service/checkout`. */
  readonly key: string
  readonly value: string
  /** One above that of the key's entry; 1 for a new key. A certificate is good for one version of one key. */
  readonly version: number
}

/** Full BFT when the key's impact is above Medium, by the table of ledger/operations/configuration-keys.ts. */
export interface NetworkConfiguration extends KeyedOperation {
  readonly kind: 'network-configuration'
}

/** Lowers a score, or restores one to what it was before a verdict that is overturned with it. */
export interface TrustScoreModification {
  readonly kind: 'trust-score-modification'
  readonly account: AccountId
  /** Parts per million, from then on. */
  readonly ppm: number
  /** The verdict whose dissent is taken back; null to lower. */
  readonly overturned: RequestKey | null
}

/** Another policy for requests, from the next period on. */
export interface SecurityPolicyUpdate {
  readonly kind: 'security-policy-update'
  readonly policy: ValidationPolicy & { readonly assurance: AssurancePolicy }
}

/** One that is excluded comes back on probation, whatever its cool-down. */
export interface NodeAdmission {
  readonly kind: 'node-admission'
  readonly account: AccountId
}

/** Excluded from verdicts, authority and operations. */
export interface NodeExclusion {
  readonly kind: 'node-exclusion'
  readonly account: AccountId
  /** Two contents under one signature key of the account, however old; null needs more than three quarters. */
  readonly evidence: Evidence | null
}

export const KEYED_KINDS = [
  'service-deployment',
  'resource-allocation',
  'maintenance-task',
  'performance-optimization',
] as const

export interface StandardTask extends KeyedOperation {
  readonly kind: (typeof KEYED_KINDS)[number]
}

/** An operation of a name that this version gives no meaning: it is critical, and its decision is all its effect. */
export interface OtherOperation {
  readonly kind: 'other'
  readonly name: string
  readonly payload: Uint8Array
}

export type NetworkOperation =
  | NetworkConfiguration
  | TrustScoreModification
  | SecurityPolicyUpdate
  | NodeAdmission
  | NodeExclusion
  | StandardTask
  | OtherOperation

/** An operation that may be decided by authority: it names a key and a value. */
export type StandardOperation = NetworkConfiguration | StandardTask

/** How an operation is decided. */
export type OperationRoute = 'full-bft' | 'authority'

/** A signature by the validator key of an account. */
export interface AuthoritySignature {
  readonly account: AccountId
  readonly signature: Uint8Array
}

/** What the holder of a validator's account may do about operations. */
export type OperationAction =
  | {
      readonly kind: 'propose'
      readonly operation: NetworkOperation
      /** Of a critical one: the height from which it is voted on. 0 of a standard one. */
      readonly opensAt: Height
      /** Over the operation, context authority; in order of account. What is critical needs none. */
      readonly authority: readonly AuthoritySignature[]
    }
  | {
      readonly kind: 'escalate'
      /** A standard operation of the last 16 blocks: suspended, and decided by full BFT. */
      readonly id: RequestKey
      readonly opensAt: Height
      /** Over the id, context escalation; in order of account. */
      readonly authority: readonly AuthoritySignature[]
    }

/** What an operator tells its validator to say about a critical operation. */
export const OPERATION_VOTES = ['approve', 'reject', 'abstain'] as const
export type OperationVote = (typeof OPERATION_VOTES)[number]

/**
 * `waiting`: for the height from which it is voted on. `voting`: in a batch. `approved`: for the end of the period, when
 * it has its effect.
 */
export const OPERATION_STAGES = ['waiting', 'voting', 'approved'] as const
export type OperationStage = (typeof OPERATION_STAGES)[number]

/** A critical operation that has had no effect yet. */
export interface OpenOperation {
  /** Request key of the transaction that proposed it. */
  readonly id: RequestKey
  readonly proposer: AccountId
  readonly operation: NetworkOperation
  readonly proposedAt: Height
  readonly opensAt: Height
  readonly stage: OperationStage
}

/** `void`: approved, and no longer possible when it was to have its effect. */
export const OPERATION_OUTCOMES = ['approved', 'rejected', 'timeout', 'void'] as const
export type OperationOutcome = (typeof OPERATION_OUTCOMES)[number]

/** How an operation ended. */
export interface DecidedOperation {
  readonly id: RequestKey
  readonly proposer: AccountId
  readonly kind: NetworkOperation['kind']
  readonly route: OperationRoute
  readonly outcome: OperationOutcome
  /** Height of the block that decided it, or in which it had its effect. */
  readonly height: Height
}

declare const standardKey: unique symbol
/**
 * A key of the standard key space. Only ledger/operations/standard-space.ts makes one, and the map under it is all that
 * takes one: an operation decided by authority cannot name trust, validators, keys or verdicts.
 */
export type StandardKey = string & { readonly [standardKey]: true }

/** What a standard operation left behind. */
export interface StandardEntry {
  readonly key: StandardKey
  readonly value: string
  readonly version: number
  /** Of the operation. */
  readonly id: RequestKey
  /** Of the block that ordered it. */
  readonly height: Height
}

/** The standard key space: all that an operation decided by authority can write. */
export interface StandardSpace {
  readonly entries: ReadonlyMap<StandardKey, StandardEntry>
  /** Oldest first: those that may still be escalated, or are being decided again. */
  readonly recent: readonly RecentStandard[]
}

/** A standard operation that may still be escalated. */
export interface RecentStandard {
  readonly id: RequestKey
  readonly proposer: AccountId
  readonly operation: StandardOperation
  readonly height: Height
  /** The key's entry before it; null for none. */
  readonly previous: StandardEntry | null
  /** Whether full BFT decides on it now; its key has the previous entry until then. */
  readonly isSuspended: boolean
}

/** Trust that a validator lost by dissent from the verdicts of one block. */
export interface TrustLoss {
  readonly account: AccountId
  /** Of the block that ordered the requests. */
  readonly height: Height
  /** Before it. */
  readonly ppm: number
  /** Of it. */
  readonly lost: number
}

/** The state of operations. */
export interface OperationsState {
  /** In place of genesis's; null while no operation has changed it. */
  readonly policy: ValidationPolicy | null
  /** In order of their proposal. */
  readonly open: readonly OpenOperation[]
  readonly standard: StandardSpace
  /** Oldest first. */
  readonly decided: readonly DecidedOperation[]
  /** Oldest first. */
  readonly losses: readonly TrustLoss[]
}

/** Of a network on which nothing was ever proposed and nobody lost trust. */
export const NO_OPERATIONS: OperationsState = {
  policy: null,
  open: [],
  standard: { entries: new Map(), recent: [] },
  decided: [],
  losses: [],
}

/** Whether nothing was proposed and nobody lost trust by a dissent, ever. */
export function hasNoOperations({ policy, open, standard, decided, losses }: OperationsState): boolean {
  const rows = open.length + decided.length + losses.length + standard.entries.size + standard.recent.length
  return policy === null && rows === 0
}

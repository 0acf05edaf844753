/**
 * What the public API shows of accounts and stake, and the one thing it takes: signed transactions. As in api-ports.ts
 * amounts are bigint here and decimal strings in JSON.
 */

/** An account as it is in the final state. */
export interface AccountView {
  readonly id: string
  readonly balance: bigint
  /** Of its last transaction; the next one has one more. */
  readonly sequence: number
  readonly bonded: bigint
  readonly unbonding: readonly {
    readonly amount: bigint
    readonly matureHeight: number
    /** Null until the epoch of the withdrawal ends. */
    readonly matureTime: number | null
  }[]
  readonly isJoined: boolean
  /** Of the key that votes for it; null until it has one. */
  readonly validatorId: string | null
  /** Position in the set that decides the next block; null when it is not in it. */
  readonly validatorIndex: number | null
  readonly tombstonedAt: number | null
}

/** One punishment for equivocation. */
export interface SlashView {
  readonly account: string
  readonly height: number
  readonly time: number
  readonly stake: bigint
  readonly burnt: bigint
}

/** Where a transaction is. `unknown`: this node has not seen it, or its block was refused, or it has expired. */
export interface TransactionView {
  readonly key: string
  readonly state: 'pending' | 'final' | 'unknown'
  /** Of the final block that holds it. */
  readonly height: number | null
}

/** Why a transaction was not taken. `is` says whose turn it is: the sender's, or a moment's patience. */
export interface SubmitRefusal {
  readonly is: 'malformed' | 'illegal' | 'busy'
  readonly code: string
  readonly detail: string
}

/** What the public API asks the node about stake. */
export interface StakingPorts {
  /** Null for an account that does not exist. */
  account(id: string): AccountView | null
  /** Punishments within the evidence windows, oldest first. */
  slashes(): readonly SlashView[]
  /** By request key, 64 hex digits. */
  transaction(key: string): TransactionView
  /**
   * @param bytes canonical bytes of a staking, operator, operation, evidence or shielded transaction
   * @returns at once, but for a shielded transaction, whose proof is verified first
   */
  submit(bytes: Uint8Array): TransactionView | SubmitRefusal | Promise<TransactionView | SubmitRefusal>
}

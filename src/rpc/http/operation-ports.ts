/** What the public API shows of operations. Amounts are decimal strings in JSON. */

/** One operation, waiting or decided. */
export interface OperationView {
  readonly id: string
  readonly kind: string
  /** `full-bft` or `authority`. */
  readonly route: string
  /** `waiting`, `voting`, `approved`, or how it ended: `done`, `rejected`, `timeout`, `void`. */
  readonly state: string
  /** Account that proposed it. */
  readonly proposer: string
  /** Height of the block that proposed it; null when this node has pruned that block. */
  readonly proposedAt: number | null
  /** Height from which it is voted on; null of one decided by authority, and when that block is pruned. */
  readonly opensAt: number | null
  /** Height of the block that decided it, or in which it had its effect; null before. */
  readonly height: number | null
  /** As it was proposed; null when this node has pruned that block. */
  readonly operation: unknown
}

/** What the vote came to. */
export interface OperationTallyView {
  readonly status: 'valid' | 'invalid' | 'expired'
  readonly round: number
  readonly decidedAt: number
  readonly agreeing: { readonly validators: number; readonly stake: bigint }
  readonly dissenting: number
  readonly eligibleStake: bigint
}

/** An operation with how it was decided. */
export interface OperationResultView extends OperationView {
  /** `Approved`, `Rejected` or `Timeout`; null while it is open. */
  readonly outcome: 'Approved' | 'Rejected' | 'Timeout' | null
  /** Null when it was not voted on, or not yet. */
  readonly tally: OperationTallyView | null
  /** Accounts of the validators whose openings are in the chain; those in blocks that this node still has. */
  readonly participatingNodes: readonly string[]
  /** Trust that opinions and dissent in its batch cost, as far as it is accounted for. */
  readonly trustAdjustments: readonly {
    readonly account: string
    readonly before: number
    readonly after: number
  }[]
}

export interface StandardEntryView {
  readonly key: string
  readonly value: string
  readonly version: number
  readonly id: string
  readonly height: number
}

export interface OperationsView {
  /** In order of their proposal. */
  readonly open: readonly OperationView[]
  /** The last 256, oldest first. */
  readonly decided: readonly OperationView[]
  /** The key space of standard operations, in order of key. */
  readonly entries: readonly StandardEntryView[]
}

/** What the public API asks the node about them. */
export interface OperationPorts {
  operations(): OperationsView
  /** Null when there is none in the final state. @param id 64 hex digits */
  operation(id: string): OperationResultView | null
}

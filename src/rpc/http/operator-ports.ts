/** What the public API shows of operators, and of what the network asks of requests. Amounts are decimal strings in JSON. */
import type { AssurancePolicy } from '../../types/genesis.ts'

/** An operator as it is in the final state. */
export interface OperatorView {
  readonly operatorId: string
  readonly account: string
  readonly keyScheme: string
  /** Hex. */
  readonly publicKey: string
  readonly bondedStake: bigint
  readonly space: { readonly bytes: bigint; readonly leafSize: number; readonly root: string } | null
  readonly authorityLevel: bigint
  readonly aliases: readonly string[]
  readonly registeredAt: number
  /** Null while it is one. */
  readonly retirement: { readonly height: number; readonly reservedUntil: number } | null
}

/** The network's floors, and the levels above "declared". */
export interface PolicyView {
  readonly minimumStake: bigint
  readonly maxTimeOffsetMs: number
  readonly minimumStorage: bigint
  readonly maximumStorage: bigint
  readonly minimumCompute: bigint
  readonly maximumCompute: bigint
  readonly assurance: AssurancePolicy
}

/** What the public API asks the node about them. */
export interface OperatorPorts {
  /** By its id, an alias, or its account; null when there is none. */
  operator(name: string): OperatorView | null
  policy(): PolicyView
}

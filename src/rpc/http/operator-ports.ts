/** What the public API shows of operators, and of what the network asks of requests. Amounts are decimal strings in JSON. */

/** An operator as it is in the final state. */
export interface OperatorView {
  readonly operatorId: string
  readonly account: string
  readonly keyScheme: string
  /** In hex. */
  readonly publicKey: string
  readonly bondedStake: bigint
  readonly space: { readonly bytes: bigint; readonly leafSize: number; readonly root: string } | null
  readonly authorityLevel: bigint
  readonly aliases: readonly string[]
  readonly registeredAt: number
  /** Null while it is one. */
  readonly retirement: { readonly height: number; readonly reservedUntil: number } | null
}

/** How far requests must be backed: `declared`, `registered` or `attested`. */
export interface AssuranceView {
  /** By type of certificate: TLS, CodeSigning, ClientAuth, RootCA, IntermediateCA. */
  readonly certificates: Readonly<Record<string, string>>
  readonly operations: readonly { readonly operation: string; readonly level: string }[]
  readonly otherOperations: string
  /** Blocks that the anchor of an attestation is old at most. */
  readonly anchorAgeBlocksMax: number
  /** Zero bits of the work of an attestation. */
  readonly minimumWorkBits: number
  /** Ascending: the highest level that an operator's bonded stake gives. */
  readonly authority: readonly { readonly level: bigint; readonly bondedStake: bigint }[]
}

/** The network's floors, and the levels that it asks for. */
export interface PolicyView {
  readonly minimumStake: bigint
  readonly maxTimeOffsetMs: number
  readonly minimumStorage: bigint
  readonly maximumStorage: bigint
  readonly minimumCompute: bigint
  readonly maximumCompute: bigint
  readonly assurance: AssuranceView
}

/** What the public API asks the node about them. */
export interface OperatorPorts {
  /** By its id, an alias, or its account; null when there is none. */
  operator(name: string): OperatorView | null
  policy(): PolicyView
}

/** Canonical bytes of staking transactions and evidence; codec/transaction.ts puts them into its union. */
import type { CommitPair, Evidence, SignedCommits, SignedContent } from '../types/evidence.ts'
import type { AccountId, BlockHash, Hex32 } from '../types/primitives.ts'
import type {
  CommitPairTransaction,
  EvidenceTransaction,
  StakingContent,
  StakingOperation,
  StakingTransaction,
} from '../types/transaction.ts'
import { ballotSlotSchema, commitsSchema } from './ballots.ts'
import {
  bare,
  bytesFixed,
  counter,
  hexBytes,
  nullable,
  oneOf,
  record,
  type Schema,
  tagged,
  u64,
  variants,
} from './schema.ts'

/** FIPS 204 table 2, ML-DSA-65. */
const PUBLIC_KEY_BYTES = 1_952
const SIGNATURE_BYTES = 3_309

type Operation<K extends StakingOperation['kind']> = Extract<StakingOperation, { kind: K }>

const row = <K extends StakingOperation['kind']>(kind: K, schema: Schema<Operation<K>>) => ({
  kinds: [kind],
  schema: schema as unknown as Schema<StakingOperation>,
})

const amount = u64

/** Selector byte, then the fields. */
export const stakingOperationSchema: Schema<StakingOperation> = variants<StakingOperation>([
  row('transfer', tagged<Operation<'transfer'>>('transfer', record({ to: hexBytes<AccountId>(32), amount }))),
  row('bond', tagged<Operation<'bond'>>('bond', record({ amount }))),
  row('unbond', tagged<Operation<'unbond'>>('unbond', record({ amount }))),
  row('join', bare('join')),
  row('leave', bare('leave')),
  row(
    'change-key',
    tagged<Operation<'change-key'>>(
      'change-key',
      record({ newPublicKey: bytesFixed(PUBLIC_KEY_BYTES), proof: bytesFixed(SIGNATURE_BYTES) }),
    ),
  ),
  row('rejoin', bare('rejoin')),
])

/** Everything of a staking transaction but its signature. */
export const stakingContentFields: { readonly [K in keyof StakingContent]-?: Schema<StakingContent[K]> } = {
  publicKey: bytesFixed(PUBLIC_KEY_BYTES),
  sequence: counter(),
  expiresAtHeight: counter(),
  operation: stakingOperationSchema,
}

export const stakingTransactionSchema = tagged<StakingTransaction>(
  'staking',
  record({ ...stakingContentFields, signature: bytesFixed(SIGNATURE_BYTES) }),
)

const signedContent = record<SignedContent>({
  height: counter(),
  blockHash: hexBytes<BlockHash>(32),
  signature: bytesFixed(SIGNATURE_BYTES),
  commits: nullable(hexBytes<Hex32>(32)),
})

export const evidenceSchema: Schema<Evidence> = record<Evidence>({
  kind: oneOf(['prepare', 'pre-commit']),
  epoch: counter(),
  view: counter(),
  publicKey: bytesFixed(PUBLIC_KEY_BYTES),
  first: signedContent,
  second: signedContent,
})

const signedCommitsSchema = record<SignedCommits>({
  epoch: counter(),
  view: counter(),
  height: counter(),
  blockHash: hexBytes<BlockHash>(32),
  signature: bytesFixed(SIGNATURE_BYTES),
  commits: commitsSchema,
})

/** Proof of two commits in one slot. */
export const commitPairSchema: Schema<CommitPair> = record<CommitPair>({
  slot: ballotSlotSchema,
  publicKey: bytesFixed(PUBLIC_KEY_BYTES),
  first: signedCommitsSchema,
  second: signedCommitsSchema,
})

export const commitPairTransactionSchema = tagged<CommitPairTransaction>(
  'commit-pair',
  record({ pair: commitPairSchema }),
)

export const evidenceTransactionSchema = tagged<EvidenceTransaction>(
  'evidence',
  record({ evidence: evidenceSchema }),
)

/** Canonical bytes of transactions and of the validation requests inside them. */
import { unreachable } from '../types/assert.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { CommitPair, Evidence } from '../types/evidence.ts'
import type { RequestKey, TransactionHash } from '../types/primitives.ts'
import type {
  CertificateTransaction,
  FourProofTransaction,
  HashedTransaction,
  Transaction,
} from '../types/transaction.ts'
import {
  CERTIFICATE_TYPES,
  type CertificateValidationRequest,
  type FourProofValidationRequest,
  type SecondsNanos,
  WORK_STATES,
  WORKLOAD_TYPES,
} from '../types/validation-request.ts'
import { ballotsTransactionSchema } from './ballots.ts'
import { sha256TaggedHex, u64le } from './hashes.ts'
import { fromHex } from './hex.ts'
import {
  METADATA_ENTRIES_MAX,
  METADATA_VALUE_BYTES_MAX,
  PROOF_BYTES_MAX,
  TEXT_BYTES_MAX,
  TEXT_LIST_MAX,
  TRANSACTION_BYTES_MAX,
} from './limits.ts'
import { operationTransactionSchema } from './operations.ts'
import { operatorTransactionSchema } from './operator.ts'
import { RecentTransactions } from './recent-transactions.ts'
import {
  bytesUpTo,
  DecodeError,
  decode,
  encode,
  f64,
  listOf,
  oneOf,
  record,
  type Schema,
  tagged,
  text,
  u64,
  uint,
  variants,
} from './schema.ts'
import { mintSigningPayload, shieldedTransactionSchema } from './shielded.ts'
import {
  commitPairTransactionSchema,
  evidenceTransactionSchema,
  stakingTransactionSchema,
} from './staking-operation.ts'
import { utf8ToBytes } from './utf8.ts'

const line = text(TEXT_BYTES_MAX)
const lines = listOf(line, TEXT_LIST_MAX)
const secondsNanos = record<SecondsNanos>({ secs: u64, nanos: uint(4) })
const proofBytes = bytesUpTo(PROOF_BYTES_MAX)

const metadataEntry = record<{ key: string; value: string }>({
  key: line,
  value: text(METADATA_VALUE_BYTES_MAX),
})
const metadataList = listOf(metadataEntry, METADATA_ENTRIES_MAX)
type Metadata = readonly (readonly [string, string])[]

/** Sorted and distinct keys, or the same map would have two encodings. */
const metadata: Schema<Metadata> = {
  ssz: metadataList.ssz,
  toRaw: (value) => metadataList.toRaw(value.map(([key, entry]) => ({ key, value: entry }))),
  fromRaw: (raw) => {
    const entries = metadataList.fromRaw(raw).map(({ key, value }) => [key, value] as const)
    for (let i = 1; i < entries.length; i++) {
      if ((entries[i - 1]?.[0] ?? '') >= (entries[i]?.[0] ?? ''))
        throw new DecodeError('metadata keys out of order')
    }
    return entries
  },
}

const certificateValidationRequest = record<CertificateValidationRequest>({
  certificateRequest: record({
    commonName: line,
    sanEntries: lines,
    nodeId: line,
    ipv6Addresses: lines,
    consensusProof: record({
      stakeProof: record({
        stakeHolder: line,
        stakeHolderId: line,
        stakeAmount: u64,
        stakeTimestamp: secondsNanos,
      }),
      timeProof: record({
        networkTimeOffset: secondsNanos,
        timeVerificationTimestamp: secondsNanos,
        nonce: u64,
        proofHash: bytesUpTo(TEXT_BYTES_MAX),
      }),
      spaceProof: record({
        nodeId: line,
        storagePath: line,
        totalSize: u64,
        totalStorage: u64,
        fileHash: line,
        proofTimestamp: secondsNanos,
      }),
      workProof: record({
        ownerId: line,
        workloadId: line,
        pid: u64,
        computationalPower: u64,
        workloadType: oneOf(WORKLOAD_TYPES),
        workState: oneOf(WORK_STATES),
        workChallenges: lines,
        proofTimestamp: secondsNanos,
      }),
    }),
    timestamp: secondsNanos,
  }),
  consensusRequirements: record({
    minimumStake: u64,
    maxTimeOffset: secondsNanos,
    minimumStorage: u64,
    minimumCompute: u64,
    byzantineTolerance: f64,
  }),
  requestId: line,
  timestamp: secondsNanos,
  validationContext: record({
    caId: line,
    networkId: line,
    certificateType: oneOf(CERTIFICATE_TYPES),
    metadata,
  }),
})

const fourProofValidationRequest = record<FourProofValidationRequest>({
  proofSet: record({
    spaceProof: record({ storageCommitment: u64, networkPosition: line, allocationProof: proofBytes }),
    stakeProof: record({ stakeAmount: u64, authorityLevel: u64, accessPermissions: lines }),
    workProof: record({
      computationalProof: proofBytes,
      difficultyTarget: uint(4),
      operationSignature: line,
    }),
    timeProof: record({ blockTimestamp: u64, sequenceNumber: u64, temporalProof: proofBytes }),
  }),
  operation: line,
  assetId: line,
  nodeId: line,
  timestamp: secondsNanos,
})

const certificateTransaction = tagged<CertificateTransaction>(
  'validate-certificate',
  record({ request: certificateValidationRequest }),
)
const fourProofTransaction = tagged<FourProofTransaction>(
  'validate-proofs',
  record({ request: fourProofValidationRequest }),
)

/** A transaction: selector byte and request. */
export const transactionSchema: Schema<Transaction> = variants<Transaction>([
  { kinds: ['validate-certificate'], schema: certificateTransaction as Schema<Transaction> },
  { kinds: ['validate-proofs'], schema: fourProofTransaction as Schema<Transaction> },
  { kinds: ['staking'], schema: stakingTransactionSchema as Schema<Transaction> },
  { kinds: ['evidence'], schema: evidenceTransactionSchema as Schema<Transaction> },
  { kinds: ['ballots'], schema: ballotsTransactionSchema as Schema<Transaction> },
  { kinds: ['operator'], schema: operatorTransactionSchema as Schema<Transaction> },
  { kinds: ['operation'], schema: operationTransactionSchema as Schema<Transaction> },
  { kinds: ['commit-pair'], schema: commitPairTransactionSchema as Schema<Transaction> },
  { kinds: ['shielded'], schema: shieldedTransactionSchema as Schema<Transaction> },
])

/** Canonical bytes of a transaction. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  return encode(transactionSchema, transaction)
}

/** Encodes a transaction and hashes it once. */
export function hashTransaction<T extends Transaction>(transaction: T): HashedTransaction<T> {
  return withHash(transaction, encodeTransaction(transaction))
}

/**
 * Encodes a transaction that this node was handed as a value, and gives back what every other node will read. Use
 * this, not {@link hashTransaction}, for values whose fields nobody has bounded: what is too long or out of order is
 * refused here rather than by all peers, and a lone surrogate has become the character that they see.
 */
export function canonicalTransaction<T extends Transaction>(
  transaction: T,
): Result<HashedTransaction<T>, 'malformed'> {
  // What is read has the kind that was written.
  return decodeTransaction(encodeTransaction(transaction)) as Result<HashedTransaction<T>, 'malformed'>
}

const recent = new RecentTransactions()

/**
 * Reads and hashes one transaction of at most {@link TRANSACTION_BYTES_MAX} bytes.
 * @param isPart `bytes` are a view of something larger, which must not be kept with the transaction
 */
export function decodeTransaction(bytes: Uint8Array, isPart = false): Result<HashedTransaction, 'malformed'> {
  if (bytes.length > TRANSACTION_BYTES_MAX) {
    return refuse('malformed', `${bytes.length} bytes, the limit is ${TRANSACTION_BYTES_MAX}`)
  }
  const hash = sha256TaggedHex<TransactionHash>('transaction', bytes)
  const known = recent.get(hash)
  if (known !== undefined) return ok(known)
  const own = isPart ? new Uint8Array(bytes) : bytes
  const transaction = decode(transactionSchema, own, TRANSACTION_BYTES_MAX)
  if (!transaction.ok) return transaction
  const hashed = withHash(transaction.value, own, hash)
  recent.add(hashed)
  return ok(hashed)
}

function withHash<T extends Transaction>(
  transaction: T,
  bytes: Uint8Array,
  hash = sha256TaggedHex<TransactionHash>('transaction', bytes),
): HashedTransaction<T> {
  return { transaction, bytes, hash, requestKey: requestKeyOf(transaction, fromHex(hash)) }
}

/**
 * For a request SHA-256(domain ‖ request_id ‖ hash of the canonical payload), spec/four-proofs.md "Replay and
 * idempotence"; a four-proof set has no request id on the wire, its part is empty. For the other kinds the same
 * layout under domains of their own.
 */
function requestKeyOf(transaction: Transaction, payload: Uint8Array): RequestKey {
  switch (transaction.kind) {
    case 'validate-certificate':
      return sha256TaggedHex<RequestKey>('requestKey', utf8ToBytes(transaction.request.requestId), payload)
    case 'validate-proofs':
      return sha256TaggedHex<RequestKey>('requestKey', utf8ToBytes(''), payload)
    case 'staking':
      return sha256TaggedHex<RequestKey>('stakingKey', payload)
    case 'operator':
      return sha256TaggedHex<RequestKey>('operatorKey', payload)
    case 'operation':
      return sha256TaggedHex<RequestKey>('operationKey', payload)
    case 'evidence':
      return evidenceKey(transaction.evidence)
    case 'commit-pair':
      return commitPairKey(transaction.pair)
    // Neither the proof nor a signature: whoever has the witness can make others of the same statement.
    case 'shielded':
      return sha256TaggedHex<RequestKey>('shieldedKey', mintSigningPayload(transaction))
    case 'ballots':
      return sha256TaggedHex<RequestKey>('ballotsKey', payload)
    default:
      return unreachable(transaction)
  }
}

/** Names an offence: equal for any two contents and signatures of one key in one slot. */
export function evidenceKey({ kind, epoch, view, publicKey }: Evidence): RequestKey {
  return sha256TaggedHex<RequestKey>(
    'evidenceKey',
    utf8ToBytes(kind),
    u64le(BigInt(epoch)),
    u64le(BigInt(view)),
    publicKey,
  )
}

/** Names an offence: equal for any two votes of one key that differ about one slot. */
export function commitPairKey({ slot, publicKey }: Pick<CommitPair, 'slot' | 'publicKey'>): RequestKey {
  return sha256TaggedHex<RequestKey>(
    'commitPairKey',
    u64le(BigInt(slot.height)),
    u64le(BigInt(slot.round)),
    fromHex(slot.blockHash),
    publicKey,
  )
}

/** Canonical bytes of operations: their transactions, and the row of their state. */
import type { Result } from '../types/errors.ts'
import type { AssurancePolicy, ValidationPolicy } from '../types/genesis.ts'
import {
  AUTHORITY_SIGNATURES_MAX,
  type AuthoritySignature,
  DECIDED_OPERATIONS_MAX,
  type DecidedOperation,
  KEYED_KINDS,
  type NetworkConfiguration,
  type NetworkOperation,
  OPEN_OPERATIONS_MAX,
  OPERATION_BYTES_MAX,
  OPERATION_KEY_BYTES_MAX,
  OPERATION_OUTCOMES,
  OPERATION_PAYLOAD_BYTES_MAX,
  OPERATION_STAGES,
  OPERATION_VALUE_BYTES_MAX,
  type OpenOperation,
  type OperationAction,
  type OperationsState,
  type OtherOperation,
  RECENT_STANDARD_MAX,
  type RecentStandard,
  type SecurityPolicyUpdate,
  STANDARD_ENTRIES_MAX,
  type StandardEntry,
  type StandardKey,
  type StandardOperation,
  type StandardTask,
  TRUST_LOSSES_MAX,
  type TrustLoss,
} from '../types/operations.ts'
import type { AccountId, Hex32, RequestKey } from '../types/primitives.ts'
import type { OperationContent, OperationTransaction } from '../types/transaction.ts'
import { assurancePolicySchema, type PolicyFloors, PUBLIC_KEY_BYTES, policyFloorsSchema } from './genesis.ts'
import { sha256TaggedHex } from './hashes.ts'
import {
  bytesFixed,
  bytesUpTo,
  counter,
  DecodeError,
  decode,
  encode,
  flag,
  hexBytes,
  listOf,
  nullable,
  oneOf,
  record,
  type Schema,
  tagged,
  text,
  uint,
  variants,
} from './schema.ts'
import { evidenceSchema } from './staking-operation.ts'

/** FIPS 204 table 2, ML-DSA-65. */
const SIGNATURE_BYTES = 3_309

type FullPolicy = SecurityPolicyUpdate['policy']
interface PolicyParts {
  readonly floors: PolicyFloors
  readonly assurance: AssurancePolicy
}
const policyParts = record<PolicyParts>({ floors: policyFloorsSchema, assurance: assurancePolicySchema })

const fullPolicy: Schema<FullPolicy> = {
  ssz: policyParts.ssz,
  toRaw: (policy) => policyParts.toRaw({ floors: policy, assurance: policy.assurance }),
  fromRaw: (raw) => {
    const { floors, assurance } = policyParts.fromRaw(raw)
    return { ...floors, assurance }
  },
}

const keyed = {
  key: text(OPERATION_KEY_BYTES_MAX),
  value: text(OPERATION_VALUE_BYTES_MAX),
  version: uint(4),
}
const account = hexBytes<AccountId>(32)

type Operation<K extends NetworkOperation['kind']> = Extract<NetworkOperation, { kind: K }>
const row = <K extends NetworkOperation['kind']>(kind: K, schema: Schema<Operation<K>>) => ({
  kinds: [kind],
  schema: schema as unknown as Schema<NetworkOperation>,
})
const task = (kind: StandardTask['kind']): Schema<StandardTask> => tagged<StandardTask>(kind, record(keyed))
const configuration = tagged<NetworkConfiguration>('network-configuration', record(keyed))

/** Selector byte, then the fields. */
export const networkOperationSchema: Schema<NetworkOperation> = variants<NetworkOperation>([
  row('network-configuration', configuration),
  row(
    'trust-score-modification',
    tagged<Operation<'trust-score-modification'>>(
      'trust-score-modification',
      record({ account, ppm: uint(4), overturned: nullable(hexBytes<RequestKey>(32)) }),
    ),
  ),
  row(
    'security-policy-update',
    tagged<SecurityPolicyUpdate>('security-policy-update', record({ policy: fullPolicy })),
  ),
  row('node-admission', tagged<Operation<'node-admission'>>('node-admission', record({ account }))),
  row(
    'node-exclusion',
    tagged<Operation<'node-exclusion'>>(
      'node-exclusion',
      record({ account, evidence: nullable(evidenceSchema) }),
    ),
  ),
  ...KEYED_KINDS.map((kind) => ({
    kinds: [kind],
    schema: task(kind) as unknown as Schema<NetworkOperation>,
  })),
  row(
    'other',
    tagged<OtherOperation>(
      'other',
      record({ name: text(OPERATION_KEY_BYTES_MAX), payload: bytesUpTo(OPERATION_PAYLOAD_BYTES_MAX) }),
    ),
  ),
])

const standardOperationSchema = variants<StandardOperation>([
  { kinds: ['network-configuration'], schema: configuration as unknown as Schema<StandardOperation> },
  ...KEYED_KINDS.map((kind) => ({
    kinds: [kind],
    schema: task(kind) as unknown as Schema<StandardOperation>,
  })),
])

export function encodeOperation(operation: NetworkOperation): Uint8Array {
  return encode(networkOperationSchema, operation)
}

/** Reads what {@link encodeOperation} wrote. */
export function decodeOperation(bytes: Uint8Array): Result<NetworkOperation, 'malformed'> {
  return decode(networkOperationSchema, bytes, OPERATION_BYTES_MAX)
}

/** Hash of an operation's content, whoever proposes it. */
export function operationHash(operation: NetworkOperation): Hex32 {
  return sha256TaggedHex<Hex32>('operation', encodeOperation(operation))
}

const authority = listOf(
  record<AuthoritySignature>({ account, signature: bytesFixed(SIGNATURE_BYTES) }),
  AUTHORITY_SIGNATURES_MAX,
)

type Action<K extends OperationAction['kind']> = Extract<OperationAction, { kind: K }>
const actionRow = <K extends OperationAction['kind']>(kind: K, schema: Schema<Action<K>>) => ({
  kinds: [kind],
  schema: schema as unknown as Schema<OperationAction>,
})

const operationActionSchema: Schema<OperationAction> = variants<OperationAction>([
  actionRow(
    'propose',
    tagged<Action<'propose'>>(
      'propose',
      record({ operation: networkOperationSchema, opensAt: counter(), authority }),
    ),
  ),
  actionRow(
    'escalate',
    tagged<Action<'escalate'>>(
      'escalate',
      record({ id: hexBytes<RequestKey>(32), opensAt: counter(), authority }),
    ),
  ),
])

/** Everything of an operation transaction but its signature. */
export const operationContentFields: {
  readonly [K in keyof OperationContent]-?: Schema<OperationContent[K]>
} = {
  publicKey: bytesFixed(PUBLIC_KEY_BYTES),
  sequence: counter(),
  expiresAtHeight: counter(),
  operation: operationActionSchema,
}

export const operationTransactionSchema = tagged<OperationTransaction>(
  'operation',
  record({ ...operationContentFields, signature: bytesFixed(SIGNATURE_BYTES) }),
)

const openOperation = record<OpenOperation>({
  id: hexBytes<RequestKey>(32),
  proposer: account,
  operation: networkOperationSchema,
  proposedAt: counter(),
  opensAt: counter(),
  stage: oneOf(OPERATION_STAGES),
})

const standardEntry = record<StandardEntry>({
  key: text(OPERATION_KEY_BYTES_MAX) as unknown as Schema<StandardKey>,
  value: text(OPERATION_VALUE_BYTES_MAX),
  version: uint(4),
  id: hexBytes<RequestKey>(32),
  height: counter(),
})

const recentStandard = record<RecentStandard>({
  id: hexBytes<RequestKey>(32),
  proposer: account,
  operation: standardOperationSchema,
  height: counter(),
  previous: nullable(standardEntry),
  isSuspended: flag,
})

const decidedOperation = record<DecidedOperation>({
  id: hexBytes<RequestKey>(32),
  proposer: account,
  kind: oneOf([
    'network-configuration',
    'trust-score-modification',
    'security-policy-update',
    'node-admission',
    'node-exclusion',
    ...KEYED_KINDS,
    'other',
  ]),
  route: oneOf(['full-bft', 'authority']),
  outcome: oneOf(OPERATION_OUTCOMES),
  height: counter(),
})

interface RawState {
  readonly policy: (ValidationPolicy & { readonly assurance: AssurancePolicy }) | null
  readonly open: readonly OpenOperation[]
  readonly entries: readonly StandardEntry[]
  readonly recent: readonly RecentStandard[]
  readonly decided: readonly DecidedOperation[]
  readonly losses: readonly TrustLoss[]
}

const rawState = record<RawState>({
  policy: nullable(fullPolicy),
  open: listOf(openOperation, OPEN_OPERATIONS_MAX),
  entries: listOf(standardEntry, STANDARD_ENTRIES_MAX),
  recent: listOf(recentStandard, RECENT_STANDARD_MAX),
  decided: listOf(decidedOperation, DECIDED_OPERATIONS_MAX),
  losses: listOf(
    record<TrustLoss>({ account, height: counter(), ppm: uint(4), lost: uint(4) }),
    TRUST_LOSSES_MAX,
  ),
})

/** The whole state of operations. Entries are in ascending order of their keys, each once: one state, one encoding. */
export const operationsSchema: Schema<OperationsState> = {
  ssz: rawState.ssz,
  toRaw: ({ policy, standard, ...rest }) =>
    rawState.toRaw({
      ...rest,
      // Only operations set it, and theirs are whole.
      policy: policy as RawState['policy'],
      entries: [...standard.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
      recent: standard.recent,
    }),
  fromRaw: (raw) => {
    const { entries, recent, ...rest } = rawState.fromRaw(raw)
    for (const [i, { key }] of entries.entries()) {
      if (i > 0 && (entries[i - 1]?.key ?? '') >= key) throw new DecodeError('keys out of order')
    }
    return { ...rest, standard: { entries: new Map(entries.map((entry) => [entry.key, entry])), recent } }
  },
}

const OPERATIONS_BYTES_MAX =
  (OPEN_OPERATIONS_MAX + 1) * (OPERATION_BYTES_MAX + 256) +
  (STANDARD_ENTRIES_MAX + 2 * RECENT_STANDARD_MAX) * (OPERATION_VALUE_BYTES_MAX + 256) +
  (DECIDED_OPERATIONS_MAX + TRUST_LOSSES_MAX) * 128 +
  1_024

export function encodeOperations(operations: OperationsState): Uint8Array {
  return encode(operationsSchema, operations)
}

export function decodeOperations(bytes: Uint8Array): Result<OperationsState, 'malformed'> {
  return decode(operationsSchema, bytes, OPERATIONS_BYTES_MAX)
}

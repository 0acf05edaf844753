/** Canonical bytes of operators: their transactions, and the rows of the registry. */
import type { Result } from '../types/errors.ts'
import {
  ALIASES_MAX,
  KEY_SCHEMES,
  OPERATOR_KEY_BYTES,
  OPERATOR_NAME_LENGTH_MAX,
  type Operator,
  type OperatorOperation,
  type OperatorRecord,
  type Operators,
  type Retirement,
  type SpaceCommitment,
} from '../types/operator.ts'
import type { AccountId, Hex32 } from '../types/primitives.ts'
import type { OperatorContent, OperatorTransaction } from '../types/transaction.ts'
import { PUBLIC_KEY_BYTES } from './genesis.ts'
import {
  bare,
  bytesFixed,
  bytesUpTo,
  counter,
  decode,
  encode,
  hexBytes,
  listOf,
  nullable,
  oneOf,
  record,
  type Schema,
  tagged,
  text,
  u64,
  uint,
  variants,
} from './schema.ts'

/** FIPS 204 table 2, ML-DSA-65; a Falcon-1024 signature is shorter. */
const SIGNATURE_BYTES = 3_309
/** Wider than the rule, so that a name that breaks it is refused with a reason. */
const NAME_BYTES_MAX = 2 * OPERATOR_NAME_LENGTH_MAX

const name = text(NAME_BYTES_MAX)

const recordFields: { readonly [K in keyof OperatorRecord]-?: Schema<OperatorRecord[K]> } = {
  operatorId: name,
  keyScheme: oneOf(KEY_SCHEMES),
  publicKey: bytesUpTo(OPERATOR_KEY_BYTES['ml-dsa-65']),
  bondedStake: u64,
  space: nullable(record<SpaceCommitment>({ bytes: u64, leafSize: uint(4), root: hexBytes<Hex32>(32) })),
  authorityLevel: u64,
  aliases: listOf(name, ALIASES_MAX),
}

/** What an operator says of itself. */
export const operatorRecordSchema: Schema<OperatorRecord> = record<OperatorRecord>(recordFields)

/** A row of the registry. */
export const operatorSchema: Schema<Operator> = record<Operator>({
  ...recordFields,
  account: hexBytes<AccountId>(32),
  registeredAt: counter(),
  retirement: nullable(record<Retirement>({ height: counter(), reservedUntil: counter() })),
})

type Operation<K extends OperatorOperation['kind']> = Extract<OperatorOperation, { kind: K }>

const claim = { record: operatorRecordSchema, possession: bytesUpTo(SIGNATURE_BYTES) }
const row = <K extends OperatorOperation['kind']>(kind: K, schema: Schema<Operation<K>>) => ({
  kinds: [kind],
  schema: schema as unknown as Schema<OperatorOperation>,
})

/** Selector byte, then the fields. */
const operatorOperationSchema = variants<OperatorOperation>([
  row('register', tagged<Operation<'register'>>('register', record(claim))),
  row('update', tagged<Operation<'update'>>('update', record(claim))),
  row('retire', bare('retire')),
])

/** Everything of an operator transaction but its signature. */
export const operatorContentFields: { readonly [K in keyof OperatorContent]-?: Schema<OperatorContent[K]> } =
  {
    publicKey: bytesFixed(PUBLIC_KEY_BYTES),
    sequence: counter(),
    expiresAtHeight: counter(),
    operation: operatorOperationSchema,
  }

export const operatorTransactionSchema = tagged<OperatorTransaction>(
  'operator',
  record({ ...operatorContentFields, signature: bytesFixed(SIGNATURE_BYTES) }),
)

const OPERATOR_BYTES_MAX = OPERATOR_KEY_BYTES['ml-dsa-65'] + (ALIASES_MAX + 1) * (NAME_BYTES_MAX + 4) + 512

export function encodeOperator(operator: Operator): Uint8Array {
  return encode(operatorSchema, operator)
}

export function decodeOperator(bytes: Uint8Array): Result<Operator, 'malformed'> {
  return decode(operatorSchema, bytes, OPERATOR_BYTES_MAX)
}

/** Operators in order of their accounts. */
export function sortedOperators(operators: Operators): Operator[] {
  return [...operators.values()].sort((a, b) => (a.account < b.account ? -1 : 1))
}

/**
 * What a program says is an operation, read by the rules that hold for one that a person writes: nothing is signed that
 * those refuse. What the ledger makes of it is the ledger's.
 */
import { toHex } from '../codec/hex.ts'
import { authorityForm, operationForm } from '../codec/operation-json.ts'
import type { AuthoritySignature, NetworkOperation } from '../types/operations.ts'
import { ClientError } from './client-error.ts'

const EXIT_USAGE = 64

/** @throws ClientError `E_OPERATION`, which names the field */
export function readOperation(given: unknown): NetworkOperation {
  return read(
    'the operation',
    'give its kind and the fields of that kind, as the type NetworkOperation has them',
    () => operationForm.fromJson(jsonOf(given), ''),
  )
}

/** @throws ClientError `E_OPERATION`, which names the field */
export function readAuthority(given: unknown): readonly AuthoritySignature[] {
  return read(
    'its certificate',
    'give a list of { account, signature }, as `hypermesh operation certify` makes them',
    () => authorityForm.fromJson(plain(given), 'authority'),
  )
}

function read<T>(what: string, fix: string, reader: () => T): T {
  try {
    return reader()
  } catch (error) {
    throw new ClientError('E_OPERATION', `${what} cannot be signed`, {
      why: error instanceof Error ? error.message : String(error),
      fix,
      exitCode: EXIT_USAGE,
      cause: error,
    })
  }
}

function jsonOf(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const { kind, evidence } = given as { kind?: unknown; evidence?: unknown }
  if (kind !== 'node-exclusion' || typeof evidence !== 'object' || evidence === null) return plain(given)
  return { ...(plain(given) as object), evidence: evidenceOf(given as NetworkOperation) }
}

/** Evidence is canonical bytes in JSON. */
function evidenceOf(operation: NetworkOperation): unknown {
  try {
    return (operationForm.toJson(operation) as { evidence: unknown }).evidence
  } catch (error) {
    throw new Error('evidence cannot be written', { cause: error })
  }
}

/** Bytes in hex and amounts in digits, as the forms have them. A field that is undefined is missing. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]))
}

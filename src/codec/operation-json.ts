/** Operations as JSON: how a person writes one, and how nodes show it. */
import { ok, type Result, refuse } from '../types/errors.ts'
import { ASSURANCE_LEVELS, type AssurancePolicy } from '../types/genesis.ts'
import {
  AUTHORITY_SIGNATURES_MAX,
  type AuthoritySignature,
  KEYED_KINDS,
  type NetworkOperation,
  OPERATION_KEY_BYTES_MAX,
  OPERATION_PAYLOAD_BYTES_MAX,
  OPERATION_VALUE_BYTES_MAX,
  type SecurityPolicyUpdate,
} from '../types/operations.ts'
import type { AccountId, RequestKey } from '../types/primitives.ts'
import { CERTIFICATE_TYPES } from '../types/validation-request.ts'
import {
  amountForm,
  bytesForm,
  constantForm,
  hashForm,
  type JsonForm,
  listForm,
  nameForm,
  nullForm,
  type ObjectForm,
  objectForm,
  textForm,
  wholeForm,
} from './json-form.ts'
import { AUTHORITY_STEPS_MAX, OPERATION_LEVELS_MAX, TEXT_BYTES_MAX } from './limits.ts'
import { DecodeError, decode, encode, type Schema } from './schema.ts'
import { evidenceSchema } from './staking-operation.ts'

const U32_MAX = 2 ** 32 - 1
/** Two ML-DSA-65 signatures and their key. */
const EVIDENCE_BYTES_MAX = 16_384

type Operation<K extends NetworkOperation['kind']> = Extract<NetworkOperation, { kind: K }>

const level = nameForm(ASSURANCE_LEVELS)
const account = hashForm<AccountId>()

const assuranceForm = objectForm<AssurancePolicy>({
  certificates: objectForm<AssurancePolicy['certificates']>(
    Object.fromEntries(CERTIFICATE_TYPES.map((type) => [type, level])) as Record<
      (typeof CERTIFICATE_TYPES)[number],
      typeof level
    >,
  ),
  operations: listForm(
    objectForm<AssurancePolicy['operations'][number]>({ operation: textForm(TEXT_BYTES_MAX), level }),
    OPERATION_LEVELS_MAX,
  ),
  otherOperations: level,
  anchorAgeBlocksMax: wholeForm(65_535),
  minimumWorkBits: wholeForm(255),
  authority: listForm(
    objectForm<AssurancePolicy['authority'][number]>({ level: amountForm, bondedStake: amountForm }),
    AUTHORITY_STEPS_MAX,
  ),
})

/** A policy that says everything, as the public API shows the one in force. */
export const policyForm = objectForm<SecurityPolicyUpdate['policy']>({
  minimumStake: amountForm,
  maxTimeOffsetMs: wholeForm(U32_MAX),
  minimumStorage: amountForm,
  maximumStorage: amountForm,
  minimumCompute: amountForm,
  maximumCompute: amountForm,
  assurance: assuranceForm,
})

/** Canonical bytes in hex. */
function encodedForm<T>(schema: Schema<T>, bytesMax: number): JsonForm<T> {
  const bytes = bytesForm(1, bytesMax)
  return {
    toJson: (value) => bytes.toJson(encode(schema, value)),
    fromJson: (json, path) => {
      const value = decode(schema, bytes.fromJson(json, path), bytesMax)
      if (!value.ok) throw new DecodeError(`${path} cannot be read: ${value.detail}`)
      return value.value
    },
  }
}

const keyed = <K extends NetworkOperation['kind']>(kind: K) => ({
  kind: constantForm(kind),
  key: textForm(OPERATION_KEY_BYTES_MAX),
  value: textForm(OPERATION_VALUE_BYTES_MAX),
  version: wholeForm<number>(U32_MAX),
})

type FormOf = { readonly [K in NetworkOperation['kind']]: ObjectForm<Operation<K>> }

/** By kind, which is the first field of each. */
const FORMS: FormOf = {
  'network-configuration': objectForm<Operation<'network-configuration'>>(keyed('network-configuration')),
  'trust-score-modification': objectForm<Operation<'trust-score-modification'>>({
    kind: constantForm('trust-score-modification'),
    account,
    ppm: wholeForm(1_000_000),
    overturned: nullForm(hashForm<RequestKey>()),
  }),
  'security-policy-update': objectForm<SecurityPolicyUpdate>({
    kind: constantForm('security-policy-update'),
    policy: policyForm,
  }),
  'node-admission': objectForm<Operation<'node-admission'>>({
    kind: constantForm('node-admission'),
    account,
  }),
  'node-exclusion': objectForm<Operation<'node-exclusion'>>({
    kind: constantForm('node-exclusion'),
    account,
    evidence: nullForm(encodedForm(evidenceSchema, EVIDENCE_BYTES_MAX)),
  }),
  ...(Object.fromEntries(KEYED_KINDS.map((kind) => [kind, objectForm(keyed(kind))])) as unknown as Pick<
    FormOf,
    (typeof KEYED_KINDS)[number]
  >),
  other: objectForm<Operation<'other'>>({
    kind: constantForm('other'),
    name: textForm(OPERATION_KEY_BYTES_MAX),
    payload: bytesForm(0, OPERATION_PAYLOAD_BYTES_MAX),
  }),
}

/** Every kind of operation, by the names that JSON has for them. */
export const OPERATION_KINDS = Object.keys(FORMS) as NetworkOperation['kind'][]

/** The fields of a kind, `kind` itself first. */
export function operationFields(kind: NetworkOperation['kind']): readonly string[] {
  return FORMS[kind].names
}

const kindForm = nameForm(OPERATION_KINDS)

export const operationForm: JsonForm<NetworkOperation> = {
  toJson: (operation) => (FORMS[operation.kind] as JsonForm<NetworkOperation>).toJson(operation),
  fromJson: (json, path) => {
    const kind = (json as { kind?: unknown } | null)?.kind
    const known = kindForm.fromJson(kind, path === '' ? 'kind' : `${path}.kind`)
    return (FORMS[known] as JsonForm<NetworkOperation>).fromJson(json, path)
  },
}

/** Who signed what for a certificate, as `operation certify` prints it. */
export const authorityForm = listForm(
  objectForm<AuthoritySignature>({ account, signature: bytesForm(3_309) }),
  AUTHORITY_SIGNATURES_MAX,
)

/** Reads a value as a person wrote it, in any order of white space. */
export function readForm<T>(form: JsonForm<T>, json: unknown): Result<T, 'malformed'> {
  try {
    return ok(form.fromJson(json, ''))
  } catch (error) {
    if (error instanceof DecodeError) return refuse('malformed', error.message)
    throw error
  }
}

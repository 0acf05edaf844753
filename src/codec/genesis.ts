/** Canonical bytes of genesis. Their hash is the network's identity and is inside every signing payload. */
import {
  ASSURANCE_LEVELS,
  type AssurancePolicy,
  type AuthorityStep,
  type ChainParameters,
  type Genesis,
  type GenesisAccount,
  type OperationLevel,
  type ValidationPolicy,
} from '../types/genesis.ts'
import type { ConsensusChoice, MiningParameters } from '../types/pow.ts'
import type { AccountId, GenesisHash, ValidatorId } from '../types/primitives.ts'
import { ACCOUNTS_MAX } from '../types/staking.ts'
import { CERTIFICATE_TYPES, type CertificateType } from '../types/validation-request.ts'
import type { Validator } from '../types/validator-set.ts'
import { sha256TaggedHex } from './hashes.ts'
import { AUTHORITY_STEPS_MAX, OPERATION_LEVELS_MAX, TEXT_BYTES_MAX, VALIDATORS_MAX } from './limits.ts'
import { bytesFixed, counter, encode, hexBytes, listOf, oneOf, record, text, u64, uint } from './schema.ts'
import { shieldedGenesisSchema } from './shielded.ts'

/** ML-DSA-65 public key, FIPS 204 table 2. */
export const PUBLIC_KEY_BYTES = 1_952

export const validatorSchema = record<Validator>({
  id: hexBytes<ValidatorId>(32),
  publicKey: bytesFixed(PUBLIC_KEY_BYTES),
  stake: u64,
})

export const validatorListSchema = listOf(validatorSchema, VALIDATORS_MAX)

export const chainParametersSchema = record<ChainParameters>({
  heartbeatMs: uint(4),
  viewTimeoutMinMs: uint(4),
  viewTimeoutMaxMs: uint(4),
  unreachableLeaderTimeoutMs: uint(4),
  clockSkewMaxMs: uint(4),
  blockBytesMax: uint(4),
  blockTransactionsMax: uint(4),
  certificateIntervalMs: uint(4),
  epochBlocks: uint(4),
  evidenceWindowBlocks: uint(4),
  evidenceWindowMs: counter(),
  unbondingBlocks: uint(4),
  unbondingMs: counter(),
  minimumValidatorStake: u64,
})

const assuranceLevel = oneOf(ASSURANCE_LEVELS)
type CertificateLevels = AssurancePolicy['certificates']

export const assurancePolicySchema = record<AssurancePolicy>({
  certificates: record<CertificateLevels>(
    Object.fromEntries(CERTIFICATE_TYPES.map((type) => [type, assuranceLevel])) as Record<
      CertificateType,
      typeof assuranceLevel
    >,
  ),
  operations: listOf(
    record<OperationLevel>({ operation: text(TEXT_BYTES_MAX), level: assuranceLevel }),
    OPERATION_LEVELS_MAX,
  ),
  otherOperations: assuranceLevel,
  anchorAgeBlocksMax: uint(2),
  minimumWorkBits: uint(1),
  authority: listOf(record<AuthorityStep>({ level: u64, bondedStake: u64 }), AUTHORITY_STEPS_MAX),
})

/** The policy without what it asks for beyond declarations, which has its own schema. */
export type PolicyFloors = Omit<ValidationPolicy, 'assurance'>

export const policyFloorsSchema = record<PolicyFloors>({
  minimumStake: u64,
  maxTimeOffsetMs: uint(4),
  minimumStorage: u64,
  maximumStorage: u64,
  minimumCompute: u64,
  maximumCompute: u64,
})

const genesisSchema = record<Omit<Genesis, 'consensus' | 'policy' | 'shielded'> & { policy: PolicyFloors }>({
  network: text(TEXT_BYTES_MAX),
  time: counter(),
  parameters: chainParametersSchema,
  policy: policyFloorsSchema,
  validators: validatorListSchema,
  accounts: listOf(record<GenesisAccount>({ id: hexBytes<AccountId>(32), balance: u64 }), ACCOUNTS_MAX),
})

interface RawConsensus extends MiningParameters {
  readonly engine: 'bft' | 'pow'
  /** 0 with the engine `pow`. */
  readonly fallbackAfterMs: number
}

const consensusSchema = record<RawConsensus>({
  engine: oneOf(['bft', 'pow']),
  fallbackAfterMs: uint(4),
  targetIntervalMs: uint(4),
  initialBits: uint(4),
  limitBits: uint(4),
  retargetWindow: uint(4),
  maturityBlocks: uint(4),
})

/**
 * Identity of a network. The choice of an engine, the assurance levels and the notes it starts with are hashed beside the
 * rest, second to fourth, and only as far as there are any: a network of an older document keeps its identity.
 */
export function genesisHash(genesis: Genesis): GenesisHash {
  const { consensus, policy, shielded } = genesis
  const parts = [
    encode(genesisSchema, genesis),
    consensus === undefined ? NOTHING : consensusBytes(consensus),
    policy.assurance === undefined ? NOTHING : encode(assurancePolicySchema, policy.assurance),
    shielded === undefined ? NOTHING : encode(shieldedGenesisSchema, shielded),
  ]
  while (parts.at(-1) === NOTHING) parts.pop()
  return sha256TaggedHex<GenesisHash>('genesis', ...parts)
}

/** In the place of what a network does not have. */
const NOTHING = new Uint8Array(0)

function consensusBytes(consensus: ConsensusChoice): Uint8Array {
  const choice: RawConsensus =
    consensus.engine === 'pow'
      ? { engine: 'pow', fallbackAfterMs: 0, ...consensus.mining }
      : { engine: 'bft', fallbackAfterMs: consensus.fallback.afterMs, ...consensus.fallback.mining }
  return encode(consensusSchema, choice)
}

/** Identity of a validator or node: hash of its ML-DSA-65 public key. */
export function validatorId(publicKey: Uint8Array): ValidatorId {
  return sha256TaggedHex<ValidatorId>('validatorId', publicKey)
}

/** Identity of an account: the same hash of the key that signs its transactions. */
export function accountId(publicKey: Uint8Array): AccountId {
  return sha256TaggedHex<AccountId>('validatorId', publicKey)
}

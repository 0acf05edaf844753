/**
 * Genesis as a file: JSON that a person can read, amounts as strings so that no tool rounds them, validators by
 * public key alone (their ids follow from it). The network's identity is the hash of the canonical bytes, not
 * of this text.
 */
import { z } from 'zod'
import { PUBLIC_KEY_BYTES, validatorId } from '../codec/genesis.ts'
import { fromHex, isHex, toHex } from '../codec/hex.ts'
import { whyNotJson } from '../codec/json-text.ts'
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, VALIDATORS_MAX } from '../codec/limits.ts'
import { NodeError } from '../types/errors.ts'
import type { Genesis } from '../types/genesis.ts'
import { type AccountId, asUnixMs } from '../types/primitives.ts'
import { ACCOUNTS_MAX } from '../types/staking.ts'
import { amount, U64_MAX } from './genesis-amount.ts'
import { assuranceSchema, formatAssurance } from './genesis-assurance.ts'
import { consensusSchema, formatConsensus } from './genesis-consensus.ts'
import { formatShielded, shieldedSchema } from './genesis-shielded.ts'
import { issuesText } from './issue-text.ts'

/** A genesis file that is not one. */
export class GenesisError extends NodeError {}

const milliseconds = z.int().min(0).max(86_400_000)
const blocks = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
/** A year: longer than anybody waits for stake. */
const longMilliseconds = z.int().min(0).max(31_622_400_000)

const schema = z.strictObject({
  network: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens, at most 32'),
  time: z.iso.datetime({ offset: false }),
  parameters: z
    .strictObject({
      heartbeatMs: milliseconds,
      viewTimeoutMinMs: milliseconds.min(10),
      viewTimeoutMaxMs: milliseconds.min(10),
      unreachableLeaderTimeoutMs: milliseconds.min(1),
      clockSkewMaxMs: milliseconds,
      blockBytesMax: z.int().min(65_536).max(BLOCK_BYTES_MAX),
      blockTransactionsMax: z.int().min(1).max(BLOCK_TRANSACTIONS_MAX),
      certificateIntervalMs: milliseconds,
      epochBlocks: blocks,
      evidenceWindowBlocks: blocks,
      evidenceWindowMs: longMilliseconds,
      unbondingBlocks: blocks,
      unbondingMs: longMilliseconds,
      minimumValidatorStake: amount.refine((stake) => stake > 0n, 'a validator has stake'),
    })
    .refine((p) => p.viewTimeoutMinMs <= p.viewTimeoutMaxMs, 'viewTimeoutMinMs is above viewTimeoutMaxMs')
    // Or stake would be gone before the evidence against it expires.
    .refine(
      (p) => p.unbondingBlocks > p.evidenceWindowBlocks,
      'unbondingBlocks must be above evidenceWindowBlocks',
    )
    .refine((p) => p.unbondingMs > p.evidenceWindowMs, 'unbondingMs must be above evidenceWindowMs'),
  policy: z.strictObject({
    minimumStake: amount,
    maxTimeOffsetMs: milliseconds,
    minimumStorage: amount,
    maximumStorage: amount,
    minimumCompute: amount,
    maximumCompute: amount,
    assurance: assuranceSchema.optional(),
  }),
  validators: z
    .array(
      z.strictObject({
        publicKey: z
          .string()
          .refine((hex) => isHex(hex, PUBLIC_KEY_BYTES), 'an ML-DSA-65 public key is 3,904 hex digits'),
        stake: amount.refine((stake) => stake > 0n, 'a validator has stake'),
      }),
    )
    .min(1)
    .max(VALIDATORS_MAX)
    .refine(
      (validators) => new Set(validators.map(({ publicKey }) => publicKey)).size === validators.length,
      'two validators have the same key',
    ),
  accounts: z
    .array(
      z.strictObject({
        id: z.string().refine((hex) => isHex(hex, 32), 'an account id is 64 hex digits'),
        balance: amount,
      }),
    )
    .max(ACCOUNTS_MAX - VALIDATORS_MAX)
    .refine(
      (accounts) => accounts.every(({ id }, i) => i === 0 || id > (accounts[i - 1]?.id ?? '')),
      'accounts are in ascending order of id, all different',
    ),
  consensus: consensusSchema.optional(),
  shielded: shieldedSchema.optional(),
})

/**
 * Reads a genesis file.
 * @throws GenesisError `E_GENESIS` (65) that names the field and what is wrong with it
 */
export function parseGenesis(text: string, path = 'genesis'): Genesis {
  const parsed = schema.safeParse(parseJson(text, path))
  if (!parsed.success) {
    throw invalid(path, issuesText(parsed.error))
  }
  const { network, time, parameters, policy, validators, accounts, consensus, shielded } = parsed.data
  const { assurance, ...floors } = policy
  const { minimumValidatorStake } = parameters
  const poor = validators.findIndex(({ stake }) => stake < minimumValidatorStake)
  if (poor !== -1) {
    throw invalid(
      path,
      `the stake of validator ${poor}, ${validators[poor]?.stake}, is below minimumValidatorStake ${minimumValidatorStake}`,
    )
  }
  const supply =
    validators.reduce((sum, { stake }) => sum + stake, 0n) +
    accounts.reduce((sum, { balance }) => sum + balance, 0n) +
    (shielded?.notes ?? []).reduce((sum, { value }) => sum + value, 0n)
  if (supply > U64_MAX) throw invalid(path, `stakes, balances and notes add up to ${supply}, above 2^64 - 1`)
  return {
    network,
    time: asUnixMs(Date.parse(time)),
    parameters,
    policy: { ...floors, ...(assurance === undefined ? {} : { assurance }) },
    validators: validators.map(({ publicKey, stake }) => {
      const raw = fromHex(publicKey)
      return { id: validatorId(raw), publicKey: raw, stake }
    }),
    accounts: accounts.map(({ id, balance }) => ({ id: id as AccountId, balance })),
    ...(consensus === undefined ? {} : { consensus }),
    ...(shielded === undefined ? {} : { shielded }),
  }
}

/** Writes genesis as {@link parseGenesis} reads it. */
export function formatGenesis(genesis: Genesis): string {
  const { policy } = genesis
  const file = {
    network: genesis.network,
    time: new Date(genesis.time).toISOString(),
    parameters: {
      ...genesis.parameters,
      minimumValidatorStake: `${genesis.parameters.minimumValidatorStake}`,
    },
    policy: {
      minimumStake: `${policy.minimumStake}`,
      maxTimeOffsetMs: policy.maxTimeOffsetMs,
      minimumStorage: `${policy.minimumStorage}`,
      maximumStorage: `${policy.maximumStorage}`,
      minimumCompute: `${policy.minimumCompute}`,
      maximumCompute: `${policy.maximumCompute}`,
      ...(policy.assurance === undefined ? {} : { assurance: formatAssurance(policy.assurance) }),
    },
    validators: genesis.validators.map(({ publicKey, stake }) => ({
      publicKey: toHex(publicKey),
      stake: `${stake}`,
    })),
    accounts: genesis.accounts.map(({ id, balance }) => ({ id, balance: `${balance}` })),
    ...(genesis.consensus === undefined ? {} : { consensus: formatConsensus(genesis.consensus) }),
    ...(genesis.shielded === undefined ? {} : { shielded: formatShielded(genesis.shielded) }),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

function invalid(path: string, why: string): GenesisError {
  return new GenesisError('E_GENESIS', `${path} is not a genesis file: ${why}`, {
    exitCode: 65,
    fix: 'get the file from the operators of the network you want to join',
  })
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GenesisError('E_GENESIS', `${path} is not JSON`, {
      why: whyNotJson(text, cause),
      exitCode: 65,
      fix: 'get the file from the operators of the network you want to join',
      cause,
    })
  }
}

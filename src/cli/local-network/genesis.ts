/** The genesis of a network on one machine: equal validators, and parameters that suit loopback and a laptop. */

import { accountId } from '../../codec/genesis.ts'
import { uniformAssurance } from '../../ledger/validation-policy.ts'
import type { AssurancePolicy, ChainParameters, Genesis, ValidationPolicy } from '../../types/genesis.ts'
import type { ConsensusChoice, MiningParameters } from '../../types/pow.ts'
import { asUnixMs } from '../../types/primitives.ts'
import type { ShieldedGenesis } from '../../types/shielded.ts'
import type { PublicKeys } from '../node-keys.ts'

/** Every validator has the same stake. */
const STAKE = 1_000n
/** What each has beside it, to bond more or to pay others. */
const BALANCE = 10n * STAKE

const PARAMETERS: ChainParameters = {
  heartbeatMs: 2_000,
  viewTimeoutMinMs: 200,
  viewTimeoutMaxMs: 4_000,
  unreachableLeaderTimeoutMs: 50,
  // The skew allowance of the four proofs (spec/four-proofs.md) is the same.
  clockSkewMaxMs: 5_000,
  blockBytesMax: 1_048_576,
  blockTransactionsMax: 1_024,
  certificateIntervalMs: 5_000,
  epochBlocks: 128,
  evidenceWindowBlocks: 1_024,
  evidenceWindowMs: 600_000,
  unbondingBlocks: 1_280,
  unbondingMs: 900_000,
  minimumValidatorStake: 100n,
}

/**
 * Mining on one machine: a block every five seconds, at a rate that leaves the machine alone. Before there is a
 * history, a block costs some 65,000 hashes; the target follows what the miners can.
 */
export const LOCAL_MINING: MiningParameters = {
  targetIntervalMs: 5_000,
  initialBits: 0x1f00ffff,
  limitBits: 0x200fffff,
  retargetWindow: 30,
  maturityBlocks: 60,
}

/** Floors that TrustChain's own generators and test requests meet; caps of its four-proof checks (spec/stoq.md 4). */
const POLICY: ValidationPolicy = {
  minimumStake: 100n,
  maxTimeOffsetMs: 300_000,
  minimumStorage: 1_048_576n,
  maximumStorage: 100n * 1_024n ** 5n,
  minimumCompute: 10n,
  maximumCompute: 1_000_000n,
}

/** What a network on one machine may ask of requests, by name. */
export const ASSURANCE_PRESETS = ['declared', 'registered', 'attested', 'mixed'] as const
export type AssurancePreset = (typeof ASSURANCE_PRESETS)[number]

/** `mixed` is the testnet's: operators answer for every request, and attest those for certificates of an authority. */
export function assurancePreset(preset: AssurancePreset): AssurancePolicy {
  if (preset !== 'mixed') return uniformAssurance(preset)
  const registered = uniformAssurance('registered')
  return {
    ...registered,
    certificates: { ...registered.certificates, RootCA: 'attested', IntermediateCA: 'attested' },
  }
}

/**
 * @param timeMs Unix milliseconds; the first block's time lies after it
 * @param parameters in place of the defaults, for tests and benchmarks
 * @param consensus absent: BFT without a fallback
 * @param assurance absent: everything is accepted as declared
 * @param shielded absent: no notes at the start, and the least fee is 1
 */
export function makeGenesis(
  network: string,
  timeMs: number,
  validators: readonly PublicKeys[],
  parameters: Partial<ChainParameters> = {},
  consensus?: ConsensusChoice,
  assurance?: AssurancePolicy,
  shielded?: ShieldedGenesis,
): Genesis {
  return {
    network,
    time: asUnixMs(timeMs),
    parameters: { ...PARAMETERS, ...parameters },
    policy: { ...POLICY, ...(assurance === undefined ? {} : { assurance }) },
    validators: validators.map(({ id, publicKey }) => ({ id, publicKey, stake: STAKE })),
    accounts: validators
      .map(({ publicKey }) => ({ id: accountId(publicKey), balance: BALANCE }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...(consensus === undefined ? {} : { consensus }),
    ...(shielded === undefined ? {} : { shielded }),
  }
}

/**
 * The state root: SSZ root of a container over the accumulators' roots, stake and what is fixed for ever. Request
 * ids and sequence numbers have no root of their own: both are fields of the verdicts.
 */
import {
  assurancePolicySchema,
  chainParametersSchema,
  type PolicyFloors,
  policyFloorsSchema,
} from '../codec/genesis.ts'
import { toHex } from '../codec/hex.ts'
import { recentBlocksRoot } from '../codec/recent-blocks.ts'
import { hashTreeRoot, hexBytes, record } from '../codec/schema.ts'
import type { AssurancePolicy, ChainParameters, ValidationPolicy } from '../types/genesis.ts'
import type { StateAccumulators } from '../types/ledger-state.ts'
import type { Hex32, StateRoot } from '../types/primitives.ts'
import type { StakingState } from '../types/staking.ts'
import { noteCommitmentRoot } from './commitment-tree.ts'
import { frontierRoot } from './frontier.ts'
import { nullifierRoot } from './nullifier-set.ts'
import { operatorsRoot } from './operators/operators-root.ts'
import { stakingRoot, validatorSetRoot } from './staking/staking-root.ts'
import { assuranceOf } from './validation-policy.ts'

/** Roots that stay the same, computed once. */
export interface FixedRoots {
  readonly parameters: Hex32
}

interface StateRoots {
  readonly nullifiers: Hex32
  readonly noteCommitments: Hex32
  readonly verdicts: Hex32
  readonly validators: Hex32
  readonly parameters: Hex32
  readonly staking: Hex32
  readonly operators: Hex32
  readonly recentBlocks: Hex32
}

/** The container under the state root; its field order is the order of the leaves (src/ledger/README.md). */
const stateRootsSchema = record<StateRoots>({
  nullifiers: hexBytes<Hex32>(32),
  noteCommitments: hexBytes<Hex32>(32),
  verdicts: hexBytes<Hex32>(32),
  validators: hexBytes<Hex32>(32),
  parameters: hexBytes<Hex32>(32),
  staking: hexBytes<Hex32>(32),
  operators: hexBytes<Hex32>(32),
  recentBlocks: hexBytes<Hex32>(32),
})

interface Parameters {
  readonly chain: ChainParameters
  readonly policy: PolicyFloors
  readonly assurance: AssurancePolicy
}

const parametersSchema = record<Parameters>({
  chain: chainParametersSchema,
  policy: policyFloorsSchema,
  assurance: assurancePolicySchema,
})

/** Root of the parameters. */
export function fixedRoots(chain: ChainParameters, policy: ValidationPolicy): FixedRoots {
  return {
    parameters: toHex(
      hashTreeRoot(parametersSchema, { chain, policy, assurance: assuranceOf(policy) }),
    ) as Hex32,
  }
}

/** Root of the whole state. */
export function stateRoot(
  accumulators: StateAccumulators,
  staking: StakingState,
  fixed: FixedRoots,
): StateRoot {
  const roots: StateRoots = {
    nullifiers: nullifierRoot(accumulators.nullifiers),
    noteCommitments: noteCommitmentRoot(accumulators.noteCommitments),
    verdicts: frontierRoot(accumulators.verdicts),
    validators: validatorSetRoot(staking.validators),
    ...fixed,
    staking: stakingRoot(staking),
    operators: operatorsRoot(staking.operators),
    recentBlocks: recentBlocksRoot(accumulators.recentBlocks),
  }
  return toHex(hashTreeRoot(stateRootsSchema, roots)) as StateRoot
}

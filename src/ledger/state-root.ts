/**
 * The state root: SSZ root of a container over the roots of all parts of the state. Request
 * ids and sequence numbers have no root of their own: both are fields of the verdicts.
 */
import {
  assurancePolicySchema,
  chainParametersSchema,
  type PolicyFloors,
  policyFloorsSchema,
} from '../codec/genesis.ts'
import { hashPair } from '../codec/hashes.ts'
import { fromHex, toHex } from '../codec/hex.ts'
import { recentBlocksRoot } from '../codec/recent-blocks.ts'
import { hashTreeRoot, hexBytes, record } from '../codec/schema.ts'
import type { AssurancePolicy, ChainParameters, ValidationPolicy } from '../types/genesis.ts'
import type { StateAccumulators } from '../types/ledger-state.ts'
import type { Hex32, StateRoot } from '../types/primitives.ts'
import type { StateBranch } from '../types/receipt.ts'
import type { StakingState } from '../types/staking.ts'
import type { VerdictVoting } from '../types/voting.ts'
import { frontierRoot } from './frontier.ts'
import { nullifierRoot } from './nullifier-set.ts'
import { operationsRoot } from './operations/operations-root.ts'
import { operatorsRoot } from './operators/operators-root.ts'
import { noteLeaf } from './shielded/note-tree.ts'
import { shieldedRoot } from './shielded/shielded-root.ts'
import { stakingRoot, validatorSetRoot } from './staking/staking-root.ts'
import { assuranceOf } from './validation-policy.ts'
import { batchesRoot, trustRoot } from './verdicts/voting-root.ts'

/** What stays the same, and the root of it. */
export interface FixedRoots {
  /** Of genesis: in force until an operation changes the policy. */
  readonly parameters: Hex32
  readonly chain: ChainParameters
}

interface StateRoots {
  readonly nullifiers: Hex32
  readonly noteCommitments: Hex32
  readonly verdicts: Hex32
  readonly validators: Hex32
  readonly parameters: Hex32
  readonly staking: Hex32
  readonly batches: Hex32
  readonly trust: Hex32
  readonly operators: Hex32
  readonly recentBlocks: Hex32
  readonly operations: Hex32
  readonly shielded: Hex32
}

/** The container under the state root; its field order is the order of the leaves (src/ledger/README.md). */
const stateRootsSchema = record<StateRoots>({
  nullifiers: hexBytes<Hex32>(32),
  noteCommitments: hexBytes<Hex32>(32),
  verdicts: hexBytes<Hex32>(32),
  validators: hexBytes<Hex32>(32),
  parameters: hexBytes<Hex32>(32),
  staking: hexBytes<Hex32>(32),
  batches: hexBytes<Hex32>(32),
  trust: hexBytes<Hex32>(32),
  operators: hexBytes<Hex32>(32),
  recentBlocks: hexBytes<Hex32>(32),
  operations: hexBytes<Hex32>(32),
  shielded: hexBytes<Hex32>(32),
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

/** Root of the parameters of genesis. */
export function fixedRoots(chain: ChainParameters, policy: ValidationPolicy): FixedRoots {
  return { parameters: parametersRoot(chain, policy), chain }
}

function parametersRoot(chain: ChainParameters, policy: ValidationPolicy): Hex32 {
  return toHex(hashTreeRoot(parametersSchema, { chain, policy, assurance: assuranceOf(policy) })) as Hex32
}

/** Root of the whole state. */
export function stateRoot(
  accumulators: StateAccumulators,
  staking: StakingState,
  voting: VerdictVoting,
  fixed: FixedRoots,
): StateRoot {
  return toHex(hashTreeRoot(stateRootsSchema, rootsOf(accumulators, staking, voting, fixed))) as StateRoot
}

function rootsOf(
  accumulators: StateAccumulators,
  staking: StakingState,
  voting: VerdictVoting,
  fixed: FixedRoots,
): StateRoots {
  return {
    nullifiers: nullifierRoot(accumulators.nullifiers),
    noteCommitments: noteLeaf(accumulators.shielded.notes),
    verdicts: frontierRoot(accumulators.verdicts),
    validators: validatorSetRoot(staking.validators),
    parameters:
      voting.operations.policy === null
        ? fixed.parameters
        : parametersRoot(fixed.chain, voting.operations.policy),
    staking: stakingRoot(staking),
    batches: batchesRoot(voting),
    trust: trustRoot(voting.trust),
    operators: operatorsRoot(staking.operators),
    recentBlocks: recentBlocksRoot(accumulators.recentBlocks),
    operations: operationsRoot(voting.operations),
    shielded: shieldedRoot(accumulators.shielded),
  }
}

/** What leads from the root of the verdict list, leaf 2 of twelve, to the state root. */
export function stateBranch(
  accumulators: StateAccumulators,
  staking: StakingState,
  voting: VerdictVoting,
  fixed: FixedRoots,
): StateBranch {
  const roots = rootsOf(accumulators, staking, voting, fixed)
  const pair = (left: Hex32, right: Hex32): Uint8Array => hashPair(fromHex(left), fromHex(right))
  return {
    validators: roots.validators,
    nullifiersAndNotes: toHex(pair(roots.nullifiers, roots.noteCommitments)) as Hex32,
    parametersToTrust: toHex(
      hashPair(pair(roots.parameters, roots.staking), pair(roots.batches, roots.trust)),
    ) as Hex32,
    operatorsAndBlocks: toHex(operatorsAndBlocks(roots)) as Hex32,
  }
}

/** Node over the leaves 8 to 15, of which the last four are absent: zero bytes stand for them. */
function operatorsAndBlocks({ operators, recentBlocks, operations, shielded }: StateRoots): Uint8Array {
  const absent = new Uint8Array(32)
  const none = hashPair(absent, absent)
  const there = hashPair(
    hashPair(fromHex(operators), fromHex(recentBlocks)),
    hashPair(fromHex(operations), fromHex(shielded)),
  )
  return hashPair(there, hashPair(none, none))
}

/** The state root that a root of the verdict list has under a branch. */
export function stateRootOfVerdicts(verdicts: Uint8Array, branch: StateBranch): StateRoot {
  const middle = hashPair(verdicts, fromHex(branch.validators))
  const left = hashPair(fromHex(branch.nullifiersAndNotes), middle)
  const lower = hashPair(left, fromHex(branch.parametersToTrust))
  return toHex(hashPair(lower, fromHex(branch.operatorsAndBlocks))) as StateRoot
}

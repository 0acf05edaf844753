/**
 * Roots of the staking state. Asked for after every block, so each part's root is kept with the value it is of:
 * values are never changed in place, and what a block leaves alone is the same object as before.
 */
import { validatorListSchema } from '../../codec/genesis.ts'
import { toHex } from '../../codec/hex.ts'
import { counter, hashTreeRoot, hexBytes, listOf, record, u64 } from '../../codec/schema.ts'
import { accountSchema, epochEndListSchema, slashListSchema, sortedAccounts } from '../../codec/staking.ts'
import type { Epoch, Hex32 } from '../../types/primitives.ts'
import { ACCOUNTS_MAX, type Account, type StakingState } from '../../types/staking.ts'
import type { Validator } from '../../types/validator-set.ts'
import { bySchema, remembered } from '../remembered-roots.ts'

/** Root of a validator set: what a header carries as `validatorSetRoot`, and leaf 3 of the state. */
export const validatorSetRoot: (validators: readonly Validator[]) => Hex32 = bySchema(validatorListSchema)

const accountRoot: (account: Account) => Hex32 = bySchema(accountSchema)
const slashesRoot: (slashes: StakingState['slashes']) => Hex32 = bySchema(slashListSchema)
const epochEndsRoot: (ends: StakingState['epochEnds']) => Hex32 = bySchema(epochEndListSchema)

/** List[Bytes32] over the accounts' roots: the same root as that of the list of the accounts themselves. */
const accountRoots = listOf(hexBytes<Hex32>(32), ACCOUNTS_MAX)

const accountsRoot: (accounts: StakingState['accounts']) => Hex32 = remembered(
  (accounts) => toHex(hashTreeRoot(accountRoots, sortedAccounts(accounts).map(accountRoot))) as Hex32,
)

interface StakingRoots {
  readonly accounts: Hex32
  readonly slashes: Hex32
  readonly epochEnds: Hex32
  readonly burnt: bigint
  readonly epoch: Epoch
}

const stakingRoots = record<StakingRoots>({
  accounts: hexBytes<Hex32>(32),
  slashes: hexBytes<Hex32>(32),
  epochEnds: hexBytes<Hex32>(32),
  burnt: u64,
  epoch: counter(),
})

/** Leaf 5 of the state: everything of it but the validator set and the operators, which are leaves of their own. */
export const stakingRoot: (state: StakingState) => Hex32 = remembered(
  ({ accounts, slashes, epochEnds, burnt, epoch }) =>
    toHex(
      hashTreeRoot(stakingRoots, {
        accounts: accountsRoot(accounts),
        slashes: slashesRoot(slashes),
        epochEnds: epochEndsRoot(epochEnds),
        burnt,
        epoch,
      }),
    ) as Hex32,
)

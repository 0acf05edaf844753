/**
 * A network after a safety break: the genesis that follows from the state at a checkpoint without the culprits, the same
 * for everyone who holds that state, and whether enough of the remaining stake agrees to it. It is another network, with
 * another identity, so that nothing that was signed before the break can count in it.
 */
import { validatorId } from '../../codec/genesis.ts'
import { restartSigningPayload } from '../../codec/recovery.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import type { Genesis, GenesisAccount } from '../../types/genesis.ts'
import type { OperationsState } from '../../types/operations.ts'
import type { AccountId, UnixMs } from '../../types/primitives.ts'
import type { RestartDecision, RestartSignature } from '../../types/recovery.ts'
import type { VerifySignature } from '../../types/signatures.ts'
import type { StakingState } from '../../types/staking.ts'
import type { Validator } from '../../types/validator-set.ts'
import { ownerOfKey } from '../staking/validator-keys.ts'

export type RestartRefusal =
  | 'no-validators'
  | 'notes-are-lost'
  | 'unknown-culprit'
  | 'unknown-signer'
  | 'wrong-signature'
  | 'too-little-stake'

/** What the state at a checkpoint holds, as far as a new genesis takes it over. */
export interface RestartState {
  readonly staking: StakingState
  readonly operations: Pick<OperationsState, 'policy'>
  /** Worth of all notes together. */
  readonly pool: bigint
  /** Of the checkpoint's block. */
  readonly time: UnixMs
}

/**
 * The genesis of the network that goes on. Validators that are no culprits keep their stake; everything else that an
 * account holds (balance, stake outside of the set, withdrawals under way, its operator's bond) is its balance; what
 * culprits had bonded is gone, and their accounts with it. Notes are lost: a genesis has neither them nor the nullifiers of
 * those that were spent.
 * @param genesis of the network that ends
 * @param culprits accounts, all of them with a validator in the set
 * @param abandonedNotes what all notes are worth, as whoever decides on the restart has said it: to lose them by mistake
 *   shall be impossible, and a single holder shall not be able to keep the others from going on
 */
export function restartGenesis(
  genesis: Genesis,
  { staking, operations, pool, time }: RestartState,
  culprits: readonly AccountId[],
  abandonedNotes = 0n,
): Result<Genesis, RestartRefusal> {
  if (pool !== abandonedNotes) {
    return refuse(
      'notes-are-lost',
      `a restart takes over accounts only: notes worth ${pool} are lost, and what was given up are ${abandonedNotes}`,
    )
  }
  const accountOf = (validator: Validator): AccountId | null =>
    ownerOfKey(validator.id, staking.accounts)?.account.id ?? null
  const seated = new Map(staking.validators.map((validator) => [accountOf(validator), validator]))
  const unknown = culprits.find((account) => !seated.has(account))
  if (unknown !== undefined)
    return refuse('unknown-culprit', `account ${unknown} has no validator in the set`)
  const remaining = staking.validators.filter((validator) => {
    const account = accountOf(validator)
    return account !== null && !culprits.includes(account)
  })
  if (remaining.length === 0) return refuse('no-validators', 'nobody remains who could go on')
  const stays = new Set(remaining.map(accountOf))
  const accounts: GenesisAccount[] = []
  for (const account of staking.accounts.values()) {
    if (culprits.includes(account.id) || account.tombstonedAt !== null) continue
    const withdrawn = account.unbonding.reduce((sum, { amount }) => sum + amount, 0n)
    const bond = staking.operators.get(account.id)?.bondedStake ?? 0n
    const bonded = stays.has(account.id) ? 0n : account.bonded
    const balance = account.balance + withdrawn + bond + bonded
    if (balance > 0n) accounts.push({ id: account.id, balance })
  }
  return ok({
    ...genesis,
    time,
    policy: operations.policy ?? genesis.policy,
    ...(genesis.shielded === undefined ? {} : { shielded: { ...genesis.shielded, notes: [] } }),
    validators: remaining.map(({ id, publicKey, stake }) => ({ id, publicKey, stake })),
    accounts: accounts.sort((a, b) => (a.id < b.id ? -1 : 1)),
  })
}

/**
 * Whether more than two thirds of the remaining stake decided so.
 * @param remaining the checkpoint's next set without the culprits
 */
export function checkRestart(
  decision: RestartDecision,
  signatures: readonly RestartSignature[],
  remaining: readonly Validator[],
  verifySignature: VerifySignature,
): Result<{ readonly signedStake: bigint; readonly totalStake: bigint }, RestartRefusal> {
  const totalStake = remaining.reduce((sum, { stake }) => sum + stake, 0n)
  const payload = restartSigningPayload(decision)
  const signed = new Set<string>()
  let signedStake = 0n
  for (const { publicKey, signature } of signatures) {
    const id = validatorId(publicKey)
    const validator = remaining.find((of) => of.id === id)
    if (validator === undefined) return refuse('unknown-signer', `${id} is none of the remaining validators`)
    if (!verifySignature(publicKey, payload, signature, 'restart')) {
      return refuse('wrong-signature', `the signature of ${id} is not valid for this decision`)
    }
    if (!signed.has(id)) signedStake += validator.stake
    signed.add(id)
  }
  return 3n * signedStake > 2n * totalStake
    ? ok({ signedStake, totalStake })
    : refuse(
        'too-little-stake',
        `stake ${signedStake} of the remaining ${totalStake} signed, more than two thirds must`,
      )
}

/** Networks whose genesis gives notes to two owners, and balances to two accounts that pay into notes. */
import { accountId } from '../../../src/codec/genesis.ts'
import type { MlDsaKeyPair } from '../../../src/crypto/ml-dsa.ts'
import { deriveNoteRandomness } from '../../../src/shielded/notes/keys.ts'
import type { Genesis } from '../../../src/types/genesis.ts'
import type { AccountId } from '../../../src/types/primitives.ts'
import type { GenesisNote } from '../../../src/types/shielded.ts'
import { Spender } from '../../support/shielded/spender.ts'
import { toyKeyPair } from '../toy-signatures.ts'

/** Seeds of the owners' keys. */
export const OWNERS: readonly number[] = [1, 2]
const NOTES_EACH = 4
const BALANCE = 100_000n

export const NOTES: readonly GenesisNote[] = OWNERS.flatMap((owner) =>
  Array.from({ length: NOTES_EACH }, (_, i) => ({
    ...Spender.genesisNote(owner, 1_000n + BigInt(i)),
    randomness: deriveNoteRandomness(new Uint8Array(32).fill(10 * owner + i)),
  })),
)

/** An account that is no validator's. */
export interface Payer {
  readonly id: AccountId
  readonly key: MlDsaKeyPair
}

/** Toy keys far from those of validators. */
export const PAYERS: readonly Payer[] = [200, 201].map((number) => {
  const key = toyKeyPair(number)
  return { id: accountId(key.publicKey.raw), key }
})

/** What genesis has more than without notes. */
export function noteGenesis(blockReward: bigint): Pick<Genesis, 'accounts' | 'shielded'> {
  return {
    accounts: PAYERS.map(({ id }) => ({ id, balance: BALANCE })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    shielded: { notes: NOTES, blockReward, minimumFee: 1n },
  }
}

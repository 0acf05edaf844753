/** A network that starts with one note for each of so many owners, and transactions that spend them with real proofs. */
import type { RulePorts } from '../../../src/ledger/chain-rules.ts'
import { type GenesisState, genesisState } from '../../../src/ledger/genesis-state.ts'
import type { GenesisNote, ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { GENESIS, PORTS } from '../../unit/ledger/fixtures.ts'
import { Spender } from './spender.ts'

export class GenesisNotes {
  readonly #notes: readonly GenesisNote[]

  constructor(count: number) {
    this.#notes = Array.from({ length: count }, (_, i) => Spender.genesisNote(i + 1, 1_000n))
  }

  /** The network, as somebody sees it who verifies proofs in this way. */
  state(verifyShielded: NonNullable<RulePorts['verifyShielded']>): GenesisState {
    return genesisState(
      {
        ...GENESIS,
        parameters: { ...GENESIS.parameters, blockBytesMax: 4 * 1_024 * 1_024 },
        shielded: { notes: this.#notes, blockReward: 0n, minimumFee: 0n },
      },
      { ...PORTS, verifyShielded },
    )
  }

  /** Spends the note at this position: something to somebody, the rest back. Takes half a second. */
  spend({ rules }: GenesisState, position: number): HashedTransaction<ShieldedTransaction> {
    const owner = new Spender(rules.genesisHash, position + 1)
    owner.begin(this.#notes)
    const { owner: to } = new Spender(rules.genesisHash, position + 2)
    return owner.spend({ inputs: owner.notes, to, amount: 300n, fee: 10n }).transaction
  }
}

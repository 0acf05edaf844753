/** A network that starts with notes of one owner, and transactions that spend them with real proofs. */
import { hashTransaction } from '../../../src/codec/transaction.ts'
import type { RulePorts } from '../../../src/ledger/chain-rules.ts'
import { type GenesisState, genesisState } from '../../../src/ledger/genesis-state.ts'
import type { JoinSplitWitness } from '../../../src/shielded/join-split/witness.ts'
import {
  deriveNoteRandomness,
  deriveSpendingKey,
  noteCommitment,
  ownerOf,
} from '../../../src/shielded/notes/keys.ts'
import { emptySubtree, noteTreeNode, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import type { Hex32 } from '../../../src/types/primitives.ts'
import type { GenesisNote, ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { GENESIS, PORTS } from '../../unit/ledger/fixtures.ts'
import { dummy, proven, type RandomBytes } from './shielded-transaction.ts'

const NOTE_VALUE = 1_000n

export class GenesisNotes {
  readonly #random: RandomBytes
  readonly #spendingKey: Uint8Array
  readonly #notes: readonly GenesisNote[]
  readonly #paths: readonly (readonly Uint8Array[])[]

  constructor(count: number, random: RandomBytes) {
    this.#random = random
    this.#spendingKey = deriveSpendingKey(random(32))
    const owner = ownerOf(this.#spendingKey)
    this.#notes = Array.from({ length: count }, () => ({
      owner,
      value: NOTE_VALUE,
      randomness: this.#randomness(),
    }))
    this.#paths = pathsOf(this.#notes.map(noteCommitment))
  }

  /** The network, as somebody sees it who verifies proofs in this way. */
  state(verifyShielded: NonNullable<RulePorts['verifyShielded']>): GenesisState {
    return genesisState(
      {
        ...GENESIS,
        parameters: { ...GENESIS.parameters, blockBytesMax: 4 * 1_024 * 1_024 },
        shielded: { notes: this.#notes, blockReward: 0n },
      },
      { ...PORTS, verifyShielded },
    )
  }

  /** Spends the note of genesis at this position: something to somebody, the rest back. Takes half a second. */
  spend({ rules, state }: GenesisState, position: number): HashedTransaction<ShieldedTransaction> {
    const { owner, value, randomness } = this.#notes[position] as GenesisNote
    const place = { position, siblings: this.#paths[position] ?? [] }
    const receiver = ownerOf(deriveSpendingKey(this.#random(32)))
    const witness: JoinSplitWitness = {
      inputs: [{ spendingKey: this.#spendingKey, value, randomness, place }, dummy(this.#random)],
      outputs: [
        { owner: receiver, value: 300n, randomness: this.#randomness() },
        { owner, value: value - 310n, randomness: this.#randomness() },
      ],
    }
    const anchor = state.accumulators.shielded.anchors.at(-1) as Hex32
    return hashTransaction(
      proven(witness, { genesisHash: rules.genesisHash, anchor, fee: 10n }, this.#random),
    )
  }

  #randomness(): Uint8Array {
    return deriveNoteRandomness(this.#random(32))
  }
}

/** Siblings of each leaf, from the leaf upwards. */
function pathsOf(leaves: readonly Uint8Array[]): Uint8Array[][] {
  const paths: Uint8Array[][] = leaves.map(() => [])
  let row = leaves
  for (let level = 0; level < TREE_DEPTH; level++) {
    const at = (i: number): Uint8Array => row[i] ?? emptySubtree(level)
    for (const [i, path] of paths.entries()) path.push(at((i >> level) ^ 1))
    row = Array.from({ length: Math.ceil(row.length / 2) }, (_, i) => noteTreeNode(at(2 * i), at(2 * i + 1)))
  }
  return paths
}

/** From a wallet's notes to a proof that anybody checks. */
import { describe, expect, it } from 'vitest'
import {
  JOIN_SPLIT_PROOF_BYTES_MAX,
  proveJoinSplit,
  verifyJoinSplit,
} from '../../../src/shielded/join-split/join-split.ts'
import type { JoinSplitPublicInputs } from '../../../src/shielded/join-split/public-inputs.ts'
import { type JoinSplitWitness, publishedBy } from '../../../src/shielded/join-split/witness.ts'
import {
  deriveNoteRandomness,
  deriveSpendingKey,
  noteCommitment,
  noteNullifier,
  nullifierKeyOf,
  ownerOf,
} from '../../../src/shielded/notes/keys.ts'
import { emptySubtree, noteTreeNode, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'

const alice = deriveSpendingKey(seededBytes(1, 32))
const bob = deriveSpendingKey(seededBytes(2, 32))
const randomness = (seed: number): Uint8Array => deriveNoteRandomness(seededBytes(seed, 32))
const note = { owner: ownerOf(alice), value: 1_000n, randomness: randomness(3) }
const commitment = noteCommitment(note)
const siblings = Array.from({ length: TREE_DEPTH }, (_, level) => emptySubtree(level))
/** The note is the first leaf of the tree. */
const anchor = siblings.reduce((node, sibling) => noteTreeNode(node, sibling), commitment)

const witness: JoinSplitWitness = {
  inputs: [
    { spendingKey: alice, value: 1_000n, randomness: note.randomness, place: { position: 0, siblings } },
    { spendingKey: deriveSpendingKey(seededBytes(4, 32)), value: 0n, randomness: randomness(5), place: null },
  ],
  outputs: [
    { owner: ownerOf(bob), value: 300n, randomness: randomness(6) },
    { owner: ownerOf(alice), value: 690n, randomness: randomness(7) },
  ],
}
const published = publishedBy(witness)
if (!published.ok) throw new Error(published.detail)
const publicInputs: JoinSplitPublicInputs = {
  anchor,
  ...published.value,
  fee: 10n,
  mint: 0n,
  burn: 0n,
  binding: seededBytes(8, 32),
}

describe('a join-split', () => {
  it('is proven by who owns the note, and the proof is checked', () => {
    const proof = proveJoinSplit(witness, publicInputs, seededBytes(9, 32))
    if (!proof.ok) throw new Error(`${proof.code}: ${proof.detail}`)
    expect(proof.value.length).toBeLessThanOrEqual(JOIN_SPLIT_PROOF_BYTES_MAX)
    expect(verifyJoinSplit(publicInputs, proof.value)).toEqual({ ok: true })
    const other = { ...publicInputs, binding: seededBytes(10, 32) }
    expect(verifyJoinSplit(other, proof.value)).toMatchObject({ ok: false, code: 'constraints' })
  })

  it('publishes what the wallet expects', () => {
    expect(publicInputs.nullifiers[0]).toEqual(noteNullifier(nullifierKeyOf(alice), commitment, 0))
    expect(publicInputs.commitments[0]).toEqual(noteCommitment(witness.outputs[0]))
  })
})

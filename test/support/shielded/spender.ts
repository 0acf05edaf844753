/**
 * Whoever holds notes in a test: finds them in the blocks and spends them. The proof is a real one, or the witness itself
 * (`openly`), which {@link verifyOpenly} checks in the open: as strict, a thousand times faster, and for tests only.
 */
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { ciphertextsHash, mintSigningPayload, shieldedBinding } from '../../../src/codec/shielded.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../../src/crypto/ml-dsa.ts'
import { statementOf } from '../../../src/ledger/shielded/statement.ts'
import { proveJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import { publicInputsOf } from '../../../src/shielded/join-split/public-inputs.ts'
import { decodeWitness, type JoinSplitWitness } from '../../../src/shielded/join-split/witness.ts'
import { decodeDigest } from '../../../src/shielded/notes/digest-bytes.ts'
import {
  deriveNoteRandomness,
  deriveSpendingKey,
  noteCommitment,
  noteNullifier,
  nullifierKeyOf,
  ownerOf,
} from '../../../src/shielded/notes/keys.ts'
import { hashCommitment, hashNullifierKey, hashOwner } from '../../../src/shielded/notes/note-hashes.ts'
import { emptySubtree, noteTreeNode, rootOfPath, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import type { AccountId, GenesisHash, Height, Hex32, Nullifier } from '../../../src/types/primitives.ts'
import {
  type GenesisNote,
  NOTE_CIPHERTEXT_BYTES,
  type ShieldedTransaction,
} from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'

/** A tree of notes, every level kept: for paths. */
export class OpenNoteTree {
  readonly #levels: Uint8Array[][] = Array.from({ length: TREE_DEPTH + 1 }, () => [])

  get size(): number {
    return this.#levels[0]?.length ?? 0
  }

  append(commitment: Uint8Array): void {
    let index = this.size
    ;(this.#levels[0] as Uint8Array[])[index] = commitment
    for (let level = 0; level < TREE_DEPTH; level++) {
      const row = this.#levels[level] as Uint8Array[]
      const left = row[index & ~1] as Uint8Array
      const above = this.#levels[level + 1] as Uint8Array[]
      above[index >> 1] = noteTreeNode(left, row[index | 1] ?? emptySubtree(level))
      index >>= 1
    }
  }

  get root(): Uint8Array {
    return this.#levels[TREE_DEPTH]?.[0] ?? emptySubtree(TREE_DEPTH)
  }

  siblings(position: number): Uint8Array[] {
    return Array.from(
      { length: TREE_DEPTH },
      (_, level) => this.#levels[level]?.[(position >> level) ^ 1] ?? emptySubtree(level),
    )
  }
}

/** A note that can be spent. */
export interface OwnNote {
  readonly value: bigint
  readonly randomness: Uint8Array
  readonly position: number
}

/** What a transaction shall do; what is left over of the inputs goes into the second output. */
export interface Spending {
  /** None to two. */
  readonly inputs?: readonly OwnNote[]
  /** To oneself by default. */
  readonly to?: Uint8Array
  readonly amount?: bigint
  readonly fee?: bigint
  readonly mint?: { readonly amount: bigint; readonly key: MlDsaKeyPair; readonly sequence: number }
  readonly burn?: { readonly amount: bigint; readonly to: AccountId }
  readonly expiresAtHeight?: number
  readonly openly?: boolean
}

export class Spender {
  readonly tree = new OpenNoteTree()
  readonly notes: OwnNote[] = []
  readonly spendingKey: Uint8Array
  readonly owner: Uint8Array
  readonly #genesisHash: GenesisHash
  readonly #made = new Map<string, { value: bigint; randomness: Uint8Array }>()
  #next: number

  constructor(genesisHash: GenesisHash, seed: number) {
    this.#genesisHash = genesisHash
    this.spendingKey = deriveSpendingKey(new Uint8Array(32).fill(seed))
    this.owner = ownerOf(this.spendingKey)
    this.#next = seed * 1_000_000
  }

  /** A note of genesis. */
  static genesisNote(seed: number, value: bigint): GenesisNote {
    const owner = ownerOf(deriveSpendingKey(new Uint8Array(32).fill(seed)))
    return { owner, value, randomness: deriveNoteRandomness(new Uint8Array(32).fill(100 + seed)) }
  }

  /** Reads the notes of genesis. */
  begin(notes: readonly GenesisNote[]): void {
    for (const note of notes) {
      if (toHex(note.owner) === toHex(this.owner)) this.expect(note.value, note.randomness)
      this.#see(noteCommitment(note))
    }
  }

  /** Tells of a note that somebody has made for this owner. */
  expect(value: bigint, randomness: Uint8Array): void {
    const commitment = noteCommitment({ owner: this.owner, value, randomness })
    this.#made.set(toHex(commitment), { value, randomness })
  }

  /** Reads a transaction that is in the chain: its notes, and which of the own ones it spends. */
  read({ nullifiers, commitments }: Pick<ShieldedTransaction, 'nullifiers' | 'commitments'>): void {
    for (const commitment of commitments) this.#see(fromHex(commitment))
    const spent = this.notes.findIndex((note) => nullifiers.includes(this.nullifierOf(note)))
    if (spent === -1) return
    this.notes.splice(spent, 1)
    const second = this.notes.findIndex((note) => nullifiers.includes(this.nullifierOf(note)))
    if (second !== -1) this.notes.splice(second, 1)
  }

  nullifierOf({ value, randomness, position }: OwnNote): Nullifier {
    const commitment = noteCommitment({ owner: this.owner, value, randomness })
    return toHex(noteNullifier(nullifierKeyOf(this.spendingKey), commitment, position)) as Nullifier
  }

  /** A transaction that is right, and the notes that it makes. */
  spend(spending: Spending): {
    transaction: HashedTransaction<ShieldedTransaction>
    made: readonly { owner: Uint8Array; value: bigint; randomness: Uint8Array }[]
  } {
    const { inputs = [], to = this.owner, fee = 1n, mint, burn, openly = false } = spending
    const { amount = 0n, expiresAtHeight = 1_000_000 } = spending
    const total = inputs.reduce((sum, { value }) => sum + value, 0n) + (mint?.amount ?? 0n)
    const rest = total - fee - (burn?.amount ?? 0n) - amount
    const outputs = [
      { owner: to, value: amount, randomness: this.#fresh() },
      { owner: this.owner, value: rest, randomness: this.#fresh() },
    ] as const
    for (const { owner, value, randomness } of outputs)
      if (owner === this.owner) this.expect(value, randomness)
    const input = (note: OwnNote | undefined): JoinSplitWitness['inputs'][0] =>
      note === undefined
        ? { spendingKey: deriveSpendingKey(this.#seed()), value: 0n, randomness: this.#fresh(), place: null }
        : {
            spendingKey: this.spendingKey,
            value: note.value,
            randomness: note.randomness,
            place: { position: note.position, siblings: this.tree.siblings(note.position) },
          }
    const witness: JoinSplitWitness = { inputs: [input(inputs[0]), input(inputs[1])], outputs }
    const ciphertexts = [this.#ciphertext(), this.#ciphertext()] as const
    const bound = {
      genesisHash: this.#genesisHash,
      expiresAtHeight: expiresAtHeight as Height,
      ciphertextsHash: ciphertextsHash(ciphertexts),
      mint:
        mint === undefined
          ? null
          : {
              amount: mint.amount,
              publicKey: mint.key.publicKey.raw,
              sequence: mint.sequence,
              signature: new Uint8Array(3_309),
            },
      burn: burn === undefined ? null : burn,
    }
    const binding = shieldedBinding(bound)
    const anchor = toHex(this.tree.root) as Hex32
    const amounts = { fee, mint: mint?.amount ?? 0n, burn: burn?.amount ?? 0n }
    const joinSplit = decodeWitness(witness, amounts)
    if (!joinSplit.ok) throw new Error(joinSplit.detail)
    const statement = publicInputsOf(
      joinSplit.value,
      decodeDigest(this.tree.root) as number[],
      fromHex(binding),
    )
    const proof = openly ? openProof(witness) : realProof(witness, statement, this.#seed())
    const unsigned = {
      ...bound,
      anchor,
      nullifiers: statement.nullifiers.map(toHex) as readonly string[] as [Nullifier, Nullifier],
      commitments: statement.commitments.map(toHex) as readonly string[] as [Hex32, Hex32],
      fee,
      ciphertexts,
      binding,
      proof,
    }
    const signed =
      bound.mint === null || mint === undefined
        ? unsigned
        : {
            ...unsigned,
            mint: {
              ...bound.mint,
              signature: mint.key.sign(mintSigningPayload(unsigned), SIGNATURE_CONTEXTS.mint),
            },
          }
    return { transaction: hashTransaction({ kind: 'shielded', ...signed }), made: outputs }
  }

  #see(commitment: Uint8Array): void {
    const position = this.tree.size
    this.tree.append(commitment)
    const own = this.#made.get(toHex(commitment))
    if (own !== undefined && own.value > 0n) this.notes.push({ ...own, position })
  }

  #seed(): Uint8Array {
    const seed = new Uint8Array(32)
    new DataView(seed.buffer).setUint32(0, this.#next++)
    return seed
  }

  #fresh(): Uint8Array {
    return deriveNoteRandomness(this.#seed())
  }

  #ciphertext(): Uint8Array {
    const bytes = new Uint8Array(NOTE_CIPHERTEXT_BYTES)
    bytes.set(this.#seed())
    return bytes
  }
}

function realProof(
  witness: JoinSplitWitness,
  statement: Parameters<typeof proveJoinSplit>[1],
  randomness: Uint8Array,
): Uint8Array {
  const proof = proveJoinSplit(witness, statement, randomness)
  if (!proof.ok) throw new Error(`${proof.code}: ${proof.detail}`)
  return proof.value
}

const hexes = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array
    ? { hex: toHex(value) }
    : typeof value === 'bigint'
      ? { int: String(value) }
      : value

function openProof(witness: JoinSplitWitness): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(witness, hexes))
}

function readOpenProof(proof: Uint8Array): JoinSplitWitness {
  return JSON.parse(new TextDecoder().decode(proof), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value
    if ('hex' in value) return fromHex(String(value.hex))
    return 'int' in value ? BigInt(String(value.int)) : value
  }) as JoinSplitWitness
}

/** What the proof system proves, checked on the witness. */
export function verifyOpenly(transaction: ShieldedTransaction): boolean {
  const statement = statementOf(transaction)
  const joinSplit = decodeWitness(readOpenProof(transaction.proof), statement)
  const anchor = decodeDigest(statement.anchor)
  if (!joinSplit.ok || anchor === null) return false
  const { inputs, outputs } = joinSplit.value
  const expected = publicInputsOf(joinSplit.value, anchor, statement.binding)
  const isUnder = inputs.every(({ enabled, value, spendingKey, randomness, position, siblings }) => {
    if (!enabled) return value === 0n
    const leaf = hashCommitment(hashOwner(hashNullifierKey(spendingKey)), value, randomness)
    return rootOfPath(leaf, position, siblings).every((lane, i) => lane === anchor[i])
  })
  const sum = (notes: readonly { value: bigint }[]) => notes.reduce((total, { value }) => total + value, 0n)
  const { fee, mint, burn } = statement
  return (
    isUnder &&
    sum(inputs) + mint === sum(outputs) + burn + fee &&
    JSON.stringify(expected, hexes) === JSON.stringify(statement, hexes)
  )
}

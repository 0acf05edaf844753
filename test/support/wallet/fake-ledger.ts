/**
 * The shielded half of a ledger, in memory, for wallets: takes transactions by the rules that a wallet has to meet, and
 * gives pages as a node's API does. Its tree is worked out anew every time, level by level, so that it shares nothing with
 * the wallet's.
 */
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { hashTreeRoot, hexBytes, listOf } from '../../../src/codec/schema.ts'
import { ciphertextsHash, shieldedBinding, shieldedEntryLeaf } from '../../../src/codec/shielded.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { verifyJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import type { JoinSplitPublicInputs } from '../../../src/shielded/join-split/public-inputs.ts'
import { noteCommitment } from '../../../src/shielded/notes/keys.ts'
import { emptySubtree, noteTreeNode, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import { asHeight, type GenesisHash, type Hex32, type Nullifier } from '../../../src/types/primitives.ts'
import type { GenesisNote, ShieldedEntry, ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { PageJson } from '../../../src/wallet/scan/entries-page.ts'
import type { EntrySource } from '../../../src/wallet/scan/scan-chain.ts'

export const GENESIS_HASH = 'ab'.repeat(32) as GenesisHash

/** Root of the leaves, 32 bytes each. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let nodes = [...leaves]
  for (let level = 0; level < TREE_DEPTH; level++) {
    const empty = emptySubtree(level)
    nodes = Array.from({ length: Math.ceil(nodes.length / 2) }, (_, i) =>
      noteTreeNode(nodes[2 * i] as Uint8Array, nodes[2 * i + 1] ?? empty),
    )
  }
  return nodes[0] ?? emptySubtree(TREE_DEPTH)
}

/** Root of a list of transactions. */
export function entriesRootOf(entries: readonly ShieldedEntry[]): Hex32 {
  const leaves = entries.map(shieldedEntryLeaf)
  return toHex(hashTreeRoot(listOf(hexBytes<Hex32>(32), 2 ** 32), leaves)) as Hex32
}

/** The statement that a transaction's proof has to prove. */
export function publicInputsOfTransaction(transaction: ShieldedTransaction): JoinSplitPublicInputs {
  const [a, b] = transaction.nullifiers.map(fromHex) as [Uint8Array, Uint8Array]
  const [c, d] = transaction.commitments.map(fromHex) as [Uint8Array, Uint8Array]
  return {
    anchor: fromHex(transaction.anchor),
    nullifiers: [a, b],
    commitments: [c, d],
    fee: transaction.fee,
    mint: transaction.mint?.amount ?? 0n,
    burn: transaction.burn?.amount ?? 0n,
    binding: fromHex(transaction.binding),
  }
}

export class FakeLedger implements EntrySource {
  readonly entries: ShieldedEntry[] = []
  readonly #leaves: Uint8Array[]
  readonly #anchors = new Set<Hex32>()
  readonly #spent = new Set<Nullifier>()
  readonly #verifiesProofs: boolean
  readonly genesisHash: GenesisHash
  readonly genesisNotes: number
  height = 0
  /** Worth of all notes. */
  pool: bigint

  constructor(
    genesisNotes: readonly GenesisNote[] = [],
    {
      verifiesProofs = false,
      genesisHash = GENESIS_HASH,
    }: { verifiesProofs?: boolean; genesisHash?: GenesisHash } = {},
  ) {
    this.genesisHash = genesisHash
    this.genesisNotes = genesisNotes.length
    this.#leaves = genesisNotes.map(noteCommitment)
    this.pool = genesisNotes.reduce((sum, { value }) => sum + value, 0n)
    this.#verifiesProofs = verifiesProofs
    this.#anchors.add(this.root)
  }

  get root(): Hex32 {
    return toHex(naiveRoot(this.#leaves)) as Hex32
  }

  /** What the root was after so many transactions. */
  rootAfter(entries: number): Hex32 {
    const notes = this.#leaves.length - 2 * (this.entries.length - entries)
    return toHex(naiveRoot(this.#leaves.slice(0, notes))) as Hex32
  }

  /** Root of the list of the first so many transactions. */
  entriesRootAfter(entries: number): Hex32 {
    return entriesRootOf(this.entries.slice(0, entries))
  }

  /** As if so many blocks had passed that no root of before is known any more. */
  forgetAnchors(): void {
    this.#anchors.clear()
    this.#anchors.add(this.root)
  }

  /** Blocks without a shielded transaction. */
  pass(blocks: number): void {
    this.height += blocks
  }

  /** @throws Error with the code of the rule that forbids it */
  check(transaction: ShieldedTransaction): void {
    const { nullifiers, ciphertexts } = transaction
    if (transaction.genesisHash !== this.genesisHash) throw new Error('other-network')
    if (transaction.expiresAtHeight <= this.height) throw new Error('expired')
    if (!this.#anchors.has(transaction.anchor)) throw new Error('shielded-anchor')
    if (nullifiers.some((nullifier) => this.#spent.has(nullifier))) throw new Error('nullifier-spent')
    if (transaction.ciphertextsHash !== ciphertextsHash(ciphertexts)) throw new Error('ciphertexts')
    if (transaction.binding !== shieldedBinding(transaction)) throw new Error('binding')
    if (this.#verifiesProofs) {
      const verified = verifyJoinSplit(publicInputsOfTransaction(transaction), transaction.proof)
      if (!verified.ok) throw new Error(verified.code)
    }
  }

  /** Takes a transaction into a block of its own. @throws as {@link check} */
  submit(transaction: ShieldedTransaction): void {
    this.check(transaction)
    const { nullifiers, commitments, ciphertexts, mint, burn, fee } = transaction
    this.pool += (mint?.amount ?? 0n) - (burn?.amount ?? 0n) - fee
    this.height++
    for (const nullifier of nullifiers) this.#spent.add(nullifier)
    this.#leaves.push(...commitments.map(fromHex))
    this.#anchors.add(this.root)
    const { hash } = hashTransaction(transaction)
    this.entries.push({ height: asHeight(this.height), hash, nullifiers, commitments, ciphertexts })
  }

  async page(from: number, limit: number): Promise<PageJson> {
    return {
      from,
      total: this.entries.length,
      height: this.height,
      root: this.root,
      entriesRoot: this.entriesRootAfter(this.entries.length),
      entries: this.entries.slice(from, from + limit).map((entry, i) => ({
        index: from + i,
        height: entry.height,
        hash: entry.hash,
        nullifiers: entry.nullifiers,
        commitments: entry.commitments,
        ciphertexts: entry.ciphertexts.map((bytes) => Buffer.from(bytes).toString('base64')),
      })),
    }
  }
}

/**
 * Follows the chain for a wallet: tree, own notes and cursor move together. What it knows can be written down as one state
 * and taken up again; writing is its owner's.
 */
import { fromHex, toHex } from '../codec/hex.ts'
import { shieldedEntryLeaf } from '../codec/shielded.ts'
import { appendLeaves, EMPTY_FRONTIER, frontierRoot } from '../ledger/frontier.ts'
import { type Note, noteCommitment } from '../shielded/notes/keys.ts'
import type { Frontier } from '../types/ledger-state.ts'
import { asHeight, type GenesisHash, type Height, type Hex32, type Nullifier } from '../types/primitives.ts'
import type { GenesisNote, ShieldedEntry } from '../types/shielded.ts'
import type { WalletKeys } from './keys.ts'
import { openNote } from './notes/note-cipher.ts'
import { OwnNotes } from './own-notes.ts'
import type { ChainFollower } from './scan/scan-chain.ts'
import type { Cursor, WalletState } from './state.ts'
import type { NodeStore } from './tree/node-store.ts'
import { WalletNoteTree } from './tree/note-tree.ts'
import { WalletError } from './wallet-error.ts'

const START: Cursor = { entries: 0, height: asHeight(0) }

/** Whose it is, and how what it knows becomes durable. */
export interface FollowerOptions {
  readonly seed: Uint8Array
  readonly keys: WalletKeys
  readonly nodes: NodeStore
  persist(state: WalletState): Promise<void>
}

/** A new wallet's state, before a network's notes are in it. */
export function emptyState(seed: Uint8Array, genesisHash: GenesisHash): WalletState {
  return {
    seed,
    genesisHash,
    genesisNotes: 0,
    cursor: START,
    confirmed: START,
    root: '' as Hex32,
    lists: { cursor: EMPTY_FRONTIER, confirmed: EMPTY_FRONTIER },
    notes: [],
    movements: [],
    outgoing: [],
  }
}

export class Follower implements ChainFollower {
  readonly own: OwnNotes
  readonly tree: WalletNoteTree
  readonly genesisNotes: number
  readonly #options: FollowerOptions
  readonly #genesisHash: GenesisHash
  #cursor: Cursor
  #confirmed: Cursor
  #list: Frontier
  #confirmedList: Frontier

  private constructor(options: FollowerOptions, state: WalletState, own: OwnNotes, tree: WalletNoteTree) {
    this.#options = options
    this.#genesisHash = state.genesisHash
    this.genesisNotes = state.genesisNotes
    this.#cursor = state.cursor
    this.#confirmed = state.confirmed
    this.#list = state.lists.cursor
    this.#confirmedList = state.lists.confirmed
    this.own = own
    this.tree = tree
  }

  /**
   * From the beginning of the network. What the state says of the chain is left behind; the wallet's own transactions wait
   * to be found again.
   * @param genesis the network's first notes, in order
   */
  static fromGenesis(
    options: FollowerOptions,
    state: WalletState,
    genesis: readonly GenesisNote[],
  ): Follower {
    const { keys, nodes } = options
    const own = new OwnNotes(keys, state)
    own.rollBack(0)
    const start = new OwnNotes(keys, { notes: [], movements: [], outgoing: own.outgoing })
    const tree = new WalletNoteTree(nodes, 0)
    for (const note of genesis) tree.append(noteCommitment(note))
    start.addGenesis(genesis.map((note) => (Buffer.compare(note.owner, keys.owner) === 0 ? note : null)))
    const { lists } = emptyState(state.seed, state.genesisHash)
    const begun = { ...state, genesisNotes: genesis.length, cursor: START, confirmed: START, lists }
    return new Follower(options, begun, start, tree)
  }

  /**
   * From where it was.
   * @throws WalletError `E_WALLET_DAMAGED` when the tree does not have the root that it had
   */
  static resume(options: FollowerOptions, state: WalletState): Follower {
    const { keys, nodes } = options
    const tree = new WalletNoteTree(nodes, state.genesisNotes + 2 * state.cursor.entries)
    if (toHex(tree.root()) !== state.root) {
      throw new WalletError('E_WALLET_DAMAGED', "the wallet's tree of notes is damaged", {
        why: 'it does not have the root that the wallet remembers',
        fix: 'read the chain anew with "hypermesh wallet scan --again"',
      })
    }
    return new Follower(options, state, new OwnNotes(keys, state), tree)
  }

  get entries(): number {
    return this.#cursor.entries
  }

  get cursor(): Cursor {
    return this.#cursor
  }

  /** Whether the root of all that was read was found to be right. */
  get isConfirmed(): boolean {
    return this.#cursor.entries === this.#confirmed.entries
  }

  isSpent(nullifier: Nullifier): boolean {
    return this.own.isSpent(nullifier)
  }

  isFalsified(entry: ShieldedEntry): boolean {
    return this.own.isFalsified(entry)
  }

  open(commitment: Uint8Array, ciphertext: Uint8Array): Note | null {
    return openNote(commitment, ciphertext, this.#options.keys)
  }

  apply(entry: ShieldedEntry, opened: readonly [Note | null, Note | null]): void {
    const position = this.tree.count
    for (const commitment of entry.commitments) this.tree.append(fromHex(commitment))
    this.own.apply(this.#cursor.entries, entry, opened, position)
    this.#list = appendLeaves(this.#list, [shieldedEntryLeaf(entry)])
    this.#cursor = { entries: this.#cursor.entries + 1, height: entry.height }
  }

  root(): Hex32 {
    return toHex(this.tree.root()) as Hex32
  }

  entriesRoot(): Hex32 {
    return frontierRoot(this.#list)
  }

  confirm(height: Height): void {
    this.#cursor = { entries: this.#cursor.entries, height }
    this.#confirmed = this.#cursor
    this.#confirmedList = this.#list
    this.own.expire(height)
  }

  rollBack(): void {
    this.#cursor = this.#confirmed
    this.#list = this.#confirmedList
    this.tree.truncate(this.genesisNotes + 2 * this.#cursor.entries)
    this.own.rollBack(this.#cursor.entries)
  }

  save(): Promise<void> {
    const { notes, movements, outgoing } = this.own
    return this.#options.persist({
      seed: this.#options.seed,
      genesisHash: this.#genesisHash,
      genesisNotes: this.genesisNotes,
      cursor: this.#cursor,
      confirmed: this.#confirmed,
      root: this.root(),
      lists: { cursor: this.#list, confirmed: this.#confirmedList },
      notes,
      movements,
      outgoing,
    })
  }
}

/**
 * The wallet's side of the chain: which notes are its own, which are spent, what became of its transactions. Follows the
 * chain forwards, and backwards where a node has lied. Reads no node and writes no file.
 */
import { toHex } from '../codec/hex.ts'
import { type Note, noteCommitment, noteNullifier } from '../shielded/notes/keys.ts'
import { assert } from '../types/assert.ts'
import { asHeight, type Height, type Nullifier } from '../types/primitives.ts'
import type { ShieldedEntry } from '../types/shielded.ts'
import type { WalletKeys } from './keys.ts'
import type { Movement, Outgoing, OwnNote, WalletState } from './state.ts'

/** A wallet's amounts. */
export interface Balance {
  /** Notes that can be spent now. */
  readonly spendable: bigint
  /** Notes that transactions on their way spend: spent when those are final, spendable again when they expire. */
  readonly held: bigint
  /** What comes to the wallet when those are final. */
  readonly expected: bigint
}

type Keys = Pick<WalletKeys, 'owner' | 'nullifierKey'>
type Remembered = Pick<WalletState, 'notes' | 'movements' | 'outgoing'>

function isSamePair([a, b]: readonly [string, string], [c, d]: readonly [string, string]): boolean {
  return a === c && b === d
}

/** What a transaction brings to the wallet itself. */
function expectedOf({ kind, amount, change }: Outgoing): bigint {
  return kind === 'merge' || kind === 'deposit' ? amount + change : change
}

export class OwnNotes {
  readonly #keys: Keys
  /** By nullifier: what the chain says when one is spent. */
  readonly #notes = new Map<Nullifier, OwnNote>()
  #movements: Movement[]
  #outgoing: Outgoing[]

  constructor(keys: Keys, { notes, movements, outgoing }: Remembered) {
    this.#keys = keys
    this.#movements = [...movements]
    this.#outgoing = [...outgoing]
    for (const note of notes) this.#notes.set(this.#nullifierOf(note), note)
  }

  #nullifierOf({ value, randomness, position }: OwnNote): Nullifier {
    const commitment = noteCommitment({ owner: this.#keys.owner, value, randomness })
    return toHex(noteNullifier(this.#keys.nullifierKey, commitment, position)) as Nullifier
  }

  /** In order of position. */
  get notes(): readonly OwnNote[] {
    return [...this.#notes.values()].sort((a, b) => a.position - b.position)
  }

  /** In order of entry. */
  get movements(): readonly Movement[] {
    return this.#movements
  }

  /** In the order in which they were made. */
  get outgoing(): readonly Outgoing[] {
    return this.#outgoing
  }

  /** Whether it is the nullifier of a note of ours that is spent: no chain has it twice. */
  isSpent(nullifier: Nullifier): boolean {
    return (this.#notes.get(nullifier)?.spentIn ?? null) !== null
  }

  /**
   * Whether an entry is one of the wallet's own transactions with something in it that is not so. The root is over
   * commitments only; what else is said of its own the wallet knows better.
   */
  isFalsified({ hash, nullifiers, commitments }: Omit<ShieldedEntry, 'ciphertexts'>): boolean {
    return this.#outgoing.some((made) => {
      const [isHash, isSpent, isMade] = [
        made.hash === hash,
        isSamePair(made.nullifiers, nullifiers),
        isSamePair(made.commitments, commitments),
      ]
      return (isHash || isMade) && !(isHash && isSpent && isMade)
    })
  }

  /** Notes of the wallet's own that the network began with. @param notes positions from 0 on; null for another's */
  addGenesis(notes: readonly (Note | null)[]): void {
    for (const [position, note] of notes.entries()) {
      if (note !== null) this.#found(note, position, null, asHeight(0))
    }
  }

  #found(note: Note, position: number, entry: number | null, height: Height): void {
    const { value, randomness } = note
    const own: OwnNote = { position, value, randomness, entry, height, spentIn: null }
    this.#notes.set(this.#nullifierOf(own), own)
  }

  /**
   * The next transaction of the chain.
   * @param index its own, from 0
   * @param opened its two notes where they are the wallet's
   * @param position of its first note in the tree
   */
  apply(
    index: number,
    entry: Omit<ShieldedEntry, 'ciphertexts'>,
    opened: readonly [Note | null, Note | null],
    position: number,
  ): void {
    let spent = 0n
    for (const nullifier of entry.nullifiers) {
      const note = this.#notes.get(nullifier)
      if (note === undefined) continue
      assert(note.spentIn === null, `the note at ${note.position} is spent twice: see isSpent`)
      this.#notes.set(nullifier, { ...note, spentIn: index })
      spent += note.value
      this.#settle(note, entry)
    }
    let received = 0n
    for (const [i, note] of opened.entries()) {
      // A note of no value can be of no use: what looks like one is a filler.
      if (note === null || note.value === 0n) continue
      this.#found(note, position + i, index, entry.height)
      received += note.value
    }
    this.#outgoing = this.#outgoing.map((made) =>
      made.hash === entry.hash ? { ...made, state: 'final', height: entry.height } : made,
    )
    if (received === 0n && spent === 0n) return
    this.#movements.push({ entry: index, height: entry.height, hash: entry.hash, received, spent })
  }

  /** What waits for a note that another transaction has spent will never be final. */
  #settle({ position }: OwnNote, { hash }: Pick<ShieldedEntry, 'hash'>): void {
    this.#outgoing = this.#outgoing.map((made) =>
      made.hash !== hash && made.state === 'pending' && made.spends.includes(position)
        ? { ...made, state: 'replaced' }
        : made,
    )
  }

  /** What is still pending at the end of the chain and can be in no block above this height. */
  expire(height: Height): void {
    this.#outgoing = this.#outgoing.map((made) =>
      made.state === 'pending' && height >= made.expiresAtHeight ? { ...made, state: 'expired' } : made,
    )
  }

  /** As if the chain had ended after so many transactions. Transactions that were in what is gone wait again. */
  rollBack(entries: number): void {
    for (const [nullifier, note] of this.#notes) {
      if (note.entry !== null && note.entry >= entries) this.#notes.delete(nullifier)
      else if (note.spentIn !== null && note.spentIn >= entries) {
        this.#notes.set(nullifier, { ...note, spentIn: null })
      }
    }
    const gone = new Set(this.#movements.filter(({ entry }) => entry >= entries).map(({ hash }) => hash))
    this.#movements = this.#movements.filter(({ entry }) => entry < entries)
    const spent = new Set(this.notes.flatMap((note) => (note.spentIn === null ? [] : [note.position])))
    const isOpen = ({ state, hash, spends }: Outgoing) =>
      state === 'replaced'
        ? !spends.some((position) => spent.has(position))
        : state === 'final' && gone.has(hash)
    this.#outgoing = this.#outgoing.map((made) =>
      isOpen(made) ? { ...made, state: 'pending', height: null } : made,
    )
  }

  /** A transaction that was made. */
  addOutgoing(made: Outgoing): void {
    this.#outgoing.push(made)
  }

  /** A node will not have it: its notes can be spent again. */
  refuse(key: Outgoing['key']): void {
    this.#outgoing = this.#outgoing.map((made) =>
      made.key === key && made.state === 'pending' ? { ...made, state: 'refused' } : made,
    )
  }

  /** Positions that transactions on their way spend. */
  #held(): Set<number> {
    return new Set(this.#outgoing.flatMap(({ state, spends }) => (state === 'pending' ? spends : [])))
  }

  /** Notes that are neither spent nor held, in order of position. */
  spendable(): readonly OwnNote[] {
    const held = this.#held()
    return this.notes.filter(({ spentIn, position }) => spentIn === null && !held.has(position))
  }

  balance(): Balance {
    const sum = (notes: readonly OwnNote[]) => notes.reduce((total, { value }) => total + value, 0n)
    const unspent = sum(this.notes.filter(({ spentIn }) => spentIn === null))
    const spendable = sum(this.spendable())
    const pending = this.#outgoing.filter(({ state }) => state === 'pending')
    const expected = pending.reduce((total, made) => total + expectedOf(made), 0n)
    return { spendable, held: unspent - spendable, expected }
  }
}

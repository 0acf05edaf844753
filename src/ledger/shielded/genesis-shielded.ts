/** The notes that a network starts with, and what their owners can spend. */
import { toHex } from '../../codec/hex.ts'
import { noteCommitment } from '../../shielded/notes/keys.ts'
import type { Genesis } from '../../types/genesis.ts'
import type { Hex32 } from '../../types/primitives.ts'
import type { ShieldedState } from '../../types/shielded.ts'
import { EMPTY_FRONTIER } from '../frontier.ts'
import { appendNotes, noteRoot } from './note-tree.ts'

/** Where there are no notes. */
export const NO_NOTES: ShieldedState = {
  notes: EMPTY_FRONTIER,
  entries: EMPTY_FRONTIER,
  pool: 0n,
  issued: 0n,
  anchors: [noteRoot(EMPTY_FRONTIER)],
}

/**
 * The shielded state before block 1.
 * @throws InvariantViolation for a note that is none; config/read-genesis-file.ts refuses such a genesis with words
 */
export function genesisShielded({ shielded }: Pick<Genesis, 'shielded'>): ShieldedState {
  if (shielded === undefined || shielded.notes.length === 0) return NO_NOTES
  const commitments = shielded.notes.map((note) => toHex(noteCommitment(note)) as Hex32)
  const notes = appendNotes(EMPTY_FRONTIER, commitments)
  const pool = shielded.notes.reduce((sum, { value }) => sum + value, 0n)
  return { ...NO_NOTES, notes, pool, anchors: [noteRoot(notes)] }
}

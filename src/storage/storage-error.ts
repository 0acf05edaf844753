/** How the disk fails us: one error class with a stable code, and the exit codes that storage can end a process with. */
import { NodeError } from '../types/errors.ts'

/** A file or the database could not be read, written or trusted. */
export class StorageError extends NodeError {}

/** Exit codes as the operator's table has them (sysexits.h). */
export const STORAGE_EXIT = {
  /** Genesis, network or schema do not match, or the database is damaged. */
  data: 65,
  /** The data directory is in use or cannot be written. */
  dataDirectory: 73,
  /** The record of what a key signed is missing, damaged or another key's. Never restart on this. */
  key: 77,
} as const

/** `ENOENT` and the like of an error that Node's file system threw, else null. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : null
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

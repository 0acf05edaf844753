/** Why a safety log is not opened, as the operator reads it. Every one of these means: sign nothing. */
import type { SafetyLogBinding } from './safety-binding.ts'
import { messageOf, STORAGE_EXIT, StorageError } from './storage-error.ts'

/** There is a key and no record of what it signed. */
export function missingSafetyRecord(path: string): StorageError {
  return new StorageError('E_SAFETY_RECORD_MISSING', `${path} does not exist`, {
    why: 'the signing key is here and the record of what it signed is not: signing now could be signing twice',
    fix: 'bring the record with "hypermesh safety import"; only if this key has never signed anything, start once with --i-have-never-signed',
    exitCode: STORAGE_EXIT.key,
  })
}

/** There is a record where one was to be made. */
export function existingSafetyRecord(path: string): StorageError {
  return new StorageError('E_SAFETY_RECORD_EXISTS', `${path} exists already`, {
    why: 'a new safety record would forget what this key has signed',
    fix: 'start without --i-have-never-signed',
    exitCode: STORAGE_EXIT.key,
  })
}

/** The record cannot be trusted; only a person can say what the key has signed. */
export function damagedSafetyRecord(path: string, why: string): StorageError {
  return new StorageError('E_SAFETY_RECORD_CORRUPT', `${path} is damaged: ${why}`, {
    why: 'it remembers what this key signed; with a part of it lost, the key could sign twice and be punished',
    fix: 'restore the disk or retire the key; never copy an older safety record over this one',
    exitCode: STORAGE_EXIT.key,
  })
}

/** @throws StorageError E_SAFETY_RECORD_FOREIGN when the record is another key's or another network's */
export function refuseForeignSafetyRecord(
  path: string,
  found: SafetyLogBinding,
  expected: SafetyLogBinding,
): void {
  const foreign = (what: string, was: string, is: string) =>
    new StorageError('E_SAFETY_RECORD_FOREIGN', `${path} belongs to ${what} ${was}, this is ${is}`, {
      why: 'a safety record protects only the key and the network that it was made for',
      fix: 'put the key and the safety record that belong together into one data directory',
      exitCode: STORAGE_EXIT.key,
    })
  if (found.validatorId !== expected.validatorId) {
    throw foreign('validator', found.validatorId, expected.validatorId)
  }
  if (found.genesisHash !== expected.genesisHash) {
    throw foreign('network', found.genesisHash, expected.genesisHash)
  }
}

/** A write or sync failed: the log is dead and so is the node. */
export function failedSafetyWrite(path: string, cause: unknown): StorageError {
  return new StorageError('E_SAFETY_WRITE', `writing ${path} failed: ${messageOf(cause)}`, {
    why: 'nothing may be signed that the disk does not remember',
    fix: 'check the disk (space, health, mount options), then start the node again',
    exitCode: STORAGE_EXIT.dataDirectory,
    cause,
  })
}

/** Whatever the file system threw while a log was opened or made. */
export function safetyRecordUnreachable(path: string, cause: unknown): StorageError {
  return new StorageError('E_SAFETY_IO', `${path} cannot be read or written: ${messageOf(cause)}`, {
    fix: 'check the disk (space, health, permissions), then start the node again',
    exitCode: STORAGE_EXIT.dataDirectory,
    cause,
  })
}

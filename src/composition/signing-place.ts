/**
 * Where a safety record was last signed from, and the view up to which nothing may be signed whatever the record
 * says. Kept beside the record. On one boot of one machine the same directory cannot be open twice: the lock of its
 * database sees to it. Anywhere else, a copy of it may be running; and what was restored from a backup may be old.
 */

import {
  type BigIntStats,
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { STORAGE_EXIT, StorageError } from '../storage/storage-error.ts'
import { asView, COUNTER_MAX, type View } from '../types/primitives.ts'

/** Linux: another one after every boot, the same in all containers of a machine. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id'

const placeSchema = z.strictObject({
  format: z.literal(1),
  /** Which file this is, since which boot. Null: not signed from here since an import or an export. */
  signed_from: z
    .strictObject({ boot: z.string(), device: z.string(), inode: z.string(), born: z.string() })
    .nullable(),
  refuse_up_to_view: z.string().regex(/^\d{1,15}$/),
})

type Place = NonNullable<z.output<typeof placeSchema>['signed_from']>

export interface SigningPlace {
  /** Whether the record was last signed from this very directory, since this machine booted. */
  readonly isHere: boolean
  /** Nothing is signed at or below this view. 0: no such mark. */
  readonly refuseUpToView: View
}

function placeFile(folder: string): string {
  return join(folder, 'place.json')
}

/** Null where the system does not tell: then no place is ever the same. */
function bootId(): string | null {
  try {
    return readFileSync(BOOT_ID_FILE, 'utf8').trim()
  } catch {
    return null
  }
}

/** The file that an open file or a path is: no copy and no restored backup has both its number and its birth time. */
function fileOf({ dev, ino, birthtimeNs }: BigIntStats): Omit<Place, 'boot'> {
  return { device: String(dev), inode: String(ino), born: String(birthtimeNs) }
}

/**
 * @param folder of the safety record
 * @throws StorageError E_SAFETY_PLACE (77) when the file is there and cannot be read
 */
export function readSigningPlace(folder: string): SigningPlace {
  const path = placeFile(folder)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { isHere: false, refuseUpToView: asView(0) }
    throw unreadable(path, (error as Error).message)
  }
  const place = parse(path, text)
  const view = Number(place.refuse_up_to_view)
  if (view > COUNTER_MAX) throw unreadable(path, `view ${view} is beyond any`)
  const was = place.signed_from
  const now = fileOf(statSync(path, { bigint: true }))
  const isHere =
    was !== null &&
    was.boot === bootId() &&
    was.device === now.device &&
    was.inode === now.inode &&
    was.born === now.born
  return { isHere, refuseUpToView: asView(view) }
}

function parse(path: string, text: string): z.output<typeof placeSchema> {
  try {
    return placeSchema.parse(JSON.parse(text))
  } catch (error) {
    throw unreadable(path, (error as Error).message)
  }
}

function unreadable(path: string, why: string): StorageError {
  return new StorageError('E_SAFETY_PLACE', `${path} cannot be read: ${why}`, {
    why: 'it may hold a view up to which this key must sign nothing',
    fix: 'put the file back as it was; if that cannot be done, retire the key',
    exitCode: STORAGE_EXIT.key,
  })
}

/** Writes down durably that the record is signed from here on from this directory. */
export function markSignedHere(folder: string, refuseUpToView: View): void {
  write(folder, true, refuseUpToView)
}

/** Writes down durably that the record came from elsewhere, or went there. */
export function markMoved(folder: string, refuseUpToView: View): void {
  write(folder, false, refuseUpToView)
}

function write(folder: string, isHere: boolean, refuseUpToView: View): void {
  const path = placeFile(folder)
  rmSync(`${path}.new`, { force: true })
  const file = openSync(`${path}.new`, 'wx', 0o600)
  try {
    const boot = bootId()
    const signedFrom = isHere && boot !== null ? { boot, ...fileOf(fstatSync(file, { bigint: true })) } : null
    const content = { format: 1, signed_from: signedFrom, refuse_up_to_view: String(refuseUpToView) }
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  const directory = openSync(folder, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

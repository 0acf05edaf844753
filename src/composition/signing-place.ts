/**
 * Where a safety record was last signed from, and the view up to which nothing may be signed whatever the record
 * says. Kept beside the record. On one boot of one machine, the same directory cannot be open twice: the lock of its
 * database sees to it. Anywhere else a copy of it may be running.
 */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileWhole } from '../config/data-directory.ts'
import { STORAGE_EXIT, StorageError } from '../storage/storage-error.ts'
import { asView, COUNTER_MAX, type View } from '../types/primitives.ts'

/** Linux: another one after every boot, the same in all containers of a machine. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id'

const placeSchema = z.strictObject({
  format: z.literal(1),
  /** Null: imported here, and not signed from here yet. */
  signed_from: z.strictObject({ boot: z.string(), device: z.string(), inode: z.string() }).nullable(),
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
function placeNow(folder: string): Place | null {
  try {
    const boot = readFileSync(BOOT_ID_FILE, 'utf8').trim()
    const { dev, ino } = statSync(folder, { bigint: true })
    return { boot, device: String(dev), inode: String(ino) }
  } catch {
    return null
  }
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
  const now = placeNow(folder)
  const was = place.signed_from
  const isHere =
    now !== null &&
    was !== null &&
    now.boot === was.boot &&
    now.device === was.device &&
    now.inode === was.inode
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
  write(folder, placeNow(folder), refuseUpToView)
}

/** Writes down durably that the record came from elsewhere. */
export function markImported(folder: string, refuseUpToView: View): void {
  write(folder, null, refuseUpToView)
}

function write(folder: string, place: Place | null, refuseUpToView: View): void {
  const content = { format: 1, signed_from: place, refuse_up_to_view: String(refuseUpToView) }
  writeFileWhole(placeFile(folder), `${JSON.stringify(content, null, 2)}\n`)
}

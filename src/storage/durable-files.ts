/** Files that are on the disk when the call returns: contents and directory entries. */
import { open } from 'node:fs/promises'

/** Writes a new file, or over an old one, and syncs its contents; its name is durable once the directory is. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes what was created, renamed or deleted in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Makes a folder and those above it. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * As `mkdir -p -m 700`. One by one, because the runtime's own recursive form never returns where a file system
 * answers that a folder cannot be there (below /proc).
 * @throws Error of the file system, with its code
 */
export function makeFolders(path: string): void {
  const folder = resolve(path)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  if (dirname(folder) !== folder) makeFolders(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another process was faster.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

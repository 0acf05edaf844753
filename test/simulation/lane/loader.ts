/**
 * Loaded before everything else in a lane's process (`node --import`): changes sources as they are read, as the
 * environment says. src/ itself has no switches. Imports nothing of src/, nor of what imports it: a module that was
 * loaded before the hook is never changed.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { changedBy, type SourceChange } from './source-change.ts'

const root = join(import.meta.dirname, '../../..')
const changes = JSON.parse(process.env['HYPERMESH_SIM_CHANGES'] ?? '[]') as readonly SourceChange[]
const files = new Map(changes.map(({ file }) => [join(root, file), file]))
const unmet = new Set(files.values())

/** Files that were to be changed and have not been loaded: with any of them a run shows nothing. */
export function unchangedFiles(): string[] {
  return [...unmet]
}

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    const file = url.startsWith('file:') ? files.get(fileURLToPath(url)) : undefined
    if (file === undefined || loaded.source == null) return loaded
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    unmet.delete(file)
    return { ...loaded, source: changedBy(text, file, changes) }
  },
})

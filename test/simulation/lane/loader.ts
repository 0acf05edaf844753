/**
 * Loaded before everything else in a lane's process (`node --import`): changes sources as they are read, by the
 * mutant and the accelerations that the environment names. src/ itself has no switches.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mutantNamed } from '../mutants.ts'
import { ACCELERATIONS } from './accelerations.ts'
import { changedBy, type SourceChange } from './source-change.ts'

/** Environment of a lane's process: the mutant's name, and `1` for sources without accelerations. */
export const MUTANT_VARIABLE = 'HYPERMESH_SIM_MUTANT'
export const PLAIN_VARIABLE = 'HYPERMESH_SIM_PLAIN'

const root = join(import.meta.dirname, '../../..')

function changesOf(mutant: string | undefined, isPlain: boolean): readonly SourceChange[] {
  return [...(mutantNamed(mutant ?? null)?.changes ?? []), ...(isPlain ? [] : ACCELERATIONS)]
}

const changes = changesOf(process.env[MUTANT_VARIABLE], process.env[PLAIN_VARIABLE] === '1')
const pathOf = (file: string): string => join(root, file)
const files = new Map(changes.map(({ file }) => [pathOf(file), file]))

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    const file = url.startsWith('file:') ? files.get(fileURLToPath(url)) : undefined
    if (file === undefined || loaded.source == null) return loaded
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: changedBy(text, file, changes) }
  },
})

/** Who may import whom: the table of directions as data, and the walk over the import lines against it. */

import { posix } from 'node:path'
import { lineAt, type SourceFile } from './source-file.ts'

/** What a folder of src/ may import: other folders, those of which it may take types only, and packages. */
interface Directions {
  readonly folders: readonly string[]
  readonly typesOnly?: readonly string[]
  /** Absent: any package and any `node:` module. */
  readonly packages?: readonly string[]
}

const PURE_PACKAGES = ['@noble/hashes', '@chainsafe/ssz', '@chainsafe/persistent-merkle-tree']

/** The folders that hold no I/O, clock or randomness, and compile without Node's types. */
export const PURE_FOLDERS = ['types', 'codec', 'consensus', 'ledger', 'shielded'] as const

const DIRECTIONS: Readonly<Record<string, Directions>> = {
  types: { folders: [], packages: [] },
  // Below everything that keeps files; only what knows nothing but the file system.
  files: { folders: [] },
  codec: { folders: ['types'], packages: PURE_PACKAGES },
  consensus: { folders: ['types'], packages: PURE_PACKAGES },
  shielded: { folders: ['types'], packages: PURE_PACKAGES },
  ledger: { folders: ['types', 'codec', 'shielded'], packages: PURE_PACKAGES },
  proofs: { folders: ['types', 'codec', 'ledger', 'shielded'] },
  crypto: { folders: ['types', 'codec', 'files'] },
  session: { folders: ['types', 'crypto'] },
  network: { folders: ['types', 'codec', 'session'] },
  storage: { folders: ['types', 'codec', 'files'], typesOnly: ['consensus', 'ledger'] },
  mempool: { folders: ['types', 'ledger'] },
  sync: { folders: ['types', 'ledger'] },
  validation: { folders: ['types', 'codec', 'ledger'] },
  rpc: { folders: ['types', 'codec', 'validation', 'files'] },
  runtime: { folders: ['types', 'codec', 'consensus', 'ledger'] },
  observability: { folders: ['types'], typesOnly: ['consensus', 'runtime'] },
  // Of the notes that genesis may hold it reads the elements.
  config: { folders: ['types', 'codec', 'files', 'shielded'] },
  // Runs beside a node or without one: what it asks of a node it asks through the public API.
  wallet: {
    folders: ['types', 'codec', 'ledger', 'crypto', 'shielded', 'storage', 'files', 'rpc', 'client'],
  },
  // The entry for programs: nothing in it may need a node, or Node.
  'receipt.ts': { folders: ['types', 'codec', 'ledger', 'crypto', 'config'], packages: PURE_PACKAGES },
  // Runs in a browser: what it imports, and what that imports, is followed to the end by webViolations.
  client: { folders: ['types', 'codec', 'rpc', 'validation', 'receipt.ts'], packages: ['@noble/hashes'] },
  'client/node': { folders: ['client', 'types', 'codec', 'rpc', 'network', 'session', 'crypto'] },
}

/** Parts of a folder with directions of their own. */
const PARTS = new Set(Object.keys(DIRECTIONS).filter((name) => name.includes('/')))

/** Folder of src/ that a path belongs to, as the table names it. */
function areaOf(path: string): string {
  const [, folder = path, inner = ''] = path.split('/')
  return PARTS.has(`${folder}/${inner}`) ? `${folder}/${inner}` : folder
}

/** Who wires everything and may import anything. */
const UNRESTRICTED = new Set(['cli', 'composition', 'validator-node.ts', 'node.ts'])

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`; group 1 tells a type-only one. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'"`;()]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*(?:\/\*.*?\*\/\s*)?['"]([^'"]+)['"]\s*\)/g

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** One line for every import under src/ that the table does not allow, and for every folder it does not name. */
export function importViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const from = areaOf(file.path)
    if (!file.path.startsWith('src/') || UNRESTRICTED.has(from)) return []
    const allowed = DIRECTIONS[from]
    if (allowed === undefined) return [`${file.path}: no import directions are laid down for src/${from}`]
    return [...file.text.matchAll(IMPORT)].flatMap((match) => {
      const specifier = match[2] ?? match[3] ?? ''
      const at = `${file.path}:${lineAt(file.text, match.index + match[0].indexOf(specifier))}`
      if (!specifier.startsWith('.')) {
        const fine = allowed.packages === undefined || allowed.packages.includes(packageOf(specifier))
        return fine ? [] : [`${at}: ${from} may not import the package ${specifier}`]
      }
      const target = areaOf(posix.join(posix.dirname(file.path), specifier))
      if (target === from || allowed.folders.includes(target)) return []
      const typeOnly = match[1] !== undefined
      if (typeOnly && allowed.typesOnly?.includes(target)) return []
      return [`${at}: ${from} may not import ${typeOnly ? 'types of ' : ''}${target} (${specifier})`]
    })
  })
}

/** Packages that run in every JavaScript host. */
const WEB_PACKAGES = ['@noble/hashes', '@noble/post-quantum', '@chainsafe/ssz', 'zod']

/**
 * One line for every import that a browser could not follow, from an entry to the last file that it needs: modules of
 * Node, other packages, and files that are not there.
 * @param entry `src/client/index.ts`
 */
export function webViolations(files: readonly SourceFile[], entry: string): string[] {
  const byPath = new Map(files.map((file) => [file.path, file.text]))
  const seen = new Set<string>()
  const visit = (path: string): string[] => {
    if (seen.has(path)) return []
    seen.add(path)
    const text = byPath.get(path)
    if (text === undefined) return [`${path} is not there`]
    return [...text.matchAll(IMPORT)].flatMap((match) => {
      const specifier = match[2] ?? match[3] ?? ''
      // What is only a type is gone when it runs.
      if (match[1] !== undefined) return []
      if (specifier.startsWith('.')) return visit(posix.join(posix.dirname(path), specifier))
      return WEB_PACKAGES.includes(packageOf(specifier)) ? [] : [`${path} needs ${specifier}`]
    })
  }
  return visit(entry)
}

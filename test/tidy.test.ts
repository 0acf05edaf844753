/** Style as a test: import directions, purity, leftovers, pinned packages; and that each check can fail. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configSchema } from '../src/config/schema.ts'
import { createMetrics } from '../src/observability/metrics.ts'
import { importViolations, webViolations } from './support/tidy/imports.ts'
import { unmovedMetrics } from './support/tidy/metrics.ts'
import {
  installedScriptViolations,
  type Lock,
  lockGaps,
  lockScriptViolations,
  type Manifest,
  rangeViolations,
} from './support/tidy/packages.ts'
import { unreadSettings } from './support/tidy/settings.ts'
import { codeOnly, readSources } from './support/tidy/source-file.ts'
import { STYLE_RULES, styleViolations } from './support/tidy/style.ts'

const root = join(import.meta.dirname, '..')
const sources = readSources(root, ['src', 'test', 'scripts', 'examples'], ['.ts', '.mjs'])
const readJson = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'))
const manifest = readJson('package.json') as Manifest
const lock = readJson('package-lock.json') as Lock

function typeCheck(project: string): { ok: boolean; output: string } {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const result = spawnSync(process.execPath, [tsc, '--noEmit', '-p', project], {
    cwd: root,
    encoding: 'utf8',
  })
  return { ok: result.status === 0, output: result.stdout + result.stderr }
}

describe('the project', () => {
  it('has files to look at', () => {
    expect(sources.filter(({ path }) => path.startsWith('src/')).length).toBeGreaterThan(10)
  })

  it('imports only in the directions laid down', () => {
    expect(importViolations(sources)).toEqual([])
  })

  it('keeps to its style', () => {
    expect(styleViolations(sources)).toEqual([])
  })

  it('compiles its pure folders without the types of Node or a browser', () => {
    const { ok, output } = typeCheck('tsconfig.pure.json')
    expect(output).toBe('')
    expect(ok).toBe(true)
  })

  it('compiles the client for a browser, and nothing that it needs is of Node', () => {
    const { ok, output } = typeCheck('tsconfig.web.json')
    expect(output).toBe('')
    expect(ok).toBe(true)
    expect(webViolations(sources, 'src/client/index.ts')).toEqual([])
  })

  it('pins every dependency and approves every install script by name', () => {
    expect(rangeViolations(manifest)).toEqual([])
    expect(lockScriptViolations(manifest, lock)).toEqual([])
    expect(installedScriptViolations(manifest, join(root, 'node_modules'))).toEqual([])
    expect(lockGaps(lock)).toEqual([])
    expect(manifest.allowScripts).toEqual({ 'classic-level': false })
  })

  it('moves every metric that it declares', () => {
    const { render: _render, stop, ...sections } = createMetrics({ version: 'x', commit: 'x' })
    stop()
    expect(Object.keys(sections).length).toBeGreaterThan(5)
    expect(unmovedMetrics(sources, sections)).toEqual([])
  })

  it('reads every setting that an operator may choose', () => {
    expect(unreadSettings(sources, configSchema.parse({}))).toEqual([])
  })

  it('keeps what is built and installed out of git', () => {
    const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n')
    expect(tracked.filter((path) => /^(?:dist|node_modules|coverage|\.dist-building)\b/.test(path))).toEqual(
      [],
    )
  })
})

describe('the import check', () => {
  const HEADER = '/** For a test. */\n'
  it.each([
    ['src/types/a.ts', "import { readFileSync } from 'node:fs'", 'types may not import the package node:fs'],
    ['src/types/a.ts', "import type { B } from '../codec/b.ts'", 'types may not import types of codec'],
    ['src/consensus/a.ts', "import { c } from '../codec/c.ts'", 'consensus may not import codec'],
    ['src/consensus/a.ts', "export * from '../ledger/c.ts'", 'consensus may not import ledger'],
    ['src/consensus/a.ts', "import '../storage/c.ts'", 'consensus may not import storage'],
    ['src/consensus/pow/a.ts', "import { c } from '../../ledger/c.ts'", 'consensus may not import ledger'],
    ['src/ledger/a.ts', "import {\n  c,\n} from '../storage/c.ts'", 'ledger may not import storage'],
    ['src/ledger/a.ts', "import pino from 'pino'", 'ledger may not import the package pino'],
    ['src/codec/a.ts', "const a = await import('../crypto/c.ts')", 'codec may not import crypto'],
    ['src/storage/a.ts', "import { c } from '../ledger/c.ts'", 'storage may not import ledger'],
    ['src/shielded/field/a.ts', "import { c } from '../../codec/c.ts'", 'shielded may not import codec'],
    [
      'src/shielded/a.ts',
      "import { hash } from 'node:crypto'",
      'shielded may not import the package node:crypto',
    ],
    [
      'src/network/a.ts',
      "import type { C } from '../runtime/ports.ts'",
      'network may not import types of runtime',
    ],
    ['src/files/a.ts', "import { c } from '../types/c.ts'", 'files may not import types'],
    ['src/rpc/http/a.ts', "import { c } from '../../ledger/c.ts'", 'rpc may not import ledger'],
    [
      'src/mempool/a.ts',
      "import { c } from '../validator-node.ts'",
      'mempool may not import validator-node.ts',
    ],
    ['src/client/a.ts', "import { Agent } from 'node:https'", 'client may not import the package node:https'],
    ['src/client/a.ts', "import { b } from './node/b.ts'", 'client may not import client/node'],
    ['src/client/node/a.ts', "import { b } from '../../ledger/b.ts'", 'client/node may not import ledger'],
    [
      'src/novel/a.ts',
      "import { c } from '../types/c.ts'",
      'no import directions are laid down for src/novel',
    ],
  ])('refuses %s with %s', (path, line, expected) => {
    const found = importViolations([{ path, text: `${HEADER}${line}\n` }])
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })

  it.each([
    ['src/types/a.ts', "import { b } from './b.ts'"],
    ['src/codec/a.ts', "import { sha256 } from '@noble/hashes/sha2.js'"],
    ['src/storage/a.ts', "import type { C } from '../ledger/c.ts'"],
    ['src/storage/a.ts', "import { c } from '../files/c.ts'"],
    ['src/network/a.ts', "import { createServer } from 'node:net'"],
    ['src/rpc/http/a.ts', "import { c } from '../trustchain-json.ts'"],
    ['src/client/node/a.ts', "import { b } from '../b.ts'"],
    ['src/cli/a.ts', "import { c } from '../network/c.ts'"],
    ['src/validator-node.ts', "import { c } from './network/c.ts'"],
  ])('allows %s with %s', (path, line) => {
    expect(importViolations([{ path, text: `${HEADER}${line}\n` }])).toEqual([])
  })
})

describe('the check for the browser', () => {
  const file = (path: string, text: string) => ({ path, text })
  it.each([
    [
      'a module of Node',
      "import { x } from './b.ts'",
      "export { readFile } from 'node:fs'",
      'src/b.ts needs node:fs',
    ],
    ['another package', "export * from './b.ts'", "import pino from 'pino'", 'src/b.ts needs pino'],
    ['a late import', "import './b.ts'", "const x = await import('node:dns')", 'src/b.ts needs node:dns'],
  ])('finds %s behind another file', (_what, first, second, expected) => {
    expect(webViolations([file('src/a.ts', first), file('src/b.ts', second)], 'src/a.ts')).toEqual([expected])
  })

  it('lets types be, and what runs everywhere', () => {
    const text = "import type { X } from 'node:http'\nimport { sha256 } from '@noble/hashes/sha2.js'"
    expect(webViolations([file('src/a.ts', text)], 'src/a.ts')).toEqual([])
  })
})

describe('the style check', () => {
  const HEADER = '/** For a test. */\n'
  const plant: Readonly<Record<string, readonly (readonly [path: string, text: string])[]>> = {
    purity: [
      ['src/ledger/a.ts', `${HEADER}export const now = Date.now()\n`],
      ['src/consensus/a.ts', `${HEADER}export const r = \`\${Math.random()}\`\n`],
      ['src/codec/a.ts', `${HEADER}export async function f(): Promise<void> {}\n`],
      ['src/types/a.ts', `${HEADER}export const b = Buffer.alloc(1)\n`],
    ],
    environment: [['src/network/a.ts', `${HEADER}export const home = process.env['HOME']\n`]],
    'recursive mkdir': [
      ['src/storage/a.ts', `${HEADER}await mkdir(path, { recursive: true })\n`],
      ['src/cli/a.ts', `${HEADER}mkdirSync(path, { mode: 0o700, recursive: true })\n`],
    ],
    'default export': [['src/cli/a.ts', `${HEADER}export default 1\n`]],
    'switched-off test': [
      ['test/a.test.ts', `it.${'skip'}('x', () => {})\n`],
      ['test/a.test.ts', `describe.concurrent.${'only'}('x', () => {})\n`],
    ],
    leftover: [['scripts/a.mjs', `// ${'TO'}${'DO'}: later\n`]],
    'commented-out code': [
      ['src/cli/a.ts', `${HEADER}// const x = compute(1)\n`],
      ['src/cli/a.ts', `${HEADER}// this.#timer.stop()\n`],
      ['src/cli/a.ts', `${HEADER}/* if (x) return 1 */\n`],
      ['test/a.test.ts', "// import { x } from './x.ts'\n"],
    ],
    'file name': [
      ['src/cli/ParseArgs.ts', HEADER],
      ['src/cli/parse_args.ts', HEADER],
    ],
    'file length': [['src/cli/a.ts', HEADER + 'export {}\n'.repeat(351)]],
    header: [['src/cli/a.ts', 'export const x = 1\n']],
  }

  it('has a planted offence for every rule', () => {
    expect(Object.keys(plant).sort()).toEqual([...STYLE_RULES].sort())
  })

  const cases = Object.entries(plant).flatMap(([rule, files]) =>
    files.map(([path, text]) => ({ rule, path, text })),
  )
  it.each(cases)('finds $rule in $path', ({ rule, path, text }) => {
    const found = styleViolations([{ path, text }])
    expect(found.length).toBeGreaterThan(0)
    expect(found.every((line) => line.endsWith(`[${rule}]`))).toBe(true)
  })

  it('takes words in strings and prose in comments for what they are', () => {
    const text = [
      '/** Waits for the Date header; async by nature. Returns nothing. */',
      "export const words = 'Date Math.random async await'",
      '// If the view is left before that, the vote is kept (R11).',
      '// A peer may send this twice: the second copy is ignored.',
      'export const pattern = /\\bDate\\b|[/]async/',
      '',
    ].join('\n')
    expect(styleViolations([{ path: 'src/ledger/a.ts', text }])).toEqual([])
  })

  it('keeps lines where they are when it blanks strings and comments', () => {
    expect(codeOnly("a /* b\nc */ d\ne = 'f' // g\nh")).toBe('a     \n     d\ne =         \nh')
  })
})

describe('the pure compile', () => {
  // Inside the project, so that the packages resolve as they do for src/.
  const folder = mkdtempSync(join(root, 'node_modules', '.tidy-'))
  it.each([
    ['console.log(1)', 'console'],
    ['setTimeout(() => {}, 1)', 'setTimeout'],
    ['export const p = process.pid', 'process'],
    ['export const b = Buffer.alloc(1)', 'Buffer'],
    ["export const f = fetch('x')", 'fetch'],
    ["import { readFileSync } from 'node:fs'\nexport const x = readFileSync", 'node:fs'],
  ])('refuses %s', (code, name) => {
    mkdirSync(folder, { recursive: true })
    const imports =
      "import { sha256 } from '@noble/hashes/sha2.js'\nimport { ContainerType } from '@chainsafe/ssz'\n"
    writeFileSync(join(folder, 'a.ts'), `${imports}export const used = [sha256, ContainerType]\n${code}\n`)
    const config = { extends: '../../tsconfig.pure.json', include: ['a.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    try {
      const { ok, output } = typeCheck(join(folder, 'tsconfig.json'))
      expect(ok).toBe(false)
      expect(output).toContain(name)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('the check of metrics', () => {
  const sections = { p2p: { peers: {}, dials: {} } }
  const user = (code: string) => ({
    path: 'src/composition/a.ts',
    text: `import type { Metrics } from '../observability/metrics.ts'\n${code}\n`,
  })

  it('finds what is only declared, or only spoken of', () => {
    const declared = { path: 'src/observability/metrics.ts', text: 'p2p.dials; // from ../metrics.ts' }
    expect(
      unmovedMetrics([declared, user('// p2p.dials\np2p.peers.set(1)\np2p.dialsLost.add(1)')], sections),
    ).toEqual(['p2p.dials'])
  })

  it('takes no other object for a section', () => {
    const stranger = { path: 'src/network/a.ts', text: 'p2p.dials(1)' }
    expect(unmovedMetrics([stranger, user('metrics.p2p.peers.set(1)')], sections)).toEqual(['p2p.dials'])
  })
})

describe('the check of settings', () => {
  const tables = { schema: 1, storage: { cacheBytes: 1, pruneBlocks: 2 }, log: { level: 'info' } }
  const file = (path: string, text: string) => ({ path, text })

  it('finds what is declared and never read, or only spoken of', () => {
    const declared = file('src/config/schema.ts', 'config.storage; cacheBytes; pruneBlocks')
    const user = file('src/composition/a.ts', 'f(config.storage.pruneBlocks) // and cacheBytes')
    const stranger = file('src/network/a.ts', 'cacheBytes; level')
    expect(unreadSettings([declared, user, stranger], tables)).toEqual(['storage.cacheBytes', 'log.level'])
  })

  it.each([
    'f(config.storage.cacheBytes, config.storage.pruneBlocks)',
    'function f(storage: StorageConfig) { return [storage.cacheBytes, storage.pruneBlocks] }',
    "function f({ cacheBytes, pruneBlocks }: Config['storage']) {}",
    'function f({ storage: { cacheBytes, pruneBlocks } }: Config) {}',
  ])('takes for reading: %s', (text) => {
    const logger = file('src/observability/logger.ts', 'options.level')
    expect(unreadSettings([file('src/composition/a.ts', text), logger], tables)).toEqual([])
  })
})

describe('the package check', () => {
  it('finds ranges', () => {
    expect(
      rangeViolations({ dependencies: { a: '^1.2.3', b: '1.2.3' }, devDependencies: { c: 'latest' } }),
    ).toEqual(['a is not pinned: ^1.2.3', 'c is not pinned: latest'])
  })

  it('finds optional packages that the lock names but does not hold', () => {
    const optionalDependencies = { b: '1.0.0', c: '1.0.0', d: '1.0.0' }
    const packages = { 'node_modules/a': { optionalDependencies }, 'node_modules/b': {} }
    expect(lockGaps({ packages: { ...packages, 'node_modules/a/node_modules/c': {} } })).toEqual([
      'd is missing from package-lock.json: node scripts/complete-lock.mjs',
    ])
  })

  it('finds unrecorded install scripts in a lock and in a tree', () => {
    const planted: Lock = { packages: { 'node_modules/x/node_modules/@s/evil': { hasInstallScript: true } } }
    expect(lockScriptViolations({}, planted)).toHaveLength(1)
    expect(lockScriptViolations({ allowScripts: { '@s/evil': false } }, planted)).toEqual([])

    const modules = mkdtempSync(join(root, 'node_modules', '.tidy-'))
    try {
      const folder = join(modules, 'a', 'node_modules', '@s', 'evil')
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(modules, 'a', 'package.json'), JSON.stringify({ name: 'a' }))
      const evil = { name: '@s/evil', scripts: { postinstall: 'true' } }
      writeFileSync(join(folder, 'package.json'), JSON.stringify(evil))
      expect(installedScriptViolations({}, modules)).toEqual(['@s/evil runs a script when installed'])
    } finally {
      rmSync(modules, { recursive: true, force: true })
    }
  })
})

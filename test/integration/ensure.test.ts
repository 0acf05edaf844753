/**
 * scripts/ensure.mjs with real processes in a project of a few files, with a pretended npm and compiler that
 * count how often they run. What npm itself does with our lock file is checked by every clean clone.
 */

import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

/** Installs what the lock names: a compiler that copies src/ to the directory after --outDir, slowly. */
const NPM = `
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
appendFileSync('npm.calls', process.argv.slice(2).join(' ') + '\\n')
if (process.env.FAKE_OFFLINE) { console.error('npm error code EAI_AGAIN'); process.exit(1) }
rmSync('node_modules', { recursive: true, force: true })
await new Promise((resolve) => setTimeout(resolve, 300))
mkdirSync('node_modules/typescript/bin', { recursive: true })
writeFileSync('node_modules/typescript/bin/tsc', \`
  const { appendFileSync, cpSync, readFileSync } = require('node:fs')
  appendFileSync('tsc.calls', 'x')
  if (readFileSync('src/node.js', 'utf8').includes('broken')) { console.log('src/node.js(1,1): error'); process.exit(2) }
  cpSync('src', process.argv[process.argv.indexOf('--outDir') + 1], { recursive: true })
\`)
`

let project = ''

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'hypermesh-ensure-'))
  mkdirSync(join(project, 'scripts'))
  mkdirSync(join(project, 'src'))
  cpSync(join(root, 'scripts', 'ensure.mjs'), join(project, 'scripts', 'ensure.mjs'))
  writeFileSync(join(project, 'npm-cli.js'), NPM)
  const files = {
    'package.json': '{}',
    'package-lock.json': '{"packages":{"":{},"node_modules/typescript":{"version":"1.0.0"}}}',
  }
  for (const [name, text] of Object.entries({
    ...files,
    'tsconfig.json': '{}',
    'tsconfig.build.json': '{}',
  })) {
    writeFileSync(join(project, name), text)
  }
  writeFileSync(join(project, 'src', 'node.js'), 'one')
  writeFileSync(join(project, 'src', 'gone.js'), 'gone')
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

function ensure(
  env: Record<string, string> = {},
  args: string[] = [],
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(project, 'scripts', 'ensure.mjs'), ...args], {
      cwd: tmpdir(),
      env: {
        ...process.env,
        npm_execpath: join(project, 'npm-cli.js'),
        npm_node_execpath: process.execPath,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('close', (code) => resolve({ code, stderr }))
  })
}

const read = (name: string): string => readFileSync(join(project, name), 'utf8')
const counts = (): { npm: number; tsc: number } => ({
  npm: existsSync(join(project, 'npm.calls')) ? read('npm.calls').trim().split('\n').length : 0,
  tsc: existsSync(join(project, 'tsc.calls')) ? read('tsc.calls').length : 0,
})

it('installs and builds once, and then nothing until something changed', async () => {
  expect(await ensure()).toMatchObject({ code: 0 })
  expect(counts()).toEqual({ npm: 1, tsc: 1 })
  expect(read('npm.calls')).toContain('--ignore-scripts')
  expect(read('dist/node.js')).toBe('one')

  expect(await ensure()).toEqual({ code: 0, stderr: '' })
  expect(counts()).toEqual({ npm: 1, tsc: 1 })

  writeFileSync(join(project, 'src', 'node.js'), 'two')
  rmSync(join(project, 'src', 'gone.js'))
  expect(await ensure()).toMatchObject({ code: 0 })
  expect(counts()).toEqual({ npm: 1, tsc: 2 })
  expect(read('dist/node.js')).toBe('two')
  expect(existsSync(join(project, 'dist', 'gone.js'))).toBe(false)

  writeFileSync(
    join(project, 'package-lock.json'),
    '{"packages":{"":{},"node_modules/typescript":{"version":"1.0.1"}}}',
  )
  expect(await ensure()).toMatchObject({ code: 0 })
  expect(counts()).toEqual({ npm: 2, tsc: 3 })

  expect(await ensure({}, ['--rebuild'])).toMatchObject({ code: 0 })
  expect(counts()).toEqual({ npm: 2, tsc: 4 })
  expect(readdirSync(project).filter((name) => name.startsWith('.dist'))).toEqual([])
})

it('does the work once when three start together', async () => {
  const all = await Promise.all([ensure(), ensure(), ensure()])
  expect(all.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(counts()).toEqual({ npm: 1, tsc: 1 })
  expect(all.filter(({ stderr }) => stderr.includes('waiting for it')).length).toBe(2)
})

it('takes what a plain npm install left, when it is what the lock says', async () => {
  await ensure()
  rmSync(join(project, 'node_modules', '.hypermesh-install'))
  const installed = (version: string): void =>
    writeFileSync(
      join(project, 'node_modules', '.package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/typescript': { version } } }),
    )
  installed('1.0.0')
  expect(await ensure()).toEqual({ code: 0, stderr: '' })
  expect(counts()).toEqual({ npm: 1, tsc: 1 })

  rmSync(join(project, 'node_modules', '.hypermesh-install'))
  installed('0.9.0')
  expect(await ensure()).toMatchObject({ code: 0 })
  expect(counts()).toEqual({ npm: 2, tsc: 1 })
})

it('says what to do offline, and recovers', async () => {
  const { code, stderr } = await ensure({ FAKE_OFFLINE: '1' })
  expect(code).toBe(69)
  expect(stderr).toMatch(/E_INSTALL_OFFLINE: .*\n {2}why: .*\n {2}fix: /)
  expect(await ensure()).toMatchObject({ code: 0 })
})

it('keeps the last good build when the sources do not compile', async () => {
  await ensure()
  writeFileSync(join(project, 'src', 'node.js'), 'broken')
  const { code, stderr } = await ensure()
  expect(code).toBe(1)
  expect(stderr).toContain('src/node.js(1,1): error')
  expect(stderr).toContain('E_BUILD')
  expect(read('dist/node.js')).toBe('one')
})

// Makes a checkout runnable: installs the packages when they do not match package-lock.json and compiles
// src/ when dist/ does not come from it. Runs before `npm start` and `npm test`, on any Node from 18, with
// nothing installed. Deliberately does not: run anybody's install scripts, change the lock file, or look at
// the network when both stamps are fresh (that path costs one hash over the sources).

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = realpathSync(dirname(dirname(fileURLToPath(import.meta.url))))
const modules = join(root, 'node_modules')
const dist = join(root, 'dist')
const installStamp = join(modules, '.hypermesh-install')
const buildStamp = join(dist, '.hypermesh-build')
/** Where the compiler's output goes until it is complete; only the holder of the lock writes it. */
const building = join(root, '.dist-building')

const say = (line) => process.stderr.write(`ensure: ${line}\n`)

/** Ends the process with the three lines of every error of ours: what, why, fix. */
function fail(code, what, why, fix, exitCode) {
  process.stderr.write(`${code}: ${what}\n  why: ${why}\n  fix: ${fix}\n`)
  process.exit(exitCode)
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

// --- is it stale? -----------------------------------------------------------------------------------------

/** What the installed packages must answer to: the lock file, on this platform. */
function installKey() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  return `${hash.digest('hex')} ${process.platform}-${process.arch}`
}

/**
 * Whether npm's own record of what it installed agrees with the lock file. Saves a reinstall after a plain
 * `npm install`, which leaves no stamp of ours. Optional packages may be absent (another platform's).
 */
function installedTreeMatchesLock() {
  const installed = readText(join(modules, '.package-lock.json'))
  if (installed === undefined) return false
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const have = JSON.parse(installed).packages
  for (const [path, entry] of Object.entries(want)) {
    if (path === '') continue
    if (have[path] === undefined) {
      if (!entry.optional && !entry.peer) return false
    } else if (have[path].version !== entry.version || have[path].integrity !== entry.integrity) {
      return false
    }
  }
  return Object.keys(have).every((path) => want[path] !== undefined)
}

function installIsFresh() {
  const key = installKey()
  if (readText(installStamp) === key) return true
  if (!installedTreeMatchesLock()) return false
  writeFileSync(installStamp, key)
  return true
}

function sourceFiles(directory) {
  const found = []
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) found.push(...sourceFiles(path))
    else if (entry.isFile()) found.push(path)
  }
  return found
}

/** A hash over everything the build reads: by content, so that a fresh checkout's new mtimes do not matter. */
function buildKey() {
  const inputs = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
  const files = [...inputs.map((name) => join(root, name)), ...sourceFiles(join(root, 'src'))].sort()
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

const buildIsFresh = () => readText(buildStamp) === buildKey() && existsSync(join(dist, 'node.js'))

// --- doing it ---------------------------------------------------------------------------------------------

/** Runs a command with our terminal, keeps the tail of its error output, and resolves with its exit code. */
function run(command, args) {
  return new Promise((resolve) => {
    let tail = ''
    const keep = (chunk) => {
      process.stderr.write(chunk)
      tail = (tail + chunk).slice(-8_000)
    }
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: 127, tail: String(error) }))
    child.on('close', (code) => resolve({ code: code ?? 1, tail }))
  })
}

/** `npm` as the Node that runs npm itself: a pinned Node inside node_modules would delete itself meanwhile. */
function npmCommand(args) {
  const cli = process.env.npm_execpath
  if (cli?.endsWith('npm-cli.js')) return [process.env.npm_node_execpath ?? process.execPath, [cli, ...args]]
  return ['npm', args]
}

async function install() {
  say('installing the packages of package-lock.json (once; about half a minute)')
  const started = Date.now()
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  const result = await run(...npmCommand(['ci', ...flags, '--loglevel=error']))
  if (result.code !== 0) {
    const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ECONNRESET/.test(
      result.tail,
    )
    if (offline) {
      fail(
        'E_INSTALL_OFFLINE',
        'npm could not reach the package registry',
        "the packages are not installed yet and this machine seems to be offline (see npm's lines above)",
        "connect to the network or set npm's registry (npm config get registry), then run the same command",
        69,
      )
    }
    fail(
      'E_INSTALL',
      `npm ci ended with code ${result.code}`,
      "see npm's lines above",
      'if it says that package.json and package-lock.json are not in sync: npm install --ignore-scripts',
      1,
    )
  }
  writeFileSync(installStamp, installKey())
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** The Node that the lock file pins, if this platform has one; else the one that runs us. */
function pinnedNode() {
  const path = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  return existsSync(path) ? path : process.execPath
}

async function build() {
  say('compiling src/ to dist/')
  const started = Date.now()
  const key = buildKey()
  rmSync(building, { recursive: true, force: true })
  const compiler = join(modules, 'typescript', 'bin', 'tsc')
  const result = await run(pinnedNode(), [compiler, '-p', 'tsconfig.build.json', '--outDir', building])
  if (result.code !== 0) {
    rmSync(building, { recursive: true, force: true })
    fail(
      'E_BUILD',
      'src/ does not compile',
      "see the compiler's lines above",
      'correct them; dist/ is untouched',
      1,
    )
  }
  chmodSync(join(building, 'node.js'), 0o755)
  writeFileSync(join(building, '.hypermesh-build'), key)
  // Swapped in whole: a node that starts meanwhile sees the old build or the new one, never half of each,
  // and a file whose source is gone does not linger.
  const old = `${building}-old`
  rmSync(old, { recursive: true, force: true })
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(building, dist)
  rmSync(old, { recursive: true, force: true })
  say(`compiled in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

// --- one at a time ----------------------------------------------------------------------------------------

/** A name that one process at a time can listen on, and that the kernel frees when the process dies. */
function lockAddress() {
  const name = `hypermesh-ensure-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`
  if (process.platform === 'linux') return `\0${name}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`
  return join(tmpdir(), `${name}.sock`)
}

function tryLock(address) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(address, () => resolve(server))
  })
}

/** Only where the lock is a file: the file of a dead holder refuses connections and may be removed. */
function removeIfDead(address) {
  if (process.platform === 'linux' || process.platform === 'win32') return Promise.resolve()
  return new Promise((resolve) => {
    const probe = connect(address)
    probe.once('connect', () => resolve(probe.destroy()))
    probe.once('error', () => resolve(rmSync(address, { force: true })))
  })
}

async function lock() {
  const address = lockAddress()
  for (let tries = 0; ; tries++) {
    const server = await tryLock(address)
    if (server !== undefined) return server
    if (tries === 0) say('another process installs or builds here; waiting for it')
    await removeIfDead(address)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const rebuild = process.argv.includes('--rebuild')
if (rebuild || !installIsFresh() || !buildIsFresh()) {
  const held = await lock()
  // Looked at again under the lock: whoever held it before may have done the work.
  if (!installIsFresh()) await install()
  if (rebuild || !buildIsFresh()) await build()
  held.close()
}

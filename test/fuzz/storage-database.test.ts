/** Flipped bits in LevelDB's files: the chain is refused, or it is the true one as far as it goes. Never a false answer. */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import { FinalChain, GENESIS_STATE, NETWORK, stateRootOf } from '../support/final-chain.ts'
import { lineOf } from '../support/read-chain.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

const HEIGHT = 250
const EVERYTHING = { gte: Uint8Array.of(0), lt: Uint8Array.of(255) }
const SCRIPT = join(import.meta.dirname, '../support/read-chain.ts')

/** @param isCompacted its rows are in tables, and its log is empty */
async function makeChain(path: string, isCompacted: boolean): Promise<FinalizedBlock[]> {
  const database = await Database.open({ path, network: NETWORK })
  const onFatal = (error: Error) => {
    throw error
  }
  const chain = await ChainStore.open({ database, genesis: GENESIS_STATE, stateRootOf, onFatal })
  const maker = new FinalChain()
  const blocks = Array.from({ length: HEIGHT }, (_, i) =>
    maker.next(i % 9 === 0 ? [numberedTransaction(i)] : []),
  )
  for (const block of blocks) await chain.commitFinalized([block])
  if (isCompacted) await database.compact(EVERYTHING)
  await database.close()
  return blocks
}

/** Lines of the heights that can be read, or why none can. */
function read(path: string): readonly string[] | 'refused' | 'aborted' {
  const { stdout, stderr, signal, status } = spawnSync(process.execPath, [SCRIPT, path], { encoding: 'utf8' })
  // LevelDB asserts on some damage while it compacts: an end without advice, and without a false answer.
  if (signal === 'SIGABRT') return 'aborted'
  expect([signal, status, stderr]).toEqual([null, 0, ''])
  if (!stdout.startsWith('refused')) return stdout.split('\n').filter((line) => line !== '')
  expect(stdout).toBe('refused E_DB_CORRUPT\n')
  return 'refused'
}

function damage(path: string, extension: string, seed: number): void {
  const random = seededRandom(seed)
  const files = readdirSync(path)
    .filter((name) => name.endsWith(extension))
    .map((name) => join(path, name))
    .filter((file) => statSync(file).size > 10_000)
  const file = files[Math.floor(random() * files.length)]
  if (file === undefined) throw new Error(`no ${extension} file to damage`)
  const bytes = readFileSync(file)
  for (let i = 0; i < 8; i++) {
    const at = Math.floor(random() * bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  }
  writeFileSync(file, bytes)
}

it.each([
  ['the log', '.log'],
  ['the tables', '.ldb'],
])(
  'never reads a false chain from a damaged file: %s',
  async (_, extension) => {
    const directory = temporaryDirectory()
    const whole = join(directory, 'whole')
    const blocks = await makeChain(whole, extension === '.ldb')
    const truth = blocks.map(({ block, stateRoot, changes }) =>
      lineOf(block.header.height, { bytes: block.bytes, stateRoot, verdicts: changes.verdicts }),
    )
    // On a copy: opening turns the log into a table.
    cpSync(whole, join(directory, 'copy'), { recursive: true })
    expect(read(join(directory, 'copy'))).toEqual(truth)
    let harmed = 0
    for (let seed = 1; seed <= 12; seed++) {
      const path = join(directory, `damaged-${seed}`)
      cpSync(whole, path, { recursive: true })
      damage(path, extension, seed)
      const lines = read(path)
      if (lines.length !== HEIGHT) harmed++
      if (typeof lines !== 'string') expect(lines, `seed ${seed}`).toEqual(truth.slice(0, lines.length))
    }
    if (extension === '.log') expect(harmed).toBeGreaterThan(6)
  },
  60_000,
)

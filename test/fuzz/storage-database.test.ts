/** Flipped bits in LevelDB's files: the chain is refused, or it is the true one as far as it goes. Never a false answer. */
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import { FinalChain, GENESIS_STATE, NETWORK, stateRootOf } from '../support/final-chain.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

const HEIGHT = 250

async function withChain<T>(path: string, use: (chain: ChainStore) => Promise<T>): Promise<T> {
  const database = await Database.open({ path, network: NETWORK })
  try {
    const onFatal = (error: Error) => {
      throw error
    }
    return await use(await ChainStore.open({ database, genesis: GENESIS_STATE, stateRootOf, onFatal }))
  } finally {
    await database.close()
  }
}

/** The code of the refusal, or how far the chain goes; fails on anything that was not written. */
async function outcomeOf(path: string, blocks: readonly FinalizedBlock[]): Promise<string | number> {
  try {
    return await withChain(path, async (chain) => {
      for (const { block, stateRoot, changes } of blocks.slice(0, chain.tip.height)) {
        const { height } = block.header
        expect(chain.blockBytesAt(height)).toEqual(block.bytes)
        expect(chain.stateRootAt(height)).toBe(stateRoot)
        for (const record of changes.verdicts) expect(chain.state.verdict(record.requestKey)).toEqual(record)
      }
      return chain.tip.height
    })
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === undefined || !code.startsWith('E_')) throw error
    return code
  }
}

it.each([
  ['the log', '.log', 20],
  ['the tables', '.ldb', 40],
])('never reads a false chain from a damaged file: %s', async (_, extension, seeds) => {
  const directory = temporaryDirectory()
  const whole = join(directory, 'whole')
  const maker = new FinalChain()
  const blocks = Array.from({ length: HEIGHT }, (_, i) =>
    maker.next(i % 9 === 0 ? [numberedTransaction(i)] : []),
  )
  await withChain(whole, async (chain) => {
    for (const block of blocks) await chain.commitFinalized([block])
  })
  // On a copy: opening turns the log into a table.
  cpSync(whole, join(directory, 'copy'), { recursive: true })
  expect(await outcomeOf(join(directory, 'copy'), blocks)).toBe(HEIGHT)
  const outcomes = new Set<string | number>()
  for (let seed = 1; seed <= seeds; seed++) {
    const random = seededRandom(seed)
    const path = join(directory, `damaged-${seed}`)
    cpSync(whole, path, { recursive: true })
    const files = readdirSync(path).filter(
      (name) => name.endsWith(extension) && statSync(join(path, name)).size > 10_000,
    )
    expect(files.length).toBeGreaterThan(0)
    const file = join(path, files[Math.floor(random() * files.length)] ?? '')
    const bytes = readFileSync(file)
    for (let i = 0; i < 8; i++) {
      const at = Math.floor(random() * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    }
    writeFileSync(file, bytes)
    const outcome = await outcomeOf(path, blocks)
    outcomes.add(outcome)
    if (typeof outcome === 'string') expect(outcome, `seed ${seed}`).toBe('E_DB_CORRUPT')
  }
  // Damage that LevelDB takes for the end of its log costs blocks, which peers have; other damage is refused.
  expect([...outcomes].some((outcome) => outcome !== HEIGHT)).toBe(true)
})

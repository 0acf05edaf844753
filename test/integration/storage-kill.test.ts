/** kill -9 in the middle of commits, again and again: what was reported durable is there, and nothing needs repair. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { toHex } from '../../src/codec/hex.ts'
import { frontierRoot } from '../../src/ledger/frontier.ts'
import { merklePath, rootOfPath } from '../../src/ledger/receipt/merkle-path.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { SafetyLog } from '../../src/storage/safety-log.ts'
import { asHeight, type Hex32 } from '../../src/types/primitives.ts'
import { isValidation } from '../../src/types/transaction.ts'
import {
  BINDING,
  numberOf,
  pathsIn,
  receiptIndexOf,
  SEGMENT_BYTES,
  safetyRecord,
  transactionsAt,
} from '../support/commit-forever.ts'
import { GENESIS_STATE, NETWORK, stateRootOf } from '../support/final-chain.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SCRIPT = join(import.meta.dirname, '../support/commit-forever.ts')
const ROUNDS = 5

/** Runs until both have made `lines` more durable, kills it, and returns the last number of each that it reported. */
async function runAndKill(directory: string, lines: number): Promise<{ block: number; record: number }> {
  const child = spawn(process.execPath, [SCRIPT, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const last = { block: 0, record: 0 }
  const count = { block: 0, record: 0 }
  for await (const line of createInterface(child.stdout)) {
    const [what, number] = line.split(' ') as ['block' | 'record', string]
    last[what] = Number(number)
    count[what]++
    // What it reports after this line and before the signal arrives is read as well.
    if (Math.min(count.block, count.record) >= lines) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect([child.signalCode, errors]).toEqual(['SIGKILL', ''])
  return last
}

it('loses no block and no safety record that was durable', async () => {
  const directory = temporaryDirectory()
  const paths = pathsIn(directory)
  const random = seededRandom(1)
  let height = 0
  for (let round = 0; round < ROUNDS; round++) {
    const reported = await runAndKill(directory, 20 + Math.floor(random() * 100))
    expect(reported.block).toBeGreaterThan(height)

    const database = await Database.open({ path: paths.database, network: NETWORK })
    const chain = await ChainStore.open({
      database,
      genesis: GENESIS_STATE,
      stateRootOf,
      onFatal: (error) => {
        throw error
      },
    })
    expect(chain.tip.height).toBeGreaterThanOrEqual(reported.block)
    for (let at = height + 1; at <= chain.tip.height; at++) {
      const block = chain.blockAt(asHeight(at))
      expect(block?.header.parentHash).toBe(chain.hashAt(asHeight(at - 1)))
      const requests = block?.transactions.filter(isValidation)
      expect(requests?.map(({ hash }) => hash)).toEqual(transactionsAt(at).map(({ hash }) => hash))
      for (const { requestKey } of requests ?? []) expect(chain.state.judgement(requestKey)).not.toBeNull()
    }
    // A verdict comes two blocks after its request; those of the last blocks are open.
    const open = chain.tip.voting.batches.map((batch) => batch.height)
    expect(open.length).toBeGreaterThan(0)
    for (let at = Math.max(1, height - 4); at <= chain.tip.height; at++) {
      const isOpen = at > chain.tip.height - 2
      expect(chain.verdictsAt(asHeight(at))).toHaveLength(isOpen ? 0 : transactionsAt(at).length)
      expect(open.includes(asHeight(at))).toBe(isOpen && transactionsAt(at).length > 0)
    }
    // The index of receipts is in the blocks' own batches: nothing of it is missing, and every place is proven.
    const missing: object[] = []
    const index = await receiptIndexOf(database, chain, (fields) => missing.push(fields))
    expect(missing).toEqual([])
    expect(index.anchor?.header.height).toBe(chain.tip.height)
    const { size } = chain.state.accumulators.verdicts
    for (const position of [0, Math.floor(size / 2), size - 1]) {
      const path = merklePath(position, size, (level, i) => index.node(level, i))
      const leaf = toHex(index.node(0, position)) as Hex32
      const root = rootOfPath(leaf, position, size, path) ?? new Uint8Array()
      expect(toHex(root)).toBe(frontierRoot(chain.state.accumulators.verdicts))
    }
    height = chain.tip.height
    await database.close()

    const { log, replay } = await SafetyLog.open({
      path: paths.safety,
      binding: BINDING,
      segmentBytes: SEGMENT_BYTES,
      onFatal: (error) => {
        throw error
      },
    })
    const first = replay.snapshot === null ? 0 : numberOf(replay.snapshot)
    expect(replay.records.map(numberOf)).toEqual(replay.records.map((_, i) => first + 1 + i))
    expect(replay.records).toEqual(replay.records.map((bytes) => safetyRecord(numberOf(bytes))))
    expect(first + replay.records.length).toBeGreaterThanOrEqual(reported.record)
    await log.close()
  }
  expect(height).toBeGreaterThan(ROUNDS * 20)
}, 120_000)

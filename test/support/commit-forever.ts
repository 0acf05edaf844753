/**
 * A process that commits blocks and safety records until somebody kills it: `commit-forever.ts DIR`. Prints
 * `block H` when block H is durable and `record N` when record N is. Started by tests only.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { appendLeaves } from '../../src/ledger/frontier.ts'
import { stateBranch } from '../../src/ledger/state-root.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { ReceiptIndex } from '../../src/storage/receipt-index.ts'
import { SafetyLog } from '../../src/storage/safety-log.ts'
import type { GenesisHash, ValidatorId } from '../../src/types/primitives.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'
import { FinalChain, GENESIS_STATE, NETWORK, stateRootOf } from './final-chain.ts'

/** Where a process like this keeps things, for the test that looks at them. */
export const pathsIn = (directory: string) => ({
  database: join(directory, 'db'),
  safety: join(directory, 'keys', 'safety', 'validator.log'),
})

export const BINDING = {
  validatorId: 'aa'.repeat(32) as ValidatorId,
  genesisHash: NETWORK.genesisHash as GenesisHash,
}

/** Small, so that compactions happen all the time. */
export const SEGMENT_BYTES = 256 * 1024

/** Record N: its number, then bytes that follow from it. */
export function safetyRecord(number: number): Uint8Array {
  const bytes = new Uint8Array(3_500).fill(1 + (number % 255))
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

export const numberOf = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

/** The request of a block at a height, every third one being empty. */
export const transactionsAt = (height: number) => (height % 3 === 0 ? [] : [numberedTransaction(height)])

function fatal(error: Error): never {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

/** What receipts are made from, as a node opens it; the lines say what was missing. */
export function receiptIndexOf(
  database: Database,
  chain: ChainStore,
  onMissing: (fields: object) => void = () => undefined,
): Promise<ReceiptIndex> {
  const ignore = (): void => undefined
  return ReceiptIndex.open({
    database,
    tip: chain.tip,
    append: appendLeaves,
    branchOf: (accumulators, staking, voting) =>
      stateBranch(accumulators, staking, voting, GENESIS_STATE.rules.fixedRoots),
    logger: { debug: ignore, info: onMissing, warn: ignore, error: ignore },
  })
}

async function commitBlocks(path: string): Promise<void> {
  const database = await Database.open({ path, network: NETWORK })
  const chain = await ChainStore.open({ database, genesis: GENESIS_STATE, stateRootOf, onFatal: fatal })
  const { tip } = chain
  const maker = new FinalChain(
    { hash: tip.block.hash, header: tip.block.header, stateRoot: tip.stateRoot, state: chain.state },
    'tallied',
  )
  // What this node judged before it was killed is in the database.
  const waiting = tip.voting.batches.flatMap(({ requests }) => requests)
  maker.judged(
    waiting.map((request) => ({ ...request, failures: chain.state.judgement(request.requestKey) ?? [] })),
  )
  const index = await receiptIndexOf(database, chain)
  for (let height = tip.height + 1; ; height++) {
    const blocks = [maker.next(transactionsAt(height))]
    await chain.commitFinalized(blocks, index.operations(blocks))
    index.committed()
    process.stdout.write(`block ${height}\n`)
  }
}

async function logRecords(path: string): Promise<void> {
  const options = { path, binding: BINDING, segmentBytes: SEGMENT_BYTES, onFatal: fatal }
  const isNew = !existsSync(path)
  const { log, last } = isNew ? { log: await SafetyLog.create(options), last: 0 } : await reopened(options)
  for (let number = last + 1; ; number++) {
    log.append(safetyRecord(number))
    await log.flush()
    process.stdout.write(`record ${number}\n`)
    if (log.wantsCompaction) void log.compact(safetyRecord(number))
  }
}

async function reopened(options: Parameters<typeof SafetyLog.open>[0]) {
  const { log, replay } = await SafetyLog.open(options)
  const newest = replay.records.at(-1) ?? replay.snapshot
  return { log, last: newest == null ? 0 : numberOf(newest) }
}

const directory = process.argv[2]
if (import.meta.main && directory !== undefined) {
  const paths = pathsIn(directory)
  mkdirSync(join(paths.safety, '..'), { recursive: true })
  await Promise.all([commitBlocks(paths.database), logRecords(paths.safety)])
}

/** What receipts are made from, in a real database: beside the blocks, over restarts, and made anew where it is missing. */
import { afterEach, describe, expect, it } from 'vitest'
import { encodeVerdict, verdictLeaf } from '../../src/codec/verdict.ts'
import { appendLeaves } from '../../src/ledger/frontier.ts'
import { merklePath, rootOfPath } from '../../src/ledger/receipt/merkle-path.ts'
import { stateBranch, stateRootOfVerdicts } from '../../src/ledger/state-root.ts'
import { META, verdictNodeKey } from '../../src/storage/buckets.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database, type WriteOperation } from '../../src/storage/database.ts'
import { ReceiptIndex } from '../../src/storage/receipt-index.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import type { Logger } from '../../src/types/logger.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { certificate, FinalChain, GENESIS_STATE, NETWORK, stateRootOf } from '../support/final-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

/** Keeps what an operator would read. */
class InfoLines implements Logger {
  readonly lines: { readonly fields: object; readonly message: string }[] = []
  debug(): void {}
  info(fields: object, message: string): void {
    this.lines.push({ fields, message })
  }
  warn(): void {}
  error(): void {}
}

const opened: Database[] = []
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})

async function open(path: string) {
  const database = await Database.open({ path, network: NETWORK })
  opened.push(database)
  const onFatal = (error: unknown): never => {
    throw error
  }
  const chain = await ChainStore.open({ database, genesis: GENESIS_STATE, stateRootOf, onFatal })
  return { database, chain }
}

async function close(database: Database): Promise<void> {
  opened.splice(opened.indexOf(database), 1)
  await database.close()
}

const indexOf = (database: Database, chain: ChainStore, logger = new InfoLines()) =>
  ReceiptIndex.open({
    database,
    tip: chain.tip,
    append: appendLeaves,
    branchOf: (accumulators, staking, voting) =>
      stateBranch(accumulators, staking, voting, GENESIS_STATE.rules.fixedRoots),
    logger,
  })

async function commit(chain: ChainStore, index: ReceiptIndex, blocks: readonly FinalizedBlock[]) {
  await chain.commitFinalized(blocks, index.operations(blocks))
  index.committed()
}

/** Every verdict of the anchor's state has a path to the state root that the anchor's header names. */
function expectProven(index: ReceiptIndex, records: readonly VerdictRecord[]): void {
  const { anchor } = index
  expect(anchor).not.toBeNull()
  if (anchor === null) return
  expect(anchor.listSize).toBe(records.length)
  for (const [position, record] of records.entries()) {
    expect(index.positionOf(record.requestKey)).toBe(position)
    const path = merklePath(position, anchor.listSize, (level, i) => index.node(level, i))
    const list = rootOfPath(verdictLeaf(encodeVerdict(record)), position, anchor.listSize, path)
    expect(stateRootOfVerdicts(list ?? new Uint8Array(), anchor.stateBranch)).toBe(
      anchor.header.parentStateRoot,
    )
  }
}

const requests = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => numberedTransaction(from + i))
const recordsOf = (blocks: readonly FinalizedBlock[]) => blocks.flatMap(({ changes }) => changes.verdicts)

describe('the index of receipts', () => {
  it('proves a verdict when the next block is final, old ones too, and after a restart', async () => {
    const path = temporaryDirectory()
    const first = await open(path)
    const index = await indexOf(first.database, first.chain)
    expect(index.anchor).toBeNull()
    let told = 0
    const unsubscribe = index.onAnchor(() => {
      told += 1
    })
    const maker = new FinalChain()
    const blocks = [maker.next(requests(1, 3))]
    await commit(first.chain, index, blocks)
    expect(index.anchor?.listSize).toBe(0)
    expect(index.positionOf(recordsOf(blocks)[1]?.requestKey ?? ('' as never))).toBe(1)
    for (let next = 0; next < 5; next++) {
      const block = maker.next(requests(10 * (next + 1), next))
      const before = recordsOf(blocks)
      blocks.push(block)
      await commit(first.chain, index, [block])
      expectProven(index, before)
    }
    expect(told).toBe(6)
    unsubscribe()
    const anchor = index.anchor
    await close(first.database)

    const again = await open(path)
    const logger = new InfoLines()
    const reopened = await indexOf(again.database, again.chain, logger)
    expect(reopened.anchor).toEqual(anchor)
    expect(logger.lines).toEqual([])
    const last = maker.next()
    await commit(again.chain, reopened, [last])
    expectProven(reopened, recordsOf(blocks))
    expect(told).toBe(6)
  })

  it('ends where a certificate is of its very block: of several in a batch the last, of a filler none', async () => {
    const path = temporaryDirectory()
    const { database, chain } = await open(path)
    const index = await indexOf(database, chain)
    const maker = new FinalChain()
    const together = maker.together(3, requests(1, 4))
    await commit(chain, index, together)
    expect(index.anchor?.header.height).toBe(3)
    expectProven(index, recordsOf(together))
    // Final by the certificate of a block that is not in the chain, as the last block of an epoch may be.
    const plain = maker.next(requests(10, 2))
    const filler = new FinalChain().next().block
    const byFiller = { ...plain, finality: { ...certificate(filler), height: plain.block.header.height } }
    await commit(chain, index, [byFiller])
    expect(index.anchor?.header.height).toBe(3)
    await close(database)

    const again = await open(path)
    const reopened = await indexOf(again.database, again.chain)
    expect(reopened.anchor?.header.height).toBe(3)
    expect(reopened.anchor?.certificate.blockHash).toBe(together.at(-1)?.block.hash)
    expectProven(reopened, recordsOf(together))
    const next = maker.next()
    await commit(again.chain, reopened, [next])
    expectProven(reopened, recordsOf([...together, byFiller]))
  })
})

describe('a database without the index', () => {
  async function withoutIndex(path: string, count: number): Promise<FinalizedBlock[]> {
    const { database, chain } = await open(path)
    const maker = new FinalChain()
    const blocks = Array.from({ length: count }, (_, i) => maker.next(requests(100 * i + 1, 40)))
    await chain.commitFinalized(blocks)
    await close(database)
    return [...blocks, maker.next(), maker.next()]
  }

  it('gets it when it is opened, says so, and goes on with it', async () => {
    const path = temporaryDirectory()
    const blocks = await withoutIndex(path, 5)
    const { database, chain } = await open(path)
    const logger = new InfoLines()
    const index = await indexOf(database, chain, logger)
    expect(logger.lines.map(({ message }) => message)).toEqual(['making the index of receipts, once'])
    expect(index.anchor).toBeNull()
    await commit(chain, index, blocks.slice(5, 6))
    expectProven(index, recordsOf(blocks))
  })

  it('that was stopped in the middle goes on from there', async () => {
    const path = temporaryDirectory()
    const blocks = await withoutIndex(path, 5)
    const { database, chain } = await open(path)
    let slices = 0
    const failing = Object.assign(Object.create(database) as Database, {
      get: database.get.bind(database),
      view: database.view.bind(database),
      writeRelaxed: async (operations: readonly WriteOperation[]) => {
        slices += 1
        if (slices === 3) throw new Error('the power went')
        await database.writeRelaxed(operations)
      },
    })
    await expect(indexOf(failing, chain)).rejects.toThrow('the power went')
    const logger = new InfoLines()
    const index = await indexOf(database, chain, logger)
    expect(logger.lines[0]?.fields).toMatchObject({ verdicts: 200, from: 128 })
    await commit(chain, index, blocks.slice(5, 6))
    expectProven(index, recordsOf(blocks))
  })

  it('gets what blocks of an older version left out', async () => {
    const path = temporaryDirectory()
    const blocks = await withoutIndex(path, 2)
    const { database, chain } = await open(path)
    const index = await indexOf(database, chain)
    await commit(chain, index, blocks.slice(2, 3))
    const maker = new FinalChain({
      hash: chain.tip.block.hash,
      header: chain.tip.block.header,
      stateRoot: chain.tip.stateRoot,
      state: chain.state,
    })
    const older = maker.next(requests(900, 3))
    await chain.commitFinalized([older])
    const reopened = await indexOf(database, chain)
    expect(reopened.anchor).toBeNull()
    await commit(chain, reopened, [maker.next()])
    expectProven(reopened, recordsOf([...blocks, older]))
  })

  it.each([
    [
      'a node that is not there',
      async (database: Database) => {
        await database.write([{ type: 'del', key: verdictNodeKey(0, 6) }])
      },
      /node 24 of level 3/,
    ],
    [
      'a page that is too short',
      async (database: Database) => {
        await database.write([{ type: 'put', key: verdictNodeKey(0, 6), value: new Uint8Array(7 * 32) }])
      },
      /node 24 of level 3/,
    ],
    [
      'a node above the pages that is not there',
      async (database: Database) => {
        await database.write([{ type: 'del', key: verdictNodeKey(6, 2) }])
      },
      /node 2 of level 6/,
    ],
    [
      'a node that is another',
      async (database: Database) => {
        await database.write([{ type: 'put', key: verdictNodeKey(0, 6), value: new Uint8Array(8 * 32) }])
      },
      /is not the one that the state has/,
    ],
    [
      'more entries than the state',
      async (database: Database) => {
        await database.write([
          { type: 'put', key: META.verdictsIndexed, value: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0) },
        ])
      },
      /has 200 entries, 256 of them indexed/,
    ],
  ] as const)('is refused with %s', async (_, damage, why) => {
    const path = temporaryDirectory()
    await withoutIndex(path, 5)
    const { database, chain } = await open(path)
    await indexOf(database, chain)
    await damage(database)
    await expect(indexOf(database, chain)).rejects.toMatchObject({
      code: 'E_DB_CORRUPT',
      message: expect.stringMatching(why) as string,
    })
  })
})

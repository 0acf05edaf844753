/** The chain over a real LevelDB: what is written is found again, also by the next process, and a gap is noticed. */
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeBlock } from '../../src/codec/block.ts'
import { decodeQuorumCertificate } from '../../src/codec/certificates.ts'
import { blockKey, META, nullifierKey } from '../../src/storage/buckets.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { CHECKPOINT_HEIGHTS } from '../../src/storage/checkpoints.ts'
import { Database } from '../../src/storage/database.ts'
import type { StorageError } from '../../src/storage/storage-error.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import {
  asHeight,
  type BlockHash,
  type Hex32,
  type Nullifier,
  type RequestKey,
} from '../../src/types/primitives.ts'
import {
  certificate,
  FinalChain,
  figures,
  GENESIS_PARENT,
  GENESIS_STATE,
  NETWORK,
  stateRootOf,
} from '../support/final-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { certificateTransaction, fourProofTransaction, numberedTransaction } from '../unit/ledger/fixtures.ts'

interface Opened {
  readonly database: Database
  readonly chain: ChainStore
  readonly fatal: StorageError[]
}

async function open(path: string): Promise<Opened> {
  const database = await Database.open({ path, network: NETWORK })
  const fatal: StorageError[] = []
  onTestFinished(() => database.close())
  const chain = await ChainStore.open({
    database,
    genesis: GENESIS_STATE,
    stateRootOf,
    onFatal: (error) => void fatal.push(error),
  })
  return { database, chain, fatal }
}

const at = (blocks: readonly FinalizedBlock[], i: number): FinalizedBlock => blocks.at(i) as FinalizedBlock
const UNKNOWN = 'ff'.repeat(32)

describe('a chain store', () => {
  it('knows every key of before and since once it has learnt them, and asks the database for hardly any other', async () => {
    const path = join(temporaryDirectory(), 'db')
    const first = await open(path)
    const maker = new FinalChain(GENESIS_PARENT)
    const requests = (from: number) => Array.from({ length: 30 }, (_, i) => numberedTransaction(from + i))
    const before = maker.next(requests(1))
    await first.chain.commitFinalized([before])
    await first.database.close()

    let reads = 0
    const database = await Database.open({ path, network: NETWORK })
    onTestFinished(() => database.close())
    const onFatal = (error: unknown): never => {
      throw error
    }
    const chain = await ChainStore.open({ database, genesis: GENESIS_STATE, stateRootOf, onFatal })
    await chain.state.learnKeys()
    const since = maker.next(requests(101))
    await chain.commitFinalized([since])
    for (const { changes } of [before, since]) {
      expect(changes.nullifiers.length).toBeGreaterThan(0)
      for (const nullifier of changes.nullifiers) expect(chain.state.hasNullifier(nullifier)).toBe(true)
      for (const { requestKey, requestIdHash } of changes.judgements) {
        expect(chain.state.requestKeyOfId(requestIdHash)).toBe(requestKey)
        expect(chain.state.storedVerdict(requestKey, requestIdHash)).not.toBeNull()
      }
    }
    // From here on every read of the state is counted: a view is opened with every commit.
    const view = database.view.bind(database)
    database.view = () => {
      const opened = view()
      const get = (key: Uint8Array) => {
        reads += 1
        return opened.get(key)
      }
      return { ...opened, get }
    }
    await chain.commitFinalized([maker.next()])
    const hashes = Array.from(
      { length: 500 },
      (_, i) => `${i.toString(16).padStart(16, '0')}${'5a'.repeat(24)}`,
    )
    reads = 0
    for (const hash of hashes) {
      expect(chain.state.hasNullifier(hash as Nullifier)).toBe(false)
      expect(chain.state.storedVerdict(hash as RequestKey, hash as Hex32)).toBeNull()
    }
    expect(reads).toBeLessThan(20)
  })

  it('begins with genesis', async () => {
    const { chain } = await open(join(temporaryDirectory(), 'db'))
    expect(chain.tip).toMatchObject({ height: 0, stateRoot: GENESIS_STATE.stateRoot })
    expect(chain.tip.block.hash).toBe(GENESIS_STATE.block.hash)
    expect(chain.tip.accumulators).toEqual(GENESIS_STATE.changes.accumulators)
    expect(chain.tip.finality).toEqual(GENESIS_STATE.finality)
    expect(chain.stateRootAt(asHeight(0))).toBe(GENESIS_STATE.stateRoot)
    expect(chain.finality()).toEqual({ height: 0, certificate: null })
    expect(await chain.range(asHeight(1), 10, 1_000)).toEqual({ blocks: [], certificate: null })
    expect(chain.verdictsAt(asHeight(0))).toEqual([])
  })

  it('finds every block, state root and verdict again, before and after reopening', async () => {
    const path = join(temporaryDirectory(), 'db')
    const maker = new FinalChain(GENESIS_PARENT, 'tallied')
    const bad = certificateTransaction({ top: { requestId: 'bad' }, stake: { stakeAmount: 1n } })
    const blocks = [
      ...maker.empty(2),
      maker.next([numberedTransaction(1), fourProofTransaction(), bad]),
      maker.next([numberedTransaction(2)]),
      ...maker.empty(2),
      maker.next([numberedTransaction(3)]),
    ]
    const judged = new Map(
      blocks.flatMap(({ changes }) => changes.judgements).map((of) => [of.requestKey, of.failures]),
    )
    const first = await open(path)
    for (const block of blocks) await first.chain.commitFinalized([block])
    const check = ({ chain }: Opened) => {
      expect(chain.tip.height).toBe(7)
      expect(chain.tip.block).toEqual(at(blocks, -1).block)
      expect(chain.tip.finality).toEqual(at(blocks, -1).finality)
      expect(chain.tip.accumulators).toEqual(at(blocks, -1).changes.accumulators)
      expect(chain.tip.voting).toEqual(at(blocks, -1).changes.voting)
      expect(chain.state.voting).toEqual(at(blocks, -1).changes.voting)
      // The block of the last two of them has its verdict already; the request of the tip waits.
      expect(chain.tip.voting.batches.map((batch) => batch.height)).toEqual([7])
      expect(chain.verdictsAt(asHeight(7))).toEqual([])
      for (const { block, stateRoot, changes } of blocks) {
        const { height } = block.header
        expect(chain.blockBytesAt(height)).toEqual(block.bytes)
        expect(chain.blockByHash(block.hash)).toEqual(block.bytes)
        expect(chain.blockAt(height)).toEqual(block)
        expect(chain.headerAt(height)).toEqual(block.header)
        expect(chain.headerOf(block.hash)).toEqual(block.header)
        expect(chain.heightOf(block.hash)).toBe(height)
        expect(chain.hashAt(height)).toBe(block.hash)
        expect(chain.stateRootAt(height)).toBe(stateRoot)
        for (const { requestKey, requestIdHash, failures } of changes.judgements) {
          expect(chain.state.judgement(requestKey)).toEqual(failures)
          expect(chain.state.requestKeyOfId(requestIdHash)).toBe(requestKey)
        }
        const stored = changes.verdicts.map((record) => ({
          record,
          figures: figures(height),
          failures: judged.get(record.requestKey) ?? null,
        }))
        // Of one block's requests in each of these.
        const [first] = changes.verdicts
        if (first !== undefined) expect(chain.verdictsAt(first.height)).toEqual(stored)
        for (const nullifier of changes.nullifiers) expect(chain.state.hasNullifier(nullifier)).toBe(true)
        for (const record of changes.verdicts) {
          expect(chain.state.verdict(record.requestKey)).toEqual(record)
          expect(stored).toContainEqual(chain.verdict(record.requestKey))
          expect(chain.verdictById(record.requestIdHash)?.record).toEqual(record)
          expect(chain.state.requestKeyOfId(record.requestIdHash)).toBe(record.requestKey)
          if (record.sequence !== null) {
            expect(chain.state.lastSequence(record.sequence.nodeIdHash)).toBe(record.sequence.number)
          }
        }
      }
      expect(blocks.flatMap(({ changes }) => changes.nullifiers).length).toBeGreaterThan(0)
      const records = blocks.flatMap(({ changes }) => changes.verdicts)
      expect(records.some(({ sequence }) => sequence)).toBe(true)
      expect(records.map(({ status }) => status)).toEqual(['valid', 'valid', 'invalid', 'valid'])
    }
    check(first)
    await first.database.close()
    check(await open(path))
  })

  it('finds what was looked for in vain before as soon as a block has brought it', async () => {
    const { chain } = await open(join(temporaryDirectory(), 'db'))
    const maker = new FinalChain(GENESIS_PARENT, 'tallied')
    const blocks = [
      maker.next([numberedTransaction(1), fourProofTransaction()]),
      ...maker.empty(2),
      maker.next([numberedTransaction(2)]),
      ...maker.empty(3),
    ]
    const all = blocks.map(({ changes }) => changes)
    const nullifiers = all.flatMap((of) => of.nullifiers)
    const keys = all.flatMap((of) => of.judgements.map(({ requestKey }) => requestKey))
    const ids = all.flatMap((of) => of.judgements.map(({ requestIdHash }) => requestIdHash))
    const found = () => ({
      nullifiers: nullifiers.filter((nullifier) => chain.state.hasNullifier(nullifier)),
      verdicts: keys.filter((key) => chain.state.verdict(key) !== null),
      ids: ids.filter((id) => chain.state.requestKeyOfId(id) !== null),
      judgements: keys.filter((key) => chain.state.judgement(key) !== null),
    })
    const upTo = (count: number) => ({
      nullifiers: all.slice(0, count).flatMap((of) => of.nullifiers),
      verdicts: all.slice(0, count).flatMap((of) => of.verdicts.map(({ requestKey }) => requestKey)),
      ids: all.slice(0, count).flatMap((of) => of.judgements.map(({ requestIdHash }) => requestIdHash)),
      judgements: all.slice(0, count).flatMap((of) => of.judgements.map(({ requestKey }) => requestKey)),
    })
    let from = 0
    for (const to of [1, 3, 4, 7]) {
      expect(found()).toEqual(upTo(from))
      await chain.commitFinalized(blocks.slice(from, to))
      from = to
    }
    expect(found()).toEqual(upTo(7))
    expect(upTo(7).verdicts).toHaveLength(3)
    expect(upTo(7).nullifiers).toHaveLength(3)
  })

  it('knows nothing of what is not there', async () => {
    const { chain } = await open(join(temporaryDirectory(), 'db'))
    await chain.commitFinalized(new FinalChain().empty(1))
    const height = asHeight(2)
    expect([chain.blockAt(height), chain.blockBytesAt(height), chain.headerAt(height)]).toEqual([
      null,
      null,
      null,
    ])
    expect([chain.hashAt(height), chain.stateRootAt(height), chain.verdictsAt(height)]).toEqual([
      null,
      null,
      null,
    ])
    const hash = UNKNOWN as BlockHash
    expect([chain.heightOf(hash), chain.blockByHash(hash), chain.headerOf(hash)]).toEqual([null, null, null])
    expect(chain.verdict(UNKNOWN as RequestKey)).toBe(null)
    expect(chain.verdictById(UNKNOWN as Hex32)).toBe(null)
    expect(chain.state.hasNullifier(UNKNOWN as Nullifier)).toBe(false)
    expect(chain.state.lastSequence(UNKNOWN as Hex32)).toBe(0n)
    expect(chain.commitCertificates.latest).toBe(null)
    expect(chain.commitCertificates.at(height)).toBe(null)
  })

  it('writes blocks that became final together in one batch', async () => {
    const { chain, database } = await open(join(temporaryDirectory(), 'db'))
    let batches = 0
    const write = database.write.bind(database)
    database.write = (operations) => {
      batches++
      return write(operations)
    }
    const blocks = new FinalChain().together(5, [numberedTransaction(1)])
    await chain.commitFinalized(blocks)
    expect(batches).toBe(1)
    expect(chain.tip.height).toBe(5)
    expect(chain.verdictsAt(asHeight(1))).toHaveLength(1)
    expect(chain.finality().height).toBe(5)
  })

  it('lets readers see a block only when all of it is there', async () => {
    const { chain } = await open(join(temporaryDirectory(), 'db'))
    const block = new FinalChain().next([numberedTransaction(1)])
    const [nullifier] = block.changes.nullifiers
    const seen = new Set<string>()
    const look = () => {
      const nullifierThere = chain.state.hasNullifier(nullifier as Nullifier)
      const verdictThere = chain.verdict(block.changes.verdicts[0]?.requestKey as RequestKey) !== null
      const size = chain.state.accumulators.verdicts.size
      seen.add(
        `${nullifierThere} ${verdictThere} ${size} ${chain.tip.height} ${chain.heightOf(block.block.hash)}`,
      )
    }
    let isDone = false
    const done = chain.commitFinalized([block]).then(() => {
      isDone = true
    })
    while (!isDone) {
      look()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
    look()
    expect([...seen]).toEqual(['false false 0 0 null', 'true true 1 1 1'])
  })

  it('keeps the first user of a request id, also within one batch', async () => {
    const { chain } = await open(join(temporaryDirectory(), 'db'))
    const maker = new FinalChain()
    const one = maker.next([numberedTransaction(1)])
    const verdict = one.changes.verdicts[0]
    if (verdict === undefined) throw new Error('no verdict')
    const two = maker.next()
    const again = { ...verdict, requestKey: UNKNOWN as RequestKey }
    /** A block with one more verdict on the state's list, which has so many then. */
    const withVerdict = (final: FinalizedBlock, record: typeof verdict, size: number): FinalizedBlock => {
      const accumulators = { ...final.changes.accumulators, verdicts: { size, nodes: [] } }
      const judgements = [{ ...record, failures: [] }]
      const changes = { ...final.changes, verdicts: [record], judgements, accumulators }
      return { ...final, changes, answers: [figures(size)] }
    }
    await chain.commitFinalized([one, withVerdict(two, again, 2)])
    expect(chain.state.requestKeyOfId(verdict.requestIdHash)).toBe(verdict.requestKey)
    const three = maker.next()
    const later = { ...verdict, requestKey: 'ee'.repeat(32) as RequestKey }
    await chain.commitFinalized([withVerdict(three, later, 3)])
    expect(chain.verdictById(verdict.requestIdHash)?.record).toEqual(verdict)
  })

  it.each<[string, (blocks: FinalizedBlock[]) => FinalizedBlock[]]>([
    ['a gap', ([, second]) => [second as FinalizedBlock]],
    ['a repetition', ([first]) => [first as FinalizedBlock, first as FinalizedBlock]],
    ['a block of another branch', ([first]) => [first as FinalizedBlock, at(branchOf(2), 1)]],
    ['a missing answer', ([first]) => [{ ...(first as FinalizedBlock), answers: [figures(1)] }]],
  ])('takes %s for our own bug and writes nothing', async (_, choose) => {
    const { chain, fatal } = await open(join(temporaryDirectory(), 'db'))
    const blocks = new FinalChain().empty(2)
    await expect(chain.commitFinalized(choose(blocks))).rejects.toThrow('invariant violated')
    expect(chain.tip.height).toBe(0)
    expect(chain.blockBytesAt(asHeight(1))).toBe(null)
    expect(fatal).toEqual([])
  })

  it('stops the node when a batch does not become durable', async () => {
    const { chain, database, fatal } = await open(join(temporaryDirectory(), 'db'))
    const maker = new FinalChain()
    await database.close()
    const write = chain.commitFinalized([maker.next()])
    const next = chain.commitFinalized([maker.next()])
    await expect(write).rejects.toMatchObject({ code: 'E_DB_WRITE', exitCode: 73 })
    await expect(next).rejects.toMatchObject({ code: 'E_DB_WRITE' })
    expect(fatal.map(({ code }) => code)).toEqual(['E_DB_WRITE'])
    expect(chain.tip.height).toBe(0)
  })

  function branchOf(count: number): FinalizedBlock[] {
    const maker = new FinalChain()
    return [maker.next([numberedTransaction(9)]), ...maker.empty(count - 1)]
  }
})

describe('a range of blocks', () => {
  it('ends at a certificate of its last block, wherever it starts', async () => {
    const path = join(temporaryDirectory(), 'db')
    const { chain, database } = await open(path)
    const blocks = new FinalChain().empty(150)
    for (const block of blocks) await chain.commitFinalized([block])
    const check = async (store: ChainStore) => {
      // [from, countMax, blocks in the answer]
      for (const [from, countMax, length] of [
        [1, 512, 150],
        [1, 100, 64],
        [1, 64, 64],
        [64, 1, 1],
        [65, 64, 64],
        [65, 512, 86],
        [100, 40, 29],
        [129, 512, 22],
        [150, 512, 1],
      ] as const) {
        const range = await store.range(asHeight(from), countMax, 4_000_000)
        expect([from, countMax, range.blocks.length]).toEqual([from, countMax, length])
        const last = decodeBlock(range.blocks.at(-1) as Uint8Array)
        const ofLast = decodeQuorumCertificate(range.certificate as Uint8Array)
        if (!last.ok || !ofLast.ok) throw new Error('malformed')
        expect(ofLast.value.blockHash).toBe(last.value.hash)
        expect(last.value.header.height).toBe(from + length - 1)
        expect(range.blocks).toEqual(
          blocks.slice(from - 1, from - 1 + length).map(({ block }) => block.bytes),
        )
      }
      expect(await store.range(asHeight(151), 512, 4_000_000)).toEqual({ blocks: [], certificate: null })
      // Within no certificate: the blocks alone.
      const short = await store.range(asHeight(1), 10, 4_000_000)
      expect([short.blocks.length, short.certificate]).toEqual([10, null])
      expect(store.finality().height).toBe(150)
    }
    await check(chain)
    await database.close()
    await check((await open(path)).chain)
  })

  it('keeps to the bytes, and gives a first block of any size', async () => {
    const { chain } = await open(join(temporaryDirectory(), 'db'))
    const maker = new FinalChain()
    const blocks = [maker.next(), maker.next([numberedTransaction(1)]), maker.next()]
    for (const block of blocks) await chain.commitFinalized([block])
    const size = (i: number) => at(blocks, i).block.bytes.length
    expect((await chain.range(asHeight(1), 512, 1)).blocks.length).toBe(1)
    expect((await chain.range(asHeight(1), 512, size(0) + size(1) - 1)).blocks.length).toBe(1)
    expect((await chain.range(asHeight(1), 512, size(0) + size(1))).blocks.length).toBe(2)
    expect((await chain.range(asHeight(3), 512, 1)).certificate).not.toBe(null)
  })

  it('lets a node that follows another store serve in turn', async () => {
    const source = (await open(join(temporaryDirectory(), 'db'))).chain
    const maker = new FinalChain()
    const blocks = maker.empty(3 * CHECKPOINT_HEIGHTS + 10)
    for (const block of blocks) await source.commitFinalized([block])
    let from = source
    for (let hop = 0; hop < 2; hop++) {
      const to = (await open(join(temporaryDirectory(), 'db'))).chain
      while (to.tip.height < from.tip.height) {
        const next = asHeight(to.tip.height + 1)
        const { blocks: bytes, certificate: encoded } = await from.range(next, 100, 4_000_000)
        const finality = decodeQuorumCertificate(encoded as Uint8Array)
        if (!finality.ok) throw new Error(finality.detail)
        await to.commitFinalized(
          bytes.map((_, i) => ({ ...at(blocks, next - 1 + i), finality: finality.value })),
        )
      }
      expect(to.tip.block.hash).toBe(source.tip.block.hash)
      from = to
    }
  })

  it('goes on after blocks that became final through a descendant', async () => {
    const path = join(temporaryDirectory(), 'db')
    const { chain, database } = await open(path)
    const [one, two] = new FinalChain().together(2) as [FinalizedBlock, FinalizedBlock]
    await chain.commitFinalized([one])
    expect(chain.finality()).toEqual({ height: 0, certificate: null })
    expect((await chain.range(asHeight(1), 512, 1_000)).certificate).toBe(null)
    await database.close()
    const { chain: again } = await open(path)
    expect(again.tip.finality).toEqual(two.finality)
    expect(again.finality().certificate).toBe(null)
    await again.commitFinalized([two])
    expect((await again.range(asHeight(1), 512, 1_000)).certificate).not.toBe(null)
  })
})

describe('commit certificates', () => {
  it('stay in memory while recent and on disk at checkpoints', async () => {
    const path = join(temporaryDirectory(), 'db')
    const { chain, database } = await open(path)
    const blocks = new FinalChain().empty(140)
    await chain.commitFinalized(blocks)
    const certificates = blocks.map(({ block }) => certificate(block, 'commit'))
    for (const each of certificates) await chain.commitCertificates.put(each)
    expect(chain.commitCertificates.latest).toEqual(certificates.at(-1))
    expect(chain.commitCertificates.at(asHeight(139))).toEqual(certificates[138])
    expect(chain.commitCertificates.at(asHeight(70))).toBe(null)
    await database.close()
    const again = (await open(path)).chain.commitCertificates
    expect(again.latest).toEqual(certificates[127])
    expect(again.at(asHeight(64))).toEqual(certificates[63])
    expect(again.at(asHeight(139))).toBe(null)
  })
})

const put = (database: Database, key: Uint8Array, value: Uint8Array): Promise<void> =>
  database.write([{ type: 'put', key, value }])
const remove = (database: Database, key: Uint8Array): Promise<void> => database.write([{ type: 'del', key }])

describe('reopening a database', () => {
  const cases: [string, RegExp, (database: Database, blocks: FinalizedBlock[]) => Promise<void>][] = [
    [
      'a block in the middle gone',
      /block 3 is missing/,
      (database) => remove(database, blockKey(asHeight(3))),
    ],
    [
      'the tip’s block gone',
      /block 5, the tip, is missing/,
      (database) => remove(database, blockKey(asHeight(5))),
    ],
    [
      'a block above the tip',
      /tip is at height 5 and the highest block at 6/,
      (database, blocks) => put(database, blockKey(asHeight(6)), at(blocks, 0).block.bytes),
    ],
    [
      'another block at the tip',
      /block 5 has hash/,
      (database, blocks) => put(database, blockKey(asHeight(5)), at(blocks, 0).block.bytes),
    ],
    [
      'a block that cannot be read',
      /cannot be read/,
      (database) => put(database, blockKey(asHeight(5)), new Uint8Array(7)),
    ],
    ['the accumulators gone', /accumulators is missing/, (database) => remove(database, META.accumulators)],
    [
      'older accumulators',
      /do not have the state root/,
      async (database) => {
        const older = await open(join(temporaryDirectory(), 'db'))
        const bytes = older.database.get(META.accumulators) as Uint8Array
        await put(database, META.accumulators, bytes)
      },
    ],
    ['the tip gone', /missing|highest block|tip/, (database) => remove(database, META.tipCertificate)],
    [
      'no schema but entries',
      /no schema version/,
      async (database) => {
        await remove(database, META.schema)
        await put(database, nullifierKey(UNKNOWN as Nullifier), new Uint8Array(0))
      },
    ],
  ]
  it.each(cases)('refuses %s', async (_, message, damage) => {
    const path = join(temporaryDirectory(), 'db')
    const { chain, database } = await open(path)
    const maker = new FinalChain()
    const blocks = [maker.next([numberedTransaction(1)]), ...maker.empty(4)]
    await chain.commitFinalized(blocks)
    await database.close()
    const damaged = await Database.open({ path, network: NETWORK })
    await damage(damaged, blocks)
    await damaged.close()
    const error = await open(path).catch((thrown: StorageError) => thrown)
    expect(error).toMatchObject({ code: 'E_DB_CORRUPT', exitCode: 65 })
    expect((error as StorageError).message).toMatch(message)
    expect((error as StorageError).advice.fix).toContain(`mv ${path} ${path}.damaged`)
  })
})

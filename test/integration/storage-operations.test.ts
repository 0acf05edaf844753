/** Operations on disk and in snapshots: found again whole, and nothing of them may be changed. */

import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeChunk } from '../../src/codec/snapshot.ts'
import { NO_NOTES } from '../../src/ledger/shielded/genesis-shielded.ts'
import { SnapshotReplay } from '../../src/ledger/snapshot-replay.ts'
import { stateRoot } from '../../src/ledger/state-root.ts'
import { META } from '../../src/storage/buckets.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { exportChunks } from '../../src/storage/snapshot-export.ts'
import type { FinalizedBlock, StateRootOf } from '../../src/types/ledger-state.ts'
import { NO_OPERATIONS } from '../../src/types/operations.ts'
import type { SnapshotPart } from '../../src/types/snapshot.ts'
import { certificate } from '../support/final-chain.ts'
import { OperationChain } from '../support/operation-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ANSWER = {
  validationTimeUs: 0n,
  consensusLatencyMs: 0n,
  throughputPerSecond: 0,
  networkOverheadBytes: 0n,
  networkLoad: 0,
}
const RAISED = {
  kind: 'network-configuration',
  key: 'policy.minimumStake',
  value: '5000',
  version: 0,
} as const
const SERVICE = { kind: 'service-deployment', key: 'service/a', value: 'here', version: 1 } as const

const stateRootOf =
  ({ genesis }: OperationChain): StateRootOf =>
  (accumulators, staking, voting) =>
    stateRoot(accumulators, staking, voting, genesis.rules.fixedRoots)

async function open(path: string, operations: OperationChain) {
  const { genesis } = operations
  const network = { network: 'test', genesisHash: genesis.rules.genesisHash }
  const database = await Database.open({ path, network })
  onTestFinished(() => database.close())
  const options = { database, genesis, stateRootOf: stateRootOf(operations), onFatal: () => undefined }
  return { database, chain: await ChainStore.open(options) }
}

const finalized = ({ blocks }: OperationChain, from = 0): FinalizedBlock[] =>
  blocks.slice(from).map((executed) => ({
    ...executed,
    finality: certificate(executed.block),
    fillers: [],
    answers: executed.changes.verdicts.map(() => ANSWER),
  }))

/** One operation in every stage that the state knows. */
function grown(): OperationChain {
  const chain = new OperationChain()
  chain.voted([chain.propose(0, RAISED)])
  chain.votedUntil(8)
  const order = chain.order(1, SERVICE)
  chain.voted([order])
  chain.voted([chain.escalate(2, order.requestKey)])
  chain.voted([chain.propose(0, RAISED, 40)])
  return chain
}

describe('operations on disk', () => {
  it('are found again, and the chain goes on to their decision', async () => {
    const path = join(temporaryDirectory(), 'db')
    const operations = grown()
    const first = await open(path, operations)
    await first.chain.commitFinalized(finalized(operations))
    expect(first.chain.tip.voting.operations).toBe(operations.operations)
    await first.database.close()
    const { chain } = await open(path, operations)
    expect(chain.tip.voting.operations).toEqual(operations.operations)
    const written = operations.blocks.length
    operations.votedUntil(16)
    await chain.commitFinalized(finalized(operations, written))
    expect(chain.tip.voting.operations.standard.recent).toEqual([])
    expect(chain.verdict(operations.operations.decided[0]?.id as never)?.record.kind).toBe('operation')
  })

  it('have no row on a network that has none', async () => {
    const operations = new OperationChain()
    operations.until(3)
    const { database, chain } = await open(join(temporaryDirectory(), 'db'), operations)
    await chain.commitFinalized(finalized(operations))
    expect(database.get(META.operations)).toBeNull()
    expect(chain.tip.voting.operations).toBe(NO_OPERATIONS)
  })

  it('that are damaged or missing are told, not lived with', async () => {
    const path = join(temporaryDirectory(), 'db')
    const operations = grown()
    const { database, chain } = await open(path, operations)
    await chain.commitFinalized(finalized(operations))
    const row = database.get(META.operations) as Uint8Array
    const reopened = async () => {
      const options = {
        database,
        genesis: operations.genesis,
        stateRootOf: stateRootOf(operations),
        onFatal: () => undefined,
      }
      return ChainStore.open(options)
    }
    await database.write([{ type: 'del', key: META.operations }])
    await expect(reopened()).rejects.toMatchObject({ code: 'E_DB_CORRUPT' })
    await database.write([{ type: 'put', key: META.operations, value: row.slice(1) }])
    await expect(reopened()).rejects.toMatchObject({ code: 'E_DB_CORRUPT' })
    await database.write([{ type: 'put', key: META.operations, value: row }])
    expect((await reopened()).tip.voting.operations).toEqual(operations.operations)
  })
})

describe('operations in a snapshot', () => {
  async function exported() {
    const operations = grown()
    const { database, chain } = await open(join(temporaryDirectory(), 'db'), operations)
    await chain.commitFinalized(finalized(operations))
    const entries: [SnapshotPart, Uint8Array[]][] = []
    const view = database.view()
    for await (const { reference, bytes } of exportChunks(view, chain.tip, [])) {
      const chunk = bytes === null ? null : decodeChunk(bytes, reference.count)
      if (chunk?.ok === true) entries.push([reference.part, chunk.value])
    }
    view.close()
    const { block, stateRoot: root } = chain.tip
    return { operations, entries, certified: { blockHash: block.hash, stateRoot: root } }
  }

  it('are read back to the certified root, and to no other', async () => {
    const { operations, entries, certified } = await exported()
    expect(entries.filter(([part]) => part === 'operations')).toHaveLength(1)
    const replay = new SnapshotReplay(certified, stateRootOf(operations), NO_NOTES)
    for (const [part, of] of entries) expect(replay.add(part, of).ok).toBe(true)
    const finished = replay.finish()
    expect(finished.ok && finished.value.voting.operations).toEqual(operations.operations)
    const without = new SnapshotReplay(certified, stateRootOf(operations), NO_NOTES)
    for (const [part, of] of entries) if (part !== 'operations') without.add(part, of)
    expect(without.finish()).toMatchObject({ ok: false, code: 'wrong-root' })
  })

  it('are one entry, once', async () => {
    const { operations, entries, certified } = await exported()
    const [, [entry]] = entries.find(([part]) => part === 'operations') as [SnapshotPart, Uint8Array[]]
    const replay = new SnapshotReplay(certified, stateRootOf(operations), NO_NOTES)
    expect(replay.add('operations', []).ok).toBe(false)
    expect(replay.add('operations', [entry as Uint8Array, entry as Uint8Array]).ok).toBe(false)
    expect(replay.add('operations', [(entry as Uint8Array).slice(1)]).ok).toBe(false)
    expect(replay.add('operations', [entry as Uint8Array]).ok).toBe(true)
    expect(replay.add('operations', [entry as Uint8Array]).ok).toBe(false)
  })
})

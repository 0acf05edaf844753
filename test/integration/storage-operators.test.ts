/** Operators and recent blocks on disk and in snapshots: found again whole, and nothing of them may be changed. */

import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeChunk } from '../../src/codec/snapshot.ts'
import { NO_NOTES } from '../../src/ledger/shielded/genesis-shielded.ts'
import { SnapshotReplay } from '../../src/ledger/snapshot-replay.ts'
import { stateRoot } from '../../src/ledger/state-root.ts'
import { operatorKey, recentBlockKey } from '../../src/storage/buckets.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database, type WriteOperation } from '../../src/storage/database.ts'
import { exportChunks } from '../../src/storage/snapshot-export.ts'
import type { FinalizedBlock, StateRootOf } from '../../src/types/ledger-state.ts'
import type { Hex32 } from '../../src/types/primitives.ts'
import type { SnapshotPart } from '../../src/types/snapshot.ts'
import { certificate } from '../support/final-chain.ts'
import { mlDsaOperatorKey, OperatorChain } from '../support/operator-chain.ts'
import { idOf } from '../support/staking-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SPACE = { bytes: 2n ** 40n, leafSize: 2_048, root: 'ab'.repeat(32) as Hex32 }
const stateRootOf =
  ({ genesis }: OperatorChain): StateRootOf =>
  (accumulators, staking, voting) =>
    stateRoot(accumulators, staking, voting, genesis.rules.fixedRoots)

async function open(path: string, operators: OperatorChain) {
  const { genesis } = operators
  const network = { network: 'test', genesisHash: genesis.rules.genesisHash }
  const database = await Database.open({ path, network })
  onTestFinished(() => database.close())
  const chain = await ChainStore.open({
    database,
    genesis,
    stateRootOf: stateRootOf(operators),
    onFatal: () => undefined,
  })
  return { database, chain }
}

/** Alpha and beta register, beta retires; more blocks than the state names. */
function grown(height: number): { operators: OperatorChain; blocks: FinalizedBlock[] } {
  const operators = new OperatorChain({}, { epochBlocks: 1_000 })
  operators.next([
    operators.claim(4, 'register', mlDsaOperatorKey(8), { space: SPACE, aliases: ['a', 'b'] }),
    operators.claim(5, 'register', mlDsaOperatorKey(9), { operatorId: 'beta' }),
  ])
  operators.next([operators.operation(5, { kind: 'retire' })])
  operators.until(height)
  return { operators, blocks: finalized(operators) }
}

function finalized(operators: OperatorChain): FinalizedBlock[] {
  return operators.blocks.map((executed) => ({
    ...executed,
    finality: certificate(executed.block),
    fillers: [],
    answers: [],
  }))
}

async function stored(height = 300) {
  const path = join(temporaryDirectory(), 'db')
  const { operators, blocks } = grown(height)
  const { database, chain } = await open(path, operators)
  await chain.commitFinalized(blocks)
  return { path, operators, database, chain }
}

describe('on disk', () => {
  it.each([2, 255, 256, 257, 300])(
    'they are found again after %i blocks, and the chain goes on',
    async (height) => {
      const { path, operators, database } = await stored(height)
      await database.close()
      const { chain } = await open(path, operators)
      expect(chain.tip.staking).toEqual(operators.staking)
      expect(chain.tip.staking.operators.get(idOf(4))).toMatchObject({ aliases: ['a', 'b'], space: SPACE })
      expect(chain.tip.accumulators).toEqual(operators.parent.state.accumulators)
      operators.next([operators.operation(4, { kind: 'retire' })])
      await chain.commitFinalized(finalized(operators).slice(-1))
      expect(chain.tip.stateRoot).toBe(operators.parent.stateRoot)
    },
  )

  it('one that is forgotten leaves no row', async () => {
    const path = join(temporaryDirectory(), 'db')
    const operators = new OperatorChain()
    operators.next([operators.claim(4, 'register', mlDsaOperatorKey(8))])
    operators.next([operators.operation(4, { kind: 'retire' })])
    operators.until(16)
    const { chain, database } = await open(path, operators)
    await chain.commitFinalized(finalized(operators).slice(0, 8))
    expect(database.get(operatorKey(idOf(4)))).not.toBeNull()
    await chain.commitFinalized(finalized(operators).slice(8))
    expect(database.get(operatorKey(idOf(4)))).toBeNull()
    await database.close()
    expect((await open(path, operators)).chain.tip.staking.operators.size).toBe(0)
  })

  it.each([
    ['an operator is missing', (): WriteOperation => ({ type: 'del', key: operatorKey(idOf(4)) })],
    [
      'an operator is damaged',
      (): WriteOperation => ({ type: 'put', key: operatorKey(idOf(4)), value: Buffer.of(1) }),
    ],
    ['a recent block is missing', (): WriteOperation => ({ type: 'del', key: recentBlockKey(100) })],
    [
      'a recent block is another',
      (): WriteOperation => ({ type: 'put', key: recentBlockKey(100), value: Buffer.alloc(32, 1) }),
    ],
  ])('a database in which %s is refused', async (_what, damage) => {
    const { path, operators, database } = await stored()
    await database.write([damage()])
    await database.close()
    await expect(open(path, operators)).rejects.toMatchObject({ code: 'E_DB_CORRUPT' })
  })
})

describe('in a snapshot', () => {
  it('they are the certified state, and no entry may be changed or left out', async () => {
    const { operators, database, chain } = await stored()
    const view = database.view()
    onTestFinished(() => view.close())
    const parts: { part: SnapshotPart; entries: Uint8Array[] }[] = []
    for await (const { reference, bytes } of exportChunks(view, chain.tip, [])) {
      const entries = decodeChunk(bytes ?? new Uint8Array(), reference.count)
      if (!entries.ok) throw new Error(entries.detail)
      parts.push({ part: reference.part, entries: entries.value })
    }
    const { hash } = chain.tip.block
    const replayed = (changed: typeof parts) => {
      const replay = new SnapshotReplay(
        { blockHash: hash, stateRoot: chain.tip.stateRoot },
        stateRootOf(operators),
        NO_NOTES,
      )
      for (const { part, entries } of changed) {
        const taken = replay.add(part, entries)
        if (!taken.ok) return taken
      }
      return replay.finish()
    }
    const good = replayed(parts)
    if (!good.ok) throw new Error(good.detail)
    expect(good.value.staking).toEqual(operators.staking)
    expect(good.value.accumulators).toEqual(chain.tip.accumulators)
    const changedIn = (part: SnapshotPart, change: (entries: Uint8Array[]) => Uint8Array[]) =>
      replayed(parts.map((one) => (one.part === part ? { part, entries: change(one.entries) } : one)))
    const flip = ([first = new Uint8Array(), ...rest]: Uint8Array[]): Uint8Array[] => [
      first.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
      ...rest,
    ]
    expect(changedIn('operators', flip)).toMatchObject({ ok: false })
    expect(changedIn('operators', (entries) => entries.slice(1))).toMatchObject({ code: 'wrong-root' })
    expect(changedIn('recent-blocks', flip)).toMatchObject({ code: 'wrong-root' })
    expect(changedIn('recent-blocks', (entries) => entries.slice(1))).toMatchObject({ code: 'wrong-entry' })
    expect(changedIn('recent-blocks', (entries) => [...entries, ...entries])).toMatchObject({
      code: 'wrong-entry',
    })
    expect(changedIn('recent-blocks', (entries) => entries.toReversed())).toMatchObject({
      code: 'wrong-root',
    })
  })
})

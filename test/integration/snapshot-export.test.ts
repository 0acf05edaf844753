/** How the state is read for a snapshot: promptly when it is small, with pauses when it is large. */
import { expect, it } from 'vitest'
import { verdictOperations } from '../../src/storage/block-batch.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { exportChunks, PAUSES_MAX, PROMPT_SLICES } from '../../src/storage/snapshot-export.ts'
import type { Hex32, RequestKey } from '../../src/types/primitives.ts'
import { FinalChain, figures, GENESIS_STATE, NETWORK, stateRootOf } from '../support/final-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

/** Verdicts per slice (state-parts.ts). */
const PER_SLICE = 256

it.each([
  ['of a small state goes on without a pause', 1, 0],
  ['of a large one pauses after every slice from the 32nd on', PROMPT_SLICES + 20, 20],
  [
    'of a very large one pauses no more when it has paused for long',
    PROMPT_SLICES + PAUSES_MAX + 50,
    PAUSES_MAX,
  ],
])('the export %s', async (_, slices, pausesMin) => {
  const database = await Database.open({ path: temporaryDirectory(), network: NETWORK })
  try {
    const onFatal = (error: unknown): never => {
      throw error
    }
    const chain = await ChainStore.open({ database, genesis: GENESIS_STATE, stateRootOf, onFatal })
    const [record] = new FinalChain().next([numberedTransaction(1)]).changes.verdicts
    if (record === undefined) throw new Error('no verdict')
    const size = slices * PER_SLICE
    const rows = Array.from({ length: size }, (_, i) => {
      const name = i.toString(16).padStart(64, '0')
      return {
        record: { ...record, requestKey: name as RequestKey, requestIdHash: name as Hex32 },
        figures: figures(1),
      }
    })
    await database.write(verdictOperations(rows, 0))
    const { tip } = chain
    const accumulators = { ...tip.accumulators, verdicts: { size, nodes: [] } }
    const view = database.view()
    let pauses = 0
    let verdicts = 0
    const chunks = exportChunks(view, { ...tip, accumulators }, [], async () => {
      pauses += 1
    })
    for await (const { reference } of chunks) if (reference.part === 'verdicts') verdicts += reference.count
    view.close()
    expect(verdicts).toBe(size)
    expect(pauses).toBeGreaterThanOrEqual(pausesMin)
    // A few parts beside the verdicts are slices, too.
    expect(pauses).toBeLessThan(pausesMin === 0 ? 1 : Math.min(pausesMin + 20, PAUSES_MAX + 1))
  } finally {
    await database.close()
  }
})

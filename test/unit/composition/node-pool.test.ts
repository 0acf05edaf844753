/** The pool of a node asks the final state: what is ordered is not taken again, whether or not its verdict has come. */
import { expect, it } from 'vitest'
import { buildPool, type PoolParts } from '../../../src/composition/node-pool.ts'
import { configSchema } from '../../../src/config/schema.ts'
import type { FinalizedBlock } from '../../../src/types/ledger-state.ts'
import { asMonotonicMs } from '../../../src/types/primitives.ts'
import { FinalChain, GENESIS_PARENT } from '../../support/final-chain.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

it('takes no request that a final block has, before its verdict and after', () => {
  const maker = new FinalChain(GENESIS_PARENT, 'tallied')
  const request = numberedTransaction(1)
  const blocks = [maker.next([request]), ...maker.empty(3)]
  const poolAfter = (block: FinalizedBlock | null) =>
    buildPool({
      config: configSchema.parse({}).mempool,
      chain: {
        state: {
          verdict: (key: string) =>
            block?.changes.verdicts.find(({ requestKey }) => requestKey === key) ?? null,
          voting: block?.changes.voting ?? GENESIS_PARENT.state.voting,
        },
        heightOfTransaction: () => null,
      },
      clock: { monotonicMs: () => asMonotonicMs(0) },
    } as unknown as PoolParts)
  expect(poolAfter(null).admit(request, null)).toEqual({ ok: true, value: 'added' })
  for (const block of blocks) {
    expect(poolAfter(block).admit(request, null)).toMatchObject({ ok: false, code: 'already-final' })
  }
  expect(poolAfter(blocks[0] ?? null).admit(numberedTransaction(2), null)).toEqual({
    ok: true,
    value: 'added',
  })
})

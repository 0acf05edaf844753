/** The pool of a node asks the final state: what is ordered is not taken again, whether or not its verdict has come. */
import { expect, it } from 'vitest'
import { buildPool, type PoolParts } from '../../../src/composition/node-pool.ts'
import { configSchema } from '../../../src/config/schema.ts'
import type { FinalizedBlock } from '../../../src/types/ledger-state.ts'
import { asMonotonicMs } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { FinalChain, GENESIS_PARENT } from '../../support/final-chain.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

it('takes no request that a final block has, before its verdict and after', () => {
  const maker = new FinalChain(GENESIS_PARENT, 'tallied')
  const request = numberedTransaction(1)
  const blocks = [maker.next([request]), ...maker.empty(2)]
  const poolAfter = (block: FinalizedBlock | null) =>
    buildPool({
      config: configSchema.parse({}).mempool,
      chain: {
        state: {
          storedVerdict: (key: string) =>
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

it('takes no other transaction that a final block has', () => {
  const request = numberedTransaction(1)
  const pool = buildPool({
    config: configSchema.parse({}).mempool,
    chain: {
      state: { storedVerdict: () => null, voting: GENESIS_PARENT.state.voting },
      heightOfTransaction: (key: string) => (key === request.requestKey ? 3 : null),
    },
    admission: { refusal: () => null },
    clock: { monotonicMs: () => asMonotonicMs(0) },
  } as unknown as PoolParts)
  // What it says is of no matter here, only that it is no request.
  const staking = { ...request, transaction: { kind: 'staking' } } as unknown as HashedTransaction
  expect(pool.admit(staking, null)).toMatchObject({ ok: false, code: 'already-final' })
  const other = {
    ...numberedTransaction(2),
    transaction: { kind: 'staking' },
  } as unknown as HashedTransaction
  expect(pool.admit(other, null)).toEqual({ ok: true, value: 'added' })
})

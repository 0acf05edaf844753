/** What the API tells of notes is what a wallet reads: one text, both roots. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ShieldedViews } from '../../../src/composition/shielded-views.ts'
import { readJson } from '../../../src/rpc/json-shape.ts'
import { pageShape } from '../../../src/wallet/scan/entries-page.ts'
import type { EntrySource } from '../../../src/wallet/scan/scan-chain.ts'
import { Wallet } from '../../../src/wallet/wallet.ts'
import { Spender, verifyOpenly } from '../../support/shielded/spender.ts'
import { StakingChain } from '../../support/staking-chain.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { CHEAP, PASSPHRASE } from '../../support/wallet/wallets.ts'

const NOTES = [Spender.genesisNote(1, 1_000n)]

it('a wallet reads pages as the API makes them, and finds both roots right', async () => {
  const genesis = { notes: NOTES, blockReward: 0n, minimumFee: 1n }
  const chain = new StakingChain({ epochBlocks: 50 }, undefined, undefined, { genesis, verify: verifyOpenly })
  const { rules } = chain.genesis
  const spender = new Spender(rules.genesisHash, 1)
  spender.begin(NOTES)
  for (let i = 0; i < 3; i++) {
    const { transaction } = spender.spend({ inputs: spender.notes, amount: 10n, fee: 1n, openly: true })
    chain.next([transaction])
    spender.read(transaction.transaction)
  }
  const entries = chain.blocks.flatMap(({ changes }) => changes.shieldedEntries)
  const views = new ShieldedViews(
    {
      tip: { height: chain.height, accumulators: chain.parent.state.accumulators } as never,
      state: { shieldedEntries: (from: number, count: number) => entries.slice(from, from + count) } as never,
    },
    rules,
  )
  const source: EntrySource = {
    page: async (from, limit) => {
      const read = readJson(pageShape, Buffer.from(JSON.stringify(views.page(from, limit))))
      if (!read.ok) throw new Error(read.detail)
      return read.value
    },
  }
  const wallet = await Wallet.create(join(temporaryDirectory(), 'wallet'), PASSPHRASE, {
    genesisHash: rules.genesisHash,
    genesisNotes: NOTES,
    kdfCost: CHEAP,
  })
  try {
    expect(await wallet.scan(source, { limit: 2 })).toEqual({ entries: 3, total: 3, found: 0 })
    expect([wallet.isConfirmed, wallet.cursor]).toEqual([true, { entries: 3, height: 3 }])
  } finally {
    await wallet.close()
  }
})

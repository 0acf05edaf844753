/** Blocks: what is built is legal, and every single departure is refused by its own code. */
import { describe, expect, it } from 'vitest'
import { decodeBlock, hashBlock, transactionsRoot } from '../../../src/codec/block.ts'
import { buildBlock } from '../../../src/ledger/build-block.ts'
import { checkBlock } from '../../../src/ledger/check-block.ts'
import { genesisState } from '../../../src/ledger/genesis-state.ts'
import type { BlockHeader } from '../../../src/types/block.ts'
import { asHeight, asUnixMs } from '../../../src/types/primitives.ts'
import {
  built,
  fourProofTransaction,
  GENESIS,
  genesisParent,
  numberedTransaction,
  proposed,
} from './fixtures.ts'

const { rules } = genesisState(GENESIS)
const { parent } = genesisParent()
const transactions = [numberedTransaction(1), fourProofTransaction(), numberedTransaction(2)]
const executed = built(transactions, parent)

describe('a built block', () => {
  it('is legal for everyone else, with the same result, from its bytes', () => {
    const decoded = decodeBlock(executed.block.bytes)
    if (!decoded.ok) throw new Error(decoded.detail)
    expect(checkBlock(decoded.value, parent, rules)).toEqual({ ok: true, value: executed })
    expect(executed.changes.verdicts.map(({ failures }) => failures)).toEqual([[], [], []])
    expect(executed.changes.nullifiers).toHaveLength(3)
  })
})

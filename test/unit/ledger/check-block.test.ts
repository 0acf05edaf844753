/** Blocks: what is built is legal, and every single departure is refused by its own code. */
import { describe, expect, it } from 'vitest'
import { decodeBlock, hashBlock, transactionsRoot } from '../../../src/codec/block.ts'
import { recentBlockHashes } from '../../../src/codec/recent-blocks.ts'
import { BranchStates } from '../../../src/ledger/branch-state.ts'
import { buildBlock } from '../../../src/ledger/build-block.ts'
import { type BlockRefusal, checkBlock } from '../../../src/ledger/check-block.ts'
import { genesisState, ZERO_BLOCK_HASH } from '../../../src/ledger/genesis-state.ts'
import type { Block, BlockHeader } from '../../../src/types/block.ts'
import { asEpoch, asHeight, asUnixMs, type Hex32, type StateRoot } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { Voters } from '../../support/ballots.ts'
import {
  asParent,
  BLOCK_TIME,
  built,
  certificateTransaction,
  EMPTY_STATE,
  EXECUTED_RULES,
  fourProofTransaction,
  GENESIS,
  genesisParent,
  numberedTransaction,
  PORTS,
  proposed,
} from './fixtures.ts'

const { rules } = genesisState(GENESIS, PORTS)
const { parent } = genesisParent()
const transactions = [numberedTransaction(1), fourProofTransaction(), numberedTransaction(2)]
const executed = built(transactions, parent)
const changed = (header: Partial<BlockHeader>, of: Block = executed.block): Block => ({
  header: { ...of.header, ...header },
  transactions: of.transactions,
})

/** A block with a header that is right for its transactions as far as it can be. */
function forced(candidates: readonly HashedTransaction[]): Block {
  return {
    header: { ...executed.block.header, transactionsRoot: transactionsRoot(candidates) },
    transactions: candidates,
  }
}

describe('a built block', () => {
  it('is legal for everyone else, with the same result, from its bytes', () => {
    const decoded = decodeBlock(executed.block.bytes)
    if (!decoded.ok) throw new Error(decoded.detail)
    expect(checkBlock(decoded.value, parent, rules)).toEqual({ ok: true, value: executed })
    expect(executed.changes.judgements.map(({ failures }) => failures)).toEqual([[], [], []])
    const [batch] = executed.changes.voting.batches
    expect(batch?.requests.map(({ requestKey }) => requestKey)).toEqual(
      transactions.map(({ requestKey }) => requestKey),
    )
    expect(executed.changes).toMatchObject({ verdicts: [], nullifiers: [] })
    expect(executed.stateRoot).not.toBe(parent.stateRoot)
  })

  it('may be empty, and then changes nothing but the recent blocks', () => {
    const empty = built([], parent)
    const { recentBlocks, ...lists } = empty.changes.accumulators
    expect(parent.state.accumulators).toMatchObject(lists)
    expect(recentBlockHashes(recentBlocks)).toEqual([parent.hash])
    expect(empty.stateRoot).not.toBe(parent.stateRoot)
    expect(checkBlock(empty.block, parent, rules)).toEqual({ ok: true, value: empty })
  })

  it('is later than its parent, whatever the clock says', () => {
    const fields = proposed(parent, { timestamp: asUnixMs(5) })
    const { header } = buildBlock(fields, [], parent, rules).executed.block
    expect(header.timestamp).toBe(parent.header.timestamp + 1)
  })

  it('holds a chain together', () => {
    const branches = new BranchStates(parent.hash, EMPTY_STATE)
    const voters = new Voters(rules.genesisHash)
    let tip = parent
    for (let n = 0; n < 5; n++) {
      const ballots = voters.next(tip)
      const next = built([...(ballots === null ? [] : [ballots]), numberedTransaction(10 + n)], tip)
      voters.judged(next.changes.judgements)
      expect(checkBlock(next.block, tip, rules)).toEqual({ ok: true, value: next })
      branches.add(next)
      const state = branches.at(next.block.hash)
      if (state === null) throw new Error('no state')
      tip = asParent(next, state)
    }
    expect(tip.header.height).toBe(5)
    // A verdict comes two blocks after its request.
    expect(tip.state.accumulators.verdicts.size).toBe(3)
    expect(tip.state.voting.batches.map(({ height }) => height)).toEqual([4, 5])
  })

  it.each([
    ['waits for its verdict', rules, 'request-open'],
    ['has its verdict', EXECUTED_RULES, 'request-already-judged'],
  ] as const)('leaves out what %s, and what comes twice, and says so', (_, rules, code) => {
    const before = built([numberedTransaction(1)], parent, rules)
    const branches = new BranchStates(parent.hash, EMPTY_STATE)
    branches.add(before)
    const on = asParent(before, branches.at(before.block.hash) ?? EMPTY_STATE)
    const [judged, twice, fine] = [numberedTransaction(1), numberedTransaction(2), numberedTransaction(3)]
    const { executed: block, skipped } = buildBlock(proposed(on), [judged, twice, twice, fine], on, rules)
    expect(block.block.transactions).toEqual([twice, fine])
    expect(skipped.map(({ code }) => code)).toEqual([code, 'request-repeated-in-block'])
    expect(checkBlock(block.block, on, rules)).toEqual({ ok: true, value: block })
  })

  it.each([
    ['number', { blockTransactionsMax: 2 }],
    ['bytes', { blockBytesMax: executed.block.bytes.length - 1 }],
  ])('stays within the %s that genesis allows', (_, limits) => {
    const genesis = { ...GENESIS, parameters: { ...GENESIS.parameters, ...limits } }
    const { parent, state } = genesisParent(genesis)
    const { executed: block, skipped } = buildBlock(proposed(parent), transactions, parent, state.rules)
    expect(block.block.transactions).toHaveLength(2)
    expect(skipped).toEqual([{ transaction: transactions[2], code: 'block-full' }])
    expect(checkBlock(block.block, parent, state.rules)).toEqual({ ok: true, value: block })
  })

  it('may be exactly as large as genesis allows', () => {
    const parameters = { ...GENESIS.parameters, blockBytesMax: executed.block.bytes.length }
    const { parent, state } = genesisParent({ ...GENESIS, parameters })
    const { executed: block } = buildBlock(proposed(parent), transactions, parent, state.rules)
    expect(block.block.bytes.length).toBe(parameters.blockBytesMax)
    expect(checkBlock(block.block, parent, state.rules)).toEqual({ ok: true, value: block })
  })
})

describe('a block is refused for', () => {
  const cases: [BlockRefusal, Partial<BlockHeader>][] = [
    ['genesis-hash', { genesisHash: '11'.repeat(32) as BlockHeader['genesisHash'] }],
    ['epoch', { epoch: asEpoch(1) }],
    ['height', { height: asHeight(2) }],
    ['height', { height: asHeight(0) }],
    ['parent-hash', { parentHash: ZERO_BLOCK_HASH }],
    ['timestamp', { timestamp: parent.header.timestamp }],
    ['timestamp', { timestamp: asUnixMs(0) }],
    ['transactions-root', { transactionsRoot: '22'.repeat(32) as Hex32 }],
    ['proof-commitment', { proofCommitment: '33'.repeat(48) }],
    ['nullifier-root', { nullifierRoot: '44'.repeat(32) as Hex32 }],
    ['note-commitment-root', { noteCommitmentRoot: '55'.repeat(32) as Hex32 }],
    ['parent-state-root', { parentStateRoot: '66'.repeat(32) as StateRoot }],
  ]
  it.each(cases)('%s', (code, header) => {
    expect(checkBlock(hashBlock(changed(header)), parent, rules)).toMatchObject({ ok: false, code })
  })

  it('more transactions or bytes than genesis allows', () => {
    const limited = (limits: object) => ({ ...rules, parameters: { ...rules.parameters, ...limits } })
    expect(checkBlock(executed.block, parent, limited({ blockTransactionsMax: 2 }))).toMatchObject({
      code: 'block-transactions',
    })
    const blockBytesMax = executed.block.bytes.length - 1
    expect(checkBlock(executed.block, parent, limited({ blockBytesMax }))).toMatchObject({
      code: 'block-bytes',
    })
  })

  it('transactions other than the header commits to', () => {
    const other = { header: executed.block.header, transactions: transactions.toReversed() }
    expect(checkBlock(hashBlock(other), parent, rules)).toMatchObject({ code: 'transactions-root' })
  })

  it('one request twice', () => {
    const block = hashBlock(forced([numberedTransaction(1), numberedTransaction(1)]))
    expect(checkBlock(block, parent, rules)).toMatchObject({ code: 'request-repeated-in-block' })
  })

  it.each([
    ['waits for its verdict', rules, 'request-open'],
    ['has its verdict', EXECUTED_RULES, 'request-already-judged'],
  ] as const)('a request that %s, on the branch or in the final state', (_, rules, code) => {
    const first = built([numberedTransaction(1)], parent, rules)
    const branches = new BranchStates(parent.hash, EMPTY_STATE)
    branches.add(first)
    const onBranch = branches.at(first.block.hash)
    if (onBranch === null) throw new Error('no state')
    const ofFinal = new BranchStates(first.block.hash, onBranch).at(first.block.hash)
    if (ofFinal === null) throw new Error('no state')
    for (const state of [onBranch, ofFinal]) {
      const on = asParent(first, state)
      const empty = built([], on, rules).block
      const repeated = [numberedTransaction(1)]
      const block = hashBlock({
        header: { ...empty.header, transactionsRoot: transactionsRoot(repeated) },
        transactions: repeated,
      })
      expect(checkBlock(block, on, rules)).toMatchObject({ code })
    }
  })

  it('a proof commitment over the same proofs in another order', () => {
    const reversed = built(transactions.toReversed(), parent).block.header
    expect(reversed.proofCommitment).not.toBe(executed.block.header.proofCommitment)
    const { proofCommitment } = reversed
    expect(checkBlock(hashBlock(changed({ proofCommitment })), parent, rules)).toMatchObject({
      code: 'proof-commitment',
    })
  })
})

describe('a request that is Invalid', () => {
  it('is legal in a block, has its record, and spends nothing', () => {
    const invalid = certificateTransaction({ stake: { stakeAmount: 1n } })
    const block = built([invalid], parent, EXECUTED_RULES)
    expect(checkBlock(block.block, parent, EXECUTED_RULES)).toEqual({ ok: true, value: block })
    expect(block.changes.nullifiers).toEqual([])
    expect(block.changes.verdicts).toEqual([
      expect.objectContaining({
        requestKey: invalid.requestKey,
        height: 1,
        blockTime: BLOCK_TIME,
        status: 'invalid',
        // Two bits each: space 1, stake 2 (invalid), work 1, time 1, request 1.
        findings: 0b01_01_01_01_10_01,
      }),
    ])
    expect(block.changes.judgements.map(({ failures }) => failures)).toEqual([
      [{ subject: 'stake', reason: 'stake_amount 1 is below the minimum 100 (network policy)' }],
    ])
    expect(block.changes.accumulators.verdicts.size).toBe(1)
    expect(block.stateRoot).not.toBe(parent.stateRoot)
  })
})

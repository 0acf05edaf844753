/**
 * One note, spent twice in blocks, as the executor of an honest validator sees them: by a proposer that forgets what was
 * spent and has everything else right, in one block, on one branch, and across two.
 */
import { describe, expect, it } from 'vitest'
import { hashBlock, transactionsRoot } from '../../../src/codec/block.ts'
import { buildBlock } from '../../../src/ledger/build-block.ts'
import type { ExecutedBlock } from '../../../src/ledger/executed-block.ts'
import type { StateReader } from '../../../src/ledger/state-reader.ts'
import { BlockExecutor } from '../../../src/runtime/block-executor.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import { asEpoch, asUnixMs, asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { LiveState } from '../../support/live-state.ts'
import { type OwnNote, Spender, verifyOpenly } from '../../support/shielded/spender.ts'
import { StakingChain } from '../../support/staking-chain.ts'
import { stateAfter } from '../../support/state-after.ts'

const NOTES = [Spender.genesisNote(1, 1_000n), Spender.genesisNote(1, 500n)]
const { genesis } = new StakingChain({ epochBlocks: 0 }, undefined, undefined, {
  genesis: { notes: NOTES, blockReward: 0n, minimumFee: 1n },
  verify: verifyOpenly,
})
const { block: root, rules, stateRoot } = genesis

const alice = new Spender(rules.genesisHash, 1)
alice.begin(NOTES)
const [note, other] = alice.notes as [OwnNote, OwnNote]
const spend = (of: OwnNote, fee: bigint): HashedTransaction =>
  alice.spend({ inputs: [of], fee, openly: true }).transaction
/** Two payments out of one note, and one out of another. */
const first = spend(note, 1n)
const second = spend(note, 2n)
const unrelated = spend(other, 3n)

/** An honest validator at the beginning of the chain. */
function validator() {
  const state = new LiveState(genesis.state)
  const executor = new BlockExecutor({
    rules,
    final: { hash: root.hash, stateRoot },
    finalState: state,
    pool: { select: () => [], remove: () => {} },
    stopwatch: () => 0,
  })
  /** The block is final. */
  const finalize = (executed: ExecutedBlock): void => {
    state.written(executed.changes)
    executor.committed(executed)
  }
  return { executor, state, finalize }
}

type On = Pick<ExecutedBlock, 'block' | 'stateRoot'>

/** A block by a proposer to whom no note is spent: its roots are those of what it holds. */
function forged(
  transactions: readonly HashedTransaction[],
  on: On,
  state: StateReader,
  view: number,
): HashedBlock {
  const { accumulators, staking, voting, verdict, requestKeyOfId, lastSequence } = state
  const forgetful = { accumulators, staking, voting, verdict, requestKeyOfId, lastSequence }
  const { hash, header } = on.block
  const { executed, skipped } = buildBlock(
    {
      epoch: asEpoch(0),
      view: asView(view),
      justify: { view: header.view, blockHash: hash },
      timestamp: asUnixMs(header.timestamp + 1_000),
      proposer: asValidatorIndex(0),
    },
    transactions,
    { hash, header, stateRoot: on.stateRoot, state: { ...forgetful, hasNullifier: () => false } },
    rules,
  )
  expect(skipped).toEqual([])
  return executed.block
}

/** A legal block on the root, executed by a validator. */
function executed({ executor }: Pick<ReturnType<typeof validator>, 'executor'>, block: HashedBlock, on: On) {
  const checked = executor.check(block, on.block)
  if (!checked.ok) throw new Error(`${checked.code}: ${checked.detail}`)
  return checked.value
}

const ROOT: On = { block: root, stateRoot }
const SPENT = { ok: false, code: 'nullifier-spent' }

describe('a note that is spent twice', () => {
  it('in one block makes the block illegal', () => {
    const { executor } = validator()
    const { header } = forged([first], ROOT, genesis.state, 1)
    const packed = (transactions: HashedTransaction[]) =>
      hashBlock({ header: { ...header, transactionsRoot: transactionsRoot(transactions) }, transactions })
    expect(executor.check(packed([first, second]), root)).toMatchObject(SPENT)
    expect(executor.check(packed([first, first]), root)).toMatchObject({
      ok: false,
      code: 'request-repeated-in-block',
    })
    // It is the note, and not how the block was packed: with another one the transactions are legal.
    expect(executor.check(packed([first, unrelated]), root)).toMatchObject({ code: 'proof-commitment' })
  })

  it('on one branch makes the second block illegal, and nothing can build on it', () => {
    const honest = validator()
    const one = executed(honest, forged([first], ROOT, genesis.state, 1), ROOT)
    const state = stateAfter(genesis.state, one.changes)
    for (const again of [first, second]) {
      const two = forged([again], one, state, 2)
      expect(honest.executor.check(two, one.block)).toMatchObject(SPENT)
      expect(honest.executor.hasStateOf(two.hash)).toBe(false)
    }
    expect(honest.executor.check(forged([unrelated], one, state, 3), one.block)).toMatchObject({ ok: true })
  })

  it('on two branches is legal on each, until one of them is final', () => {
    const honest = validator()
    const one = executed(honest, forged([first], ROOT, genesis.state, 1), ROOT)
    const rival = executed(honest, forged([second], ROOT, genesis.state, 2), ROOT)
    expect(rival.stateRoot).not.toBe(one.stateRoot)
    const [afterOne, afterRival] = [one, rival].map(({ changes }) => stateAfter(genesis.state, changes)) as [
      StateReader,
      StateReader,
    ]
    expect(honest.executor.check(forged([second], one, afterOne, 3), one.block)).toMatchObject(SPENT)
    expect(honest.executor.check(forged([first], rival, afterRival, 3), rival.block)).toMatchObject(SPENT)

    honest.finalize(one)
    expect(honest.executor.hasStateOf(rival.block.hash)).toBe(false)
    const onRival = forged([], rival, afterRival, 4)
    expect(() => honest.executor.check(onRival, rival.block)).toThrow('no executed state')
    expect(honest.executor.check(forged([second], one, honest.state, 5), one.block)).toMatchObject(SPENT)
    expect(honest.executor.check(forged([unrelated], one, honest.state, 6), one.block)).toMatchObject({
      ok: true,
    })
  })
})

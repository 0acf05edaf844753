/** Overlays on unfinalized blocks: what they show, what becomes of them when a block is final, and what they keep. */
import { describe, expect, it } from 'vitest'
import { BranchStates } from '../../../src/ledger/branch-state.ts'
import type { ExecutedBlock } from '../../../src/ledger/executed-block.ts'
import { requestIdHash } from '../../../src/ledger/request-identity.ts'
import { StateOverlay } from '../../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../../src/ledger/state-reader.ts'
import type { BlockHash } from '../../../src/types/primitives.ts'
import {
  asParent,
  built,
  EMPTY_STATE,
  EXECUTED_RULES,
  fourProofTransaction,
  genesisParent,
  numberedTransaction,
} from './fixtures.ts'

const { parent } = genesisParent()

/** A database as a test sees it: blocks are written into it one by one. */
class WrittenState implements StateReader {
  #state: StateReader = EMPTY_STATE
  lookups = 0
  write(executed: ExecutedBlock): void {
    const before = this.#state
    this.#state = StateOverlay.of(() => before, executed.changes)
  }
  hasNullifier: StateReader['hasNullifier'] = (n) => {
    this.lookups++
    return this.#state.hasNullifier(n)
  }
  verdict: StateReader['verdict'] = (k) => this.#state.verdict(k)
  requestKeyOfId: StateReader['requestKeyOfId'] = (h) => this.#state.requestKeyOfId(h)
  lastSequence: StateReader['lastSequence'] = (h) => this.#state.lastSequence(h)
  get staking() {
    return this.#state.staking
  }
  get accumulators() {
    return this.#state.accumulators
  }
  get voting() {
    return this.#state.voting
  }
}

const must = <T>(value: T | null): T => {
  if (value === null) throw new Error('null')
  return value
}

/** genesis ← a ← b ← c, and genesis ← x ← y. */
function setUp() {
  const database = new WrittenState()
  const branches = new BranchStates(parent.hash, database)
  const grow = (n: number, on = parent): ExecutedBlock => {
    const executed = built([numberedTransaction(n)], on, EXECUTED_RULES)
    branches.add(executed)
    return executed
  }
  const on = (executed: ExecutedBlock) => asParent(executed, must(branches.at(executed.block.hash)))
  const a = grow(1)
  const b = grow(2, on(a))
  const c = grow(3, on(b))
  const x = grow(4)
  const y = grow(5, on(x))
  return { database, branches, a, b, c, x, y, on }
}

const spentBy = (executed: ExecutedBlock) => must(executed.changes.nullifiers[0] ?? null)
const keyOf = (executed: ExecutedBlock) => must(executed.changes.verdicts[0]?.requestKey ?? null)

describe('the state on a branch', () => {
  it('shows the block, its ancestors, and nothing of other branches', () => {
    const { branches, a, b, c, x } = setUp()
    const state = must(branches.at(c.block.hash))
    for (const block of [a, b, c]) {
      expect(state.hasNullifier(spentBy(block))).toBe(true)
      expect(state.verdict(keyOf(block))).toEqual(block.changes.verdicts[0])
    }
    expect(state.hasNullifier(spentBy(x))).toBe(false)
    expect(state.verdict(keyOf(x))).toBeNull()
    expect(must(branches.at(a.block.hash)).hasNullifier(spentBy(b))).toBe(false)
    expect(state.requestKeyOfId(requestIdHash('request-2'))).toBe(keyOf(b))
    expect(state.accumulators).toBe(c.changes.accumulators)
    expect(state.accumulators.nullifiers.size).toBe(3)
  })

  it('shows the highest sequence number', () => {
    const { branches, on, c } = setUp()
    const set = built([fourProofTransaction({ time: { sequenceNumber: 7n } })], on(c), EXECUTED_RULES)
    branches.add(set)
    const nodeIdHash = must(set.changes.verdicts[0]?.sequence ?? null).nodeIdHash
    expect(must(branches.at(set.block.hash)).lastSequence(nodeIdHash)).toBe(7n)
    expect(must(branches.at(c.block.hash)).lastSequence(nodeIdHash)).toBe(0n)
  })

  it('is known only of executed blocks', () => {
    const { branches } = setUp()
    expect(branches.at('ff'.repeat(32) as BlockHash)).toBeNull()
    expect(branches.executed('ff'.repeat(32) as BlockHash)).toBeNull()
  })
})

describe('when a block becomes final', () => {
  it('drops what does not build on it, and the rest goes on from the final state', () => {
    const { database, branches, a, b, c, x, y } = setUp()
    database.write(a)
    expect(branches.finalize(a.block.hash)).toEqual([x, y])
    expect(branches.size).toBe(2)
    expect(branches.finalHash).toBe(a.block.hash)
    expect(branches.at(a.block.hash)).toBe(database)
    expect(branches.at(parent.hash)).toBeNull()
    expect(branches.at(x.block.hash)).toBeNull()
    expect(branches.executed(a.block.hash)).toBeNull()
    const state = must(branches.at(c.block.hash))
    database.lookups = 0
    for (const block of [a, b, c]) expect(state.hasNullifier(spentBy(block))).toBe(true)
    // b and c are in overlays, a is asked of the database: the dropped overlay is out of the chain.
    expect(database.lookups).toBe(1)
  })

  it('gives the same answers between the write and the call', () => {
    const { database, branches, a, c } = setUp()
    database.write(a)
    const state = must(branches.at(c.block.hash))
    expect(state.hasNullifier(spentBy(a))).toBe(true)
    expect(state.requestKeyOfId(requestIdHash('request-1'))).toBe(keyOf(a))
    expect(state.accumulators.nullifiers.size).toBe(3)
  })

  it('goes block by block, and never back or sideways', () => {
    const { database, branches, a, b, c, x } = setUp()
    expect(() => branches.finalize(b.block.hash)).toThrow('not a child of the last final block')
    for (const block of [a, b, c]) {
      database.write(block)
      branches.finalize(block.block.hash)
    }
    expect(branches.size).toBe(0)
    expect(() => branches.finalize(x.block.hash)).toThrow('not a child of the last final block')
    expect(branches.at(c.block.hash)).toBe(database)
  })

  it('makes a dropped branch unreadable rather than wrong', () => {
    const { database, branches, a, y } = setUp()
    const state = must(branches.at(y.block.hash))
    database.write(a)
    branches.finalize(a.block.hash)
    expect(() => state.hasNullifier(spentBy(a))).toThrow('was dropped')
  })

  it('takes no block whose parent is not here', () => {
    const { branches, c } = setUp()
    const empty = new BranchStates(parent.hash, EMPTY_STATE)
    expect(() => empty.add(c)).toThrow('is not here')
    branches.add(c)
    expect(branches.size).toBe(5)
  })

  it('can be moved on by a synchronisation', () => {
    const { database, branches, a, b, c, x, y } = setUp()
    database.write(a)
    database.write(b)
    expect(branches.reset(b.block.hash)).toEqual(expect.arrayContaining([a, x, y]))
    expect(branches.size).toBe(1)
    expect(must(branches.at(c.block.hash)).hasNullifier(spentBy(a))).toBe(true)
  })
})

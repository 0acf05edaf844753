/** What of the pool is in a block, on blocks that are not final too, and what is given up. Most proofs are open ones. */
import { describe, expect, it } from 'vitest'
import { BLOCK_OVERHEAD_BYTES } from '../../../src/codec/block.ts'
import { type GenesisState, genesisState } from '../../../src/ledger/genesis-state.ts'
import { shieldedRefusal } from '../../../src/ledger/shielded/admission.ts'
import { Mempool } from '../../../src/mempool/mempool.ts'
import { ProofVerdicts } from '../../../src/proofs/proof-verdicts.ts'
import { BlockExecutor } from '../../../src/runtime/block-executor.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import { asHeight, asMonotonicMs, asUnixMs, asView, type Hex32 } from '../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { GenesisNotes } from '../../support/shielded/genesis-notes.ts'
import { type OwnNote, Spender, verifyOpenly } from '../../support/shielded/spender.ts'
import { GENESIS, PORTS } from '../ledger/fixtures.ts'

const NOTES = Array.from({ length: 6 }, (_, i) => ({
  ...Spender.genesisNote(1, 100n + BigInt(i)),
  randomness: new Uint8Array(28).fill(i),
}))

/** A network with one owner of notes, whose blocks have room for shielded transactions of so many bytes. */
function network(shieldedBytes: number): GenesisState {
  const blockBytesMax = BLOCK_OVERHEAD_BYTES + 2 * shieldedBytes
  const parameters = { ...GENESIS.parameters, blockBytesMax }
  const shielded = { notes: NOTES, blockReward: 0n, minimumFee: 0n }
  return genesisState({ ...GENESIS, parameters, shielded }, { ...PORTS, verifyShielded: verifyOpenly })
}

/** One transaction for each note of genesis. */
function payments({ rules }: GenesisState): HashedTransaction<ShieldedTransaction>[] {
  const owner = new Spender(rules.genesisHash, 1)
  owner.begin(NOTES)
  return owner.notes.map((note) => owner.spend({ inputs: [note], amount: 10n, openly: true }).transaction)
}

function poolOf(transactions: readonly HashedTransaction[]): Mempool {
  const budget = { countMax: 100, bytesMax: 1e7, countPerSourceMax: 100, bytesPerSourceMax: 1e7 }
  const pool = new Mempool(
    { ...budget, timeToLiveMs: 1e9 },
    { now: () => asMonotonicMs(0), isFinal: () => false, refusal: () => null, expired: () => {} },
  )
  for (const transaction of transactions) expect(pool.admit(transaction, null)).toMatchObject({ ok: true })
  return pool
}

/** A chain of blocks above genesis, none of them final, from a pool; with every block what is done after it. */
function grown(genesis: GenesisState, pool: Mempool, heights: number, after = (_height: number) => {}) {
  const { rules, block, stateRoot, state } = genesis
  const final = { hash: block.hash, stateRoot }
  const executor = new BlockExecutor({ rules, final, finalState: state, pool, stopwatch: () => 0 })
  const chain: HashedBlock[] = [block]
  for (let height = 1; height <= heights; height++) {
    const parent = chain.at(-1) as HashedBlock
    const fields = {
      epoch: parent.header.epoch,
      view: asView(height),
      justify: { view: parent.header.view, blockHash: parent.hash },
      timestamp: asUnixMs(parent.header.timestamp + 1_000),
      proposer: parent.header.proposer,
    }
    const built = executor.build(fields, parent, true)
    if (built === null) throw new Error('it may be empty')
    chain.push(built.block)
    after(height)
  }
  return chain.map(({ transactions }) => transactions.map(({ hash }) => hash))
}

describe('a block on one that is not final', () => {
  it('holds the next shielded transactions that wait, in place of those which the branch has', () => {
    const [large] = payments(network(1e6))
      .map(({ bytes }) => bytes.length)
      .toSorted((a, b) => b - a)
    // Two and a half of them.
    const genesis = network(Math.floor(2.5 * (large ?? 0)))
    const waiting = payments(genesis)
    const pool = poolOf(waiting)
    const held = grown(genesis, pool, 3)
    expect(held.map((each) => each.length)).toEqual([0, 2, 2, 2])
    expect(held.flat()).toEqual(waiting.map(({ hash }) => hash))
    // On another branch they are there again.
    expect(pool.size).toBe(6)
  })

  it('has room for what can be there: not for one that has expired, or whose note the branch has spent', () => {
    const [large] = payments(network(1e6))
      .map(({ bytes }) => bytes.length)
      .toSorted((a, b) => b - a)
    // One and a half.
    const genesis = network(Math.floor(1.5 * (large ?? 0)))
    const owner = new Spender(genesis.rules.genesisHash, 1)
    owner.begin(NOTES)
    const [a, b, c, d] = owner.notes
    const pay = (note: OwnNote | undefined, expiresAtHeight = 1_000) =>
      owner.spend({ inputs: note === undefined ? [] : [note], expiresAtHeight, openly: true }).transaction
    const [first, rival, expiring, next, last] = [pay(a), pay(a), pay(b, 1), pay(c), pay(d)]
    const pool = poolOf([first])
    const held = grown(genesis, pool, 3, (height) => {
      if (height > 1) return
      // The rival came in at another node, or after a restart.
      pool.remove([first])
      for (const transaction of [rival, expiring, next, last]) pool.admit(transaction, null)
    })
    expect(held).toEqual([[], [first.hash], [next.hash], [last.hash]])
    // Another branch may hold them yet.
    expect(pool.has(rival.requestKey) && pool.has(expiring.requestKey)).toBe(true)
  })
})

describe('a proposer', () => {
  it('whose verdicts on proofs were forgotten builds the block that one builds who has them', () => {
    const verify = (): ProofVerdicts => new ProofVerdicts(() => undefined, { rightMax: 1, wrongMax: 1 })
    const notes = new GenesisNotes(3)
    const build = (verdicts: ProofVerdicts, seen: readonly HashedTransaction<ShieldedTransaction>[]) => {
      for (const { transaction } of seen) expect(verdicts.verify(transaction)).toBe(true)
      return grown(notes.state(verdicts.verify), poolOf(transactions), 2)
    }
    const genesis = notes.state(() => true)
    const transactions = [0, 1, 2].map((position) => notes.spend(genesis, position))
    const forgetful = build(verify(), transactions)
    expect(forgetful).toEqual([[], transactions.map(({ hash }) => hash), []])
    expect(build(new ProofVerdicts(), transactions)).toEqual(forgetful)
    expect(build(new ProofVerdicts(), [])).toEqual(forgetful)
  })
})

describe('the pool', () => {
  it('gives up what has expired, lost its anchor, or spends what is spent, when the final state says so', () => {
    const genesis = network(1e6)
    const owner = new Spender(genesis.rules.genesisHash, 1)
    owner.begin(NOTES)
    const [a, b, c] = owner.notes
    const pay = (note: OwnNote | undefined, expiresAtHeight = 1_000) =>
      owner.spend({ inputs: note === undefined ? [] : [note], expiresAtHeight, openly: true }).transaction
    const [spent, expiring, lasting] = [pay(a), pay(b, 4), pay(c)]
    const pool = poolOf([spent, expiring, lasting])
    const { accumulators, staking } = genesis.state
    const review = (height: number, anchors: readonly Hex32[], nullifiers: readonly string[] = []) => {
      const shielded = { ...accumulators.shielded, anchors }
      const state = {
        staking,
        accumulators: { ...accumulators, shielded },
        hasNullifier: (n: string) => nullifiers.includes(n),
      }
      pool.review(
        ({ transaction }) =>
          transaction.kind === 'shielded' &&
          shieldedRefusal(transaction, state, asHeight(height), genesis.rules) !== null,
      )
      return [spent, expiring, lasting].map(({ requestKey }) => pool.has(requestKey))
    }
    const { anchors } = accumulators.shielded
    expect(review(1, anchors)).toEqual([true, true, true])
    expect(review(2, anchors, spent.transaction.nullifiers)).toEqual([false, true, true])
    expect(review(4, anchors)).toEqual([false, true, true])
    expect(review(5, anchors)).toEqual([false, false, true])
    // 256 blocks later the root that it names is none of the last ones.
    expect(review(300, ['ab'.repeat(32) as Hex32])).toEqual([false, false, false])
    expect(pool.size).toBe(0)
    expect(pool.bytes).toBe(0)
  })
})

/** Verdicts over blocks: what execution does with ballots and requests, from the order of a request to its end. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../../src/codec/transaction.ts'
import { buildBlock, isGoodLater } from '../../../../src/ledger/build-block.ts'
import { checkBlock } from '../../../../src/ledger/check-block.ts'
import type { ExecutedBlock, ParentBlock } from '../../../../src/ledger/executed-block.ts'
import { StateOverlay } from '../../../../src/ledger/state-overlay.ts'
import { ALL_VALID } from '../../../../src/ledger/verdicts/findings.ts'
import { highestOpenSequence, isOpen, isReserved } from '../../../../src/ledger/verdicts/open-requests.ts'
import { batchesRoot, trustRoot } from '../../../../src/ledger/verdicts/voting-root.ts'
import type { Genesis } from '../../../../src/types/genesis.ts'
import { asHeight, asValidatorIndex, type Hex32 } from '../../../../src/types/primitives.ts'
import type { BallotsTransaction, HashedTransaction } from '../../../../src/types/transaction.ts'
import { type Habits, Voters } from '../../../support/ballots.ts'
import { StakingChain } from '../../../support/staking-chain.ts'
import {
  asParent,
  certificateTransaction,
  EXECUTED_RULES,
  fourProofTransaction,
  GENESIS,
  genesisParent,
  numberedTransaction,
  proposed,
  timeProof,
} from '../fixtures.ts'

/** A chain that is checked block by block. */
class Chain {
  parent: ParentBlock
  readonly rules
  readonly voters: Voters
  readonly blocks: ExecutedBlock[] = []

  constructor(habits?: Habits, genesis: Genesis = GENESIS) {
    const { state, parent } = genesisParent(genesis)
    this.parent = parent
    this.rules = state.rules
    this.voters = new Voters(state.rules.genesisHash, habits)
  }

  build(candidates: readonly HashedTransaction[]) {
    return buildBlock(proposed(this.parent), candidates, this.parent, this.rules)
  }

  /** The next block with its ballots and these requests. */
  next(requests: readonly HashedTransaction[] = [], ballots = this.voters.next(this.parent)): ExecutedBlock {
    const { executed, skipped } = this.build(ballots === null ? requests : [ballots, ...requests])
    if (skipped.length > 0) throw new Error(skipped.map(({ code }) => code).join())
    expect(checkBlock(executed.block, this.parent, this.rules)).toEqual({ ok: true, value: executed })
    const below = this.parent.state
    this.voters.judged(executed.changes.judgements)
    this.blocks.push(executed)
    this.parent = asParent(
      executed,
      StateOverlay.of(() => below, executed.changes),
    )
    return executed
  }

  /** Codes for which these are left out of the next block, and whether a later one can have them. */
  skips(...candidates: readonly HashedTransaction[]): [string, boolean][] {
    return this.build(candidates).skipped.map((skipped) => [skipped.code, isGoodLater(skipped)])
  }

  get voting() {
    return this.parent.state.voting
  }

  verdicts() {
    return this.blocks.flatMap(({ changes }) => changes.verdicts)
  }
}

const withNonce = (requestId: string, nonce: bigint) =>
  certificateTransaction({ top: { requestId }, time: timeProof({ nonce }) })
const withSequence = (sequenceNumber: bigint, assetId: string) =>
  fourProofTransaction({ time: { sequenceNumber }, top: { nodeId: 'n', assetId } })

describe('a request', () => {
  it('that is Valid has its record, its nullifier and its sequence two blocks later', () => {
    const chain = new Chain()
    const requests = [numberedTransaction(1), fourProofTransaction()]
    const first = chain.next(requests)
    expect(first.changes).toMatchObject({ verdicts: [], nullifiers: [], judgements: [{ failures: [] }, {}] })
    expect(chain.next().changes.voting.batches[0]).toMatchObject({ blockHash: first.block.hash, closedAt: 2 })
    const last = chain.next()
    expect(last.changes.verdicts.map(({ status, findings }) => [status, findings])).toEqual([
      ['valid', ALL_VALID],
      ['valid', ALL_VALID],
    ])
    expect(last.changes.nullifiers).toHaveLength(2)
    const nodeIdHash = last.changes.verdicts[1]?.sequence?.nodeIdHash as Hex32
    expect(chain.parent.state.lastSequence(nodeIdHash)).toBe(1n)
    expect(chain.voting.batches).toEqual([])
  })

  it('that is Invalid spends nothing', () => {
    const chain = new Chain()
    chain.next([certificateTransaction({ stake: { stakeAmount: 1n } })])
    for (let i = 0; i < 3; i++) chain.next()
    expect(chain.verdicts()).toMatchObject([{ status: 'invalid', sequence: null }])
    expect(chain.parent.state.accumulators).toMatchObject({ nullifiers: { size: 0 }, verdicts: { size: 1 } })
  })

  it('that nobody commits to is tried three times, then expired; its nullifier is free again', () => {
    const chain = new Chain(() => ({ isSilent: true }))
    chain.next([withNonce('a', 7n)])
    for (let i = 0; i < 12; i++) chain.next()
    expect(chain.verdicts()).toMatchObject([{ status: 'expired', round: 2, decidedAt: 13, findings: 0 }])
    expect(chain.voting.batches).toEqual([])
    expect(chain.skips(withNonce('a', 7n))).toEqual([['request-already-judged', false]])
    expect(chain.skips(withNonce('b', 7n))).toEqual([])
    expect([...chain.voting.trust.values()].map(({ absent, ppm }) => [absent, ppm])).toEqual(
      GENESIS.validators.map(() => [3, 800_000]),
    )
  })

  it('that some withhold their openings of still has its verdict, and they pay at the deadline', () => {
    const chain = new Chain((voter) => ({ isWithholding: voter === 3 }))
    chain.next([numberedTransaction(1)])
    for (let i = 0; i < 2; i++) chain.next()
    expect(chain.verdicts()).toMatchObject([{ decidedAt: 3, agreeing: { validators: 3 } }])
    while (chain.parent.header.height < 18) chain.next()
    const ppms = () => [...chain.voting.trust.values()].map(({ ppm }) => ppm).sort()
    expect([chain.voting.batches.length, ppms()]).toEqual([1, [800_000, 800_000, 800_000, 800_000]])
    chain.next()
    // 2 + 17: closed in block 2.
    expect([chain.voting.batches.length, ppms()]).toEqual([0, [640_000, 800_000, 800_000, 800_000]])
  })
})

describe('while a request waits', () => {
  it('it is open, and its nullifier and sequence are spoken for; others wait in the pool', () => {
    const chain = new Chain()
    const first = withNonce('a', 7n)
    const set = withSequence(5n, 'x')
    chain.next([first, set])
    expect(chain.skips(first)).toEqual([['request-open', false]])
    expect(chain.skips(withNonce('b', 7n))).toEqual([['nullifier-reserved', true]])
    expect(chain.skips(withSequence(5n, 'y'))).toEqual([['nullifier-reserved', true]])
    expect(chain.skips(withSequence(4n, 'y'))).toEqual([['sequence-reserved', true]])
    expect(chain.skips(withSequence(6n, 'y'), withNonce('c', 8n))).toEqual([])
    const { batches } = chain.voting
    const [one, two] = batches[0]?.requests ?? []
    if (one === undefined || two?.sequence == null) throw new Error('no batch')
    expect(isOpen({ batches }, one.requestKey)).toBe(true)
    expect(one.nullifiers.map((nullifier) => isReserved({ batches }, nullifier))).toEqual([true])
    expect(highestOpenSequence({ batches }, two.sequence.nodeIdHash)).toBe(5n)
    expect(highestOpenSequence({ batches }, '00'.repeat(32) as Hex32)).toBe(0n)
    for (let i = 0; i < 3; i++) chain.next()
    // Judged now: what was waited for was spent.
    const { failures } = chain.next([withNonce('b', 7n)]).changes.judgements[0] ?? {}
    expect(failures).toMatchObject([{ subject: 'time', reason: expect.stringContaining('replayed') }])
  })

  it('the same is so within its own block', () => {
    const chain = new Chain()
    expect(chain.skips(withNonce('a', 7n), withNonce('b', 7n))).toEqual([['nullifier-reserved', true]])
    expect(chain.skips(withSequence(5n, 'x'), withSequence(4n, 'y'))).toEqual([['sequence-reserved', true]])
  })

  it('a decided request of an open batch reserves nothing', () => {
    const chain = new Chain((voter) => ({ isWithholding: voter === 3 }))
    chain.next([certificateTransaction({ stake: { stakeAmount: 1n }, time: timeProof({ nonce: 7n }) })])
    for (let i = 0; i < 3; i++) chain.next()
    expect(chain.voting.batches).toHaveLength(1)
    expect(chain.skips(withNonce('b', 7n))).toEqual([])
  })
})

describe('ballots in a block', () => {
  const ballotsOf = (chain: Chain): HashedTransaction<BallotsTransaction> => {
    const ballots = chain.voters.next(chain.parent)
    if (ballots === null) throw new Error('no ballots')
    return ballots
  }

  it('come first: after a request they are not legal', () => {
    const chain = new Chain()
    chain.next([numberedTransaction(1)])
    expect(chain.skips(numberedTransaction(2), ballotsOf(chain))).toEqual([['ballots-not-first', true]])
  })

  it('come once', () => {
    const chain = new Chain()
    chain.next([numberedTransaction(1)])
    const { transaction } = ballotsOf(chain)
    const [one, rest] = [transaction.commits.slice(0, 1), transaction.commits.slice(1)]
    const as = (commits: typeof one) => hashTransaction({ kind: 'ballots', commits, openings: [] })
    expect(chain.skips(as(one), as(rest))).toEqual([['ballots-not-first', true]])
  })

  it('are nobody’s where verdicts come at once', () => {
    const chain = new Chain()
    chain.next([numberedTransaction(1)])
    const { skipped } = buildBlock(proposed(chain.parent), [ballotsOf(chain)], chain.parent, EXECUTED_RULES)
    expect(skipped.map(({ code }) => code)).toEqual(['ballots-nobody'])
  })

  it('name the block of the batch by its hash, in the very next block, too', () => {
    const chain = new Chain()
    const { block } = chain.next([numberedTransaction(1)])
    expect(chain.voting.batches[0]?.blockHash).toBeNull()
    expect(ballotsOf(chain).transaction.commits.map(({ blockHash }) => blockHash)).toEqual(
      Array(4).fill(block.hash),
    )
    const forged = ballotsOf(chain).transaction.commits.map((commit) => ({
      ...commit,
      blockHash: chain.blocks[0]?.block.header.parentHash ?? commit.blockHash,
    }))
    const ballots = hashTransaction({ kind: 'ballots', commits: forged, openings: [] })
    expect(chain.skips(ballots)).toEqual([['ballot-unknown-slot', true]])
  })

  it('show that their voter was there', () => {
    const chain = new Chain((voter) => ({ isSilent: voter === 2 }))
    chain.next([numberedTransaction(1)])
    chain.next()
    expect([...chain.voting.trust.values()].map(({ lastSeen }) => lastSeen).sort()).toEqual([0, 2, 2, 2])
  })
})

describe('the roots of batches and trust', () => {
  it('are the same for the same values and others for any other', () => {
    const chain = new Chain()
    const roots = new Set<string>([batchesRoot(chain.voting)])
    const trusts = new Set<string>([trustRoot(chain.voting.trust)])
    chain.next([numberedTransaction(1)])
    for (let i = 0; i < 4; i++) {
      roots.add(batchesRoot(chain.voting))
      trusts.add(trustRoot(chain.voting.trust))
      const copy = structuredClone(chain.voting)
      expect([batchesRoot(copy), trustRoot(copy.trust)]).toEqual([
        batchesRoot(chain.voting),
        trustRoot(chain.voting.trust),
      ])
      chain.next()
    }
    // Ordered, named and committed, waiting, decided: nothing is open at the end, as at the beginning.
    expect([roots.size, trusts.size]).toEqual([3, 3])
    expect(chain.skips(numberedTransaction(9))).toEqual([])
  })
})

describe('a period', () => {
  it('ends with its epoch: electors of the next, counters at zero, a newcomer on probation', () => {
    const chain = new StakingChain()
    chain.voted([
      chain.signed(4, { kind: 'bond', amount: 500n }),
      chain.signed(4, { kind: 'join' }, { sequence: 2 }),
      numberedTransaction(1),
    ])
    chain.voted()
    chain.voted()
    expect(chain.parent.state.voting.electors.map(({ period }) => period)).toEqual([0])
    chain.voted()
    const { electors, trust, batches } = chain.parent.state.voting
    expect(batches).toEqual([])
    expect(electors.map(({ period, members }) => [period, members.length])).toEqual([[1, 5]])
    expect(electors[0]?.members.filter(({ weighs }) => weighs)).toHaveLength(4)
    expect([...trust.values()].map(({ status, ppm, agreed }) => [status, ppm, agreed])).toEqual([
      // Less than ten agreements: the period was idle.
      ...[0, 1, 2, 3].map(() => ['active', 798_000, 0]),
      ['probation', 500_000, 0],
    ])
  })

  it('that is over keeps its electors while a batch of it is open', () => {
    const chain = new StakingChain()
    chain.until(3)
    chain.voted([numberedTransaction(1)])
    expect(chain.parent.state.voting.electors.map(({ period }) => period)).toEqual([0, 1])
    for (let i = 0; i < 2; i++) chain.voted()
    expect(chain.blocks.at(-1)?.changes.verdicts).toMatchObject([
      { height: 4, decidedAt: 6, status: 'valid' },
    ])
    expect(chain.parent.state.voting.electors.map(({ period }) => period)).toEqual([0, 1])
    chain.until(8)
    expect(chain.parent.state.voting.electors.map(({ period }) => period)).toEqual([2])
  })

  it('is no matter to a filler, which changes nothing and settles nothing', () => {
    const chain = new StakingChain()
    chain.until(3)
    chain.voted([numberedTransaction(1)])
    const before = chain.parent.state.voting
    const filler = chain.next([], { epoch: 0 as never })
    expect(filler.changes.voting).toBe(before)
    expect(filler.block.header.height).toBe(asHeight(5))
    expect(asValidatorIndex(0)).toBe(0)
  })
})

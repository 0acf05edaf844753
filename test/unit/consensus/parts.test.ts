/** The small parts by table: pacemaker, aggregators, certificate store, block tree, safety predicates. */
import { describe, expect, it } from 'vitest'
import { BlockTree } from '../../../src/consensus/block-tree.ts'
import { CertificateStore } from '../../../src/consensus/certificate-store.ts'
import { KeptBlocks } from '../../../src/consensus/kept-blocks.ts'
import { Pacemaker } from '../../../src/consensus/pacemaker.ts'
import {
  foldSafetyRecords,
  highestReported,
  restartView,
  SafetyState,
  satisfiesLockClause,
} from '../../../src/consensus/safety.ts'
import { TimeoutAggregator } from '../../../src/consensus/timeout-aggregator.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { VoteAggregator } from '../../../src/consensus/vote-aggregator.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { QuorumCertificate } from '../../../src/types/certificates.ts'
import { asHeight, asValidatorIndex, asView, type Hex32 } from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD } from '../../../src/types/safety.ts'
import { mintVerified, type Verified } from '../../../src/types/verified.ts'
import {
  blockOn,
  chainOf,
  GENESIS,
  PARAMETERS,
  quorumOn,
  stateAfter,
  timeout,
  timeoutQuorum,
  validatorSet,
  vote,
} from './harness.ts'

const [B1, B2, B3] = chainOf(3) as [HashedBlock, HashedBlock, HashedBlock]
const four = new Electorate(validatorSet([1n, 1n, 1n, 1n]))
const i = asValidatorIndex
const digest = (byte: number): Hex32 => byte.toString(16).padStart(64, '0') as Hex32
const signature = (byte: number): Uint8Array => new Uint8Array(3_309).fill(byte)

describe('the pacemaker (R15)', () => {
  const sampled = (samples: readonly number[]): Pacemaker => {
    const pacemaker = new Pacemaker(PARAMETERS)
    for (const sample of samples) pacemaker.viewSucceeded(sample)
    return pacemaker
  }

  it.each([
    ['begins in the middle', [], 400],
    ['with few samples as well', Array(7).fill(5), 400],
    ['waits four times what is usual', Array(20).fill(50), 200],
    ['but no less than the least', Array(20).fill(2), 100],
    ['and no more than the most', Array(20).fill(5_000), 1_600],
    ['is not moved by one slow view in many', [...Array(63).fill(50), 9_000], 200],
    ['forgets old ones', [...Array(64).fill(400), ...Array(64).fill(50)], 200],
  ])('%s', (_, samples: number[], expected) => {
    expect(sampled(samples).viewTimeoutMs()).toBe(expected)
  })

  it('backs off while views fail, six times at most, and starts over when something is final', () => {
    const pacemaker = sampled(Array(20).fill(50))
    const seen = Array.from({ length: 9 }, () => {
      const ms = pacemaker.viewTimeoutMs()
      pacemaker.viewFailed()
      return Math.round(ms)
    })
    expect(seen).toEqual([200, 300, 450, 675, 1_013, 1_519, 2_278, 2_278, 2_278])
    expect(pacemaker.unreachableLeaderTimeoutMs()).toBeCloseTo(50 * 1.5 ** 6)
    pacemaker.finalized()
    expect([pacemaker.viewTimeoutMs(), pacemaker.unreachableLeaderTimeoutMs()]).toEqual([200, 50])
  })

  it('leaves a heartbeat room for one dead leader', () => {
    expect(sampled([]).idleDelayMs()).toBe(1_800)
    expect(new Pacemaker({ ...PARAMETERS, heartbeatMs: 50 }).idleDelayMs()).toBe(0)
  })
})

describe('the vote aggregator', () => {
  const count = (votes: VoteAggregator, voter: number, content: string, byte = voter): string =>
    votes.count(5, i(voter), content, { signature: signature(byte), commits: null }).kind

  it('reports a quorum once, with the signatures for that content in order of voter', () => {
    const votes = new VoteAggregator(four)
    expect(count(votes, 3, 'a')).toBe('counted')
    expect(count(votes, 2, 'b')).toBe('counted')
    expect(count(votes, 1, 'a')).toBe('counted')
    expect(votes.count(5, i(0), 'a', { signature: signature(0), commits: digest(0) })).toEqual({
      kind: 'quorum',
      signatures: [0, 1, 3].map((voter) => ({
        voter,
        signature: signature(voter),
        commits: voter === 0 ? digest(0) : null,
      })),
    })
    expect(votes.weightOf(5, 'a')).toBe(3n)
    expect(votes.votersOf(5)).toEqual([0, 1, 2, 3])
    expect(votes.contentsWithWeight(5, 2n)).toEqual(['a'])
    votes.pruneBelow(6)
    expect(votes.votersOf(5)).toEqual([])
  })

  it('keeps the first vote; a second content is equivocation, another signature is not (R12)', () => {
    const votes = new VoteAggregator(four)
    count(votes, 1, 'a')
    expect(votes.isOfInterest(5, i(1), 'a')).toBe(false)
    expect(count(votes, 1, 'a', 99)).toBe('repeated')
    expect(votes.isOfInterest(5, i(1), 'b')).toBe(true)
    expect(count(votes, 1, 'b')).toBe('equivocation')
    expect(votes.isOfInterest(5, i(1), 'c')).toBe(false)
    expect(count(votes, 1, 'c')).toBe('repeated')
    expect([votes.weightOf(5, 'a'), votes.weightOf(5, 'b')]).toEqual([1n, 0n])
  })

  it('finds nothing of interest in the first votes after a quorum', () => {
    const votes = new VoteAggregator(four)
    for (const voter of [0, 1, 2]) count(votes, voter, 'a')
    expect(votes.isOfInterest(5, i(3), 'a')).toBe(false)
    expect(votes.isOfInterest(5, i(2), 'b')).toBe(true)
    expect(votes.isOfInterest(6, i(3), 'a')).toBe(true)
  })

  it('knows whose vote it has, whatever it was for', () => {
    const votes = new VoteAggregator(four)
    count(votes, 1, 'a')
    expect([votes.has(5, i(1)), votes.has(5, i(2)), votes.has(6, i(1))]).toEqual([true, false, false])
  })

  it('weighs by stake', () => {
    const votes = new VoteAggregator(new Electorate(validatorSet([7n, 1n, 1n, 1n])))
    expect(count(votes, 0, 'a')).toBe('quorum')
  })
})

describe('the timeout aggregator (R9, R10)', () => {
  it('counts the first of a sender and view', () => {
    const timeouts = new TimeoutAggregator(four)
    timeouts.add(timeout(3, 1, 2))
    timeouts.add(timeout(3, 1, 0))
    timeouts.add(timeout(3, 0, 1))
    expect(timeouts.weightOf(asView(3))).toBe(2n)
    expect(timeouts.quorumOf(asView(3))).toBe(null)
    timeouts.add(timeout(3, 2, 0))
    expect(timeouts.quorumOf(asView(3))?.map(({ voter, highQcView }) => [voter, highQcView])).toEqual([
      [0, 1],
      [1, 2],
      [2, 0],
    ])
    timeouts.pruneBelow(asView(4))
    expect(timeouts.votersOf(asView(3))).toEqual([])
  })

  it('finds the highest view of weight A that is not behind', () => {
    const timeouts = new TimeoutAggregator(four)
    for (const [view, voter] of [
      [3, 0],
      [3, 1],
      [5, 1],
      [5, 2],
      [9, 3],
    ] as const) {
      timeouts.add(timeout(view, voter, 0))
    }
    expect(timeouts.highestAmplified(asView(1))).toBe(5)
    expect(timeouts.highestAmplified(asView(4))).toBe(5)
    expect(timeouts.highestAmplified(asView(6))).toBe(null)
  })
})

describe('the certificate store', () => {
  const verified = (kind: QuorumCertificate['kind'], block: HashedBlock): Verified<QuorumCertificate> =>
    mintVerified(quorumOn(kind, block))
  const empty = (): CertificateStore => new CertificateStore(verified('prepare', GENESIS), null, null)

  it('has a lock that never goes down (R4)', () => {
    const store = empty()
    expect(store.add(verified('prepare', B2))).toBe(true)
    expect(store.add(verified('prepare', B1))).toBe(false)
    expect(store.highQc.view).toBe(2)
    expect(store.holds({ view: asView(1), blockHash: B1.hash })).toBe(true)
    expect(store.holds({ view: asView(2), blockHash: B1.hash })).toBe(false)
    expect(store.get({ view: asView(2), blockHash: B2.hash })?.kind).toBe('prepare')
  })

  it('takes a pre-commit certificate for the prepare certificate of its block (R0), and not back', () => {
    const store = empty()
    store.add(verified('prepare', B1))
    store.add(verified('pre-commit', B1))
    store.add(verified('prepare', B1))
    expect(store.get({ view: asView(1), blockHash: B1.hash })?.kind).toBe('pre-commit')
    expect(store.highQc.kind).toBe('prepare')
  })

  it('keeps the highest timeout certificate', () => {
    const store = empty()
    const tc = (view: number) => mintVerified(timeoutQuorum(view, quorumOn('prepare', GENESIS)))
    expect([store.addTimeout(tc(4)), store.addTimeout(tc(3)), store.highTc?.view]).toEqual([true, false, 4])
  })

  it('holds a bounded number of finality certificates, the lowest and the highest among them', () => {
    const store = empty()
    const chain = chainOf(40)
    for (const block of chain.toReversed()) store.addPendingFinality(verified('pre-commit', block))
    store.addPendingFinality(verified('pre-commit', B1))
    const heights = store.pendingFinality.map(({ height }) => height)
    expect(heights).toHaveLength(16)
    expect([heights[0], heights.at(-1)]).toEqual([1, 40])
  })

  it('forgets what is below a final block, and not the lock', () => {
    const store = empty()
    for (const block of [B1, B2, B3]) store.add(verified('prepare', block))
    store.finalized(verified('pre-commit', B2), asHeight(2), asView(2))
    expect(
      [B1, B2, B3].map(({ header, hash }) => store.holds({ view: header.view, blockHash: hash })),
    ).toEqual([false, true, true])
    expect(store.finality?.blockHash).toBe(B2.hash)
  })
})

const outcome = (block: Parameters<typeof stateAfter>[0]) => ({
  stateRoot: stateAfter(block),
  weightless: null,
  isFinalWithNext: false,
})

describe('the block tree', () => {
  it('checks a block when its parent is valid, each once, in order of height', () => {
    const tree = new BlockTree(GENESIS)
    for (const block of [B3, B2, B1]) expect(tree.add(block)).toBe(true)
    expect(tree.add(B2)).toBe(false)
    expect(tree.takeCheckable().map(({ block }) => block.hash)).toEqual([B1.hash])
    expect(tree.takeCheckable()).toEqual([])
    tree.checked(B1.hash, outcome(B1))
    expect(tree.takeCheckable().map(({ parent }) => parent.hash)).toEqual([B1.hash])
    tree.checked(B2.hash, null)
    tree.checked(B2.hash, outcome(B2))
    expect(tree.statusOf(B2.hash)).toBe('invalid')
    expect(tree.takeCheckable()).toEqual([])
    expect(tree.isValid(B3.hash)).toBe(false)
  })

  it('knows paths and what is missing of them', () => {
    const tree = new BlockTree(GENESIS)
    tree.add(B3)
    expect(tree.pathTo(B3.hash)).toBe(null)
    expect(tree.missingAncestorOf(B3.hash)).toBe(B2.hash)
    tree.add(B2)
    tree.add(B1)
    expect(tree.pathTo(B3.hash)?.map(({ hash }) => hash)).toEqual([B1.hash, B2.hash, B3.hash])
    expect(tree.missingAncestorOf(B3.hash)).toBe(null)
    expect(tree.pathTo(GENESIS.hash)).toEqual([])
  })

  it('keeps only what descends from a new root, and takes in nothing at or below it', () => {
    const tree = new BlockTree(GENESIS)
    const rival = blockOn(GENESIS, 7)
    const onRival = blockOn(rival, 8)
    for (const block of [B1, B2, B3, rival, onRival]) tree.add(block)
    tree.advanceRoot(B2.hash)
    expect(tree.size).toBe(1)
    expect(tree.get(B3.hash)).toBe(B3)
    expect([tree.add(B1), tree.add(rival), tree.add(onRival)]).toEqual([false, false, false])
    expect(tree.missingAncestorOf(blockOn(onRival, 9).hash)).not.toBe(null)
  })

  it('has a bound, and room again when abandoned blocks are forgotten', () => {
    const tree = new BlockTree(GENESIS)
    for (let view = 1; view <= 1_024; view++) expect(tree.add(blockOn(GENESIS, view))).toBe(true)
    expect(tree.add(blockOn(GENESIS, 1_025))).toBe(false)
    expect(tree.isCrowded).toBe(true)
    tree.retain([blockOn(GENESIS, 7).hash, 'unknown' as never])
    expect([tree.size, tree.isCrowded]).toEqual([1, false])
    tree.add(B2)
    tree.add(B3)
    tree.retain([B3.hash])
    expect([tree.get(B2.hash), tree.get(B3.hash), tree.size]).toEqual([B2, B3, 2])
  })
})

describe('the kept blocks', () => {
  it('above the lock are bounded; those under it stay', () => {
    const kept = new KeptBlocks()
    kept.keep(B1)
    kept.keep(B2)
    for (let view = 10; view < 60; view++) kept.keep(blockOn(B1, view))
    kept.lockedOn(asView(2), asHeight(0), [B1, B2])
    expect(kept.bytes()).toHaveLength(34)
    expect(kept.get(blockOn(B1, 59).hash)).not.toBe(null)
    expect(kept.get(blockOn(B1, 10).hash)).toBe(null)
    kept.committed(asHeight(2))
    expect(kept.bytes()).toEqual([])
  })
})

describe('what may be signed', () => {
  const record = {
    ...EMPTY_SAFETY_RECORD,
    proposal: { view: asView(4), bytes: new Uint8Array(1) },
    prepare: { ...vote('prepare', 0, B1), view: asView(5) },
    preCommit: { ...vote('pre-commit', 0, B1), view: asView(3) },
    timeout: timeout(4, 0, 3),
  }

  it.each([
    // view, propose, prepare (R3 c, d), pre-commit (R5), time out (R8), given up
    [3, false, false, false, false, true],
    [4, false, false, false, false, true],
    [5, false, false, true, true, false],
    [6, true, true, true, true, false],
  ])('after a restart in view %i', (at, propose, prepare, preCommit, timeOut, isGivenUp) => {
    const safety = new SafetyState(record)
    const view = asView(at)
    expect({
      propose: safety.mayPropose(view),
      prepare: safety.mayPrepare(view),
      preCommit: safety.mayPreCommit(view),
      timeOut: safety.mayTimeOut(view),
      isGivenUp: safety.isGivenUp(view),
    }).toEqual({ propose, prepare, preCommit, timeOut, isGivenUp })
  })

  it('is taken when it is asked for, not when the signature is there', () => {
    const safety = new SafetyState(EMPTY_SAFETY_RECORD)
    safety.asked('pre-commit', asView(2))
    expect([safety.mayPreCommit(asView(2)), safety.mayPreCommit(asView(3))]).toEqual([false, true])
    safety.asked('prepare', asView(2))
    // A proposal is its leader's prepare vote: whoever asks for one asks for both.
    expect([safety.mayPropose(asView(2)), safety.mayPropose(asView(3))]).toEqual([false, true])
    safety.asked('timeout', asView(7))
    expect([safety.mayPropose(asView(7)), safety.mayPropose(asView(8))]).toEqual([false, true])
    expect([safety.mayPrepare(asView(7)), safety.mayPrepare(asView(8))]).toEqual([false, true])
  })

  it('carries the lock and the timeout certificate into the record, once', () => {
    const safety = new SafetyState(EMPTY_SAFETY_RECORD)
    const [qc, tc] = [quorumOn('prepare', B1), timeoutQuorum(3, quorumOn('prepare', B1))]
    expect(safety.record({ timeout: timeout(4, 0, B1) }, qc, tc)).toMatchObject({ highQc: qc, highTc: tc })
    expect(safety.record({ timeout: timeout(5, 0, B1) }, qc, tc)).toMatchObject({
      highQc: null,
      highTc: null,
    })
  })

  it('folds from records: later ones supersede, blocks add up', () => {
    const [one, two] = [new Uint8Array([1]), new Uint8Array([2])]
    const fold = foldSafetyRecords([
      { ...record, blocks: [one] },
      { ...EMPTY_SAFETY_RECORD, timeout: timeout(9, 0, 3), blocks: [two] },
    ])
    expect(fold).toEqual({ ...record, timeout: timeout(9, 0, 3), blocks: [one, two] })
    expect(foldSafetyRecords([])).toEqual(EMPTY_SAFETY_RECORD)
  })
})

describe('the lock clause (R3 e)', () => {
  const tc = timeoutQuorum(6, quorumOn('prepare', B3), [
    [0, 1],
    [1, 3],
    [2, 2],
  ])
  it.each([
    ['the view before is certified', 7, 6, null, true],
    ['a view failed and nothing is shown', 7, 5, null, false],
    ['the reported maximum is met', 7, 3, tc, true],
    ['it is exceeded', 7, 5, tc, true],
    ['it is missed', 7, 2, tc, false],
    ['the timeout certificate is of another view', 8, 3, tc, false],
  ])('when %s', (_, view, justifyView, shown, expected) => {
    const justify = { view: asView(justifyView), blockHash: B1.hash }
    expect(satisfiesLockClause(asView(view), justify, shown)).toBe(expected)
    expect(highestReported(tc)).toBe(3)
  })
})

describe('the view after a restart (R11)', () => {
  const empty = EMPTY_SAFETY_RECORD
  const tc = timeoutQuorum(6, quorumOn('prepare', B1))
  it.each([
    ['nothing', empty, 0, 0, 1],
    ['a prepare certificate', empty, 4, 2, 5],
    ['a finality certificate above it', empty, 4, 7, 8],
    ['a timeout certificate above both', { ...empty, highTc: tc }, 4, 2, 7],
    ['a timeout for the view after', { ...empty, highTc: tc, timeout: timeout(7, 0, 4) }, 4, 2, 7],
    ['a timeout for a later view (R9)', { ...empty, highTc: tc, timeout: timeout(12, 0, 4) }, 4, 2, 12],
    ['a timeout for an older view', { ...empty, timeout: timeout(2, 0, 1) }, 4, 2, 5],
  ])('with %s', (_, recovered, highQcView, finalView, expected) => {
    expect(restartView(recovered, asView(highQcView), asView(finalView))).toBe(expected)
  })
})

/**
 * Chains whose leaders drop ballots and whose fourth validator does what it likes: every block that one node builds the
 * others accept, no verdict is wrong, no honest validator is trusted less, and what waits survives its bytes.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeOperations, encodeOperations } from '../../src/codec/operations.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import {
  decodeBatch,
  decodeElectors,
  decodeTrust,
  encodeBatch,
  encodeElectors,
  encodeTrust,
} from '../../src/codec/voting.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import { checkBlock } from '../../src/ledger/check-block.ts'
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import { seatsOf } from '../../src/ledger/verdicts/electors.ts'
import { findingsOf, statusOf } from '../../src/ledger/verdicts/findings.ts'
import { batchesRoot, trustRoot } from '../../src/ledger/verdicts/voting-root.ts'
import type { AccountId, RequestKey } from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { TRUST_MAX, type VerdictVoting } from '../../src/types/voting.ts'
import { type Habit, Voters } from '../support/ballots.ts'
import { seededRandom } from '../support/seeded-random.ts'
import {
  asParent,
  certificateTransaction,
  genesisParent,
  proposed,
  timeProof,
} from '../unit/ledger/fixtures.ts'

const LIAR = 3

/** What the liar does about a batch, by the seed and the batch, so that it is one thing through all its windows. */
function habitOf(random: () => number): Habit {
  const what = Math.floor(random() * 6)
  switch (what) {
    case 0:
      return { isSilent: true }
    case 1:
      return { isWithholding: true }
    case 2:
      return { findings: (honest) => honest ^ 0b11 }
    case 3:
      return { findings: () => 0 }
    case 4:
      return { rules: 2 }
    default:
      return {}
  }
}

const requestsOf = (random: () => number, height: number): HashedTransaction[] =>
  Array.from({ length: Math.floor(random() * 3) }, (_, i) =>
    certificateTransaction({
      top: { requestId: `request-${height}-${i}` },
      time: timeProof({ nonce: BigInt(10 * height + i + 1) }),
      stake: { stakeAmount: random() < 0.3 ? 1n : 1_000n },
    }),
  )

/** A state as its rows and back: the same roots. */
function throughBytes({ electors, batches, trust, operations }: VerdictVoting): VerdictVoting {
  const must = <T>(result: { ok: true; value: T } | { ok: false; detail: string }): T => {
    if (!result.ok) throw new Error(result.detail)
    return result.value
  }
  return {
    electors: must(decodeElectors(encodeElectors(electors))),
    batches: batches.map((batch) => must(decodeBatch(encodeBatch(batch)))),
    trust: new Map([...trust].map(([account, of]) => [account, must(decodeTrust(encodeTrust(of)))])),
    operations: must(decodeOperations(encodeOperations(operations))),
  }
}

/** Grows a chain to a height, and on until nothing is open. */
function grow(seed: number, dropped: number, height: number) {
  const random = seededRandom(seed)
  let { parent: tip } = genesisParent()
  const { rules } = genesisParent().state
  const habits = new Map<string, Habit>()
  const voters = new Voters(rules.genesisHash, (voter, { height: at, round }) => {
    if (voter !== LIAR) return {}
    const name = `${at}:${round}`
    const habit = habits.get(name) ?? habitOf(random)
    habits.set(name, habit)
    return habit
  })
  const accounts = seatsOf(tip.state.staking).map(({ account }) => account)
  const honest = accounts.slice(0, LIAR)
  const found = new Map<RequestKey, number>()
  const verdicts: VerdictRecord[] = []
  while (tip.header.height < height || tip.state.voting.batches.length > 0) {
    const all = voters.next(tip)
    const kept = () => random() >= dropped
    const commits = all?.transaction.commits.filter(kept) ?? []
    const openings = all?.transaction.openings.filter(kept) ?? []
    const ballots =
      commits.length + openings.length === 0 ? [] : [hashTransaction({ kind: 'ballots', commits, openings })]
    const requests = tip.header.height < height ? requestsOf(random, tip.header.height + 1) : []
    const { executed, skipped } = buildBlock(proposed(tip), [...ballots, ...requests], tip, rules)
    expect(skipped).toEqual([])
    expect(checkBlock(executed.block, tip, rules)).toEqual({ ok: true, value: executed })
    voters.judged(executed.changes.judgements)
    for (const { requestKey, failures } of executed.changes.judgements)
      found.set(requestKey, findingsOf(failures))
    verdicts.push(...executed.changes.verdicts)
    const before = tip.state
    const { voting } = executed.changes
    for (const { ppm } of voting.trust.values()) expect(ppm >= 0 && ppm <= TRUST_MAX).toBe(true)
    const copy = throughBytes(voting)
    expect([batchesRoot(copy), trustRoot(copy.trust)]).toEqual([batchesRoot(voting), trustRoot(voting.trust)])
    tip = asParent(
      executed,
      StateOverlay.of(() => before, executed.changes),
    )
  }
  const trustIn = (account: AccountId): number => tip.state.voting.trust.get(account)?.ppm ?? -1
  return { verdicts, found, honest: honest.map(trustIn), liar: trustIn(accounts[LIAR] as AccountId) }
}

describe('a chain of ballots', () => {
  it('gives each request one verdict, never a wrong one, and costs no honest validator anything', () => {
    let liars = 0
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(0, 0.3), (seed, dropped) => {
        const { verdicts, found, honest, liar } = grow(seed, dropped, 12)
        expect(verdicts.map(({ requestKey }) => requestKey).sort()).toEqual([...found.keys()].sort())
        for (const { requestKey, status, findings } of verdicts) {
          if (status === 'expired') continue
          expect(status).toBe(statusOf(found.get(requestKey) ?? 0))
          expect(findings & ~(found.get(requestKey) ?? 0)).toBe(0)
        }
        expect(Math.min(...honest)).toBeGreaterThanOrEqual(800_000)
        if (liar < 800_000) liars++
      }),
      { numRuns: 12 },
    )
    expect(liars).toBeGreaterThan(5)
  })
})

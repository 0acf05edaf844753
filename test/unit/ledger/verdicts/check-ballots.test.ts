/** Which ballots a block may hold: every refusal by its code, and what the legal ones leave behind (T2, T3, T9, T10). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type BallotRefusal, checkBallots } from '../../../../src/ledger/verdicts/check-ballots.ts'
import { ALL_VALID } from '../../../../src/ledger/verdicts/findings.ts'
import type { CastCommit, CastOpening } from '../../../../src/types/ballots.ts'
import { asHeight, asValidatorIndex, type GenesisHash, type Hex32 } from '../../../../src/types/primitives.ts'
import type { OpenBatch } from '../../../../src/types/voting.ts'
import {
  ballotOf,
  batchWith,
  blockHashOf,
  electorsWith,
  NETWORK,
  request,
  validatorsOf,
  votingOf,
} from './fixtures.ts'

const MEMBERS = electorsWith(1, 1, 1, 1)
const voter = asValidatorIndex

interface Case {
  readonly height?: number
  readonly batches?: readonly OpenBatch[]
  readonly commits?: readonly CastCommit[]
  readonly openings?: readonly CastOpening[]
  readonly genesisHash?: GenesisHash
  readonly validators?: ReturnType<typeof validatorsOf>
  readonly members?: typeof MEMBERS
}

const OPEN = batchWith()
const check = ({ commits = [], openings = [], ...of }: Case) =>
  checkBallots(
    { commits, openings },
    {
      genesisHash: of.genesisHash ?? NETWORK,
      height: asHeight(of.height ?? 11),
      validators: of.validators ?? validatorsOf(MEMBERS),
      voting: votingOf(of.members ?? MEMBERS, of.batches ?? [OPEN]),
    },
  )

const commitBy = (elector: number, batch = OPEN, change: Partial<CastCommit> = {}): CastCommit => {
  const { height, blockHash, round } = ballotOf(batch, elector, [ALL_VALID]).opening
  const { commit } = ballotOf(batch, elector, [ALL_VALID]).ballot
  return { voter: voter(elector), height, blockHash, round, commit, ...change }
}
const openingBy = (elector: number, batch = OPEN, change: Partial<CastOpening> = {}): CastOpening => ({
  voter: voter(elector),
  ...ballotOf(batch, elector, [ALL_VALID]).opening,
  ...change,
})
/** All four have committed; closed at 11. */
const CLOSED: OpenBatch = {
  ...OPEN,
  ballots: [0, 1, 2, 3].map((i) => ballotOf(OPEN, i, [ALL_VALID]).ballot),
  closedAt: asHeight(11),
}
const COMMITTED: OpenBatch = { ...CLOSED, ballots: CLOSED.ballots.slice(0, 2), closedAt: null }
const OPENED: OpenBatch = {
  ...CLOSED,
  ballots: CLOSED.ballots.map((ballot) => ({
    ...ballot,
    opening: { rules: 1, findings: [ALL_VALID], isLeak: false },
  })),
}
const OTHER_SALT = 'ab'.repeat(32) as Hex32

describe('ballots are refused', () => {
  const cases: [BallotRefusal, string, Case][] = [
    ['ballots-empty', 'none at all', {}],
    ['ballots-order', 'voters out of order', { commits: [commitBy(1), commitBy(0)] }],
    ['ballots-order', 'one voter twice', { commits: [commitBy(1), commitBy(1)] }],
    [
      'ballots-order',
      'slots out of order',
      {
        batches: [batchWith({ height: asHeight(9), openedAt: asHeight(9) }), OPEN],
        commits: [commitBy(0), commitBy(1, batchWith({ height: asHeight(9) }))],
      },
    ],
    [
      'ballots-order',
      'openings out of order',
      { batches: [CLOSED], height: 13, openings: [openingBy(2), openingBy(1)] },
    ],
    [
      'ballot-unknown-slot',
      'of a height without requests',
      { commits: [commitBy(0, OPEN, { height: asHeight(9) })] },
    ],
    ['ballot-unknown-slot', 'of another attempt', { commits: [commitBy(0, OPEN, { round: 1 })] }],
    [
      'ballot-unknown-slot',
      'of another block of that height',
      { commits: [commitBy(0, OPEN, { blockHash: blockHashOf(99) })] },
    ],
    [
      'ballot-not-elector',
      'of an index outside the set',
      { commits: [commitBy(0, OPEN, { voter: voter(9) })] },
    ],
    [
      'ballot-not-elector',
      'of a validator that was excluded',
      { members: MEMBERS.slice(1), commits: [commitBy(0)] },
    ],
    ['ballot-late', 'a commit after the fourth block', { height: 15, commits: [commitBy(0)] }],
    [
      'ballot-late',
      'a commit after closing',
      { height: 12, batches: [{ ...COMMITTED, closedAt: asHeight(11) }], commits: [commitBy(3)] },
    ],
    ['ballot-repeated', 'a second commit', { batches: [COMMITTED], commits: [commitBy(0)] }],
    [
      'ballot-repeated',
      'a second commit that is another',
      { batches: [COMMITTED], commits: [commitBy(0, OPEN, { commit: OTHER_SALT })] },
    ],
    ['ballot-repeated', 'a second opening', { height: 13, batches: [OPENED], openings: [openingBy(0)] }],
    ['ballot-no-commit', 'an opening of nothing', { batches: [COMMITTED], openings: [openingBy(3)] }],
    [
      'ballot-findings',
      'fewer findings than requests',
      { height: 13, batches: [CLOSED], openings: [openingBy(0, OPEN, { findings: [] })] },
    ],
    [
      'ballot-findings',
      'more findings than requests',
      { height: 13, batches: [CLOSED], openings: [openingBy(0, OPEN, { findings: [ALL_VALID, ALL_VALID] })] },
    ],
    [
      'ballot-findings',
      'findings that mean nothing',
      { height: 13, batches: [CLOSED], openings: [openingBy(0, OPEN, { findings: [3] })] },
    ],
  ]
  it('by codes that the README explains', () => {
    const readme = readFileSync(
      join(import.meta.dirname, '../../../../src/ledger/verdicts/README.md'),
      'utf8',
    )
    const codes = new Set<string>([...cases.map(([code]) => code), 'ballots-not-first', 'ballot-mismatch'])
    // 10 of the union; of these two the cases are elsewhere.
    expect(codes.size).toBe(10)
    for (const code of codes) expect(readme).toContain(`| \`${code}\` `)
  })

  it.each(cases)('%s: %s', (code, _, of) => {
    const checked = check(of)
    expect(checked).toMatchObject({ ok: false, code, detail: expect.any(String) })
  })

  it.each<[string, Partial<CastOpening>, Partial<Case>]>([
    ['another finding', { findings: [ALL_VALID ^ 3] }, {}],
    ['another salt', { salt: OTHER_SALT }, {}],
    ['other rules', { rules: 2 }, {}],
    ["another's opening", { ...ballotOf(OPEN, 1, [ALL_VALID]).opening }, {}],
    ['another network', {}, { genesisHash: 'dd'.repeat(32) as GenesisHash }],
    ['another epoch', {}, { batches: [{ ...CLOSED, epoch: 1 as never }] }],
  ])('ballot-mismatch: %s', (_, change, of) => {
    const openings = [openingBy(0, OPEN, change)]
    expect(check({ height: 13, batches: [CLOSED], openings, ...of })).toMatchObject({
      ok: false,
      code: 'ballot-mismatch',
    })
  })
})

describe('legal ballots', () => {
  it('are kept in order of elector, whatever batches they are of', () => {
    const later = batchWith({ height: asHeight(11), openedAt: asHeight(11), requests: [request(1)] })
    const commits = [commitBy(2), commitBy(3), commitBy(0, later)]
    const checked = check({ height: 12, batches: [COMMITTED, later], commits })
    if (!checked.ok) throw new Error(checked.detail)
    expect(checked.value.map(({ ballots }) => ballots.map(({ elector }) => elector))).toEqual([
      [0, 1, 2, 3],
      [0],
    ])
    expect(checked.value[0]?.ballots[2]).toEqual({
      elector: 2,
      commit: commitBy(2).commit,
      opening: null,
    })
  })

  it('may come in the last block of their window', () => {
    expect(check({ height: 14, commits: [commitBy(0)] }).ok).toBe(true)
    expect(check({ height: 13, batches: [CLOSED], openings: [openingBy(0)] }).ok).toBe(true)
  })

  it('leave a batch that they are not about as the very object', () => {
    const quiet = batchWith({ height: asHeight(11), requests: [request(1)] })
    const checked = check({ height: 12, batches: [OPEN, quiet], commits: [commitBy(0)] })
    expect(checked.ok && checked.value[1]).toBe(quiet)
    expect(OPEN.ballots).toEqual([])
  })

  it('that open before closing are a leak of their owner, and count as that', () => {
    const checked = check({ height: 12, batches: [COMMITTED], openings: [openingBy(1)] })
    expect(checked.ok && checked.value[0]?.ballots.map(({ opening }) => opening)).toEqual([
      null,
      { rules: 1, findings: [ALL_VALID], isLeak: true },
    ])
  })

  it('are found by the place of their voter in the set of the block, not of the period', () => {
    // The set has changed since: elector 3 is first in it.
    const validators = validatorsOf(MEMBERS).toReversed()
    const checked = check({ validators, commits: [commitBy(3, OPEN, { voter: voter(0) })] })
    expect(checked.ok && checked.value[0]?.ballots.map(({ elector }) => elector)).toEqual([3])
  })

  it('commit and open in one block: the opening is too early to be anything but a leak', () => {
    expect(check({ commits: [commitBy(0)], openings: [openingBy(0)] })).toMatchObject({
      ok: false,
      code: 'ballot-no-commit',
    })
  })
})

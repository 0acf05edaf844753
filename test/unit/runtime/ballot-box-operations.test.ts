/** What a validator's ballots say about operations: the rules' word, its operator's, and the same again after a start. */
import { describe, expect, it } from 'vitest'
import { operationFindings } from '../../../src/ledger/operations/operation-findings.ts'
import { ALL_VALID } from '../../../src/ledger/verdicts/findings.ts'
import { BallotBox, type BallotPoint } from '../../../src/runtime/ballot-box.ts'
import type { BallotCommit } from '../../../src/types/ballots.ts'
import { OPERATION_VOTES, type OperationVote } from '../../../src/types/operations.ts'
import { asEpoch, asHeight, type Hex32, type RequestKey } from '../../../src/types/primitives.ts'
import type { RuleFailure } from '../../../src/types/verdict.ts'
import {
  batchWith,
  blockHashOf,
  electorsWith,
  idOf,
  NETWORK,
  request,
  votingOf,
} from '../ledger/verdicts/fixtures.ts'

const SALT = 'ab'.repeat(32) as Hex32
const OPERATIONS = [1, 2, 3, 4].map((n) => request(n, { kind: 'operation', nullifiers: [] }))
const REQUESTS = [request(0), ...OPERATIONS]
const FAULT: readonly RuleFailure[] = [{ subject: 'request', reason: 'against a rule' }]

type Votes = readonly OperationVote[]

function box(votes: Votes, committed: readonly BallotCommit[] = [], failing: readonly RequestKey[] = []) {
  const made = new BallotBox(
    {
      genesisHash: NETWORK,
      blockBytesMax: 1_000_000,
      self: {
        id: idOf(0),
        saltOf: () => SALT,
        committed,
        vote: (key) => votes[OPERATIONS.findIndex(({ requestKey }) => requestKey === key)] ?? 'abstain',
      },
      judgement: (_, key) => (failing.includes(key) ? FAULT : []),
    },
    asEpoch(0),
  )
  made.final(asHeight(12))
  return made
}

const open = batchWith({ requests: REQUESTS })
const pointOf = (batch = open): BallotPoint => ({
  hash: blockHashOf(12),
  height: asHeight(12),
  voting: votingOf(electorsWith(1, 1, 1, 1), [batch]),
})

/** The commit of a box, and what it opens when that commit is in the chain. */
function said(of: BallotBox, commit = of.say('prepare', pointOf()).commits[0]) {
  if (commit === undefined) throw new Error('no commit')
  const ballots = [{ elector: 0, commit: commit.commit, opening: null }]
  const closed = { ...open, ballots, closedAt: asHeight(11) }
  return { commit, findings: of.say('pre-commit', pointOf(closed)).openings[0]?.findings }
}

describe('the ballots of a validator', () => {
  it('say what the rules and the operator say, and of requests what the rules say', () => {
    const { findings } = said(box(['approve', 'reject', 'abstain']))
    expect(findings).toEqual([ALL_VALID, ALL_VALID, 0b10_01_10_10_10_10, 0b01_00_00_00_00, 0b01_00_00_00_00])
  })

  it('never approve what breaks a rule', () => {
    const failing = OPERATIONS.map(({ requestKey }) => requestKey)
    const { findings } = said(box(['approve', 'reject', 'abstain'], [], failing))
    expect(findings?.slice(1)).toEqual([1, 2, 3, 4].map(() => 0b10_10_10_10_10_10))
    expect(operationFindings(FAULT, 'approve')).toBe(0b10_10_10_10_10_10)
  })

  it('open what was committed to before the start, whatever the operator says since', () => {
    for (let n = 0; n < 81; n++) {
      const votes = [1, 3, 9, 27].map((step) => OPERATION_VOTES[Math.floor(n / step) % 3] ?? 'abstain')
      const before = said(box(votes))
      const after = said(box(['reject', 'approve'], [before.commit]), before.commit)
      expect(after.findings).toEqual(before.findings)
    }
  })

  it('are none when the commit of before was of something else', () => {
    const { commit } = said(box([]))
    const foreign = { ...commit, commit: 'cd'.repeat(32) as Hex32 }
    expect(box(['approve'], [foreign]).say('prepare', pointOf()).commits).toEqual([])
  })
})

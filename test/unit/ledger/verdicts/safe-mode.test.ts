/** How safe mode comes and what it changes (spec/commit-reveal.md 5.8). */
import { describe, expect, it } from 'vitest'
import { periodOfBatch } from '../../../../src/ledger/verdicts/electors.ts'
import { isSafeMode, weighingStake } from '../../../../src/ledger/verdicts/safe-mode.ts'
import type { NetworkOperation, OperationVote } from '../../../../src/types/operations.ts'
import { OperationChain, voting } from '../../../support/operation-chain.ts'
import { numberedTransaction } from '../fixtures.ts'
import { electorsWith } from './fixtures.ts'

const RAISED: NetworkOperation = {
  kind: 'network-configuration',
  key: 'policy.minimumStake',
  value: '7',
  version: 0,
}

/** Four validators of 1,000 each, and from the second period on a newcomer. */
function withNewcomer(stake: bigint, ...votes: readonly OperationVote[]): OperationChain {
  const chain = new OperationChain(voting(...votes))
  chain.voted([
    chain.signed(4, { kind: 'bond', amount: stake }),
    chain.signed(4, { kind: 'join' }, { sequence: 2 }),
  ])
  return chain.votedUntil(8)
}

const stakeOf = ({ parent: { state } }: OperationChain) =>
  weighingStake(periodOfBatch(state.voting, { period: state.voting.electors.at(-1)?.period ?? 0 }))

describe('safe mode', () => {
  it.each([
    [4_000n, 4_000n, false],
    [4_000n, 6_000n, false],
    [4_000n, 6_001n, true],
    [0n, 1n, true],
  ])('is below two thirds: %i of %i', (weighing, stake, expected) => {
    expect(isSafeMode({ stake, members: electorsWith(Number(weighing)) })).toBe(expected)
  })

  it('begins with a newcomer of more than half of the stake that there was, who weighs nothing', () => {
    expect(stakeOf(new OperationChain())).toEqual({ weighing: 4_000n, total: 4_000n })
    expect(stakeOf(withNewcomer(2_000n))).toEqual({ weighing: 4_000n, total: 6_000n })
    expect(stakeOf(withNewcomer(2_001n))).toEqual({ weighing: 4_000n, total: 6_001n })
  })

  it.each<[bigint, readonly OperationVote[], outcome: string]>([
    [2_000n, ['abstain'], 'approved'],
    [2_001n, ['abstain'], 'timeout'],
    [2_001n, ['reject'], 'timeout'],
    [2_001n, [], 'approved'],
    [2_001n, ['reject', 'reject', 'reject', 'reject'], 'rejected'],
  ])('with a newcomer of %i, an operation on which operators say %j is %s', (stake, votes, outcome) => {
    const chain = withNewcomer(stake, ...votes)
    const proposal = chain.propose(0, RAISED)
    chain.voted([proposal])
    chain.votedUntil(32)
    expect(chain.endOf(proposal.requestKey)?.outcome).toBe(outcome)
  })

  it('holds for what is put to the vote in it, also when it has ended before that is decided', () => {
    const chain = withNewcomer(2_001n, 'abstain')
    const proposal = chain.propose(0, RAISED, 16)
    chain.voted([proposal, chain.signed(4, { kind: 'leave' }, { sequence: 3 })])
    chain.votedUntil(17)
    expect(stakeOf(chain)).toEqual({ weighing: 4_000n, total: 4_000n })
    chain.votedUntil(48)
    // Not by those of the first attempt, who were too few; by those of the next, who are all there is.
    expect(chain.parent.state.verdict(proposal.requestKey)).toMatchObject({ status: 'valid', round: 1 })
  })

  it('lets requests that are in the chain have their verdict', () => {
    const chain = withNewcomer(2_001n)
    const request = numberedTransaction(1)
    chain.voted([request])
    chain.votedUntil(chain.height + 6)
    expect(chain.parent.state.verdict(request.requestKey)?.status).toBe('valid')
  })
})

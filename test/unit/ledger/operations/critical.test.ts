/** Critical operations from proposal to effect: decided by commit and reveal, like requests (spec/commit-reveal.md 6). */
import { describe, expect, it } from 'vitest'
import { currentPolicy, rulesUnder, uniformAssurance } from '../../../../src/ledger/validation-policy.ts'
import type { NetworkOperation, OperationVote } from '../../../../src/types/operations.ts'
import { asHeight, type RequestKey } from '../../../../src/types/primitives.ts'
import { OperationChain, voting } from '../../../support/operation-chain.ts'
import { idOf } from '../../../support/staking-chain.ts'
import { numberedTransaction, POLICY } from '../fixtures.ts'

const RAISED: NetworkOperation = {
  kind: 'network-configuration',
  key: 'policy.minimumStake',
  value: '5000',
  version: 0,
}

/** Proposes, and goes on until a height. */
function run(chain: OperationChain, operation: NetworkOperation, until: number): RequestKey {
  const proposal = chain.propose(0, operation)
  chain.voted([proposal])
  chain.votedUntil(until)
  return proposal.requestKey
}

const policyOf = (chain: OperationChain) => currentPolicy(rulesUnder(chain.genesis.rules, chain.operations))

describe('a critical operation', () => {
  it('waits, is put to the vote when it is due, and has its effect at the end of the period', () => {
    const chain = new OperationChain()
    const proposal = chain.propose(0, RAISED, 3)
    chain.voted([proposal])
    const id = proposal.requestKey
    expect(chain.operations.open).toMatchObject([{ id, stage: 'waiting', proposer: idOf(0), opensAt: 3 }])
    expect(chain.parent.state.voting.batches).toEqual([])
    chain.votedUntil(3)
    expect(chain.operations.open).toMatchObject([{ id, stage: 'voting' }])
    expect(chain.parent.state.voting.batches).toMatchObject([
      { height: 3, requests: [{ requestKey: id, kind: 'operation', nullifiers: [] }] },
    ])
    chain.votedUntil(7)
    expect(chain.operations.open).toMatchObject([{ id, stage: 'approved' }])
    expect(chain.parent.state.verdict(id)).toMatchObject({
      kind: 'operation',
      status: 'valid',
      agreeing: { validators: 4, stake: 4_000n },
    })
    expect(policyOf(chain)).toEqual(POLICY)
    chain.votedUntil(8)
    expect(chain.operations.open).toEqual([])
    expect(chain.endOf(id)).toMatchObject({ outcome: 'approved', route: 'full-bft', height: 8 })
    expect(policyOf(chain).minimumStake).toBe(5_000n)
  })

  it('changes what the requests of the next period are judged by, and of none before', () => {
    const chain = new OperationChain()
    run(chain, RAISED, 7)
    const judged = (transactions: Parameters<OperationChain['voted']>[0]) =>
      chain.voted(transactions).changes.judgements.map(({ failures }) => failures.map(({ reason }) => reason))
    expect(judged([numberedTransaction(1)])).toEqual([[]])
    expect(judged([numberedTransaction(2)])).toEqual([
      ['stake_amount 1000 is below the minimum 5000 (network policy)'],
    ])
  })

  it.each<[string, readonly OperationVote[], string, string]>([
    ['all but one approve', ['reject'], 'valid', 'approved'],
    ['a quorum rejects', ['reject', 'reject', 'reject'], 'invalid', 'rejected'],
  ])('%s: it is %s', (_, votes, status, outcome) => {
    const chain = new OperationChain(voting(...votes))
    const id = run(chain, RAISED, 8)
    expect(chain.parent.state.verdict(id)?.status).toBe(status)
    expect(chain.endOf(id)?.outcome).toBe(outcome)
  })

  it('that finds no quorum is tried three times and changes nothing', () => {
    const chain = new OperationChain(voting('abstain', 'reject'))
    const id = run(chain, RAISED, 24)
    expect(chain.parent.state.verdict(id)).toMatchObject({ status: 'expired', round: 2 })
    expect(chain.endOf(id)).toMatchObject({ outcome: 'timeout' })
    expect(policyOf(chain)).toEqual(POLICY)
  })

  it('that breaks a rule is rejected though every operator approves', () => {
    const chain = new OperationChain()
    const id = run(chain, { ...RAISED, value: '-1' }, 7)
    expect(chain.endOf(id)?.outcome).toBe('rejected')
    expect(chain.parent.state.voting.trust.get(idOf(0))?.ppm).toBe(800_000)
  })

  it('costs a minority of opinion a twentieth of its trust, and who said nothing none', () => {
    const chain = new OperationChain(voting('reject'))
    run(chain, RAISED, 7)
    const ppm = (i: number) => chain.parent.state.voting.trust.get(idOf(i))?.ppm
    expect([ppm(0), ppm(1)]).toEqual([760_000, 800_000])
    const silent = new OperationChain(voting('abstain'))
    run(silent, RAISED, 7)
    expect(silent.parent.state.voting.trust.get(idOf(0))).toMatchObject({ ppm: 800_000, absent: 0 })
    expect(silent.parent.state.verdict(silent.operations.open[0]?.id as RequestKey)).toMatchObject({
      agreeing: { validators: 3, stake: 3_000n },
    })
  })

  it('a policy as a whole takes the place of the one before', () => {
    const policy = { ...POLICY, minimumStake: 7n, assurance: uniformAssurance('registered') }
    const chain = new OperationChain()
    run(chain, { kind: 'security-policy-update', policy }, 8)
    expect(policyOf(chain)).toEqual(policy)
    const wrong = { ...policy, minimumStorage: policy.maximumStorage + 1n }
    const id = chain.propose(1, { kind: 'security-policy-update', policy: wrong })
    chain.voted([id])
    chain.votedUntil(16)
    expect(chain.endOf(id.requestKey)?.outcome).toBe('rejected')
    expect(policyOf(chain)).toEqual(policy)
  })

  it('of a name that nobody knows is decided, and that is all', () => {
    const chain = new OperationChain()
    const before = chain.parent.state.voting.trust
    const id = run(chain, { kind: 'other', name: 'Teleport', payload: new Uint8Array([1]) }, 8)
    expect(chain.endOf(id)).toMatchObject({ outcome: 'approved', kind: 'other', route: 'full-bft' })
    expect(policyOf(chain)).toEqual(POLICY)
    expect([...chain.parent.state.voting.trust.keys()]).toEqual([...before.keys()])
  })
})

describe('a proposal', () => {
  it('is of a validator, signed by its account, in its turn', () => {
    const chain = new OperationChain()
    const propose = (i: number, of = {}) =>
      chain.action(i, { kind: 'propose', operation: RAISED, opensAt: asHeight(9), authority: [] }, of)
    expect(chain.refusalOf(propose(4))).toBe('operation-not-validator')
    expect(chain.refusalOf(propose(9))).toBe('staking-unknown-account')
    expect(chain.refusalOf(propose(0, { signer: 1 }))).toBe('operation-signature')
    expect(chain.refusalOf(propose(0, { sequence: 2 }))).toBe('staking-sequence-ahead')
    expect(chain.refusalOf(propose(0, { expiresAtHeight: 0 }))).toBe('staking-expired')
    const good = propose(0)
    chain.voted([good])
    expect(chain.account(0).sequence).toBe(1)
    expect(chain.refusalOf(good)).toBe('staking-sequence')
  })

  it('opens after its block, and not in an age', () => {
    const chain = new OperationChain()
    const at = (opensAt: number) => chain.refusalOf(chain.propose(0, RAISED, opensAt))
    expect([at(0), at(1), at(100_002), at(2), at(100_001)]).toEqual([
      'operation-opens',
      'operation-opens',
      'operation-opens',
      null,
      null,
    ])
  })

  it('waits beside three others of its account at most', () => {
    const chain = new OperationChain()
    for (let i = 0; i < 4; i++) chain.voted([chain.propose(0, RAISED, 50)])
    expect(chain.refusalOf(chain.propose(0, RAISED, 50))).toBe('operation-open-full')
    expect(chain.refusalOf(chain.propose(1, RAISED, 50))).toBeNull()
  })

  it('is put to the vote with three others at most, the rest in the next block', () => {
    const chain = new OperationChain()
    chain.voted([0, 1, 2, 3].map((i) => chain.propose(i, RAISED, 4)))
    chain.voted([0, 1].map((i) => chain.propose(i, RAISED, 4)))
    chain.votedUntil(5)
    expect(
      chain.parent.state.voting.batches.map(({ height, requests }) => [height, requests.length]),
    ).toEqual([
      [4, 4],
      [5, 2],
    ])
  })

  it('is larger than 16 KiB never', () => {
    const chain = new OperationChain()
    const operations = [1, 2, 3].map((n) => ({
      operation: `${n}`.padEnd(6_000, 'x'),
      level: 'declared' as const,
    }))
    const assurance = { ...uniformAssurance('declared'), operations }
    const operation = { kind: 'security-policy-update', policy: { ...POLICY, assurance } } as const
    expect(chain.refusalOf(chain.propose(0, operation))).toBe('operation-size')
  })
})

/** Operations on validators: trust down or back, exclusion, admission, and the bounds that no majority moves. */
import { describe, expect, it } from 'vitest'
import { decodeOperations, encodeOperations } from '../../../../src/codec/operations.ts'
import { makeEvidence } from '../../../../src/types/evidence.ts'
import type { NetworkOperation } from '../../../../src/types/operations.ts'
import { asEpoch, asView, type RequestKey } from '../../../../src/types/primitives.ts'
import type { ValidatorTrust } from '../../../../src/types/voting.ts'
import { OperationChain, voting } from '../../../support/operation-chain.ts'
import { idOf, publicKeyOf } from '../../../support/staking-chain.ts'
import { numberedTransaction } from '../fixtures.ts'

const trustOf = (chain: OperationChain, i: number): ValidatorTrust => {
  const of = chain.parent.state.voting.trust.get(idOf(i))
  if (of === undefined) throw new Error(`no trust in ${i}`)
  return of
}
/** Proposes in the next block and goes on until a period has ended. @returns how it ended */
function decide(chain: OperationChain, operation: NetworkOperation, by = 0) {
  const proposal = chain.propose(by, operation)
  chain.voted([proposal])
  chain.votedUntil(8 * Math.ceil((chain.height + 7) / 8))
  return chain.endOf(proposal.requestKey)?.outcome
}
const exclude = (i: number): NetworkOperation => ({
  kind: 'node-exclusion',
  account: idOf(i),
  evidence: null,
})
const lower = (i: number, ppm: number, overturned: RequestKey | null = null): NetworkOperation => ({
  kind: 'trust-score-modification',
  account: idOf(i),
  ppm,
  overturned,
})

describe('a trust score', () => {
  it('goes down by an operation, and not up', () => {
    const chain = new OperationChain()
    expect(decide(chain, lower(3, 600_000))).toBe('approved')
    expect(trustOf(chain, 3)).toMatchObject({ ppm: 600_000, status: 'active' })
    expect(decide(chain, lower(3, 600_000))).toBe('rejected')
    expect(decide(chain, lower(3, 900_000))).toBe('rejected')
    expect(decide(chain, lower(9, 1))).toBe('rejected')
    expect(trustOf(chain, 3).ppm).toBe(600_000)
  })

  it('below the threshold excludes at the same end of the period', () => {
    const chain = new OperationChain()
    expect(decide(chain, lower(3, 100_000))).toBe('approved')
    expect(trustOf(chain, 3)).toMatchObject({ ppm: 100_000, status: 'excluded' })
  })

  it('is restored to what it was before a verdict that is named, 700,000 at most', () => {
    // The fourth lies about every request, and approves operations.
    const chain = new OperationChain((voter, { requests }) =>
      voter === 3 && requests.every(({ kind }) => kind !== 'operation') ? { findings: (of) => of + 1 } : {},
    )
    const request = numberedTransaction(1)
    chain.voted([request])
    chain.votedUntil(8)
    expect(trustOf(chain, 3).ppm).toBe(640_000)
    expect(chain.operations.losses).toEqual([{ account: idOf(3), height: 1, ppm: 800_000, lost: 160_000 }])
    expect(decide(chain, lower(3, 700_001, request.requestKey))).toBe('rejected')
    expect(decide(chain, lower(2, 700_000, request.requestKey))).toBe('rejected')
    expect(decide(chain, lower(3, 700_000, 'ab'.repeat(32) as RequestKey))).toBe('rejected')
    expect(decide(chain, lower(3, 640_000, request.requestKey))).toBe('rejected')
    expect(decide(chain, lower(3, 700_000, request.requestKey))).toBe('approved')
    expect(trustOf(chain, 3).ppm).toBe(700_000)
  })
})

describe('an exclusion', () => {
  it('without evidence needs more than three quarters', () => {
    const three = new OperationChain(voting('approve', 'approve', 'approve', 'abstain'))
    expect(decide(three, exclude(3))).toBe('timeout')
    expect(three.operations.decided).toMatchObject([{ kind: 'node-exclusion', outcome: 'timeout' }])
    expect(trustOf(three, 3).status).toBe('active')
    const all = new OperationChain()
    expect(decide(all, exclude(3))).toBe('approved')
    expect(trustOf(all, 3)).toMatchObject({ status: 'excluded', exclusions: 1, untilPeriod: 11 })
    expect(all.parent.state.voting.electors.at(-1)?.members.map(({ account }) => account)).not.toContain(
      idOf(3),
    )
    // Block votes are another matter.
    expect(all.members()).toContain(3)
  })

  it('with evidence needs a quorum; the evidence may be from long ago', () => {
    const evidenceOf = (chain: OperationChain, key: number, hash = 'b') =>
      makeEvidence(
        'prepare',
        asEpoch(0),
        asView(7),
        publicKeyOf(key),
        chain.content(key, 'prepare', 0, 7, hash),
        chain.content(key, 'prepare', 0, 7, 'a'),
      )
    const chain = new OperationChain(voting('approve', 'approve', 'approve', 'abstain'))
    chain.until(64)
    const of = (evidence: ReturnType<typeof evidenceOf>) =>
      decide(chain, { kind: 'node-exclusion', account: idOf(3), evidence })
    expect(of(evidenceOf(chain, 2))).toBe('rejected')
    const forged = evidenceOf(chain, 3)
    if (forged === null) throw new Error('equal contents')
    const signature = new Uint8Array(3_309)
    expect(of({ ...forged, first: { ...forged.first, signature } })).toBe('rejected')
    expect(of(forged)).toBe('approved')
    expect(trustOf(chain, 3).status).toBe('excluded')
  })

  it('takes the weight of no more than a third of the stake', () => {
    const chain = new OperationChain()
    expect(decide(chain, exclude(3))).toBe('approved')
    expect(decide(chain, exclude(2))).toBe('rejected')
    expect(decide(chain, exclude(3))).toBe('rejected')
    expect(decide(chain, exclude(5))).toBe('rejected')
  })

  it('that was possible when it was voted on, and is not any more, is void', () => {
    const chain = new OperationChain()
    chain.voted([chain.propose(0, exclude(3)), chain.propose(1, exclude(2))])
    chain.votedUntil(8)
    expect(chain.operations.decided.map(({ outcome }) => outcome)).toEqual(['approved', 'void'])
    expect([trustOf(chain, 3).status, trustOf(chain, 2).status]).toEqual(['excluded', 'active'])
  })

  it('takes the right to propose and to certify', () => {
    const chain = new OperationChain()
    decide(chain, exclude(3))
    expect(chain.refusalOf(chain.propose(3, exclude(2)))).toBe('operation-not-validator')
    const operation = { kind: 'resource-allocation', key: 'resource/a', value: '1', version: 1 } as const
    expect(chain.refusalOf(chain.order(0, operation, [1, 3]))).toBe('operation-certificate')
  })
})

describe('an admission', () => {
  it('ends an exclusion before its time, on probation', () => {
    const chain = new OperationChain()
    decide(chain, exclude(3))
    expect(decide(chain, { kind: 'node-admission', account: idOf(3) })).toBe('approved')
    expect(trustOf(chain, 3)).toMatchObject({
      status: 'probation',
      untilPeriod: 0,
      cleanStreak: 0,
      exclusions: 1,
    })
    const member = chain.parent.state.voting.electors
      .at(-1)
      ?.members.find(({ account }) => account === idOf(3))
    expect(member?.weighs).toBe(false)
  })

  it('is of nobody who is not excluded, and of nobody who was punished', () => {
    const chain = new OperationChain()
    expect(decide(chain, { kind: 'node-admission', account: idOf(3) })).toBe('rejected')
    decide(chain, exclude(3))
    chain.voted([chain.offence(3, 'prepare', 1)])
    expect(decide(chain, { kind: 'node-admission', account: idOf(3) })).toBe('rejected')
  })
})

describe('the bytes of the state', () => {
  it('are read back to the same state', () => {
    const chain = new OperationChain()
    decide(chain, { kind: 'network-configuration', key: 'policy.minimumStake', value: '7', version: 0 })
    chain.voted([
      chain.order(0, { kind: 'maintenance-task', key: 'maintenance/b', value: 'x', version: 1 }),
      chain.order(1, { kind: 'maintenance-task', key: 'maintenance/a', value: 'y', version: 1 }),
      chain.propose(2, exclude(3), 90),
    ])
    const { operations } = chain
    const bytes = encodeOperations(operations)
    const read = decodeOperations(bytes)
    expect(read).toEqual({ ok: true, value: operations })
    expect(read.ok && encodeOperations(read.value)).toEqual(bytes)
    expect(decodeOperations(bytes.subarray(1)).ok).toBe(false)
  })
})

/** Operations from the pool to the API: what may wait, and what is shown of what was proposed and decided. */
import { describe, expect, it } from 'vitest'
import { operationForm, readForm } from '../../../src/codec/operation-json.ts'
import { type OperationChainPort, OperationViews } from '../../../src/composition/operation-views.ts'
import { StakingAdmission } from '../../../src/composition/staking-admission.ts'
import { verdictStore } from '../../../src/composition/verdict-store.ts'
import { isProvenWrong } from '../../../src/ledger/staking/admission.ts'
import type { NetworkOperation } from '../../../src/types/operations.ts'
import { asHeight, type Hex32, type RequestKey } from '../../../src/types/primitives.ts'
import { OperationChain, voting } from '../../support/operation-chain.ts'
import { idOf } from '../../support/staking-chain.ts'

const RAISED: NetworkOperation = {
  kind: 'network-configuration',
  key: 'policy.minimumStake',
  value: '5000',
  version: 0,
}
const SERVICE: NetworkOperation = { kind: 'service-deployment', key: 'service/a', value: 'here', version: 1 }

/** As much of a chain store as is looked at. */
function storeOf(chain: OperationChain) {
  const { blocks } = chain
  return {
    get tip() {
      const { header, state } = chain.parent
      return { height: header.height, block: { header }, staking: state.staking, voting: state.voting }
    },
    heightOfTransaction: (key: RequestKey) =>
      blocks.find(({ block }) => block.transactions.some(({ requestKey }) => requestKey === key))?.block
        .header.height ?? null,
    blockAt: (height: number) => blocks[height - 1]?.block ?? null,
    verdict: (key: RequestKey) => {
      const record = chain.parent.state.verdict(key)
      return record === null ? null : { record }
    },
    verdictById: () => null,
  } as unknown as OperationChainPort
}

describe('the pool', () => {
  it('takes what the next block could hold, and drops what none can any more', () => {
    const chain = new OperationChain()
    const admission = new StakingAdmission(storeOf(chain) as never, chain.genesis.rules)
    const good = chain.propose(0, RAISED)
    expect(admission.refusal(good)).toBeNull()
    const forged = chain.action(
      0,
      { kind: 'propose', operation: RAISED, opensAt: asHeight(2), authority: [] },
      { signer: 1 },
    )
    const code = admission.refusal(forged)?.code ?? ''
    expect([code, isProvenWrong(code)]).toEqual(['operation-signature', true])
    expect(admission.refusal(chain.order(0, SERVICE, [1]))?.code).toBe('operation-authority')
    chain.voted([good])
    expect(admission.isHopeless(good)).toBe(true)
  })
})

describe('the API', () => {
  it('shows an operation while it waits, is voted on, and after', () => {
    const chain = new OperationChain(voting('reject'))
    const views = new OperationViews(storeOf(chain))
    const proposal = chain.propose(1, RAISED, 3)
    const { requestKey: id } = proposal
    expect(views.operation(id)).toBeNull()
    chain.voted([proposal])
    const operation = { kind: 'network-configuration', key: 'policy.minimumStake', value: '5000', version: 0 }
    expect(views.operations().open).toEqual([
      {
        id,
        kind: 'network-configuration',
        route: 'full-bft',
        state: 'waiting',
        proposer: idOf(1),
        proposedAt: 1,
        opensAt: 3,
        height: null,
        operation,
      },
    ])
    expect(views.operation(id)).toMatchObject({ outcome: null, tally: null, participatingNodes: [] })
    chain.votedUntil(8)
    expect(views.operation(id)).toEqual({
      id,
      kind: 'network-configuration',
      route: 'full-bft',
      state: 'done',
      proposer: idOf(1),
      proposedAt: 1,
      opensAt: 3,
      height: 8,
      operation,
      outcome: 'Approved',
      tally: {
        status: 'valid',
        round: 0,
        decidedAt: 5,
        agreeing: { validators: 3, stake: 3_000n },
        dissenting: 1,
        eligibleStake: 4_000n,
      },
      participatingNodes: [0, 1, 2, 3].map(idOf),
      trustAdjustments: [{ account: idOf(0), before: 800_000, after: 760_000 }],
    })
  })

  it('shows the key space, and of a pruned proposal what the state still says', () => {
    const chain = new OperationChain()
    const order = chain.order(0, SERVICE)
    chain.next([order])
    const { requestKey: id } = order
    const views = new OperationViews(storeOf(chain))
    expect(views.operations().entries).toEqual([
      { key: 'service/a', value: 'here', version: 1, id, height: 1 },
    ])
    expect(views.operation(id)).toMatchObject({
      outcome: 'Approved',
      route: 'authority',
      opensAt: null,
      tally: null,
    })
    const pruned = { ...storeOf(chain), tip: storeOf(chain).tip, blockAt: () => null }
    expect(new OperationViews(pruned).operation(id)).toMatchObject({
      kind: 'service-deployment',
      operation: null,
      proposedAt: null,
    })
  })

  it('never answers a question about a request with the decision on an operation', () => {
    const chain = new OperationChain()
    const proposal = chain.propose(0, RAISED)
    chain.voted([proposal])
    chain.votedUntil(8)
    const store = storeOf(chain)
    const { requestKey } = proposal
    expect(store.verdict(requestKey)?.record).toMatchObject({ kind: 'operation', status: 'valid' })
    const byId = { ...store, tip: store.tip, verdictById: () => store.verdict(requestKey) }
    const answers = verdictStore(byId as never)
    expect(answers.decisionById(requestKey as string as Hex32)?.record.kind).toBe('operation')
    expect([answers.verdict(requestKey), answers.verdictById(requestKey as string as Hex32)]).toEqual([
      null,
      null,
    ])
  })
})

describe('an operation as JSON', () => {
  it.each<[string, unknown, string]>([
    ['is of a kind', { kind: 'Teleport' }, 'kind is not one of'],
    ['is an object', null, 'kind is not one of'],
    ['has its fields', { kind: 'node-admission' }, 'account is missing'],
    ['has no other', { kind: 'node-admission', account: idOf(0), impact: 'low' }, 'impact is no field of it'],
    ['has no impact that its proposer claims', { ...RAISED, impact: 'low' }, 'impact is no field of it'],
    ['has them in their form', { ...RAISED, version: -1 }, 'version is not a whole number'],
    ['has texts that have bytes', { ...RAISED, value: '\ud800' }, 'value is not a text'],
  ])('%s', (_, json, why) => {
    const read = readForm(operationForm, json)
    expect(read.ok ? 'read' : read.detail).toContain(why)
  })

  it('reads back what it writes', () => {
    const all: NetworkOperation[] = [
      RAISED,
      SERVICE,
      { kind: 'node-exclusion', account: idOf(0), evidence: null },
      {
        kind: 'trust-score-modification',
        account: idOf(0),
        ppm: 1,
        overturned: 'ab'.repeat(32) as RequestKey,
      },
      { kind: 'other', name: 'x', payload: new Uint8Array([1, 2]) },
    ]
    for (const operation of all) {
      expect(readForm(operationForm, operationForm.toJson(operation))).toEqual({ ok: true, value: operation })
    }
  })
})

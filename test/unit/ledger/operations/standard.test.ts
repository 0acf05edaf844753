/** Standard operations: decided by a certificate, in a key space of their own, and what escalation does (T24). */
import { describe, expect, it } from 'vitest'
import { CONFIGURATION_KEYS } from '../../../../src/ledger/operations/configuration-keys.ts'
import { routeOf } from '../../../../src/ledger/operations/routing.ts'
import { standardKeyOf } from '../../../../src/ledger/operations/standard-space.ts'
import type { NetworkOperation, StandardKey, StandardTask } from '../../../../src/types/operations.ts'
import { OperationChain, voting } from '../../../support/operation-chain.ts'
import { idOf } from '../../../support/staking-chain.ts'

const deploy = (key: string, value = 'stoq://[::1]:9292', version = 1): StandardTask => ({
  kind: 'service-deployment',
  key,
  value,
  version,
})
const SERVICE = 'service/checkout' as StandardKey
const configure = (key: string, value: string): NetworkOperation => ({
  kind: 'network-configuration',
  key,
  value,
  version: 1,
})
const entryOf = (chain: OperationChain, key: StandardKey = SERVICE) =>
  chain.operations.standard.entries.get(key)?.value

describe('a standard operation', () => {
  it('has its effect in the block that orders it', () => {
    const chain = new OperationChain()
    const order = chain.order(0, deploy('service/checkout'))
    chain.next([order])
    expect(chain.operations.standard.entries.get(SERVICE)).toEqual({
      key: SERVICE,
      value: 'stoq://[::1]:9292',
      version: 1,
      id: order.requestKey,
      height: 1,
    })
    expect(chain.endOf(order.requestKey)).toMatchObject({
      outcome: 'approved',
      route: 'authority',
      height: 1,
    })
    expect(chain.parent.state.voting.batches).toEqual([])
    expect(chain.operations.open).toEqual([])
  })

  it('changes nothing but its own key space, and the sequence of who sent it', () => {
    const chain = new OperationChain()
    const { state } = chain.parent
    chain.next([chain.order(0, deploy('service/checkout'))])
    const after = chain.parent.state
    expect(after.voting.trust).toBe(state.voting.trust)
    expect(after.voting.electors).toBe(state.voting.electors)
    expect(after.staking.validators).toBe(state.staking.validators)
    expect(after.voting.operations.policy).toBeNull()
    expect(chain.account(0)).toEqual({ ...state.staking.accounts.get(idOf(0)), sequence: 1 })
    expect(after.accumulators.verdicts.size).toBe(0)
  })

  it('needs more than a third of the active stake, each signature once and valid', () => {
    const chain = new OperationChain()
    const operation = deploy('service/checkout')
    const refusal = (signers: readonly number[]) => chain.refusalOf(chain.order(0, operation, signers))
    expect([refusal([]), refusal([1]), refusal([1, 2]), refusal([0, 1, 2, 3])]).toEqual([
      'operation-authority',
      'operation-authority',
      null,
      null,
    ])
    // An account that holds a balance and no validator.
    expect(refusal([0, 4])).toBe('operation-certificate')
    const [first, second] = chain.certificate(operation, [0, 1])
    const other = chain.certificate(deploy('service/other'), [0, 1])
    const propose = (authority: typeof other) =>
      chain.refusalOf(chain.action(0, { kind: 'propose', operation, opensAt: 0 as never, authority }))
    if (first === undefined || second === undefined) throw new Error('no signatures')
    expect(propose([second, first])).toBe('operation-certificate')
    expect(propose([first, first])).toBe('operation-certificate')
    expect(propose(other)).toBe('operation-certificate')
  })

  it('names the next version of its key: a certificate is good once', () => {
    const chain = new OperationChain()
    chain.next([chain.order(0, deploy('service/checkout'))])
    for (let i = 0; i < 16; i++) chain.next()
    expect(chain.refusalOf(chain.order(1, deploy('service/checkout')))).toBe('operation-version')
    expect(chain.refusalOf(chain.order(1, deploy('service/checkout', 'b', 3)))).toBe('operation-version')
    chain.next([chain.order(1, deploy('service/checkout', 'b', 2))])
    expect(entryOf(chain)).toBe('b')
  })

  it('waits until the one before it on its key can be escalated no more', () => {
    const chain = new OperationChain()
    chain.next([chain.order(0, deploy('service/checkout'))])
    const again = () => chain.refusalOf(chain.order(1, deploy('service/checkout', 'b', 2)))
    expect(again()).toBe('operation-key-busy')
    chain.until(16)
    expect(again()).toBe('operation-key-busy')
    chain.until(17)
    expect(again()).toBeNull()
  })

  it('of configuration that little hangs on is one', () => {
    const chain = new OperationChain()
    chain.next([chain.order(0, configure('network.description', 'a test network'))])
    expect(entryOf(chain, 'config/network.description' as StandardKey)).toBe('a test network')
  })
})

/** Everything that no operation decided by authority may write. */
const CRITICAL_KEYS = [
  'policy.minimumStake',
  'trust/0',
  'validators/0',
  'config/policy.minimumStake',
  'resource/x',
  '../policy',
  'service/../policy',
  'service/',
  'service',
  '',
  'Service/x',
  'service/é',
]

describe('T24: an operation is decided by what it is, not by what its proposer says', () => {
  it('a standard operation on a critical key is refused', () => {
    const chain = new OperationChain()
    for (const key of CRITICAL_KEYS) {
      expect([key, standardKeyOf(deploy(key))]).toEqual([key, null])
      expect([key, chain.refusalOf(chain.order(0, deploy(key), [0, 1, 2, 3]))]).toEqual([
        key,
        'operation-key',
      ])
    }
  })

  it('a certificate does not make the impact of a key low: it goes to full BFT', () => {
    const chain = new OperationChain(voting('reject', 'reject', 'reject', 'reject'))
    const operation = configure('policy.minimumStake', '1')
    const authority = chain.certificate(operation, [0, 1, 2, 3])
    const claimed = chain.action(0, { kind: 'propose', operation, opensAt: 2 as never, authority })
    chain.voted([claimed])
    expect(chain.operations).toMatchObject({ policy: null, open: [{ stage: 'waiting' }], decided: [] })
    chain.votedUntil(8)
    expect(chain.endOf(claimed.requestKey)).toMatchObject({ outcome: 'rejected', route: 'full-bft' })
    expect(chain.operations.policy).toBeNull()
    // As a standard one it has no place at all.
    expect(chain.refusalOf(chain.order(0, operation, [0, 1, 2, 3]))).toBe('operation-opens')
  })

  const UNKNOWN: readonly NetworkOperation[] = [
    { kind: 'other', name: 'FutureOperation', payload: new Uint8Array(0) },
    { kind: 'future-operation' } as never,
    configure('policy.unheardOf', '1'),
    configure('constructor', '1'),
  ]
  const CRITICAL: readonly NetworkOperation[] = [
    ...[...CONFIGURATION_KEYS.keys()]
      .filter((key) => key.startsWith('policy.'))
      .map((key) => configure(key, '1')),
    { kind: 'node-admission', account: idOf(0) },
    { kind: 'node-exclusion', account: idOf(0), evidence: null },
    { kind: 'trust-score-modification', account: idOf(0), ppm: 0, overturned: null },
  ]

  it('an unknown operation is critical', () => {
    const all = [...UNKNOWN, ...CRITICAL]
    expect(all.map(routeOf)).toEqual(all.map(() => 'full-bft'))
  })
})

describe('an escalation', () => {
  it('suspends the operation, and full BFT decides: approved, it has its effect again', () => {
    const chain = new OperationChain()
    const order = chain.order(0, deploy('service/checkout'))
    chain.voted([order])
    chain.voted([chain.escalate(1, order.requestKey)])
    expect(entryOf(chain)).toBeUndefined()
    expect(chain.operations.open).toMatchObject([
      { id: order.requestKey, stage: 'waiting', proposer: idOf(0) },
    ])
    chain.votedUntil(7)
    expect(entryOf(chain)).toBe('stoq://[::1]:9292')
    expect(chain.operations).toMatchObject({ open: [], standard: { recent: [] } })
    expect(chain.operations.decided).toMatchObject([
      { route: 'authority' },
      { route: 'full-bft', outcome: 'approved' },
    ])
  })

  it('rejected, the key has the value of before, and the certificate is used up', () => {
    const chain = new OperationChain(voting('reject', 'reject', 'reject'))
    const order = chain.order(0, deploy('service/checkout'))
    chain.voted([order])
    chain.voted([chain.escalate(1, order.requestKey)])
    chain.votedUntil(7)
    expect(entryOf(chain)).toBe('')
    expect(chain.endOf(order.requestKey)).toBeDefined()
    expect(chain.operations.decided.at(-1)).toMatchObject({ route: 'full-bft', outcome: 'rejected' })
    expect(chain.refusalOf(chain.order(1, deploy('service/checkout')))).toBe('operation-version')
    expect(chain.refusalOf(chain.order(1, deploy('service/checkout', 'b', 2)))).toBeNull()
  })

  it('comes within 16 blocks, once, with more than a third of the active stake', () => {
    const chain = new OperationChain()
    const order = chain.order(0, deploy('service/checkout'))
    chain.next([order])
    expect(chain.refusalOf(chain.escalate(1, order.requestKey, [1]))).toBe('operation-authority')
    chain.until(16)
    expect(chain.refusalOf(chain.escalate(1, order.requestKey))).toBeNull()
    chain.until(17)
    expect(chain.refusalOf(chain.escalate(1, order.requestKey))).toBe('operation-not-recent')
    const second = chain.order(0, deploy('service/other'))
    chain.next([second])
    chain.next([chain.escalate(1, second.requestKey)])
    expect(chain.refusalOf(chain.escalate(2, second.requestKey))).toBe('operation-not-recent')
    expect(chain.refusalOf(chain.order(2, deploy('service/other', 'b', 2)))).toBe('operation-version')
  })
})

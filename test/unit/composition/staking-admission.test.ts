/** What may wait in the pool, what is dropped from it, and what the API says of it. */
import { describe, expect, it } from 'vitest'
import { StakingAdmission } from '../../../src/composition/staking-admission.ts'
import { StakingViews } from '../../../src/composition/staking-views.ts'
import { isProvenWrong } from '../../../src/ledger/staking/admission.ts'
import { Mempool } from '../../../src/mempool/mempool.ts'
import { asHeight, asMonotonicMs, type Height, type RequestKey } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { BALANCE, idOf, STAKE, StakingChain } from '../../support/staking-chain.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const transfer = { kind: 'transfer', to: idOf(5), amount: 1n } as const

function setUp() {
  const chain = new StakingChain()
  const heights = new Map<RequestKey, Height>()
  const store = {
    get tip() {
      const { header, state } = chain.parent
      return {
        height: header.height,
        block: { header },
        staking: chain.staking,
        voting: state.voting,
      } as never
    },
    get state() {
      return chain.parent.state as never
    },
    heightOfTransaction: (key: RequestKey) => heights.get(key) ?? null,
  }
  const admission = new StakingAdmission(store, chain.genesis.rules)
  const pool = new Mempool(
    { countMax: 100, bytesMax: 1e6, countPerSourceMax: 100, bytesPerSourceMax: 1e6, timeToLiveMs: 1e6 },
    {
      now: () => asMonotonicMs(0),
      isFinal: (key) => heights.has(key),
      refusal: (transaction) => admission.refusal(transaction),
      expired: () => {},
    },
  )
  const finalize = (transactions: readonly HashedTransaction[]): void => {
    const { block } = chain.next(transactions)
    for (const { requestKey } of transactions) heights.set(requestKey, block.header.height)
    pool.remove(transactions)
    pool.review((transaction) => admission.isHopeless(transaction))
  }
  const views = new StakingViews({
    chain: store,
    isWaiting: (key) => pool.has(key),
    submit: (transaction) => pool.admit(transaction, null),
  })
  const codeOf = (transaction: HashedTransaction) => {
    const outcome = pool.admit(transaction, 'peer')
    return outcome.ok ? outcome.value : outcome.code
  }
  return { chain, pool, finalize, views, codeOf }
}
const everything = { bytesMax: 1e6, countMax: 1e6, exclude: () => false }

describe('the pool', () => {
  it('takes what is legal next, and not what waits for its turn', () => {
    const { chain, codeOf } = setUp()
    expect(codeOf(chain.signed(4, transfer))).toBe('added')
    expect(codeOf(chain.signed(4, transfer, { sequence: 2 }))).toBe('staking-sequence-ahead')
    expect(codeOf(chain.signed(4, { ...transfer, amount: 3n }, { signer: 6 }))).toBe('staking-signature')
    expect(codeOf(chain.signed(6, transfer, { expiresAtHeight: asHeight(0) }))).toBe('staking-expired')
    expect(codeOf(chain.signed(6, { ...transfer, amount: BALANCE + 1n }))).toBe('staking-balance')
    expect(codeOf(chain.signed(9, transfer))).toBe('staking-unknown-account')
    expect(codeOf(chain.offence(9))).toBe('evidence-unknown-key')
    expect(codeOf(chain.commitPair(9))).toBe('evidence-future-epoch')
  })

  it('takes no way back for one that is not excluded, or before its cool-down is over', () => {
    const { chain, codeOf } = setUp()
    const rejoin = chain.signed(0, { kind: 'rejoin' })
    expect(codeOf(rejoin)).toBe('staking-not-excluded')
    const { state } = chain.parent
    const before = state.voting.trust.get(idOf(0))
    if (before === undefined) throw new Error('no trust')
    const excludedUntil = (untilPeriod: number) => {
      const trust = new Map(state.voting.trust).set(idOf(0), { ...before, status: 'excluded', untilPeriod })
      chain.parent = { ...chain.parent, state: { ...state, voting: { ...state.voting, trust } } }
    }
    excludedUntil(11)
    expect(codeOf(rejoin)).toBe('staking-cool-down')
    excludedUntil(0)
    expect(codeOf(rejoin)).toBe('added')
  })

  it('takes an offence once, whoever signed what', () => {
    const { chain, codeOf, pool } = setUp()
    expect([codeOf(chain.offence(1)), codeOf(chain.offence(1)), pool.size]).toEqual(['added', 'known', 1])
  })

  it('drops what a final block has made impossible, and keeps the rest', () => {
    const { chain, pool, finalize } = setUp()
    const [first, rival, later] = [
      chain.signed(4, transfer),
      chain.signed(4, { ...transfer, amount: 2n }),
      chain.signed(6, transfer),
    ]
    const offences = [chain.offence(1), chain.offence(1, 'pre-commit', 0, 2)]
    const request = numberedTransaction(1)
    for (const one of [first, rival, later, ...offences, request]) pool.admit(one, null)
    expect(pool.size).toBe(6)
    finalize([first, offences[0] as HashedTransaction])
    expect(pool.select(everything)).toEqual([later, request])
  })

  it('gives them a quarter of a selection at most, so that a flood delays no request', () => {
    const { chain, pool } = setUp()
    for (let amount = 1n; amount <= 12n; amount++) pool.admit(chain.signed(4, { ...transfer, amount }), null)
    const request = numberedTransaction(1)
    pool.admit(request, null)
    const size = chain.signed(4, transfer).bytes.length
    const selected = pool.select({ ...everything, bytesMax: 8 * size + 10 })
    expect(selected).toHaveLength(3)
    expect(selected).toContain(request)
  })

  it.each([
    ['staking-signature', true],
    ['evidence-same-content', true],
    ['evidence-equivocation', true],
    ['evidence-future-epoch', false],
    ['staking-sequence', false],
    ['evidence-expired', false],
    ['full', false],
  ])('%s is the fault of the sender whatever its state: %s', (code, isWrong) => {
    expect(isProvenWrong(code)).toBe(isWrong)
  })
})

describe('the API', () => {
  it('takes a transaction once, and follows it until it is final', () => {
    const { chain, views, finalize } = setUp()
    const transaction = chain.signed(4, transfer)
    const { requestKey: key } = transaction
    expect(views.transaction(key)).toEqual({ key, state: 'unknown', height: null })
    expect(views.submit(transaction.bytes)).toEqual({ key, state: 'pending', height: null })
    expect(views.submit(transaction.bytes)).toEqual({ key, state: 'pending', height: null })
    finalize([transaction])
    expect(views.submit(transaction.bytes)).toEqual({ key, state: 'final', height: 1 })
    expect(views.transaction(key)).toEqual({ key, state: 'final', height: 1 })
  })

  it('says why it takes none', () => {
    const { chain, views } = setUp()
    const submit = (transaction: HashedTransaction) => views.submit(transaction.bytes)
    expect(views.submit(new Uint8Array(9))).toMatchObject({ is: 'malformed', code: 'malformed' })
    expect(submit(numberedTransaction(1))).toMatchObject({ is: 'malformed', code: 'kind' })
    expect(submit(chain.signed(4, transfer, { signer: 5 }))).toMatchObject({
      is: 'malformed',
      code: 'staking-signature',
    })
    expect(submit(chain.signed(4, { kind: 'leave' }))).toMatchObject({
      is: 'illegal',
      code: 'staking-not-joined',
    })
  })

  it('shows accounts with their place in the set, also while a changed key still votes', () => {
    const { chain, views, finalize } = setUp()
    expect(views.account('ff'.repeat(32))).toBeNull()
    expect(views.account(idOf(4))).toMatchObject({
      balance: BALANCE,
      validatorId: null,
      validatorIndex: null,
    })
    finalize([chain.keyChange(1, 10)])
    expect(views.account(idOf(1))).toMatchObject({ bonded: STAKE, validatorId: idOf(10), validatorIndex: 1 })
    expect(views.account(idOf(1))).not.toHaveProperty('validatorKey')
    finalize([chain.offence(1)])
    expect(views.account(idOf(1))).toMatchObject({ bonded: 250n, tombstonedAt: 2 })
    expect(views.slashes()).toEqual([
      expect.objectContaining({ account: idOf(1), stake: STAKE, burnt: 750n }),
    ])
  })
})

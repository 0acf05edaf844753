/** Which notes pay: no more than two, no more merges than it takes, and a refusal only where nothing can be done. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planPayment, type Selectable } from '../../../src/wallet/send/select-notes.ts'
import { WalletError } from '../../../src/wallet/wallet-error.ts'

const notes = (...values: bigint[]): Selectable[] => values.map((value, position) => ({ position, value }))
const NOTHING = { spendable: 0n, expected: 0n }
const values = (chosen: readonly Selectable[] | null): bigint[] => (chosen ?? []).map(({ value }) => value)

function failure(act: () => unknown): WalletError {
  try {
    act()
  } catch (error) {
    if (error instanceof WalletError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('a payment', () => {
  it.each<[what: string, has: bigint[], amount: bigint, fee: bigint, pay: bigint[]]>([
    ['the one note that there is', [100n], 100n, 0n, [100n]],
    ['the smallest note that is enough', [100n, 50n, 60n], 50n, 1n, [60n]],
    ['the smallest pair that is enough', [100n, 50n, 60n], 105n, 1n, [50n, 60n]],
    ['a pair with dust', [1n, 2n, 3n, 100n], 101n, 0n, [1n, 100n]],
    ['two equal notes', [7n, 7n], 14n, 0n, [7n, 7n]],
    ['notes near the limit', [2n ** 63n, 2n ** 63n - 1n], 2n ** 64n - 2n, 1n, [2n ** 63n - 1n, 2n ** 63n]],
  ])('takes %s', (_what, has, amount, fee, pay) => {
    const plan = planPayment(notes(...has), amount, fee, NOTHING)
    expect(values(plan.pay)).toEqual(pay)
    expect(plan).toMatchObject({ merges: [], mergeFirst: null, fees: fee })
  })

  it('of more than two notes is planned with its merges', () => {
    const plan = planPayment(notes(10n, 20n, 30n, 40n, 1n), 90n, 2n, NOTHING)
    expect(plan.pay).toBeNull()
    expect(values(plan.mergeFirst)).toEqual([10n, 20n])
    expect(plan.merges).toEqual([
      { inputs: [10n, 20n], output: 28n },
      { inputs: [28n, 30n], output: 56n },
    ])
    expect(plan.fees).toBe(6n)
  })

  it.each<[what: string, amount: bigint, fee: bigint, why: RegExp]>([
    ['nothing', 0n, 1n, /above 0/],
    ['less than nothing', -5n, 1n, /above 0/],
    ['something with a fee below 0', 5n, -1n, /not below 0/],
    ['more than 64 bits', 2n ** 64n, 0n, /below 2\^64/],
    ['more than 64 bits with the fee', 2n ** 64n - 1n, 1n, /below 2\^64/],
  ])('of %s cannot be', (_what, amount, fee, why) => {
    const error = failure(() => planPayment(notes(5n), amount, fee, NOTHING))
    expect(error).toMatchObject({ code: 'E_WALLET_AMOUNT', exitCode: 64 })
    expect(error.advice.why).toMatch(why)
  })

  it('that is too much says how much there is, and what is on its way', () => {
    const error = failure(() => planPayment(notes(10n, 10n, 10n), 29n, 1n, { spendable: 30n, expected: 12n }))
    expect(error).toMatchObject({ code: 'E_WALLET_INSUFFICIENT', exitCode: 1 })
    expect(error.message).toBe('29 and a fee of 1 are more than there is')
    expect(error.advice.why).toBe(
      '30 can be spent now; 12 more is on its way; after all fees at most 28 can be paid',
    )
    expect(error.advice.fix).toMatch(/wait/)
    expect(failure(() => planPayment([], 1n, 0n, NOTHING)).advice.why).toBe(
      '0 can be spent now; after all fees at most 0 can be paid',
    )
  })

  it('is made of dust one merge at a time, each plan shorter than the one before', () => {
    const amounts = fc.array(fc.bigInt({ min: 1n, max: 60n }), { maxLength: 12 })
    fc.assert(
      fc.property(
        amounts,
        fc.bigInt({ min: 1n, max: 300n }),
        fc.bigInt({ min: 0n, max: 20n }),
        (has, amount, fee) => {
          let rest = notes(...has)
          let left = Number.POSITIVE_INFINITY
          for (let position = has.length; ; position++) {
            let plan: ReturnType<typeof planPayment>
            try {
              plan = planPayment(rest, amount, fee, NOTHING)
            } catch (error) {
              // Then no number of notes is enough, and that was so from the beginning.
              expect(left).toBe(Number.POSITIVE_INFINITY)
              expect(mostOf(has, fee)).toBeLessThan(amount)
              expect((error as WalletError).advice.why).toContain(`at most ${mostOf(has, fee)} can`)
              return
            }
            expect(mostOf(has, fee)).toBeGreaterThanOrEqual(amount)
            if (plan.pay !== null) {
              expect(plan.pay.length).toBeLessThanOrEqual(2)
              expect(plan.pay.reduce((sum, { value }) => sum + value, 0n)).toBeGreaterThanOrEqual(
                amount + fee,
              )
              return
            }
            expect(plan.merges.length).toBeGreaterThan(0)
            expect(plan.merges.length).toBeLessThan(left)
            left = plan.merges.length
            const [a, b] = plan.mergeFirst as readonly [Selectable, Selectable]
            expect(a.value + b.value).toBeGreaterThan(fee)
            rest = [
              ...rest.filter((note) => note !== a && note !== b),
              { position, value: a.value + b.value - fee },
            ]
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** By trying all numbers of the largest notes. */
function mostOf(has: readonly bigint[], fee: bigint): bigint {
  const sorted = [...has].sort((a, b) => (a > b ? -1 : 1))
  const payable = sorted.map((_, i) => {
    const sum = sorted.slice(0, i + 1).reduce((total, value) => total + value, 0n)
    return sum - fee * BigInt(Math.max(1, i))
  })
  return [0n, ...payable].sort((a, b) => (a > b ? -1 : 1))[0] as bigint
}

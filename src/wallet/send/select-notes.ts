/**
 * Which notes pay for what: two at the most in a transaction. Where it takes more, notes are merged first, two to one; each
 * merge costs a fee as well.
 */
import { VALUE_LIMIT } from '../../shielded/notes/note-hashes.ts'
import { WalletError } from '../wallet-error.ts'

/** What selecting looks at. */
export interface Selectable {
  readonly position: number
  readonly value: bigint
}

/** How an amount can be paid. */
export interface PaymentPlan<N extends Selectable> {
  /** Pairs to merge first, one after the other; after each the rest is planned anew. */
  readonly merges: readonly MergeStep[]
  /** What the payment itself spends; null while merges have to come first. */
  readonly pay: readonly N[] | null
  /** What the first merge spends; null when nothing is to be merged. */
  readonly mergeFirst: readonly [N, N] | null
  /** Of all transactions together. */
  readonly fees: bigint
}

/** One merge: what it makes of two amounts. */
export interface MergeStep {
  readonly inputs: readonly [bigint, bigint]
  readonly output: bigint
}

/** What is known when there is not enough. */
export interface Shortage {
  /** All that can be spent now. */
  readonly spendable: bigint
  /** What comes when transactions on their way are final. */
  readonly expected: bigint
}

/** Ascending; of equal ones the older first. */
function ascending<N extends Selectable>(notes: readonly N[]): N[] {
  return [...notes].sort((a, b) =>
    a.value === b.value ? a.position - b.position : a.value < b.value ? -1 : 1,
  )
}

/** The pair of the smallest sum that is enough; null if there is none. @param notes ascending */
function smallestPair<N extends Selectable>(notes: readonly N[], target: bigint): readonly [N, N] | null {
  let best: readonly [N, N] | null = null
  let low = 0
  let high = notes.length - 1
  while (low < high) {
    const pair = [notes[low] as N, notes[high] as N] as const
    const sum = pair[0].value + pair[1].value
    if (sum < target) low++
    else {
      if (best === null || sum < best[0].value + best[1].value) best = pair
      high--
    }
  }
  return best
}

/** Whether an amount can be paid at all. @throws WalletError `E_WALLET_AMOUNT` */
export function checkAmount(amount: bigint, fee: bigint): void {
  const why =
    amount <= 0n
      ? 'an amount is above 0'
      : fee < 0n
        ? 'a fee is not below 0'
        : amount + fee >= VALUE_LIMIT
          ? 'with its fee it is not below 2^64'
          : null
  if (why === null) return
  throw new WalletError('E_WALLET_AMOUNT', `the amount ${amount} with the fee ${fee} cannot be paid`, {
    why,
    fix: 'give whole numbers of the smallest unit',
  })
}

/** The most that notes can pay in the end, with the fees of the merges that it takes. @param notes ascending */
function mostPayable(notes: readonly Selectable[], fee: bigint): bigint {
  let most = 0n
  let sum = 0n
  for (let count = 1; count <= notes.length; count++) {
    sum += (notes[notes.length - count] as Selectable).value
    const payable = sum - feesOf(count, fee)
    if (payable > most) most = payable
  }
  return most
}

/** Fees of a payment out of so many notes: each merge takes one away, until two are left. */
function feesOf(count: number, fee: bigint): bigint {
  return fee * BigInt(Math.max(1, count - 1))
}

/**
 * Plans a payment.
 * @param notes that can be spent now
 * @param amount what is paid, without the fee
 * @param fee of each transaction
 * @throws WalletError `E_WALLET_AMOUNT`, `E_WALLET_INSUFFICIENT` with the figures
 */
export function planPayment<N extends Selectable>(
  notes: readonly N[],
  amount: bigint,
  fee: bigint,
  shortage: Shortage,
): PaymentPlan<N> {
  checkAmount(amount, fee)
  const sorted = ascending(notes)
  const target = amount + fee
  const single = sorted.find(({ value }) => value >= target)
  const pay = single === undefined ? smallestPair(sorted, target) : [single]
  if (pay !== null) return { merges: [], pay, mergeFirst: null, fees: fee }
  let sum = 0n
  for (let count = 1; count <= sorted.length; count++) {
    sum += (sorted[sorted.length - count] as N).value
    if (count > 2 && sum >= amount + feesOf(count, fee)) return mergePlan(sorted.slice(-count), fee)
  }
  throw insufficient(amount, fee, mostPayable(sorted, fee), shortage)
}

/** @param notes ascending, more than two: the smallest are merged first, so that the sums stay small */
function mergePlan<N extends Selectable>(notes: readonly N[], fee: bigint): PaymentPlan<N> {
  const [first, second] = notes as readonly [N, N, ...N[]]
  const merges: MergeStep[] = []
  let rest = notes.map(({ value }) => value)
  while (rest.length > 2) {
    const [a, b, ...others] = rest as [bigint, bigint, ...bigint[]]
    const output = a + b - fee
    merges.push({ inputs: [a, b], output })
    rest = [...others, output].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))
  }
  return { merges, pay: null, mergeFirst: [first, second], fees: feesOf(notes.length, fee) }
}

function insufficient(
  amount: bigint,
  fee: bigint,
  most: bigint,
  { spendable, expected }: Shortage,
): WalletError {
  const waiting = expected > 0n ? `; ${expected} more is on its way` : ''
  return new WalletError('E_WALLET_INSUFFICIENT', `${amount} and a fee of ${fee} are more than there is`, {
    why: `${spendable} can be spent now${waiting}; after all fees at most ${most} can be paid`,
    fix: expected > 0n ? 'wait until it is final, or pay less' : 'pay less, or let somebody pay you first',
  })
}

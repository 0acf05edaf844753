/** What happened to a wallet, in order: what the chain says, with what the wallet knows of its own transactions. */
import type { Height } from '../types/primitives.ts'
import type { Movement, Outgoing, OutgoingKind, OutgoingState } from './state.ts'

/** One thing that happened. */
export interface HistoryLine {
  readonly kind:
    | OutgoingKind
    /** Paid by somebody else, or a deposit that another program made. */
    | 'received'
    /** Paid from this wallet's seed by another program. */
    | 'spent'
  /** What was paid or came in, without fees; of `spent` what is gone altogether. */
  readonly amount: bigint
  /** Zero where the wallet does not know it or somebody else paid it. */
  readonly fee: bigint
  /** Address or account that was paid; null where the wallet does not know it. */
  readonly to: string | null
  /** Account that a deposit came from. */
  readonly from: string | null
  readonly state: OutgoingState
  /** Null unless it is final. */
  readonly height: Height | null
  /** Of the transaction; null for a note of genesis. */
  readonly hash: string | null
}

function lineOf(made: Outgoing): HistoryLine {
  const { kind, amount, fee, to, from, state, height, hash } = made
  return { kind, amount, fee, to, from, state, height, hash }
}

function movedLine({ received, spent, height, hash }: Movement): HistoryLine {
  const isIn = received >= spent
  return {
    kind: isIn ? 'received' : 'spent',
    amount: isIn ? received - spent : spent - received,
    fee: 0n,
    to: null,
    from: null,
    state: 'final',
    height,
    hash,
  }
}

/**
 * Lines in the order of the chain; what is not in it comes last, in the order in which it was made.
 * @param genesis worth of the wallet's notes that the network began with
 */
export function historyOf(
  genesis: bigint,
  movements: readonly Movement[],
  outgoing: readonly Outgoing[],
): readonly HistoryLine[] {
  const made = new Map(outgoing.map((one) => [one.hash, one]))
  const began: HistoryLine[] =
    genesis === 0n
      ? []
      : [
          {
            ...movedLine({ received: genesis, spent: 0n, height: 0 as Height, hash: '', entry: 0 }),
            hash: null,
          },
        ]
  const moved = movements.map((movement) => {
    const own = made.get(movement.hash)
    return own === undefined ? movedLine(movement) : lineOf(own)
  })
  const seen = new Set(movements.map(({ hash }) => hash))
  return [...began, ...moved, ...outgoing.filter(({ hash }) => !seen.has(hash)).map(lineOf)]
}

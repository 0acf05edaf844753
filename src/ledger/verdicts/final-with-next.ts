/**
 * Which blocks need no finality of their own. A verdict takes three blocks, and two of them are waited for: the one that
 * closes a batch, before anybody opens a ballot, and the one that gives the verdict, before anybody is answered. The
 * block that brings the first requests becomes final with the next, which comes without anybody asking for it: a batch
 * is open. Never two in a row.
 */
import type { HashedBlock } from '../../types/block.ts'
import type { StateChanges } from '../../types/ledger-state.ts'
import type { Transaction } from '../../types/transaction.ts'

/** Whatever else is in a block has somebody who waits for it to be final. */
const MAY_WAIT: ReadonlySet<Transaction['kind']> = new Set([
  'validate-certificate',
  'validate-proofs',
  'ballots',
])

/** Whether nobody waits for an executed block to be final before the next one is. A function of the chain alone. */
export function isFinalWithNext(
  { header: { height }, transactions }: Pick<HashedBlock, 'header' | 'transactions'>,
  { verdicts, voting: { batches } }: Pick<StateChanges, 'verdicts' | 'voting'>,
): boolean {
  if (batches.length === 0 || verdicts.length > 0) return false
  if (!transactions.every(({ transaction }) => MAY_WAIT.has(transaction.kind))) return false
  return batches.every(({ height: of, round, closedAt }) => of === height && round === 0 && closedAt === null)
}

/** From an equivocation that this node saw to a transaction that proves it. */
import { hashTransaction } from '../codec/transaction.ts'
import type { CommitPairListener } from '../runtime/commit-watch.ts'
import type { EquivocationListener } from '../runtime/ports.ts'
import { makeEvidence } from '../types/evidence.ts'
import type { TransactionFlow } from './transaction-flow.ts'

/** Every node that saw both contents submits it; the pool and the ledger know it by its offence. */
export function evidenceTo(flow: () => TransactionFlow): EquivocationListener {
  return ({ kind, epoch, view, publicKey, one, other }) => {
    const evidence = makeEvidence(kind, epoch, view, publicKey, one, other)
    if (evidence !== null) flow().submit(hashTransaction({ kind: 'evidence', evidence }))
  }
}

/** The same for two commits in one slot. */
export function commitPairTo(flow: () => TransactionFlow): CommitPairListener {
  return (pair) => void flow().submit(hashTransaction({ kind: 'commit-pair', pair }))
}

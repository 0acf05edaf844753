/** Joins the flow of transactions to a node: its pool, its door for shielded ones, gossip and the engine. */
import type { Mempool } from '../mempool/mempool.ts'
import type { Network } from '../network/network.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ConsensusEngine } from '../runtime/consensus-engine.ts'
import type { NodeProofs } from './node-proofs.ts'
import { ShieldedDoor } from './shielded-door.ts'
import type { StakingAdmission } from './staking-admission.ts'
import type { SystemClock } from './system-clock.ts'
import { TransactionFlow } from './transaction-flow.ts'

export interface FlowParts {
  readonly pool: Mempool
  readonly admission: Pick<StakingAdmission, 'refusalBeforeProof'>
  readonly proofs: Pick<NodeProofs, 'workers'>
  /** Asked when there is something to pass on. */
  readonly network: () => Pick<Network, 'gossip'>
  readonly engine: Pick<ConsensusEngine, 'workArrived' | 'workExhausted'>
  readonly metrics: Pick<Metrics, 'ledger'>
  readonly clock: SystemClock
}

/** The engine is told from here on whether transactions wait. */
export function buildFlow(parts: FlowParts): TransactionFlow {
  const { pool, admission, proofs, network, engine, metrics, clock } = parts
  pool.onChange((hasTransactions) => {
    if (!hasTransactions) engine.workExhausted()
  })
  return new TransactionFlow({
    pool,
    door: new ShieldedDoor({
      pool,
      refusalBeforeProof: (transaction) => admission.refusalBeforeProof(transaction),
      verify: (transaction, urgency) => proofs.workers.verify(transaction, urgency),
      now: () => clock.monotonicMs(),
    }),
    publish: (transactions) => network().gossip.publishTransactions(transactions),
    workArrived: (requestKeys) => engine.workArrived(requestKeys),
    rejected: (reason) => metrics.ledger.mempoolRejected.add(1, { reason }),
  })
}

/** Joins the verification of shielded proofs to a node: what the ledger asks, what blocks wait for, what is counted. */
import type { ModuleLogger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { BlockProofs } from '../proofs/block-proofs.ts'
import { useNativeSha256 } from '../proofs/native-sha256.ts'
import { ProofVerdicts } from '../proofs/proof-verdicts.ts'
import { ProofWorkers } from '../proofs/proof-workers.ts'

export interface NodeProofs {
  /** The ledger's rule (RulePorts). */
  readonly verify: ProofVerdicts['verify']
  readonly workers: ProofWorkers
  /** For the consensus shell. */
  readonly blocks: BlockProofs
}

/** No thread begins before there is a proof. Whoever builds them stops the workers. */
export function buildProofs({ shielded }: Pick<Metrics, 'shielded'>, logger: ModuleLogger): NodeProofs {
  useNativeSha256()
  const verdicts = new ProofVerdicts((place, isRight) =>
    shielded.proofs.add(1, { place, verdict: isRight ? 'right' : 'wrong' }),
  )
  const workers = new ProofWorkers({
    verdicts,
    onWaiting: (count) => shielded.waiting.set(count),
    onEnded: (reason) => shielded.threadsReplaced.add(1, { reason }),
    logger: logger.module('consensus'),
  })
  return { verify: verdicts.verify, workers, blocks: new BlockProofs(verdicts, workers) }
}

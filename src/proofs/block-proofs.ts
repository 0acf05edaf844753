/** Has the proofs in a block verified before it is executed, as far as nobody has done so. */
import type { HashedBlock } from '../types/block.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import type { ProofVerdicts } from './proof-verdicts.ts'
import type { ProofWorkers } from './proof-workers.ts'

export class BlockProofs {
  readonly #verdicts: ProofVerdicts
  readonly #workers: Pick<ProofWorkers, 'verify'>

  constructor(verdicts: ProofVerdicts, workers: Pick<ProofWorkers, 'verify'>) {
    this.#verdicts = verdicts
    this.#workers = workers
  }

  /**
   * @returns null when there is nothing to wait for; else resolves when there are verdicts, right or wrong. It never
   *   rejects: what could not be verified is verified where the block is executed
   */
  prepare({ transactions }: Pick<HashedBlock, 'transactions'>): Promise<void> | null {
    const unseen: ShieldedTransaction[] = []
    for (const { transaction } of transactions) {
      if (transaction.kind !== 'shielded') continue
      if (this.#verdicts.known(this.#verdicts.hashOf(transaction)) === null) unseen.push(transaction)
    }
    if (unseen.length === 0) return null
    const verdicts = unseen.map((transaction) => this.#workers.verify(transaction, 'block'))
    return Promise.all(verdicts).then(() => undefined)
  }
}

/** Open proofs in a simulated network: each is checked once, and every process waits for the verdict as for a thread's. */
import { shieldedStatementHash } from '../../../src/codec/shielded.ts'
import type { VerifyShielded } from '../../../src/ledger/shielded/statement.ts'
import type { BlockProofsPort } from '../../../src/runtime/ports.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import { verifyOpenly } from '../../support/shielded/spender.ts'
import type { Random } from '../random.ts'

/** The ledger's rule. It remembers, for a verdict is a function of the transaction. */
export function openVerdicts(): VerifyShielded {
  const known = new Map<string, boolean>()
  return (transaction) => {
    const hash = shieldedStatementHash(transaction)
    const verdict = known.get(hash) ?? verifyOpenly(transaction)
    known.set(hash, verdict)
    return verdict
  }
}

export interface ProofWait {
  readonly verify: VerifyShielded
  readonly random: Random
  /** Runs something in the process that waits, if it lives so long. */
  readonly later: (delayMs: number, run: () => void) => void
}

/** A thread takes so long at the most: some views of a simulated network. */
const VERIFY_MAX_MS = 30

/** What a process knows of proofs: nothing when it starts. */
export class SimulatedProofs implements BlockProofsPort {
  readonly #wait: ProofWait
  readonly #known = new Set<string>()

  constructor(wait: ProofWait) {
    this.#wait = wait
  }

  /** For the door of the pool. */
  verify(transaction: ShieldedTransaction): Promise<boolean> {
    const { verify, random, later } = this.#wait
    const hash = shieldedStatementHash(transaction)
    if (this.#known.has(hash)) return Promise.resolve(verify(transaction))
    return new Promise((resolve) => {
      later(random.next() * VERIFY_MAX_MS, () => {
        this.#known.add(hash)
        resolve(verify(transaction))
      })
    })
  }

  prepare({ transactions }: HashedBlock): Promise<void> | null {
    const unseen: ShieldedTransaction[] = []
    for (const { transaction } of transactions) {
      if (transaction.kind !== 'shielded') continue
      if (!this.#known.has(shieldedStatementHash(transaction))) unseen.push(transaction)
    }
    if (unseen.length === 0) return null
    return Promise.all(unseen.map((transaction) => this.verify(transaction))).then(() => undefined)
  }
}

/** Open proofs in a simulated network: each is checked once, and every process waits for the verdict as for a thread's. */
import { shieldedStatementHash } from '../../../src/codec/shielded.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import type { VerifyShielded } from '../../../src/ledger/shielded/statement.ts'
import type { BlockProofsPort } from '../../../src/runtime/ports.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { verifyOpenly } from '../../support/shielded/spender.ts'
import type { Random } from '../random.ts'

/** The open proofs of one network: transactions carry their numbers, for what is sent around costs time. */
export class OpenProofs {
  readonly #proofs: Uint8Array[] = []
  readonly #verdicts = new Map<string, boolean>()

  /** The same transaction, with a number in the place of its proof. */
  numbered({ transaction }: HashedTransaction<ShieldedTransaction>): HashedTransaction<ShieldedTransaction> {
    const proof = new Uint8Array(4)
    new DataView(proof.buffer).setUint32(0, this.#proofs.length)
    this.#proofs.push(transaction.proof)
    return hashTransaction({ ...transaction, proof })
  }

  /** The ledger's rule. It remembers, for a verdict is a function of the transaction. */
  readonly verify: VerifyShielded = (transaction) => {
    const hash = shieldedStatementHash(transaction)
    const verdict = this.#verdicts.get(hash) ?? this.#verify(transaction)
    this.#verdicts.set(hash, verdict)
    return verdict
  }

  #verify(transaction: ShieldedTransaction): boolean {
    const { buffer, byteOffset, byteLength } = transaction.proof
    if (byteLength !== 4) return false
    const proof = this.#proofs[new DataView(buffer, byteOffset).getUint32(0)]
    return proof !== undefined && verifyOpenly({ ...transaction, proof })
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

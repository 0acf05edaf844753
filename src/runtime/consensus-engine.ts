/**
 * The seam between a node and the engine that orders its blocks: what BFT (consensus-node.ts) and proof of work
 * (pow/pow-node.ts) have in common. What only one of them can do is asked of that one.
 */
import type { BlockHash, RequestKey } from '../types/primitives.ts'

export interface ConsensusEngine {
  /** Begins to take part. The network may already deliver. */
  start(): void
  /** Takes no more inputs and waits for what is being written. */
  stop(): Promise<void>
  /** Requests have come into the pool. */
  workArrived(requestKeys: readonly RequestKey[]): void
  /** The pool has become empty. */
  workExhausted(): void
  /** Canonical bytes of a block that peers may ask for and the database does not hold, by its name. */
  unfinalBlock(hash: BlockHash): Uint8Array | null
}

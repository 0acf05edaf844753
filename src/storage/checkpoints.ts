/**
 * Which finality certificates are kept. Blocks are linked by hash, so one certificate speaks for all before it;
 * what is needed is that from every height on a certificate follows within what one range answer carries.
 * Decides only; writes nothing.
 */
import { BLOCK_BYTES_MAX } from '../codec/limits.ts'
import type { Height } from '../types/primitives.ts'

/** A certificate is kept at the first certified block at or after every multiple of this. */
export const CHECKPOINT_HEIGHTS = 64
/** Block bytes between two kept certificates: what an answer carries (network/topics.ts RANGE_BYTES_MAX). */
export const CHECKPOINT_RUN_BYTES = BLOCK_BYTES_MAX

/** A certificate at the block of this height. */
export interface Checkpoint {
  readonly height: Height
  readonly certificate: Uint8Array
}

/** A block as the rule sees it. */
export interface CheckpointStep {
  readonly height: Height
  readonly bytes: number
  /** The certificate of exactly this block; null when it became final through a descendant. */
  readonly certificate: Uint8Array | null
  /** Kept whatever its height: the last block of an epoch, beyond which other validators sign (R13). */
  readonly isEpochEnd?: boolean
}

export class CheckpointRule {
  #last: number
  #runBytes = 0
  /** The highest certified block since the last checkpoint: it becomes one when the run would grow too long. */
  #candidate: Checkpoint | null = null
  #bytesSinceCandidate = 0

  /** @param last height of the last checkpoint; genesis is one */
  constructor(last: Height) {
    this.#last = last
  }

  /** Takes the next block; returns the certificates to keep with it. */
  next({ height, bytes, certificate, isEpochEnd = false }: CheckpointStep): Checkpoint[] {
    const kept: Checkpoint[] = []
    if (this.#candidate !== null && this.#runBytes + bytes > CHECKPOINT_RUN_BYTES) {
      kept.push(this.#candidate)
      this.#last = this.#candidate.height
      this.#runBytes = this.#bytesSinceCandidate
      this.#candidate = null
    }
    this.#runBytes += bytes
    this.#bytesSinceCandidate += bytes
    if (certificate === null) return kept
    this.#bytesSinceCandidate = 0
    const isDue = Math.floor(height / CHECKPOINT_HEIGHTS) > Math.floor(this.#last / CHECKPOINT_HEIGHTS)
    if (isDue || isEpochEnd) {
      kept.push({ height, certificate })
      this.#last = height
      this.#runBytes = 0
      this.#candidate = null
    } else {
      this.#candidate = { height, certificate }
    }
    return kept
  }
}

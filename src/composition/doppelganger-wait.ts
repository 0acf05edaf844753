/**
 * How long a validator only listens before it signs: when its key was moved, copied, imported, or not used since the
 * machine booted, the same key may be signing elsewhere. Counts the time in which something could have been heard;
 * what is heard is the watch's matter (runtime/doppelganger-watch.ts).
 */

import type { ForeignSignature } from '../runtime/doppelganger-watch.ts'
import { NodeError } from '../types/errors.ts'
import type { MonotonicMs, View } from '../types/primitives.ts'

/** The key of this validator is in use elsewhere. */
export class DoppelgangerError extends NodeError {}

/** What to stop with when a signature of our key was seen that was not made here. */
export function doppelgangerSeen(signature: ForeignSignature): DoppelgangerError {
  const { kind, epoch, view } = signature
  return new DoppelgangerError(
    'E_DOPPELGANGER',
    `this validator's key signed a ${kind} in view ${view} (epoch ${epoch}) that is not in this safety record`,
    {
      exitCode: 77,
      why: 'another process signs with the same key, or this record is an old copy: signing now could be signing twice',
      fix: 'run the key in one place only, stop it there, and bring its newest record with "hypermesh safety export" and "safety import"',
    },
  )
}

export interface DoppelgangerWaitOptions {
  readonly waitMs: number
  /** Nothing is signed before a block of this view or a later one is final here. */
  readonly refuseUpToView: View
  now(): MonotonicMs
  /** Whether there is anybody to hear: a peer, or nobody else in the set. */
  isListening(): boolean
  isCatchingUp(): boolean
  /** View of the certificate of the newest final block. */
  finalView(): View
}

export class DoppelgangerWait {
  readonly #options: DoppelgangerWaitOptions
  #listenedMs = 0
  #lookedAt: MonotonicMs

  constructor(options: DoppelgangerWaitOptions) {
    this.#options = options
    this.#lookedAt = options.now()
  }

  /** To be called a few times per second. @returns whether the wait is over */
  tick(): boolean {
    const { now, isListening } = this.#options
    const at = now()
    if (isListening()) this.#listenedMs += at - this.#lookedAt
    this.#lookedAt = at
    return this.reason() === null
  }

  /** What is waited for, or null when nothing is any more. */
  reason(): string | null {
    const { waitMs, isListening, isCatchingUp, finalView, refuseUpToView } = this.#options
    const leftMs = waitMs - this.#listenedMs
    const follows = 'does not sign yet, only follows:'
    if (leftMs > 0) {
      const heard = isListening() ? '' : ', and no peer is connected'
      return `${follows} listens ${(leftMs / 1_000).toFixed(1)} s more whether its key is in use elsewhere${heard}`
    }
    if (isCatchingUp()) return `${follows} catches up, to see whether its key was used elsewhere`
    if (finalView() < refuseUpToView) {
      return `${follows} an imported mark forbids signing up to view ${refuseUpToView}, the final view is ${finalView()}`
    }
    return null
  }
}

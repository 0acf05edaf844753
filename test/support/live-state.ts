/** The final state as a store shows it: whoever holds it sees the state after the last block that was written. */
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import type { StateChanges } from '../../src/types/ledger-state.ts'

export class LiveState implements StateReader {
  #final: StateReader

  constructor(first: StateReader) {
    this.#final = first
  }

  /** The block with these changes is written. */
  written(changes: StateChanges): void {
    const before = this.#final
    this.#final = StateOverlay.of(() => before, changes)
  }

  get accumulators(): StateReader['accumulators'] {
    return this.#final.accumulators
  }

  get staking(): StateReader['staking'] {
    return this.#final.staking
  }

  get voting(): StateReader['voting'] {
    return this.#final.voting
  }

  hasNullifier: StateReader['hasNullifier'] = (nullifier) => this.#final.hasNullifier(nullifier)
  verdict: StateReader['verdict'] = (key) => this.#final.verdict(key)
  requestKeyOfId: StateReader['requestKeyOfId'] = (id) => this.#final.requestKeyOfId(id)
  lastSequence: StateReader['lastSequence'] = (id) => this.#final.lastSequence(id)
}

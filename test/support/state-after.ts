/** The state after a block for tests that grow long chains: blocks that order and decide nothing do not pile up overlays. */
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import type { StateChanges } from '../../src/types/ledger-state.ts'

type After = Pick<StateReader, 'accumulators' | 'staking' | 'voting'>

/** Looks up where `base` does, and has other accumulators, accounts and open batches. */
class Moved implements StateReader {
  readonly base: StateReader
  readonly accumulators: StateReader['accumulators']
  readonly staking: StateReader['staking']
  readonly voting: StateReader['voting']

  constructor(base: StateReader, { accumulators, staking, voting }: After) {
    this.base = base
    this.accumulators = accumulators
    this.staking = staking
    this.voting = voting
  }

  hasNullifier: StateReader['hasNullifier'] = (nullifier) => this.base.hasNullifier(nullifier)
  verdict: StateReader['verdict'] = (key) => this.base.verdict(key)
  requestKeyOfId: StateReader['requestKeyOfId'] = (id) => this.base.requestKeyOfId(id)
  lastSequence: StateReader['lastSequence'] = (id) => this.base.lastSequence(id)
}

/** @param changes of the block on top of `parent` */
export function stateAfter(parent: StateReader, changes: StateChanges): StateReader {
  const { verdicts, judgements, nullifiers } = changes
  if (verdicts.length + judgements.length + nullifiers.length > 0)
    return StateOverlay.of(() => parent, changes)
  return new Moved(parent instanceof Moved ? parent.base : parent, changes)
}

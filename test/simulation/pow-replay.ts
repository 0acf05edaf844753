/** A mined chain executed from genesis on with nothing but the ledger's rules. */
import { checkBlock } from '../../src/ledger/check-block.ts'
import type { ParentBlock } from '../../src/ledger/executed-block.ts'
import type { GenesisState } from '../../src/ledger/genesis-state.ts'
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import type { SealedBlock } from '../../src/types/pow.ts'
import type { Nullifier, StateRoot } from '../../src/types/primitives.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'

export interface Replayed {
  readonly stateRoot: StateRoot
  readonly state: StateReader
  readonly nullifiers: readonly Nullifier[]
  readonly verdicts: readonly VerdictRecord[]
}

/** @throws Error for a block that is not legal */
export function replay(
  { block, stateRoot, rules, state: first }: GenesisState,
  chain: readonly SealedBlock[],
): Replayed {
  let parent: ParentBlock = { hash: block.hash, header: block.header, stateRoot, state: first }
  const nullifiers: Nullifier[] = []
  const verdicts: VerdictRecord[] = []
  for (const sealed of chain) {
    const checked = checkBlock(sealed.block, parent, rules)
    if (!checked.ok)
      throw new Error(`height ${sealed.block.header.height}: ${checked.code}: ${checked.detail}`)
    const { changes, stateRoot: after } = checked.value
    const { state } = parent
    nullifiers.push(...changes.nullifiers)
    verdicts.push(...changes.verdicts)
    parent = {
      hash: sealed.block.hash,
      header: sealed.block.header,
      stateRoot: after,
      state: StateOverlay.of(() => state, changes),
    }
  }
  return { stateRoot: parent.stateRoot, state: parent.state, nullifiers, verdicts }
}

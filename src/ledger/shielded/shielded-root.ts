/** The leaf of the state for what is shielded, without the notes, which have one of their own. */
import { shieldedRestRoot } from '../../codec/shielded.ts'
import type { Hex32 } from '../../types/primitives.ts'
import type { ShieldedState } from '../../types/shielded.ts'
import { frontierRoot } from '../frontier.ts'

const known = new WeakMap<ShieldedState, Hex32>()

/** SSZ root of pool, issue, anchors and the root of the list of entries. */
export function shieldedRoot(state: ShieldedState): Hex32 {
  let root = known.get(state)
  if (root === undefined) {
    root = shieldedRestRoot(state, frontierRoot(state.entries))
    known.set(state, root)
  }
  return root
}

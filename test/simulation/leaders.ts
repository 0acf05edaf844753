/**
 * Leaders by a story's choice. The election is a function of the chain; a story that needs a certain leader in a
 * certain view says so here, for all nodes of its run alike.
 */
import { LeaderElection } from '../../src/consensus/leader-election.ts'
import { asValidatorIndex, type View } from '../../src/types/primitives.ts'

/** @param chosen index of a view's leader; null leaves it to the election */
export async function withLeaders<T>(
  chosen: (view: View) => number | null,
  run: () => Promise<T>,
): Promise<T> {
  const { leaderOf } = LeaderElection.prototype
  LeaderElection.prototype.leaderOf = function (view) {
    const index = chosen(view)
    return index === null ? leaderOf.call(this, view) : asValidatorIndex(index)
  }
  try {
    return await run()
  } finally {
    LeaderElection.prototype.leaderOf = leaderOf
  }
}

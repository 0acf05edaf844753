/**
 * The network in the adversary's hand, as it may be before the healing: one validator alone is made to see a block
 * final and is cut off, one does not see it certified, and the liar leads a view soon after. What the rules about
 * locks are for; chance alone brings it about too seldom. Comes again every few views.
 */
import type { ConsensusMessage } from '../../src/types/messages.ts'
import { HONEST } from './adversary.ts'
import type { ClusterOptions } from './cluster.ts'

/** Four equal stakes lead in turn. */
const VALIDATORS = 4
const PERIOD = 8
/** The first view of a siege in each period: what is before gives the chain a beginning. */
const BEGIN = 4

/** Views from the one whose block becomes final in one place to the one that the liar leads. */
export type SiegeLength = 1 | 2

export function siege(seed: number, length: SiegeLength): Partial<ClusterOptions> {
  const place = (offset: number): number => (BEGIN + length + offset) % VALIDATORS
  const liar = place(0)
  // Who is where differs by seed; the liar's place follows from the view that it is to lead.
  const others = [1, 2, 3].map((offset) => place(offset))
  const [witness, blind] = seed % 2 === 0 ? [others[0], others[1]] : [others[1], others[2]]
  return {
    stakes: [1n, 1n, 1n, 1n],
    byzantine: new Map([
      [
        liar,
        {
          kind: 'liar',
          habits: { ...HONEST, stale: 1, doubleVote: 1, equivocate: seed % 3 === 0 ? 0.5 : 0 },
        },
      ],
    ]),
    isOmniscient: true,
    followers: 0,
    transactions: [],
    parameters: {
      heartbeatMs: 0,
      unreachableLeaderTimeoutMs: 2_000,
      viewTimeoutMinMs: 60,
      viewTimeoutMaxMs: 80,
    },
    drop: 0.01 * (seed % 3),
    delayMaxMs: 10,
    crashChance: 0,
    powerCutEveryMs: 0,
    partitionEveryMs: 0,
    flapEveryMs: 0,
    slowShare: 0,
    diskMaxMs: 2,
    diskFailChance: 0,
    clockSkewMaxMs: 0,
    clockJumpEveryMs: 0,
    healAtMs: 2_500,
    isHeard: (from, to, view, kind) => {
      const at = (view - BEGIN) % PERIOD
      if (view < BEGIN || at > length + 1) return true
      if (at === 0) return isHeardAtFirst(kind, to.index, witness, blind, length === 1 ? liar : undefined)
      // Until the liar has led, the one who saw it final neither hears nor is heard.
      if (from.index === witness || to.index === witness) return false
      return at >= length || kind !== 'proposal'
    },
  }
}

/** In the view whose block one validator alone is to see final. */
function isHeardAtFirst(
  kind: ConsensusMessage['kind'],
  to: number | null,
  witness: number | undefined,
  ...blind: readonly (number | undefined)[]
): boolean {
  if (kind === 'pre-commit') return to === witness
  return kind !== 'prepare' || !blind.includes(to ?? undefined)
}

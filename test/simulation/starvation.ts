/**
 * A view is starved: its block is voted for, and nobody but the liar that leads the next view hears a vote, and that
 * one only. So the block is never certified, and what voters said in their votes for it is known to one who can
 * replace it. What the rules about when ballots may be opened are for. Comes again every other turn of the liar's.
 */
import { HONEST, type Misbehaviour } from './adversary.ts'
import { CALM } from './faults.ts'
import { type RunChanges, requestsNumbered } from './swarm.ts'

/** Equal stakes lead in turn; with so many the liar does not lead while commits to its own block are taken. */
const VALIDATORS = 5
const LIAR = 0
/** What is before gives the chain a beginning. */
const BEGIN = 9

const isStarved = (view: number): boolean => view >= BEGIN && view % (2 * VALIDATORS) === 2 * VALIDATORS - 1

export const starvation =
  (habits: Partial<Misbehaviour>) =>
  (seed: number): RunChanges => ({
    ...CALM,
    stakes: Array.from({ length: VALIDATORS }, () => 1n),
    byzantine: new Map([[LIAR, { kind: 'liar', habits: { ...HONEST, ...habits } }]]),
    isOmniscient: true,
    leadersInTurn: true,
    followers: 0,
    // One in every block, about.
    transactions: requestsNumbered(60),
    transactionEveryMs: 20,
    healAtMs: 1_600,
    livenessMs: 15_000,
    parameters: {
      heartbeatMs: 0,
      unreachableLeaderTimeoutMs: 2_000,
      viewTimeoutMinMs: 60,
      viewTimeoutMaxMs: 80,
    },
    isHeard: (from, to, view, kind) =>
      kind !== 'prepare' || !isStarved(view) || (to.index === LIAR && from.index === 1 + (seed % 4)),
  })

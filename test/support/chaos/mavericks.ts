/** Trials with a validator that breaks the rules: the others must go on beside it as if it were merely absent. */

import { until } from '../e2e/until.ts'
import type { Habit } from '../maverick/habits.ts'
import type { Fault } from './faults.ts'

/** Each needs a network of its own, whose last validator has the habits from the first block on. */
export const MAVERICKS: readonly { readonly name: string; readonly habits: readonly Habit[] }[] = [
  { name: 'maverick that equivocates to halves', habits: ['split-proposals', 'split-votes'] },
  { name: 'maverick that equivocates openly', habits: ['double-proposals', 'double-votes'] },
  { name: 'maverick that withholds', habits: ['withhold-proposals', 'withhold-votes'] },
  { name: 'maverick that lies about the state', habits: ['lie-about-state'] },
]

/** Sins after which the honest have seen enough. */
const SINS = 10

/** How often a maverick did what it should not, by kind of message. */
export function sinsIn(log: string): Record<string, number> {
  const sins: Record<string, number> = {}
  for (const [, kind = ''] of log.matchAll(/"kind":"([a-z-]+)"[^\n]*the maverick misbehaved/g)) {
    sins[kind] = (sins[kind] ?? 0) + 1
  }
  return sins
}

/** The trial: it sins, and nothing is taken back. */
export function maverickFault(name: string): Fault {
  return {
    name,
    needs: [],
    goesOn: true,
    victims: ({ nodes }) => [nodes.length - 1],
    apply: async (network, victims) => {
      const maverick = network.node(victims[0] ?? 0)
      const sins = (): number => Object.values(sinsIn(maverick.log())).reduce((sum, count) => sum + count, 0)
      await until(
        () => sins() >= SINS,
        30_000,
        () => `the maverick sins; its last words: ${maverick.log().slice(-500)}`,
      )
    },
    lastsMs: 8_000,
    lift: async () => undefined,
  }
}

/** Attacks that are told without the simulated network, by name: what went wrong is said, nothing when all is well. */
import * as ballots from './attacks-on-ballots.ts'
import * as operations from './attacks-on-operations.ts'
import * as roles from './attacks-on-roles.ts'
import * as trust from './attacks-on-trust.ts'
import { sideChannels } from './side-channels.ts'
import { type ModelFigures, runModel } from './verdict-model.ts'

/** What came of an attack. */
export interface Attacked {
  readonly violations: readonly string[]
  readonly figures?: Readonly<Record<string, number>>
}

export type Attack = (seed: number) => Attacked | Promise<Attacked>

const told =
  (story: () => readonly string[]): Attack =>
  () => ({ violations: story() })

export const ATTACKS = {
  ...attacksOf(ballots),
  ...attacksOf(trust),
  ...attacksOf(operations),
  ...attacksOf(roles),
  /** Table 5.9, one seed of it. */
  model: (seed) => modelled(runModel(seed)),
  /** T23: leaders that censor as hard as they can. */
  censorship: (seed) => modelled(runModel(seed, { isCensoring: true })),
  sideChannels: async (seed) => ({ violations: await sideChannels(seed) }),
  /** T23: leaders that the node elects. */
  elected: (seed) => modelled(runModel(seed, { leaders: 'elected' })),
} as const satisfies Record<string, Attack>

export type AttackName = keyof typeof ATTACKS

function attacksOf<Name extends string>(
  stories: Record<Name, () => readonly string[]>,
): Record<Name, Attack> {
  return Object.fromEntries(
    Object.entries(stories).map(([name, story]) => [name, told(story as () => readonly string[])]),
  ) as Record<Name, Attack>
}

function modelled({ violations, ...figures }: ModelFigures): Attacked {
  return { violations, figures }
}

/** Attacks that are told without the simulated network, by name: what went wrong is said, nothing when all is well. */
import * as ballots from './attacks-on-ballots.ts'
import * as trust from './attacks-on-trust.ts'
import { runModel } from './verdict-model.ts'

export type Attack = (seed: number) => readonly string[] | Promise<readonly string[]>

export const ATTACKS = {
  ...ballots,
  ...trust,
  /** Table 5.9, one seed of it. */
  model: (seed) => runModel(seed).violations,
  /** T23: leaders that censor as hard as they can. */
  censorship: (seed) => runModel(seed, { isCensoring: true }).violations,
} as const satisfies Record<string, Attack>

export type AttackName = keyof typeof ATTACKS

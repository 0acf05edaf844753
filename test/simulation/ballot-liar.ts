/** What a Byzantine validator does with ballots, beside what it does with blocks and votes (adversary.ts). */
import { ALL_VALID, findingOf, findingsOf } from '../../src/ledger/verdicts/findings.ts'
import type { BallotConduct } from '../../src/runtime/own-ballots.ts'
import {
  type Ballots,
  COMPONENTS,
  type Findings,
  FOUND_INVALID,
  FOUND_VALID,
  NO_BALLOTS,
} from '../../src/types/ballots.ts'
import type { Hex32, ValidatorIndex } from '../../src/types/primitives.ts'
import type { Conspiracy } from './conspiracy.ts'
import type { Random } from './random.ts'

/** Probabilities, 0 to 1. */
export interface BallotHabits {
  /** A finding is the opposite of what the rules found. */
  readonly lie: number
  /** Of 1: everything is valid, without a look at it. */
  readonly laze: number
  /** Of 1: takes no part. */
  readonly abstain: number
  /** A vote goes without its openings. */
  readonly hush: number
  /** An opening has another salt than its commit. */
  readonly spoil: number
  /** Commits, and later openings, are those of another validator under its own name. */
  readonly steal: number
  /** Of 1: commits only after an opening of somebody else for the slot was heard. */
  readonly copy: number
  /** Of 1: opens as soon as its commit is in the chain. */
  readonly leak: number
  /** A prepare vote goes out a second time, with other commits, to others. */
  readonly pair: number
  /** As a leader it leaves a validator's ballots out of its block. */
  readonly leaveOut: number
}

export const HONEST_BALLOTS: BallotHabits = {
  lie: 0,
  laze: 0,
  abstain: 0,
  hush: 0,
  spoil: 0,
  steal: 0,
  copy: 0,
  leak: 0,
  pair: 0,
  leaveOut: 0,
}

/** What the honest code is told to do otherwise. */
export function conductOf({ lie, laze, leak, leaveOut }: BallotHabits, random: Random): BallotConduct {
  return {
    // The same of one request for ever: a twin of itself would say the same.
    findings: (failures, requestKey) => {
      if ((Number.parseInt(requestKey.slice(-6), 16) % 1_000) / 1_000 < lie)
        return opposite(findingsOf(failures))
      return laze === 1 ? ALL_VALID : findingsOf(failures)
    },
    opensEarly: leak === 1,
    leavesOut: () => random.chance(leaveOut),
  }
}

/** What a liar knows of the ballots of others. */
export type Hearsay = Pick<Conspiracy, 'random' | 'openingFor' | 'commitFor' | 'openingsOfOthers'>

/** What is said in the place of ballots that the honest code made; the very object when nothing is changed. */
export function bendBallots(
  ballots: Ballots,
  { abstain, hush, spoil, steal, copy }: BallotHabits,
  knows: Hearsay,
  self: ValidatorIndex,
): Ballots {
  const { random } = knows
  if (abstain === 1) return NO_BALLOTS
  let { commits, openings } = ballots
  if (copy === 1) commits = commits.filter((commit) => knows.openingFor(commit, self) !== null)
  if (random.chance(steal)) {
    commits = commits.map((commit) => knows.commitFor(commit, self) ?? commit)
    openings = [...openings, ...knows.openingsOfOthers(self)]
  }
  if (random.chance(spoil)) openings = openings.map((of) => ({ ...of, salt: '5a'.repeat(32) as Hex32 }))
  if (random.chance(hush)) openings = []
  const isSame = commits === ballots.commits && openings === ballots.openings
  return isSame ? ballots : { commits, openings }
}

/** The same with other commits; null where there are none. */
export function otherCommits(ballots: Ballots): Ballots | null {
  if (ballots.commits.length === 0) return null
  return { ...ballots, commits: ballots.commits.map((of) => ({ ...of, commit: '2b'.repeat(32) as Hex32 })) }
}

/** Valid where invalid, and invalid where valid. */
function opposite(findings: Findings): Findings {
  return COMPONENTS.reduce((sum, component, i) => {
    const value = findingOf(findings, component) === FOUND_VALID ? FOUND_INVALID : FOUND_VALID
    return sum | (value << (2 * i))
  }, 0)
}

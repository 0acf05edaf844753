/**
 * One broken rule each: what a checker that checks must notice. A mutant is a change to the text of the code as a
 * lane loads it (lane/loader.ts), so that src/ has no switches and a rule that is rewritten makes its mutant fail
 * to apply. Where a second line of defence stands behind the rule, the mutant takes that away too.
 */
import type { SourceChange } from './lane/source-change.ts'
import { BALLOT_MUTANTS } from './mutants-of-the-ballots.ts'
import { EPOCH_MUTANTS } from './mutants-of-the-epochs.ts'
import { NOTE_MUTANTS } from './mutants-of-the-notes.ts'
import { SAFETY_MUTANTS } from './mutants-of-the-rules.ts'
import { LEDGER_MUTANTS } from './mutants-of-the-shell.ts'
import type { RunChanges } from './swarm.ts'
import { ATTACK_MUTANTS } from './verdicts/attack-mutants.ts'
import type { AttackName } from './verdicts/attacks.ts'

export interface Mutant {
  readonly name: string
  readonly rule: string
  /** What breaks: something that may never happen, or only that something happens in time. */
  readonly class: 'safety' | 'liveness'
  /** Seeds within which it must be caught; null for a liveness rule that others stand in for. */
  readonly budget: number | null
  readonly changes: readonly SourceChange[]
  /** What its seeds have more of than the swarm's. */
  readonly options?: (seed: number) => RunChanges
  /** What it is found out by in the place of the swarm: a told attack, which is given the seed. */
  readonly attack?: AttackName
}

export const MUTANTS: readonly Mutant[] = [
  ...SAFETY_MUTANTS,
  ...LEDGER_MUTANTS,
  ...EPOCH_MUTANTS,
  ...NOTE_MUTANTS,
  ...BALLOT_MUTANTS,
  ...ATTACK_MUTANTS,
]

/** @throws Error when there is none of this name */
export function mutantNamed(name: string | null): Mutant | null {
  if (name === null) return null
  const found = MUTANTS.find((mutant) => mutant.name === name)
  if (found === undefined) throw new Error(`no mutant is called ${name}`)
  return found
}

/** Runs a mutant's seeds until one is caught, or its budget is used up. */
import { MUTANTS, type Mutant, mutantNamed } from '../mutants.ts'
import { runLane } from './lane.ts'

export interface MutantResult {
  readonly name: string
  readonly rule: string
  readonly class: Mutant['class']
  readonly budget: number | null
  /** Seeds until it was caught; null when it was not. */
  readonly seedsNeeded: number | null
  readonly violation: string | null
  /** Whether it was caught within its budget, or need not be. */
  readonly isExpected: boolean
}

/** Seeds that a mutant without a budget is given. */
const LIVENESS_SEEDS = 20

/** @param seedsMax another number of seeds than the mutant's own budget */
export async function catchMutant(
  name: string,
  jobs: number,
  seedsMax: number | null = null,
): Promise<MutantResult> {
  const mutant = mutantNamed(name)
  if (mutant === null) throw new Error(`${MUTANTS.length} mutants, none without a name`)
  const { rule, budget } = mutant
  const limit = seedsMax ?? budget ?? LIVENESS_SEEDS
  let first: { readonly seed: number; readonly violation: string } | null = null
  await runLane({
    seeds: Array.from({ length: limit }, (_, i) => i + 1),
    jobs: Math.min(jobs, limit),
    mutant: name,
    onOutcome: ({ outcome: { seed, violations } }) => {
      const [violation] = violations
      if (violation !== undefined && (first === null || seed < first.seed)) first = { seed, violation }
      return first !== null
    },
  })
  const caught = first as { readonly seed: number; readonly violation: string } | null
  return {
    name,
    rule,
    class: mutant.class,
    budget,
    seedsNeeded: caught?.seed ?? null,
    violation: caught?.violation.split('\n')[0] ?? null,
    isExpected: caught !== null || budget === null,
  }
}

/** What any mutant's options show on the code as it is: nothing, or they are the fault. */
export async function controlViolations(seedsEach: number, jobs: number): Promise<string[]> {
  const found: string[] = []
  const seeds = MUTANTS.flatMap(({ name }) =>
    Array.from({ length: seedsEach }, (_, i) => ({ seed: i + 1, like: name })),
  )
  await runLane({
    seeds,
    jobs,
    onOutcome: ({ outcome: { seed, violations } }) => {
      if (violations[0] !== undefined) found.push(`seed ${seed}: ${violations[0]}`)
      return false
    },
  })
  return found
}

/** One row of the table. */
export function mutantLine({ name, class: kind, budget, seedsNeeded, violation }: MutantResult): string {
  const needed = seedsNeeded === null ? 'not caught' : `seed ${seedsNeeded}`
  const columns = [name.padEnd(34), kind.padEnd(9), `${budget ?? '-'}`.padStart(4), needed.padEnd(11)]
  return `${columns.join(' ')} ${violation ?? ''}`
}

/** Table 5.9 of spec/commit-reveal.md, measured: the model on the code as it is, and with one rule changed at a time. */
import { type LaneSeed, runLane } from '../lane/lane.ts'
import type { Outcome } from '../swarm.ts'

/** A mutant whose seeds are seeds of the model. */
const MODEL = '5.9-reveals-before-final'

interface Variant {
  readonly variant: string
  /** Null for the code as it is. */
  readonly mutant: string | null
  /** Whose attack it is put to. */
  readonly like?: string
}

const VARIANTS: readonly Variant[] = [
  { variant: 'base', mutant: null },
  { variant: 'reveal when closed but not final', mutant: '5.9-reveals-before-final' },
  { variant: 'leak evidence accepted until c + k', mutant: '5.9-leaks-until-final' },
  { variant: 'hash without validator id', mutant: '5.9-hash-without-validator' },
  { variant: 'majority of revealed stake', mutant: '5.9-majority-of-revealed' },
  { variant: 'W_r = 6', mutant: '5.9-six-blocks-to-open' },
  { variant: 'base, leaders that censor as hard as they can', mutant: null, like: '5.9-six-blocks-to-open' },
  { variant: 'W_r = 6, under the same', mutant: '5.9-six-blocks-to-open', like: '5.9-six-blocks-to-open' },
  { variant: 'base, leaders as the node elects them', mutant: null, like: '5.9-elected-per-head' },
  {
    variant: 'the same, by head and not by stake',
    mutant: '5.9-elected-per-head',
    like: '5.9-elected-per-head',
  },
]

export interface Row {
  readonly variant: string
  readonly seeds: number
  readonly figures: Readonly<Record<string, number>>
}

/** One row after the other, as they come. */
export async function* table(seeds: number, jobs: number): AsyncGenerator<Row> {
  for (const { variant, mutant, like = MODEL } of VARIANTS) {
    const outcomes: Outcome[] = []
    await runLane({
      jobs,
      seeds: Array.from({ length: seeds }, (_, i): LaneSeed => ({ seed: i + 1, like })),
      ...(mutant === null ? {} : { mutant }),
      onOutcome: ({ outcome }) => {
        outcomes.push(outcome)
        return false
      },
    })
    yield { variant, seeds: outcomes.length, figures: sum(outcomes) }
  }
}

/** Counts are added up; of the lowest trust the lowest is taken. */
function sum(outcomes: readonly Outcome[]): Record<string, number> {
  const all: Record<string, number> = {}
  for (const { figures = {} } of outcomes) {
    for (const [name, value] of Object.entries(figures)) {
      const before = all[name]
      all[name] =
        before === undefined ? value : name === 'lowestHonestTrust' ? Math.min(before, value) : before + value
    }
  }
  return all
}

/** Mutants of what came with stake: evidence (R12), the ends of epochs (R13), leaders (R14). */
import { HONEST } from './adversary.ts'
import type { Mutant } from './mutants.ts'
import type { RunChanges } from './swarm.ts'

const FINALIZE = 'src/consensus/duty-finalize.ts'

/** One validator signs two contents whenever it can. */
const equivocators = (seed: number): RunChanges => ({
  stakes: [1n, 1n, 1n, 1n],
  byzantine: new Map([[3, { kind: 'liar', habits: { ...HONEST, equivocate: 1, doubleVote: 1 } }]]),
  parameters: { epochBlocks: 0 },
  crashChance: 0,
  powerCutEveryMs: 0,
  transactionEveryMs: 20 + (seed % 3),
  livenessMs: 10_000,
})

/** Epochs end every few blocks, and votes for their last ones are lost. */
const edges = (seed: number): RunChanges => ({
  stakes: [1n, 1n, 1n, 1n],
  byzantine: new Map(),
  parameters: { epochBlocks: 2 + (seed % 3), viewTimeoutMinMs: 60, viewTimeoutMaxMs: 300 },
  drop: 0.15 + 0.05 * (seed % 4),
  delayMaxMs: 120,
  crashChance: 0.002,
  powerCutEveryMs: 0,
  healAtMs: 3_000,
  livenessMs: 10_000,
})

export const EPOCH_MUTANTS: readonly Mutant[] = [
  {
    name: 'R12-punishes-twice',
    rule: 'R12: a validator is punished once, whatever else it signed',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: 'src/ledger/staking/check-evidence.ts',
        find: '  if (account.tombstonedAt !== null) {',
        replace: '  if (account.tombstonedAt !== null && account.bonded < 0n) {',
      },
    ],
    options: equivocators,
  },
  {
    name: 'R12-burns-nothing-away',
    rule: 'R12: what a punishment takes is counted as burnt',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: 'src/ledger/staking/punish.ts',
        find: '  const burnt = stake - liableStake(after)',
        replace: '  const burnt = 0n * (stake - liableStake(after))',
      },
    ],
    options: equivocators,
  },
  {
    name: 'R13-final-fillers',
    rule: 'R13: what makes a filler final makes the last block of the epoch final, and nothing after it',
    class: 'safety',
    budget: 40,
    changes: [
      {
        file: FINALIZE,
        find: '  const blocks = path.filter(({ header }) => state.epochEnd === null || header.height <= state.epochEnd)',
        replace: '  const blocks = path',
      },
    ],
    options: edges,
  },
  {
    name: 'R13-goes-on',
    rule: 'R13: nothing is voted for in an epoch whose last block is final',
    class: 'safety',
    budget: 40,
    changes: [
      {
        file: FINALIZE,
        find: '  state.isEpochOver = true',
        replace: '  state.isEpochOver = false',
      },
    ],
    options: edges,
  },
  {
    name: 'R14-nobody-is-passed-over',
    rule: 'R14: who failed its last turns is passed over',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/leader-election.ts',
        find: 'const PENALTY_TURNS = 2',
        replace: 'const PENALTY_TURNS = 0',
      },
    ],
  },
  {
    name: 'R15-does-not-back-off',
    rule: 'R15: the time for a view grows while views fail',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/pacemaker.ts',
        find: 'const BACKOFF_BASE = 1.5',
        replace: 'const BACKOFF_BASE = 1',
      },
    ],
  },
]

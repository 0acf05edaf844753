/** Mutants of the rules about ballots and verdicts (src/ledger/verdicts/README.md), by the attacks they let through. */
import { HONEST, type Misbehaviour } from './adversary.ts'
import type { Byzantine } from './cluster.ts'
import { CALM } from './faults.ts'
import type { Mutant } from './mutants.ts'
import { starvation } from './starvation.ts'
import { type RunChanges, requestsNumbered, TRANSACTIONS } from './swarm.ts'

const BOX = 'src/runtime/ballot-box.ts'
const CHECK = 'src/ledger/verdicts/check-ballots.ts'
const TALLY = 'src/ledger/verdicts/tally.ts'

function lying(habits: Partial<Misbehaviour>): Byzantine {
  return { kind: 'liar', habits: { ...HONEST, ...habits } }
}

/** Requests all the time, one validator in four with habits, and views that fail. */
const among =
  (habits: Partial<Misbehaviour>, changes: Partial<RunChanges> = {}) =>
  (seed: number): RunChanges => ({
    stakes: [1n, 1n, 1n, 1n],
    byzantine: new Map([[seed % 4, lying(habits)]]),
    isOmniscient: true,
    transactions: TRANSACTIONS,
    transactionEveryMs: 30,
    drop: 0.05 * (seed % 4),
    delayMaxMs: 120,
    crashChance: 0,
    powerCutEveryMs: 0,
    partitionEveryMs: 0,
    flapEveryMs: 0,
    diskFailChance: 0,
    healAtMs: 2_500,
    livenessMs: 15_000,
    parameters: {
      unreachableLeaderTimeoutMs: 40,
      viewTimeoutMinMs: 60,
      viewTimeoutMaxMs: 300,
      heartbeatMs: 0,
    },
    ...changes,
  })

/** Four equal stakes, two on each side of a cut, in the middle of their ballots. */
const halved = (seed: number): RunChanges => ({
  ...CALM,
  stakes: [1n, 1n, 1n, 1n],
  byzantine: new Map(),
  followers: 0,
  isCalm: true,
  halvedAtMs: 400 + 10 * seed,
  halvedForMs: 1_500,
  healAtMs: 2_000,
  transactions: requestsNumbered(20),
  transactionEveryMs: 25,
  livenessMs: 15_000,
  parameters: { heartbeatMs: 0 },
})

export const BALLOT_MUTANTS: readonly Mutant[] = [
  {
    name: 'T1-opens-before-closing-is-final',
    rule: 'T1: an opening is said when closing is final',
    class: 'safety',
    budget: 4,
    changes: [
      {
        file: BOX,
        find: 'return closedAt !== null && closedAt <= this.#finalHeight && height < openingDeadline(closedAt)',
        replace: 'return closedAt !== null && height < openingDeadline(closedAt)',
      },
    ],
    options: starvation({ copy: 1 }),
  },
  {
    name: 'T2-commit-without-the-validator',
    rule: 'T2: a commit is of one validator',
    class: 'safety',
    budget: 10,
    changes: [{ file: 'src/codec/ballots.ts', find: '    fromHex(validator),\n', replace: '' }],
    options: among({ steal: 1 }),
  },
  {
    name: 'T7-majority-of-those-who-opened',
    rule: 'T7: the denominator is the eligible stake',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: TALLY,
        find: 'weight >= quorum',
        replace:
          'weight >= (2n * openings.reduce((sum, { elector }) => (elector.weighs ? sum + elector.stake : sum), 0n)) / 3n + 1n',
      },
    ],
    options: among({ lie: 1, leaveOut: 1 }, { drop: 0.15 }),
  },
  {
    name: 'T9-leaks-are-taken-after-closing',
    rule: 'T9: an opening counts as a leak only in blocks up to closing',
    class: 'safety',
    budget: 4,
    changes: [
      {
        file: CHECK,
        find: '  { genesisHash }: BallotContext,\n',
        replace: '  { genesisHash, height }: BallotContext,\n',
      },
      {
        file: CHECK,
        find: '  const isLeak = batch.closedAt === null\n',
        replace: '  const isLeak = batch.closedAt === null || height === batch.closedAt + 1\n',
      },
    ],
    options: starvation({}),
  },
  {
    name: 'T10-late-commits',
    rule: 'T10: no commit after closing',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: CHECK,
        find: 'if (batch.closedAt !== null || height > commitDeadline(batch)) {',
        replace: 'if (height < 0) {',
      },
      {
        file: BOX,
        find: 'if (batch.closedAt !== null || height + 1 > commitDeadline(batch)) return null',
        replace: '',
      },
      {
        file: BOX,
        find: 'if (batch.closedAt === null && point.height < commitDeadline(batch)) commits.push(own.commit)',
        replace: 'commits.push(own.commit)',
      },
    ],
    // What is opened comes to its verdict with the next block mostly: the attack needs many batches.
    options: among({ copy: 1 }, { transactions: requestsNumbered(60), stakes: [1n, 1n, 1n, 1n, 1n, 1n, 1n] }),
  },
  {
    name: 'T12-random-salts',
    rule: 'T12: a validator that starts again says the same commit',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: 'src/crypto/ballot-salt.ts',
        find: "    return createHmac('sha256', key).update(message).digest('hex') as Hex32",
        replace:
          "    salts += 1\n    return createHmac('sha256', key).update(message).update(String(salts)).digest('hex') as Hex32",
      },
      {
        file: 'src/crypto/ballot-salt.ts',
        find: '  const key = sha256Tagged(',
        replace: '  let salts = Math.random()\n  const key = sha256Tagged(',
      },
      {
        file: 'src/runtime/own-ballots.ts',
        find: '      if ((before ?? commit) !== commit) continue\n',
        replace: '',
      },
    ],
    options: (seed) => ({ ...among({})(seed), byzantine: new Map(), crashChance: 0.01, downMaxMs: 30 }),
  },
  {
    name: 'T15-openings-due-by-the-clock',
    rule: 'T15: windows are heights: a chain that stands still lets nothing expire',
    class: 'safety',
    budget: 4,
    changes: [
      {
        file: 'src/ledger/verdicts/voting-execution.ts',
        find: '      present: new Set(',
        replace: '      blockTime: this.#moment.blockTime,\n      present: new Set(',
      },
      {
        file: 'src/ledger/verdicts/settle.ts',
        find: 'if (!isToBeAccounted(batch, context.height)) {',
        replace:
          'if (!isToBeAccounted(batch, context.height) && !(batch.closedAt !== null && context.blockTime - batch.blockTime > 1_000)) {',
      },
    ],
    options: halved,
  },
]

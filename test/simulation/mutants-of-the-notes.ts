/** Mutants of the rules about notes: what is spent, what is proven, how much there is, and what waits. */
import { HONEST } from './adversary.ts'
import type { SourceChange } from './lane/source-change.ts'
import type { Mutant } from './mutants.ts'
import { outlaws } from './mutants-of-the-rules.ts'
import type { RunChanges } from './swarm.ts'

const CHECK = 'src/ledger/shielded/check-shielded.ts'
const NULLIFIERS = 'src/ledger/nullifier-set.ts'
const EXECUTION = 'src/ledger/shielded/shielded-execution.ts'
const HEADERS = 'src/ledger/check-block.ts'

const NOTES = { everyMs: 60, countMax: 40, blockReward: 7n }

/** Clients with notes, and nothing else that is wrong but what the seed draws. */
const holders = (): RunChanges => ({ notes: NOTES, livenessMs: 10_000 })

/** … and a leader that is tempted by them, and votes for whatever it shows. */
const forgers = (seed: number): RunChanges => ({
  ...outlaws(seed),
  byzantine: new Map([[seed % 3, { kind: 'liar', habits: { ...HONEST, illegal: 0.9, doubleVote: 1 } }]]),
  notes: NOTES,
})

/** The block's own look at what it spends stands behind the look at each transaction. */
const BLIND_TO_BLOCKS: readonly SourceChange[] = [
  {
    file: NULLIFIERS,
    find: '      if (inBlock.has(nullifier)) {',
    replace: '      if (nullifier.length === 0) {',
  },
  {
    file: NULLIFIERS,
    find: '      if (state.hasNullifier(nullifier)) {',
    replace: '      if (nullifier.length === 0) {',
  },
]

export const NOTE_MUTANTS: readonly Mutant[] = [
  {
    name: 'notes-spent-twice',
    rule: 'Ledger: a note is spent once',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: CHECK,
        find: '  const spent = nullifiers.find((nullifier) => hasNullifier(nullifier))',
        replace:
          '  const spent = nullifiers.find((nullifier) => nullifier.length === 0 && hasNullifier(nullifier))',
      },
      ...BLIND_TO_BLOCKS,
    ],
    options: forgers,
  },
  {
    name: 'notes-spent-twice-in-a-block',
    rule: 'Ledger: a note that was spent earlier in the block is spent',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: 'src/ledger/execute-transactions.ts',
        find: '    this.#state.spent(transaction.nullifiers)\n',
        replace: '',
      },
      ...BLIND_TO_BLOCKS,
    ],
    options: forgers,
  },
  {
    name: 'notes-proof-unchecked',
    rule: 'Ledger: the proof proves what the transaction says',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: CHECK,
        find: '  return rules.verifyShielded(transaction)\n',
        replace: '  return transaction.proof.length >= 0\n',
      },
    ],
    options: forgers,
  },
  {
    name: 'notes-any-anchor',
    rule: 'Ledger: the notes that are spent are in the tree',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: CHECK,
        find: '  return shielded.anchors.includes(anchor)\n',
        replace: '  return shielded.anchors.length > 0\n',
      },
    ],
    options: holders,
  },
  {
    name: 'notes-never-expire',
    rule: 'Ledger: a transaction is legal up to its last height',
    class: 'safety',
    budget: 10,
    changes: [
      { file: CHECK, find: '  if (height > expiresAtHeight) {', replace: '  if (expiresAtHeight < 0) {' },
    ],
    options: holders,
  },
  {
    name: 'notes-fee-twice',
    rule: 'Supply: a fee leaves the notes',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: CHECK,
        find: '(burn?.amount ?? 0n) - fee\n',
        replace: '(burn?.amount ?? 0n)\n',
      },
    ],
    options: holders,
  },
  {
    name: 'notes-reward-of-nothing',
    rule: 'Supply: what a block brings is issued',
    class: 'safety',
    budget: 2,
    changes: [
      {
        file: EXECUTION,
        find: '    const issued = before.issued + reward\n',
        replace: '    const issued = before.issued\n',
      },
    ],
    options: holders,
  },
  {
    name: 'notes-root-unchecked',
    rule: 'Ledger: a block names the notes after it',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: HEADERS,
        find: "    mismatch('note-commitment-root', header.noteCommitmentRoot, after.noteCommitmentRoot) ??\n",
        replace: '',
      },
    ],
    options: forgers,
  },
  {
    name: 'notes-proof-commitment-unchecked',
    rule: 'Ledger: a block commits to its proofs',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: HEADERS,
        find: "    mismatch('proof-commitment', header.proofCommitment, after.proofCommitment) ??\n",
        replace: '',
      },
    ],
    options: forgers,
  },
  {
    name: 'notes-two-spenders-wait',
    rule: 'Mempool: two that spend one note never both wait',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: 'src/mempool/mempool.ts',
        find: '    const spender = this.#spenderOf(transaction)\n',
        replace: '    const spender = transaction.bytes.length === 0 ? this.#spenderOf(transaction) : null\n',
      },
    ],
    options: holders,
  },
  {
    name: 'notes-hopeless-wait',
    rule: 'Mempool: what has become impossible does not wait',
    class: 'liveness',
    budget: 10,
    changes: [
      {
        file: 'src/composition/staking-admission.ts',
        find: '      return this.#shieldedRefusal(transaction, known) !== null\n',
        replace: '      return this.#shieldedRefusal(transaction, known) === undefined\n',
      },
    ],
    options: holders,
  },
]

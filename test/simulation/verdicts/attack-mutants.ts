/**
 * Mutants of the rules about verdicts and trust that a told attack finds out, or the model of table 5.9: by the attacks
 * of spec/commit-reveal.md section 8. Those that take a network are in ../mutants-of-the-ballots.ts.
 */
import type { SourceChange } from '../lane/source-change.ts'
import type { Mutant } from '../mutants.ts'
import type { AttackName } from './attacks.ts'

const FORK_PROOF = 'src/ledger/recovery/fork-proof.ts'
const RESTART = 'src/ledger/recovery/restart.ts'
const ROUTING = 'src/ledger/operations/routing.ts'
const SEED = 'src/ledger/recovery/seed-checkpoint.ts'
const BALLOTS = 'src/codec/ballots.ts'
const BOX = 'src/runtime/ballot-box.ts'
const CHECK = 'src/ledger/verdicts/check-ballots.ts'
const ELECTORS = 'src/ledger/verdicts/electors.ts'
const SALT = 'src/crypto/ballot-salt.ts'
const SETTLE = 'src/ledger/verdicts/settle.ts'
const TALLY = 'src/ledger/verdicts/tally.ts'
const TRUST = 'src/ledger/verdicts/trust.ts'
const WINDOWS = 'src/ledger/verdicts/windows.ts'

function broken(
  name: string,
  rule: string,
  attack: AttackName,
  changes: readonly SourceChange[],
  budget = 1,
): Mutant {
  return { name, rule, class: 'safety', budget, changes, attack }
}

/** A commit without one of the things that it is bound to. */
const unbound = (what: string, find: string): Mutant =>
  broken(`T3-commit-without-the-${what}`, `T3: a commit is of one ${what}`, 'replay', [
    { file: BALLOTS, find: `    ${find},\n`, replace: '' },
  ])

/** Trust that a slot of agreement earns at once. */
const REWARD_PER_ROUND: SourceChange = {
  file: TRUST,
  find: 'return isBlind ? { ...taken, agreed: trust.agreed + 1 } : taken',
  replace:
    'return { ...taken, agreed: trust.agreed + 1, ppm: Math.min(TRUST_MAX, trust.ppm + GAIN_PER_CLEAN_PERIOD) }',
}

export const CHEAP_WITHHOLDING: SourceChange = {
  file: TRUST,
  find: 'withheld: 200_000',
  replace: 'withheld: 20_000',
}
export const REWARD_WITHOUT_VERDICT: SourceChange = {
  file: TRUST,
  find: "    case 'inconclusive':\n      return taken\n",
  replace: "    case 'inconclusive':\n      return { ...taken, agreed: trust.agreed + 1 }\n",
}

/** The variants of table 5.9, found out by the model. */
export const VARIANTS = {
  'reveal when closed but not final': [
    {
      file: BOX,
      find: 'return closedAt !== null && closedAt <= this.#finalHeight && height < openingDeadline(closedAt)',
      replace: 'return closedAt !== null && height < openingDeadline(closedAt)',
    },
  ],
  'leak evidence until c + k': [
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
  'hash without validator id': [{ file: BALLOTS, find: '    fromHex(validator),\n', replace: '' }],
  'majority of revealed stake': [
    {
      file: TALLY,
      find: 'weight >= quorum',
      replace:
        'weight >= openings.reduce((sum, { elector }) => (elector.weighs ? sum + elector.stake : sum), 0n) / 2n + 1n',
    },
  ],
  'W_r = 6': [{ file: WINDOWS, find: 'const OPENING_BLOCKS = 16', replace: 'const OPENING_BLOCKS = 6' }],
} as const satisfies Record<string, readonly SourceChange[]>

export const ATTACK_MUTANTS: readonly Mutant[] = [
  broken(
    '5.9-reveals-before-final',
    'T1: an opening is said when closing is final',
    'model',
    VARIANTS['reveal when closed but not final'],
    4,
  ),
  broken(
    '5.9-leaks-until-final',
    'T9: an opening is a leak only in blocks up to closing',
    'model',
    VARIANTS['leak evidence until c + k'],
    4,
  ),
  broken(
    '5.9-hash-without-validator',
    'T2: a commit is of one validator',
    'model',
    VARIANTS['hash without validator id'],
    8,
  ),
  broken(
    '5.9-majority-of-revealed',
    'T7: the denominator is the eligible stake',
    'model',
    VARIANTS['majority of revealed stake'],
    30,
  ),
  broken(
    '5.9-six-blocks-to-open',
    'T23: sixteen blocks take openings',
    'censorship',
    VARIANTS['W_r = 6'],
    30,
  ),
  broken(
    '5.9-elected-per-head',
    'T23: leaders are elected by stake',
    'elected',
    [
      {
        file: 'src/consensus/leader-schedule.ts',
        find: 'without.has(asValidatorIndex(i)) ? 0n : stake,',
        replace: 'without.has(asValidatorIndex(i)) ? 0n : stake === 0n ? 0n : 1n,',
      },
    ],
    30,
  ),
  unbound('network', 'fromHex(genesisHash)'),
  unbound('epoch', 'u64le(BigInt(epoch))'),
  unbound('height', 'u64le(BigInt(height))'),
  unbound('block', 'fromHex(blockHash)'),
  unbound('round', 'u32le(round)'),
  broken('T4-one-salt-for-all', 'T4: a salt is nobody else’s', 'guess', [
    {
      file: SALT,
      find: "return createHmac('sha256', key).update(message).digest('hex') as Hex32",
      replace: "return (key.length + message.length > 0 ? '00'.repeat(32) : '') as Hex32",
    },
  ]),
  broken('T4-one-salt-for-all-slots', 'T4: a salt is of one slot', 'guess', [
    {
      file: SALT,
      find: "createHmac('sha256', key).update(message)",
      replace: "createHmac('sha256', key).update(message.subarray(0, 8))",
    },
  ]),
  broken('T4-salt-without-the-seed', 'T4: a salt is secret', 'guess', [
    {
      file: SALT,
      find: "sha256Tagged('ballotSaltKey', seed, fromHex(genesisHash))",
      replace: "sha256Tagged('ballotSaltKey', fromHex(genesisHash))",
    },
  ]),
  broken('T5-cheap-withholding', 'T5: silence costs what the lie does', 'withholding', [CHEAP_WITHHOLDING]),
  broken('T6-waits-for-all', 'T6: a slot closes without those who are silent', 'silence', [
    { file: SETTLE, find: 'return isFull || height >= commitDeadline(batch)', replace: 'return isFull' },
  ]),
  broken('T8-two-thirds-are-enough', 'T8: a quorum is more than two thirds', 'stake', [
    {
      file: ELECTORS,
      find: 'return quorumOf(eligibleStakeOf(members))',
      replace: 'return (2n * eligibleStakeOf(members)) / 3n',
    },
  ]),
  broken('T8-counts-heads', 'T8: stake weighs, not heads', 'stake', [
    {
      file: TALLY,
      find: '? sum + elector.stake\n            : sum,',
      replace: '? sum + 1n\n            : sum,',
    },
    {
      file: ELECTORS,
      find: 'return quorumOf(eligibleStakeOf(members))',
      replace: 'return BigInt(Math.floor((2 * members.length) / 3) + 1)',
    },
  ]),
  broken('T9-garbage-is-a-lie', 'T9: an opening that does not match is nobody’s', 'framing', [
    { file: CHECK, find: '  if (is !== cast.commit) {', replace: '  if (is === null) {' },
  ]),
  broken('T9-leaks-are-free', 'T9: an opening before closing costs its owner half', 'framing', [
    { file: TRUST, find: 'leak: 500_000', replace: 'leak: 0' },
  ]),
  broken('T10-commits-after-closing', 'T10: no commit after closing', 'untimely', [
    {
      file: CHECK,
      find: 'if (batch.closedAt !== null || height > commitDeadline(batch)) {',
      replace: 'if (height < 0) {',
    },
  ]),
  broken('T10-second-commits', 'T10: the first commit stays', 'untimely', [
    {
      file: CHECK,
      find: 'if (cast !== null) return',
      replace: 'if (height < 0) return',
    },
  ]),
  broken('T10-second-openings', 'T10: the first opening stays', 'untimely', [
    {
      file: CHECK,
      find: 'if (cast.opening !== null) return',
      replace: 'if (height < 0) return',
    },
  ]),
  broken('T10-late-openings', 'T10: openings are due', 'untimely', [
    {
      file: SETTLE,
      find: 'height >= openingDeadline(closedAt) ||',
      replace: 'height > openingDeadline(closedAt) ||',
    },
  ]),
  broken('T10-twice-in-a-block', 'T10: each ballot once in a block', 'untimely', [
    { file: CHECK, find: 'before.voter - ballot.voter) < 0', replace: 'before.voter - ballot.voter) <= 0' },
  ]),
  broken('T12-every-slot-of-an-outage', 'T12: an outage is paid for once', 'outage', [
    {
      file: TRUST,
      find: 'if (trust.withheldAt > 0 && trust.lastSeen < trust.withheldAt)',
      replace: 'if (trust.withheldAt < 0)',
    },
  ]),
  broken('T14-order-of-arrival', 'T14: trust is in order of account', 'orders', [
    {
      file: 'src/codec/voting.ts',
      find: 'return [...trust.values()].sort((a, b) => (a.account < b.account ? -1 : 1))',
      replace: 'return [...trust.values()]',
    },
  ]),
  broken('T14-fractions', 'T14: trust is a whole number', 'orders', [
    {
      file: TRUST,
      find: 'return ppm - Math.ceil((ppm * share) / TRUST_MAX)',
      replace: 'return ppm - (ppm * share) / TRUST_MAX - 0.1',
    },
  ]),
  broken('T16-minority-pays', 'T16: nobody dissents from no verdict', 'split', [
    {
      file: SETTLE,
      find: 'const verdicts = batch.outcomes.map((outcome) => outcome ?? 0)',
      replace:
        'const verdicts = batch.outcomes.map((outcome, i) => outcome ?? batch.ballots[0]?.opening?.findings[i] ?? 0)',
    },
  ]),
  broken('T17-other-rules-are-lies', 'T17: who judges by other rules abstains', 'skew', [
    { file: SETTLE, find: 'if (opening.rules !== RULES_VERSION || opening', replace: 'if (opening' },
  ]),
  broken('T17-no-cap', 'T17: a third of the stake at most is excluded', 'skew', [
    { file: TRUST, find: 'if (weightless + stakeOf(of) > total / 3n) continue', replace: '' },
  ]),
  broken('T18-reward-per-round', 'T18: what is earned is earned by periods', 'laziness', [REWARD_PER_ROUND]),
  broken('T19-reward-per-round', 'T19: ten thousand in a period at most', 'farming', [REWARD_PER_ROUND]),
  broken('T19-reward-without-verdict', 'T19: only agreement with a verdict earns', 'farming', [
    REWARD_WITHOUT_VERDICT,
  ]),
  broken('T20-additive-loss', 'T20: a lie costs a share, not a sum', 'milking', [
    {
      file: TRUST,
      find: 'return ppm - Math.ceil((ppm * share) / TRUST_MAX)',
      replace: 'return Math.max(0, ppm - Math.ceil(share / 2))',
    },
  ]),
  broken('T21-newcomers-weigh', 'T21: newcomers begin on probation', 'whitewash', [
    {
      file: TRUST,
      find: "newTrust(account, TRUST_OF_NEWCOMERS, 'probation')",
      replace: "newTrust(account, TRUST_OF_NEWCOMERS, 'active')",
    },
  ]),
  broken('T22-probation-without-ballots', 'T22: probation is a test', 'probation', [
    {
      file: SETTLE,
      find: 'const conduct = conductOf(batch, position)',
      replace: "const conduct = elector.weighs ? conductOf(batch, position) : 'agreed'",
    },
  ]),
  broken('T22-back-at-once', 'T22: the way back takes twenty clean periods', 'probation', [
    {
      file: TRUST,
      find: 'export const CLEAN_PERIODS_TO_RETURN = 20',
      replace: 'export const CLEAN_PERIODS_TO_RETURN = 10',
    },
    {
      file: TRUST,
      find: 'export const TRUST_TO_RETURN = 700_000',
      replace: 'export const TRUST_TO_RETURN = 600_000',
    },
  ]),
  broken('T24-unknown-kinds-by-authority', 'T24: a kind without a row is critical', 'lowered', [
    {
      file: ROUTING,
      find: "(_operation: never): OperationRoute {\n  return 'full-bft'",
      replace: "(_operation: never): OperationRoute {\n  return 'authority'",
    },
  ]),
  broken('T24-unknown-keys-are-low', 'T24: a key without a row is critical', 'lowered', [
    {
      file: 'src/ledger/operations/configuration-keys.ts',
      find: '?.impact ?? null',
      replace: "?.impact ?? 'low'",
    },
  ]),
  broken('T24-whoever-certifies-decides', 'T24: the way follows from the operation alone', 'lowered', [
    {
      file: 'src/ledger/operations/check-operation.ts',
      find: 'const task = standardOf(operation)',
      replace: 'const task = action.authority.length > 0 ? operation : standardOf(operation)',
    },
  ]),
  broken('T24-keys-of-any-prefix', 'T24: a standard operation writes keys of its kind', 'lowered', [
    {
      file: 'src/ledger/operations/standard-space.ts',
      find: "if (operation.kind !== 'network-configuration' && !key.startsWith(prefix)) return null",
      replace: '',
    },
  ]),
  broken(
    'T25-merge-by-activity',
    'T25: the highest checkpoint counts, however often another is there',
    'roles',
    [
      {
        file: SEED,
        find: 'const order = checkpoint.header.height - best.header.height',
        replace:
          'const seen = ({ header }) => checkpoints.filter((of) => of.header.height === header.height).length\n    const order = seen(checkpoint) - seen(best)',
      },
    ],
  ),
  broken('T25-checkpoint-over-a-final-block', 'T25: a final block is never overridden', 'roles', [
    {
      file: 'src/composition/seed-checkpoints.ts',
      find: 'if (ours === null || blockHash(ours) === certificate.blockHash) continue',
      replace: 'if (ours === null || blockHash(ours) !== null) continue',
    },
  ]),
  broken('T25-forged-primary', 'T25: a checkpoint is certified by a quorum', 'roles', [
    {
      file: SEED,
      find: "if (!quorum.ok) return refuse('certificate-does-not-hold', quorum.detail)",
      replace: '',
    },
  ]),
  broken('T25-flood-unverified', 'T25: nothing enters the state unverified', 'roles', [
    {
      file: 'src/ledger/staking/check-evidence.ts',
      find: 'if (!isSigned(evidence, content, rules)) {',
      replace: 'if (content === null) {',
    },
  ]),
  broken(
    'T26-newest-certificate-wins',
    'T26: two certificates that contradict each other stop the node',
    'compromised',
    [
      {
        file: 'src/consensus/certificate-rules.ts',
        find: 'const isBeside = certificate.view === header.view || certificate.height === header.height',
        replace:
          'const isBeside = certificate.view <= header.view && (certificate.view === header.view || certificate.height === header.height)',
      },
    ],
  ),
  broken('T26-few-are-named', 'T26: everybody who signed both is named', 'compromised', [
    {
      file: FORK_PROOF,
      find: 'if (of !== null) evidence.push(of)',
      replace: 'if (of !== null && evidence.length < 2) evidence.push(of)',
    },
  ]),
  broken('T26-culprits-go-on', 'T26: the network goes on without the culprits', 'compromised', [
    {
      file: RESTART,
      find: 'return account !== null && !culprits.includes(account)',
      replace: 'return account !== null',
    },
  ]),
  broken(
    'T26-starts-on-a-broken-chain',
    'T26: a node with the proof of a break does not start',
    'compromised',
    [
      {
        file: 'src/composition/fork-evidence.ts',
        find: 'if (isOfThis && checkForkProof(proof.value, rules.verifySignature).ok) throw broken(path)',
        replace: '',
      },
    ],
  ),
  broken(
    'T27-invalid-is-said-later',
    'T27: nothing shows what was found before it is opened',
    'sideChannels',
    [
      {
        file: BOX,
        find: 'if (batch.closedAt === null && point.height < commitDeadline(batch)) commits.push(own.commit)',
        replace:
          'if (batch.closedAt === null && point.height < commitDeadline(batch) && (point.height > batch.height || own.opening.findings.every((found) => found === 1365))) commits.push(own.commit)',
      },
    ],
  ),
  broken('T28-free-abstention', 'T28: abstaining is being absent', 'abstaining', [
    { file: TRUST, find: "    case 'abstained':\n", replace: "    case 'abstained':\n      return taken\n" },
  ]),
]

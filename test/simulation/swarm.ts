/** Swarm testing: every seed draws its own mix and strengths of faults, of stakes and of parameters. */
import { quorumOf } from '../../src/types/quorum.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { certificateTransaction, fourProofTransaction, timeProof } from '../unit/ledger/fixtures.ts'
import { HONEST, type Misbehaviour } from './adversary.ts'
import type { BallotChecker } from './ballot-checker.ts'
import { type Byzantine, Cluster, type ClusterOptions } from './cluster.ts'
import { CALM } from './faults.ts'
import { isEveryPoolEmpty, lostTransactions, replayViolations, viewsApart } from './final-checks.ts'
import { withLeaders } from './leaders.ts'
import { Random } from './random.ts'
import { siege } from './siege.ts'

/**
 * Requests for the simulated clients: Valid ones, two that spend one nonce, one that breaks a rule, and one node's
 * sequence of proofs out of order.
 */
export const TRANSACTIONS: readonly HashedTransaction[] = [
  ...[1n, 2n, 3n, 4n].map((nonce) => certificate(`request-${nonce}`, nonce)),
  certificate('replay-a', 9n),
  certificate('replay-b', 9n),
  certificate('no-nonce', 0n),
  ...[2n, 1n].map((sequenceNumber) => fourProofTransaction({ time: { sequenceNumber } })),
]

/** So many Valid requests, each other than all of {@link TRANSACTIONS}. */
export function requestsNumbered(count: number): HashedTransaction[] {
  return Array.from({ length: count }, (_, i) => certificate(`many-${i}`, BigInt(1_000 + i)))
}

function certificate(requestId: string, nonce: bigint): HashedTransaction {
  return certificateTransaction({ top: { requestId }, time: timeProof({ nonce }) })
}

/** Faults end between these. */
const HEAL_MIN_MS = 600
const HEAL_SPREAD_MS = 1_900
/** After the healing every honest node finalizes this many more blocks within this time (I15, I17). */
const BLOCKS_AFTER_HEAL = 3
const LIVENESS_MS = 40_000
/** Seeds in which the adversary has the network in its hand. */
const SIEGE_SHARE = 0.08
/** Seeds in which adversaries are all that is wrong. */
const CALM_SHARE = 0.12

/** Seeds with clients that have notes: a tree of Poseidon2 hashes in every node takes its time. */
const NOTES_SHARE = 0.08

/** A knob that is off in half of the seeds and of any strength in the others. */
function sometimes(random: Random, max: number, chance = 0.5): number {
  const isOn = random.chance(chance)
  const strength = random.next()
  return isOn ? max * strength * strength : 0
}

function drawStakes(random: Random): bigint[] {
  const count = 4 + random.below(4)
  const style = random.below(3)
  return Array.from({ length: count }, () => {
    if (style === 0) return 1n
    if (style === 1) return BigInt(1 + random.below(10))
    return BigInt(1 + random.below(1_000)) * 10n ** 15n
  })
}

function drawHabits(random: Random): Misbehaviour {
  const strength = (): number => (random.chance(0.5) ? random.next() : 0)
  return {
    ...HONEST,
    withhold: strength() * 0.8,
    equivocate: strength(),
    doubleVote: strength(),
    forgeTimeout: strength(),
    stale: strength(),
    fork: strength() * 0.7,
    illegal: strength() * 0.5,
    impersonate: strength() * 0.3,
    forgeCertificate: strength() * 0.5,
    replay: strength() * 0.3,
    garbage: strength() * 0.2,
    badRange: strength(),
    censor: random.chance(0.2) ? 1 : 0,
    lie: strength(),
    laze: random.chance(0.15) ? 1 : 0,
    abstain: random.chance(0.15) ? 1 : 0,
    hush: strength(),
    spoil: strength() * 0.5,
    steal: strength() * 0.5,
    copy: random.chance(0.2) ? 1 : 0,
    leak: random.chance(0.2) ? 1 : 0,
    pair: 0,
    leaveOut: strength() * 0.9,
  }
}

/** Validators that misbehave, with less than a third of the stake in all: W − weight ≥ Q. */
function drawByzantine(random: Random, stakes: readonly bigint[]): Map<number, Byzantine> {
  const byzantine = new Map<number, Byzantine>()
  const total = stakes.reduce((sum, stake) => sum + stake, 0n)
  const allowed = total - quorumOf(total)
  const kind = random.below(6)
  if (kind < 2) return byzantine
  let weight = 0n
  for (let i = stakes.length - 1; i >= 0; i--) {
    const stake = stakes[i] ?? 0n
    if (weight + stake > allowed) continue
    weight += stake
    const habits = drawHabits(random)
    const isSilent = kind === 3 && random.chance(0.5)
    if (kind === 2) byzantine.set(i, { kind: 'twins' })
    else byzantine.set(i, isSilent ? { kind: 'silent' } : { kind: 'liar', habits })
  }
  return byzantine
}

/** The seed's adversaries and nothing else: what they cannot do is cost an honest validator trust. */
function calm(drawn: ClusterOptions): ClusterOptions {
  // A period that does not end: absence from one of few batches in a short one has its price.
  const parameters = { ...drawn.parameters, epochBlocks: 0 }
  return { ...drawn, ...CALM, isCalm: true, transactions: TRANSACTIONS, transactionEveryMs: 40, parameters }
}

/** The options of a seed. */
export function drawOptions(seed: number, transactions: readonly HashedTransaction[]): ClusterOptions {
  const random = new Random(seed ^ 0x5eed)
  const stakes = drawStakes(random)
  const isIdleChain = random.chance(0.4)
  const drawn: ClusterOptions = {
    seed,
    stakes,
    healAtMs: HEAL_MIN_MS + random.below(HEAL_SPREAD_MS),
    drop: sometimes(random, 0.4),
    duplicate: sometimes(random, 0.3),
    delayMaxMs: sometimes(random, 250, 0.7),
    crashChance: sometimes(random, 0.01, 0.6),
    downMaxMs: 10 + random.below(1_000),
    powerCutEveryMs: random.chance(0.25) ? 200 + random.below(1_000) : 0,
    partitionEveryMs: random.chance(0.4) ? 100 + random.below(800) : 0,
    isCutNoticed: random.chance(0.5),
    flapEveryMs: random.chance(0.25) ? 50 + random.below(400) : 0,
    slowShare: random.chance(0.2) ? random.next() * 0.5 : 0,
    slowMs: 50 + random.below(300),
    diskMaxMs: sometimes(random, 40) + 1,
    diskFailChance: random.chance(0.2) ? random.next() * 0.02 : 0,
    tearChance: random.chance(0.5) ? random.next() : 0,
    clockSkewMaxMs: random.chance(0.3) ? 4_000 : 0,
    clockJumpEveryMs: random.chance(0.15) ? 100 + random.below(500) : 0,
    byzantine: drawByzantine(random, stakes),
    isOmniscient: random.chance(0.5),
    followers: random.below(2),
    parameters: {
      heartbeatMs: isIdleChain ? 300 + random.below(700) : 0,
      certificateIntervalMs: random.chance(0.5) ? 0 : 200,
      unreachableLeaderTimeoutMs: random.chance(0.5) ? 40 : 100,
      // Epochs so short that faults meet their ends again and again, or one without end.
      epochBlocks: random.chance(0.6) ? 2 + random.below(12) : 0,
    },
    transactions: random.chance(0.7) ? transactions : [],
    transactionEveryMs: 20 + random.below(300),
  }
  if (random.chance(CALM_SHARE)) return withNotes(seed, calm(drawn))
  if (random.chance(SIEGE_SHARE)) return { ...drawn, ...siege(seed, random.chance(0.5) ? 1 : 2) }
  return withNotes(seed, drawn)
}

/** Some seeds have clients with notes. Drawn apart, so that the others are what they are without. */
function withNotes(seed: number, drawn: ClusterOptions): ClusterOptions {
  const random = new Random(seed ^ 0x407e)
  if (!random.chance(NOTES_SHARE)) return drawn
  const notes = { everyMs: 50 + random.below(200), countMax: 4 + random.below(10) }
  return { ...drawn, notes: { ...notes, blockReward: random.chance(0.3) ? 7n : 0n } }
}

export interface Outcome {
  readonly seed: number
  readonly violations: readonly string[]
  readonly trace: string
  readonly heights: readonly number[]
  readonly effects: number
  readonly events: number
  readonly simulatedMs: number
  readonly verdicts: BallotChecker['verdicts']
  /** Of the seed, or of what was modelled in its place. */
  readonly figures?: Readonly<Record<string, number>>
}

export interface RunChanges extends Partial<ClusterOptions> {
  readonly livenessMs?: number
  /** Told of every effect. */
  readonly onEffect?: (line: string) => void
}

/** Runs a seed to the end: faults, healing, the blocks that must follow, and a look at what came of it. */
export function runSeed(
  seed: number,
  transactions: readonly HashedTransaction[] = TRANSACTIONS,
  changes: RunChanges = {},
): Promise<Outcome> {
  const { livenessMs = LIVENESS_MS, onEffect = null, ...options } = changes
  const draw = drawOptions(seed, transactions)
  // Whoever brings faults of its own says itself whether they are none.
  const isCalm = Object.keys(options).length === 0 && draw.isCalm === true
  const drawn: ClusterOptions = { ...draw, isCalm, ...options }
  const { stakes, leadersInTurn } = drawn
  return withLeaders(
    (view) => (leadersInTurn === true ? view % stakes.length : null),
    () => runDrawn(drawn, livenessMs, onEffect),
  )
}

async function runDrawn(
  drawn: ClusterOptions,
  livenessMs: number,
  onEffect: RunChanges['onEffect'] | null,
): Promise<Outcome> {
  const { seed } = drawn
  const cluster = new Cluster(drawn)
  const { checker } = cluster
  checker.onEffect = onEffect ?? null
  await cluster.runUntil(drawn.healAtMs ?? 0, () => cluster.violations.length > 0)
  const watched = cluster.nodes.filter((node) => node.isHonest)
  const goal = Math.max(...watched.map((node) => node.height)) + BLOCKS_AFTER_HEAL
  const isWell = (): boolean =>
    watched.every((node) => node.isUp && node.height >= goal) &&
    isEveryPoolEmpty(cluster.honest) &&
    cluster.honest.every((node) => node.waitingForVerdicts === 0) &&
    cluster.noteClients?.isServed !== false &&
    viewsApart(cluster.honest) <= 1
  const isDone = await cluster.runFor(livenessMs, () => cluster.violations.length > 0 || isWell())
  const heights = watched.map((node) => node.height)
  if (!isDone && !isWell()) {
    if (heights.some((height) => height < goal)) {
      checker.violated(`I15: heights ${heights} below ${goal} ${livenessMs} ms after healing`)
    } else if (!isEveryPoolEmpty(cluster.honest)) {
      checker.violated(
        `I16: ${cluster.honest.map((node) => node.waiting)} wait ${livenessMs} ms after healing`,
      )
    } else if (cluster.honest.some((node) => node.waitingForVerdicts > 0)) {
      checker.violated(`V6: requests wait for verdicts ${livenessMs} ms after healing`)
    } else if (cluster.noteClients?.isServed === false) {
      checker.violated(`N6: no shielded transaction is final ${livenessMs} ms after healing`)
    } else checker.violated(`I18: views are ${viewsApart(cluster.honest)} apart`)
  }
  if (cluster.violations.length === 0) {
    // Equal chains give equal replays: the longest stands for all.
    const longest = watched.reduce((a, b) => (b.height > a.height ? b : a))
    for (const violation of replayViolations(cluster.genesis, longest)) checker.violated(violation)
    for (const violation of lostTransactions(cluster.taken)) checker.violated(violation)
  }
  return {
    seed,
    violations: [...cluster.violations],
    trace: checker.trace,
    heights,
    effects: checker.effects,
    events: cluster.events,
    simulatedMs: cluster.nowMs,
    verdicts: cluster.ballotChecker.verdicts,
    figures: {
      calm: drawn.isCalm === true ? 1 : 0,
      byzantine: drawn.byzantine?.size === 0 ? 0 : 1,
      lowestHonestTrust: cluster.ballotChecker.lowestHonestTrust,
      ...(cluster.noteClients === null ? {} : { withNotes: 1, ...cluster.noteClients.figures }),
      ...cluster.noteChecker.final,
    },
  }
}

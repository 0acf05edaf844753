/** Swarm testing: every seed draws its own mix and strengths of faults, of stakes and of parameters. */
import { hashTransaction } from '../../src/codec/transaction.ts'
import { quorumOf } from '../../src/consensus/validator-set.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { certificateRequest } from '../support/requests.ts'
import type { Misbehaviour } from './adversary.ts'
import { type Byzantine, Cluster, type ClusterOptions } from './cluster.ts'
import { Random } from './random.ts'
import type { Mutation } from './simulated-node.ts'

/** Transactions for the simulated pools. */
export const TRANSACTIONS: readonly HashedTransaction[] = Array.from({ length: 8 }, (_, i) =>
  hashTransaction({ kind: 'validate-certificate', request: certificateRequest(`simulated-${i}`) }),
)

const HEAL_AT_MS = 2_500
/** After the healing every honest node finalizes this many more blocks within this time (I15, I17). */
const BLOCKS_AFTER_HEAL = 3
const LIVENESS_MS = 40_000

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
    withhold: strength() * 0.8,
    equivocate: strength(),
    doubleVote: strength(),
    forgeTimeout: strength(),
    stale: strength(),
    forgeCertificate: strength() * 0.5,
    replay: strength() * 0.3,
    garbage: strength() * 0.2,
  }
}

/** Validators that misbehave, with less than a third of the stake in all: W − weight ≥ Q. */
function drawByzantine(random: Random, stakes: readonly bigint[]): Map<number, Byzantine> {
  const byzantine = new Map<number, Byzantine>()
  const total = stakes.reduce((sum, stake) => sum + stake, 0n)
  const allowed = total - quorumOf(total)
  const kind = random.below(5)
  if (kind < 2) return byzantine
  let weight = 0n
  for (let i = stakes.length - 1; i >= 0; i--) {
    const stake = stakes[i] ?? 0n
    if (weight + stake > allowed) continue
    weight += stake
    const habits = drawHabits(random)
    byzantine.set(i, kind === 2 ? { kind: 'twins' } : { kind: 'liar', habits })
  }
  return byzantine
}

/** The options of a seed. */
export function drawOptions(seed: number, transactions: readonly HashedTransaction[]): ClusterOptions {
  const random = new Random(seed ^ 0x5eed)
  const stakes = drawStakes(random)
  const isIdleChain = random.chance(0.4)
  return {
    seed,
    stakes,
    healAtMs: HEAL_AT_MS,
    drop: sometimes(random, 0.4),
    duplicate: sometimes(random, 0.3),
    delayMaxMs: sometimes(random, 250, 0.7),
    crashChance: sometimes(random, 0.01, 0.6),
    downMaxMs: 10 + random.below(1_000),
    powerCutEveryMs: random.chance(0.25) ? 200 + random.below(1_000) : 0,
    partitionEveryMs: random.chance(0.4) ? 100 + random.below(800) : 0,
    isCutNoticed: random.chance(0.5),
    diskMaxMs: sometimes(random, 40) + 1,
    clockSkewMaxMs: random.chance(0.3) ? 4_000 : 0,
    byzantine: drawByzantine(random, stakes),
    followers: random.below(2),
    parameters: {
      heartbeatMs: isIdleChain ? 300 + random.below(700) : 0,
      certificateIntervalMs: random.chance(0.5) ? 0 : 200,
      unreachableLeaderTimeoutMs: random.chance(0.5) ? 40 : 100,
    },
    transactions: random.chance(0.7) ? transactions : [],
    transactionEveryMs: 20 + random.below(300),
  }
}

export interface Outcome {
  readonly seed: number
  readonly violations: readonly string[]
  readonly trace: string
  readonly heights: readonly number[]
  readonly effects: number
  readonly simulatedMs: number
}

/** Runs a seed to the end: faults, healing, and the blocks that must follow. */
export function runSeed(
  seed: number,
  transactions: readonly HashedTransaction[] = [],
  changes: { readonly mutation?: Mutation; readonly livenessMs?: number } & Partial<ClusterOptions> = {},
): Outcome {
  const { livenessMs = LIVENESS_MS, ...options } = changes
  const cluster = new Cluster({ ...drawOptions(seed, transactions), ...options })
  cluster.runUntil(HEAL_AT_MS, () => cluster.violations.length > 0)
  const watched = cluster.nodes.filter((node) => node.isHonest)
  const goal = Math.max(...watched.map((node) => node.height)) + BLOCKS_AFTER_HEAL
  const isDone = (): boolean => watched.every((node) => node.height >= goal) || cluster.violations.length > 0
  const isLive = cluster.runFor(livenessMs, isDone)
  const heights = watched.map((node) => node.height)
  const violations = [...cluster.violations]
  if (!isLive) violations.push(`I15: heights ${heights} below ${goal} ${livenessMs} ms after healing`)
  return {
    seed,
    violations,
    trace: cluster.checker.trace,
    heights,
    effects: cluster.checker.effects,
    simulatedMs: cluster.nowMs,
  }
}

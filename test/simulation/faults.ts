/** What a seed's faults are, and when the scheduled ones strike: partitions, power cuts, clock jumps, flapping. */
import type { Cluster } from './cluster.ts'

export interface FaultOptions {
  /** Faults happen before this. */
  readonly healAtMs?: number
  readonly drop?: number
  readonly duplicate?: number
  readonly delayMaxMs?: number
  /** Crashes per effect of a node: between any two effects. */
  readonly crashChance?: number
  /** How long a crashed node stays down, at most. */
  readonly downMaxMs?: number
  /** All nodes lose power this often. */
  readonly powerCutEveryMs?: number
  /** The network is cut in two this often, each time elsewhere. */
  readonly partitionEveryMs?: number
  /** Once, and for so long: one half of the validators on each side. */
  readonly halvedAtMs?: number
  readonly halvedForMs?: number
  /** Whether the two sides of a cut notice it as lost connections. */
  readonly isCutNoticed?: boolean
  /** One link goes and comes back this often. */
  readonly flapEveryMs?: number
  /** Links that are slow, as a share of all, and by how much. */
  readonly slowShare?: number
  readonly slowMs?: number
  /** Time of one disk sync, at most. */
  readonly diskMaxMs?: number
  /** Writes and syncs that fail: the process stops, and its next start finds a healthy disk. */
  readonly diskFailChance?: number
  /** Power losses that leave a part of the write under way. */
  readonly tearChance?: number
  readonly clockSkewMaxMs?: number
  /** A machine's wall clock jumps this often, forth or back, by up to the skew. */
  readonly clockJumpEveryMs?: number
}

/** No faults: all that goes wrong is what Byzantine validators do. */
export const CALM: FaultOptions = {
  drop: 0,
  duplicate: 0,
  delayMaxMs: 10,
  crashChance: 0,
  powerCutEveryMs: 0,
  partitionEveryMs: 0,
  flapEveryMs: 0,
  slowShare: 0,
  diskMaxMs: 2,
  diskFailChance: 0,
  clockSkewMaxMs: 0,
  clockJumpEveryMs: 0,
}

/** Whatever strikes again and again until the healing. */
export function scheduleFaults(cluster: Cluster, faults: FaultOptions): void {
  const { random } = cluster
  every(cluster, faults.partitionEveryMs, () => partition(cluster, faults.isCutNoticed ?? true))
  every(cluster, faults.powerCutEveryMs, () => cluster.powerCut())
  every(cluster, faults.clockJumpEveryMs, () => {
    cluster.anyNode().skewMs = (random.next() - 0.5) * (faults.clockSkewMaxMs ?? 0)
  })
  every(cluster, faults.flapEveryMs, () => {
    const [a, b] = [cluster.anyNode(), cluster.anyNode()]
    cluster.mute(a, b)
    cluster.at(cluster.nowMs + random.below(faults.flapEveryMs ?? 0), () => cluster.unmute(a, b))
  })
  for (const a of cluster.nodes) {
    for (const b of cluster.nodes) {
      if (a !== b && faults.slowShare !== undefined && random.chance(faults.slowShare)) cluster.slow(a, b)
    }
  }
  const { halvedAtMs, halvedForMs = 0 } = faults
  if (halvedAtMs !== undefined) {
    const half = cluster.nodes.slice(0, cluster.nodes.length / 2)
    cluster.at(halvedAtMs, () => cluster.separate(half, faults.isCutNoticed ?? true))
    cluster.at(halvedAtMs + halvedForMs, () => cluster.heal())
  }
  if (faults.healAtMs !== undefined && faults.healAtMs > 0) cluster.at(faults.healAtMs, () => cluster.heal())
}

function partition(cluster: Cluster, isNoticed: boolean): void {
  const { random } = cluster
  cluster.heal()
  if (random.chance(0.3)) return
  if (random.chance(0.2)) {
    cluster.mute(cluster.anyNode(), cluster.anyNode())
    return
  }
  cluster.separate(
    cluster.nodes.filter(() => random.chance(0.4)),
    isNoticed,
  )
}

function every(cluster: Cluster, periodMs: number | undefined, run: () => void): void {
  if (periodMs === undefined || periodMs <= 0) return
  const next = (): void => {
    cluster.at(cluster.nowMs + periodMs * (0.5 + cluster.random.next()), () => {
      if (cluster.isHealed) return
      run()
      next()
    })
  }
  next()
}

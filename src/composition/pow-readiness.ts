/** Whether a node of a mined network can serve now, check by check. Reads, decides nothing. */
import type { PowView } from '../consensus/pow/pow-engine.ts'
import type { MiningParameters } from '../types/pow.ts'
import type { MonotonicMs } from '../types/primitives.ts'
import type { Check } from './readiness.ts'

export interface PowReadinessSources {
  readonly mining: MiningParameters
  look(): PowView
  now(): MonotonicMs
  /** When the heaviest chain last changed in this run, or null. */
  lastBlockAt(): MonotonicMs | null
  readonly startedAt: MonotonicMs
  peers(): number
  /** Null while there is room on the disk; a write that fails stops the node. */
  storageFailure(): string | null
}

/** Without a block for so many intervals something is wrong: by chance alone it happens once in half a billion. */
const INTERVALS_MAX = 20

/** All checks, in the order of `readiness.ts`. There is no quorum to be had. */
export function powReadiness(sources: PowReadinessSources): Check[] {
  const { mining, startedAt } = sources
  const check = (name: Check['name'], reason: string | null): Check => ({ name, ok: reason === null, reason })
  const quietMs = sources.now() - (sources.lastBlockAt() ?? startedAt)
  const { waiting } = sources.look()
  return [
    check('storage', sources.storageFailure()),
    check('peers', sources.peers() > 0 ? null : 'connected to no peer'),
    check('quorum', null),
    check('sync', waiting === 0 ? null : `${waiting} blocks wait for their ancestors`),
    check(
      'finality',
      sources.lastBlockAt() !== null && quietMs <= INTERVALS_MAX * mining.targetIntervalMs
        ? null
        : `no block mined for ${(quietMs / 1_000).toFixed(1)} s (expected one every ${mining.targetIntervalMs} ms)`,
    ),
  ]
}

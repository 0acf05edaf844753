/** Whether the node can serve now, check by check, with the figures that say why not. Reads, decides nothing. */

import type { ReplicaView } from '../consensus/replica.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import { isSafeMode, weighingStake } from '../ledger/verdicts/safe-mode.ts'
import type { ReadyCheck } from '../observability/metrics.ts'
import type { ChainParameters } from '../types/genesis.ts'
import type { MonotonicMs, ValidatorIndex } from '../types/primitives.ts'
import type { VerdictVoting } from '../types/voting.ts'

/** A block this many heights below the highest certified one is "catching up". */
const BEHIND_BLOCKS_MAX = 16
/** No finality for this long, or for three heartbeats if that is longer: there is no quorum to be seen. */
const FINALITY_AGE_MAX_MS = 5_000

export interface ReadinessSources {
  /** Of the epoch that is going on. */
  electorate(): Electorate
  readonly parameters: ChainParameters
  self(): ValidatorIndex | null
  look(): ReplicaView
  now(): MonotonicMs
  /** When the last block became final here in this run, or null. */
  lastFinalAt(): MonotonicMs | null
  startedAt(): MonotonicMs
  peers(): number
  syncTarget(): number
  /** Null while there is room on the disk; a write that fails stops the node. */
  storageFailure(): string | null
  /** Why a validator does not sign yet; null when it does, and for a node that is none. */
  signingHeldBecause(): string | null
}

export interface Check {
  readonly name: ReadyCheck
  readonly ok: boolean
  readonly reason: string | null
}

/** All checks, in a fixed order. */
export function readinessChecks(sources: ReadinessSources): Check[] {
  return [
    storage(sources),
    signing(sources),
    peers(sources),
    quorum(sources),
    comparedSync(sources),
    finality(sources),
  ]
}

function check(name: ReadyCheck, reason: string | null): Check {
  return { name, ok: reason === null, reason }
}

function storage(sources: ReadinessSources): Check {
  return check('storage', sources.storageFailure())
}

function signing(sources: ReadinessSources): Check {
  return check('signing', sources.signingHeldBecause())
}

const CUT_OFF = 'connected to no peer'

/** Connected to nobody, though the network is more than this node. */
function isCutOff({ peers: count, electorate, self }: ReadinessSources): boolean {
  const isAlone = self() !== null && electorate().size === 1
  return count() === 0 && !isAlone
}

function peers(sources: ReadinessSources): Check {
  return check('peers', isCutOff(sources) ? CUT_OFF : null)
}

/**
 * For a validator: whether the validators it is connected to, with itself, are a quorum. For others, who need not be
 * connected to validators, whether they could hear of one.
 */
function quorum(sources: ReadinessSources): Check {
  if (sources.self() === null && isCutOff(sources)) return check('quorum', 'hears of no validator')
  // As long as it does not sign it keeps no links with the others.
  if (sources.self() === null || sources.signingHeldBecause() !== null) return check('quorum', null)
  const electorate = sources.electorate()
  const unreachable = new Set(sources.look().unreachable)
  const reachable = electorate.set.validators
    .map((_, i) => i as ValidatorIndex)
    .filter((i) => !unreachable.has(i))
  const weight = electorate.weightOf(reachable)
  if (weight >= electorate.quorum) return check('quorum', null)
  const missing = [...unreachable].join(', ')
  return check(
    'quorum',
    `connected to stake ${weight} of ${electorate.totalStake}, a quorum is ${electorate.quorum}; ` +
      `${reachable.length} of ${electorate.size} validators, missing ${missing}`,
  )
}

function sync({ look, syncTarget }: ReadinessSources): Check {
  const { height } = look().final.header
  const behind = syncTarget() - height
  return check(
    'sync',
    behind <= BEHIND_BLOCKS_MAX
      ? null
      : `catching up: height ${height} of ${syncTarget()}, ${behind} blocks behind`,
  )
}

/**
 * As {@link sync}, for who looks at the list: nobody to compare with is no sign of being at the tip. Requests are not
 * refused for it, or a moment without a connection would refuse them; when it lasts, `finality` does.
 */
function comparedSync(sources: ReadinessSources): Check {
  return isCutOff(sources) ? check('sync', 'nobody is there to compare its height with') : sync(sources)
}

function finality({ parameters, look, now, lastFinalAt, startedAt }: ReadinessSources): Check {
  const allowedMs = Math.max(FINALITY_AGE_MAX_MS, 3 * parameters.heartbeatMs)
  const last = lastFinalAt()
  const { view, final } = look()
  if (last === null) {
    const seconds = ((now() - startedAt()) / 1_000).toFixed(1)
    return check('finality', `no block has become final in the ${seconds} s since the start; in view ${view}`)
  }
  const ageMs = now() - last
  if (ageMs <= allowedMs) return check('finality', null)
  return check(
    'finality',
    `no block final for ${(ageMs / 1_000).toFixed(1)} s (expected one every ${parameters.heartbeatMs} ms); ` +
      `last is height ${final.header.height}, now in view ${view}`,
  )
}

/**
 * Why nothing from outside is judged now, on any node of the network; null when it is.
 * @param tip the final state
 */
export function safeModeReason({
  voting,
}: {
  readonly voting: Pick<VerdictVoting, 'electors'>
}): string | null {
  const electors = voting.electors.at(-1)
  if (electors === undefined || !isSafeMode(electors)) return null
  const stake = weighingStake(electors)
  return (
    `safe mode: validators with stake ${stake.weighing} of ${stake.total} weigh in verdicts, two thirds must; ` +
    'requests are judged again when validators have come back from exclusion or probation'
  )
}

/**
 * A request can be judged when the chain moves, this node is on it, and enough of the stake weighs. Asked for every
 * request, so it makes only the checks that count here.
 * @param safeMode as {@link safeModeReason} gives it
 */
export function validationReadiness(
  sources: ReadinessSources,
  safeMode: string | null,
): { ready: true } | { ready: false; reason: string } {
  for (const made of [storage, sync, finality]) {
    const { name, ok, reason } = made(sources)
    if (ok) continue
    const why = reason ?? name
    return { ready: false, reason: isCutOff(sources) ? `${CUT_OFF}; ${why}` : why }
  }
  return safeMode === null ? { ready: true } : { ready: false, reason: safeMode }
}

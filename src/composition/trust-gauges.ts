/** Sets the gauges of verdicts and trust from the final state, which is where they are. */
import { ownerOfKey } from '../ledger/staking/validator-keys.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ChainTip } from '../storage/chain-opening.ts'
import type { ValidatorId } from '../types/primitives.ts'
import { TRUST_MAX, TRUST_STATUSES } from '../types/voting.ts'

/** @param own of this node, whether it validates or not */
export function setTrustGauges(
  { verdicts }: Pick<Metrics, 'verdicts'>,
  { staking, voting }: Pick<ChainTip, 'staking' | 'voting'>,
  own: ValidatorId,
): void {
  const counts = { active: 0, probation: 0, excluded: 0, punished: 0 }
  let lowest = TRUST_MAX
  let ofOwn = 0
  for (const { id } of staking.validators) {
    const account = ownerOfKey(id, staking.accounts)?.account
    const trust = account === undefined ? undefined : voting.trust.get(account.id)
    if (account === undefined || trust === undefined) continue
    counts[account.tombstonedAt === null ? trust.status : 'punished'] += 1
    lowest = Math.min(lowest, trust.ppm)
    if (id === own) ofOwn = trust.ppm
  }
  for (const state of [...TRUST_STATUSES, 'punished'] as const) {
    verdicts.standings.set(counts[state], { state })
  }
  verdicts.lowest.set(lowest / TRUST_MAX)
  verdicts.own.set(ofOwn / TRUST_MAX)
  const open = voting.batches.flatMap(({ outcomes }) => outcomes).filter((outcome) => outcome === null)
  verdicts.open.set(open.length)
}

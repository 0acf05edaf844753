/** Sets the gauges that nothing else moves, from what the parts of the node say of themselves when asked. */

import type { Electorate } from '../consensus/validator-set.ts'
import type { Mempool } from '../mempool/mempool.ts'
import type { Network } from '../network/network.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Database } from '../storage/database.ts'
import type { RangeSync } from '../sync/range-sync.ts'
import type { ValidatorId, ValidatorIndex } from '../types/primitives.ts'
import type { ValidationService } from '../validation/validation-service.ts'
import type { Check } from './readiness.ts'

/** What every node has, whatever its network's consensus. */
export interface NodeGaugeParts {
  readonly metrics: Metrics
  readonly pool: Pick<Mempool, 'size' | 'bytes'>
  readonly network: {
    readonly peers: Pick<Network['peers'], 'list'>
    readonly dialer: Pick<Network['dialer'], 'state'>
  }
  readonly service: Pick<ValidationService, 'metrics'>
  readonly database: Pick<Database, 'approximateBytes'>
  readonly checks: readonly Check[]
}

/**
 * What waits, who is connected, how large the database is, and the readiness checks.
 * @returns when the database has answered, which it does in a thread of its own
 */
export async function setNodeGauges(parts: NodeGaugeParts): Promise<void> {
  const { metrics, pool, network, service, database, checks } = parts
  metrics.ledger.mempoolItems.set(pool.size)
  metrics.ledger.mempoolBytes.set(pool.bytes)
  metrics.validation.pending.set(service.metrics().pendingValidations)
  setPeerGauges(metrics, network)
  for (const { name, ok } of checks) metrics.http.ready.set(ok ? 1 : 0, { check: name })
  metrics.ledger.dbSize.set(await database.approximateBytes())
}

function setPeerGauges({ p2p }: Pick<Metrics, 'p2p'>, { peers, dialer }: NodeGaugeParts['network']): void {
  const open = peers.list()
  for (const direction of ['inbound', 'outbound'] as const) {
    for (const transport of ['tcp', 'quic', 'other'] as const) {
      const count = open.filter(
        (peer) => peer.direction === direction && (peer.transport ?? 'other') === transport,
      ).length
      p2p.peers.set(count, { direction, transport })
    }
  }
  p2p.bootstrapPeers.set(dialer.state('bootstrap').connected)
}

/** How the chain is followed: towards which height, and whether by consensus, by ranges, or by nobody's word. */
export function setSyncGauges(
  { ledger }: Pick<Metrics, 'ledger'>,
  { status }: Pick<RangeSync, 'status'>,
  isAlone: boolean,
): void {
  const { isSyncing, targetHeight } = status
  ledger.syncTargetHeight.set(targetHeight)
  ledger.syncState.set(isSyncing ? 1 : 0, { state: 'catching-up' })
  ledger.syncState.set(isAlone ? 1 : 0, { state: 'alone' })
  ledger.syncState.set(!isSyncing && !isAlone ? 1 : 0, { state: 'following' })
}

/** Whether this node is in the set of the epoch that is going on, and with how much of the stake. */
export function setValidatorGauges(
  { validator }: Pick<Metrics, 'validator'>,
  electorate: Electorate,
  id: ValidatorId,
): void {
  const index = electorate.indexOf(id)
  validator.isActive.set(index === null ? 0 : 1)
  validator.power.set(index === null ? 0 : stakeShare(electorate, [index]))
}

/** Share of the stake behind these voters, 0 to 1, in steps of a ten-thousandth. */
export function stakeShare(electorate: Electorate, voters: readonly ValidatorIndex[]): number {
  return Number((electorate.weightOf(voters) * 10_000n) / electorate.totalStake) / 10_000
}

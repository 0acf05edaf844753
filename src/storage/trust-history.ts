/**
 * How trust in each validator came to be what it is: every change of it that a final block made, the latest ones of each
 * account. No part of the state: a node that began with a snapshot has what came after it. Written with the blocks.
 */
import { counter, decode, encode, listOf, oneOf, record, uint } from '../codec/schema.ts'
import type { BlockHeader } from '../types/block.ts'
import type { StateChanges } from '../types/ledger-state.ts'
import type { AccountId, Height } from '../types/primitives.ts'
import { TRUST_STATUSES, type TrustChange, type ValidatorTrust, type VerdictVoting } from '../types/voting.ts'
import { put } from './block-batch.ts'
import { trustHistoryKey } from './buckets.ts'
import type { Database, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/** Changes that are kept of each account: four lies in every one of sixty periods. */
export const TRUST_CHANGES_MAX = 240

const changesSchema = listOf(
  record<TrustChange>({
    height: counter(),
    period: counter(),
    from: uint(4),
    ppm: uint(4),
    status: oneOf(TRUST_STATUSES),
    slots: uint(4),
    agreed: uint(4),
    dissented: uint(4),
    withheld: uint(4),
    absent: uint(4),
  }),
  TRUST_CHANGES_MAX,
)
const ROW_BYTES_MAX = 64 * TRUST_CHANGES_MAX

/** What of a final block changes trust. */
interface TrustedBlock {
  readonly block: { readonly header: Pick<BlockHeader, 'height'> }
  readonly changes: Pick<StateChanges, 'voting'>
}

export class TrustHistory {
  readonly #database: Pick<Database, 'get' | 'path'>
  /** After the last block that {@link operations} was told of. */
  #voting: VerdictVoting

  /** @param voting after the last block that the database has */
  constructor(database: Pick<Database, 'get' | 'path'>, voting: VerdictVoting) {
    this.#database = database
    this.#voting = voting
  }

  /** Changes of trust in an account's validator, oldest first. @throws StorageError E_DB_CORRUPT */
  of(account: AccountId): readonly TrustChange[] {
    const bytes = this.#database.get(trustHistoryKey(account))
    if (bytes === null) return []
    const changes = decode(changesSchema, bytes, ROW_BYTES_MAX)
    if (changes.ok) return changes.value
    throw damagedDatabase(this.#database.path, `trust history of ${account}: ${changes.detail}`)
  }

  /** What the next blocks write beside themselves. They must be written, in this order, or the node must stop. */
  operations(blocks: readonly TrustedBlock[]): WriteOperation[] {
    const rows = new Map<AccountId, readonly TrustChange[]>()
    for (const { block, changes } of blocks) {
      for (const [account, change] of changesOf(this.#voting, changes.voting, block.header.height)) {
        rows.set(account, [...(rows.get(account) ?? this.of(account)), change].slice(-TRUST_CHANGES_MAX))
      }
      this.#voting = changes.voting
    }
    return [...rows].map(([account, row]) => put(trustHistoryKey(account), encode(changesSchema, row)))
  }
}

/** What one block changed: trust or standing; counters alone are no change. */
function changesOf(before: VerdictVoting, after: VerdictVoting, height: Height): [AccountId, TrustChange][] {
  if (before.trust === after.trust) return []
  const period = before.electors.at(-1)?.period ?? 0
  return [...after.trust.values()].flatMap((now): [AccountId, TrustChange][] => {
    const was = before.trust.get(now.account)
    if (was === now || (was?.ppm === now.ppm && was.status === now.status)) return []
    return [[now.account, changeOf(was, now, height, period)]]
  })
}

function changeOf(
  was: ValidatorTrust | undefined,
  now: ValidatorTrust,
  height: Height,
  period: number,
): TrustChange {
  // At the end of a period the counters begin anew: what led to the change is what they were.
  const counted = was !== undefined && now.opportunities < was.opportunities ? was : now
  return {
    height,
    period,
    from: was?.ppm ?? now.ppm,
    ppm: now.ppm,
    status: now.status,
    slots: counted.opportunities,
    agreed: counted.agreed,
    dissented: counted.dissented,
    withheld: counted.withheld,
    absent: counted.absent,
  }
}

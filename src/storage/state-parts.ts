/**
 * The parts of the state, one row each: how a part is read from the database in its order. What is not listed here
 * is no part of a snapshot. Reading is in slices: the event loop turns between two.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { fromHex } from '../codec/hex.ts'
import { encodeOperations } from '../codec/operations.ts'
import { encodeOperator, sortedOperators } from '../codec/operator.ts'
import { recentBlockHashes, recentCount } from '../codec/recent-blocks.ts'
import { encodeShieldedRest } from '../codec/shielded.ts'
import { encodeAccount, encodeStakingRest, sortedAccounts } from '../codec/staking.ts'
import { encodeBatch, encodeElectors, encodeTrust, sortedTrust } from '../codec/voting.ts'
import { hasNoOperations } from '../types/operations.ts'
import type { SnapshotPart } from '../types/snapshot.ts'
import { heightRange } from './buckets.ts'
import type { ChainTip } from './chain-opening.ts'
import type { DatabaseView } from './database.ts'
import { readRuns } from './runs.ts'

/** A part as it is read. */
export interface StatePart {
  readonly part: SnapshotPart
  /** Entries that the state after the tip has. */
  size(tip: ChainTip): number
  /** Its entries from a position on, in slices of a few milliseconds. */
  entries(view: DatabaseView, tip: ChainTip, from: number): AsyncGenerator<readonly Uint8Array[]>
}

/** Entries per slice; a verdict has some 250 bytes. */
const NULLIFIERS_PER_SLICE = 1_024
const VERDICTS_PER_SLICE = 256
/** Some 3 kB each. */
const SHIELDED_ENTRIES_PER_SLICE = 256
/** Some 20 µs each. */
const ACCOUNTS_PER_SLICE = 128

/** In the order of a snapshot (types/snapshot.ts). */
export const STATE_PARTS: readonly StatePart[] = [
  {
    part: 'block',
    size: () => 1,
    entries: async function* (_view, tip) {
      yield [tip.block.bytes]
    },
  },
  {
    part: 'nullifiers',
    size: ({ accumulators }) => accumulators.nullifiers.size,
    entries: async function* (view, { accumulators }, from) {
      if (accumulators.nullifiers.size === from) return
      const to = accumulators.nullifiers.size - 1
      yield* readRuns(view, 'nullifierRuns', { from, to, perSlice: NULLIFIERS_PER_SLICE })
    },
  },
  {
    part: 'shielded-entries',
    size: ({ accumulators }) => accumulators.shielded.entries.size,
    entries: async function* (view, { accumulators }, from) {
      if (accumulators.shielded.entries.size === from) return
      const range = heightRange('shieldedEntries', from, accumulators.shielded.entries.size - 1)
      for await (const rows of view.scan(range, SHIELDED_ENTRIES_PER_SLICE)) {
        yield rows.map(([, entry]) => entry)
      }
    },
  },
  {
    part: 'verdicts',
    size: ({ accumulators }) => accumulators.verdicts.size,
    entries: async function* (view, { accumulators }, from) {
      if (accumulators.verdicts.size === from) return
      const to = accumulators.verdicts.size - 1
      yield* readRuns(view, 'verdictRuns', { from, to, perSlice: VERDICTS_PER_SLICE })
    },
  },
  {
    part: 'staking',
    size: () => 1,
    entries: async function* (_view, { staking }) {
      yield [encodeStakingRest(staking)]
    },
  },
  {
    part: 'accounts',
    size: ({ staking }) => staking.accounts.size,
    entries: async function* (_view, { staking }) {
      const accounts = sortedAccounts(staking.accounts)
      for (let at = 0; at < accounts.length; at += ACCOUNTS_PER_SLICE) {
        yield accounts.slice(at, at + ACCOUNTS_PER_SLICE).map(encodeAccount)
        await turn()
      }
    },
  },
  {
    part: 'electors',
    size: () => 1,
    entries: async function* (_view, { voting }) {
      yield [encodeElectors(voting.electors)]
    },
  },
  {
    part: 'batches',
    size: ({ voting }) => voting.batches.length,
    entries: async function* (_view, { voting }) {
      for (const batch of voting.batches) {
        yield [encodeBatch(batch)]
        await turn()
      }
    },
  },
  {
    part: 'trust',
    size: ({ voting }) => voting.trust.size,
    entries: async function* (_view, { voting }) {
      const trust = sortedTrust(voting.trust)
      for (let at = 0; at < trust.length; at += ACCOUNTS_PER_SLICE) {
        yield trust.slice(at, at + ACCOUNTS_PER_SLICE).map(encodeTrust)
        await turn()
      }
    },
  },
  {
    part: 'operators',
    size: ({ staking }) => staking.operators.size,
    entries: async function* (_view, { staking }) {
      const operators = sortedOperators(staking.operators)
      for (let at = 0; at < operators.length; at += ACCOUNTS_PER_SLICE) {
        yield operators.slice(at, at + ACCOUNTS_PER_SLICE).map(encodeOperator)
        await turn()
      }
    },
  },
  {
    part: 'operations',
    size: ({ voting }) => (hasNoOperations(voting.operations) ? 0 : 1),
    entries: async function* (_view, { voting }) {
      if (!hasNoOperations(voting.operations)) yield [encodeOperations(voting.operations)]
    },
  },
  {
    part: 'recent-blocks',
    size: ({ accumulators }) => recentCount(accumulators.recentBlocks.next),
    entries: async function* (_view, { accumulators }) {
      yield recentBlockHashes(accumulators.recentBlocks).map((hash) => fromHex(hash))
    },
  },
  {
    part: 'shielded',
    size: () => 1,
    entries: async function* (_view, { accumulators }) {
      yield [encodeShieldedRest(accumulators.shielded)]
    },
  },
]

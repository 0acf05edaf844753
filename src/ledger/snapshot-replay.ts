/**
 * Takes the entries of a snapshot and says whether they add up to exactly the state root that a quorum certified
 * (snapshot-check.ts). Trusts nobody who served them; fetches and stores nothing.
 */
import { decodeBlock } from '../codec/block.ts'
import { fromHex, toHex } from '../codec/hex.ts'
import { OPEN_BATCHES_MAX } from '../codec/limits.ts'
import { decodeOperations } from '../codec/operations.ts'
import { decodeOperator } from '../codec/operator.ts'
import { EMPTY_RECENT_BLOCKS, recentBlocksOf, recentCount } from '../codec/recent-blocks.ts'
import {
  decodeShieldedEntry,
  decodeShieldedRest,
  type ShieldedRest,
  shieldedEntryLeaf,
} from '../codec/shielded.ts'
import { decodeAccount, decodeStakingRest, type StakingRest } from '../codec/staking.ts'
import { decodeVerdict, verdictLeaf } from '../codec/verdict.ts'
import { decodeBatch, decodeElectors, decodeTrust } from '../codec/voting.ts'
import { decodeDigest } from '../shielded/notes/digest-bytes.ts'
import { RECENT_BLOCKS } from '../types/attestation.ts'
import type { HashedBlock } from '../types/block.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { StateAccumulators, StateRootOf } from '../types/ledger-state.ts'
import { NO_OPERATIONS, type OperationsState } from '../types/operations.ts'
import type { Operator } from '../types/operator.ts'
import type { AccountId, BlockHash, Hex32, Nullifier, StateRoot } from '../types/primitives.ts'
import type { ShieldedEntry, ShieldedState } from '../types/shielded.ts'
import type { SnapshotPart } from '../types/snapshot.ts'
import { ACCOUNTS_MAX, type Account, type StakingState } from '../types/staking.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import type { Electors, OpenBatch, ValidatorTrust, VerdictVoting } from '../types/voting.ts'
import { appendLeaves, EMPTY_FRONTIER } from './frontier.ts'
import { NO_NOTES } from './shielded/genesis-shielded.ts'
import { appendNotes } from './shielded/note-tree.ts'
import type { SnapshotRefusal } from './snapshot-check.ts'

/** What a snapshot was found to be. */
export interface FinishedReplay {
  readonly block: HashedBlock
  readonly accumulators: StateAccumulators
  readonly staking: StakingState
  readonly voting: VerdictVoting
}

/** One entry as what it stands for. */
export type SnapshotEntry =
  | { readonly part: 'block'; readonly block: HashedBlock }
  | { readonly part: 'nullifiers'; readonly nullifier: Nullifier }
  | { readonly part: 'shielded-entries'; readonly entry: ShieldedEntry }
  | { readonly part: 'verdicts'; readonly record: VerdictRecord }
  | { readonly part: 'staking' }
  | { readonly part: 'accounts'; readonly account: Account }
  | { readonly part: 'electors'; readonly electors: readonly Electors[] }
  | { readonly part: 'batches'; readonly batch: OpenBatch }
  | { readonly part: 'trust'; readonly trust: ValidatorTrust }
  | { readonly part: 'operators'; readonly operator: Operator }
  | { readonly part: 'operations'; readonly operations: OperationsState }
  | { readonly part: 'recent-blocks'; readonly hash: BlockHash }
  | { readonly part: 'shielded' }

/** Takes a snapshot's entries in their order, and says at the end whether they were the certified state. */
export class SnapshotReplay {
  readonly #certified: { readonly blockHash: BlockHash; readonly stateRoot: StateRoot }
  readonly #stateRootOf: StateRootOf
  #accumulators: StateAccumulators = {
    recentBlocks: EMPTY_RECENT_BLOCKS,
    nullifiers: EMPTY_FRONTIER,
    verdicts: EMPTY_FRONTIER,
    shielded: NO_NOTES,
  }
  #block: HashedBlock | null = null
  #staking: StakingRest | null = null
  readonly #accounts = new Map<AccountId, Account>()
  #electors: readonly Electors[] | null = null
  readonly #batches: OpenBatch[] = []
  readonly #trust = new Map<AccountId, ValidatorTrust>()
  readonly #operators = new Map<AccountId, Operator>()
  #operations: OperationsState | null = null
  readonly #recent: BlockHash[] = []
  #shielded: ShieldedRest | null = null

  /**
   * @param certified what {@link checkManifest} gave
   * @param stateRootOf root of the state over these (state-root.ts)
   * @param shielded before block 1: notes of genesis are in no entry
   */
  constructor(
    certified: { readonly blockHash: BlockHash; readonly stateRoot: StateRoot },
    stateRootOf: StateRootOf,
    shielded: ShieldedState,
  ) {
    this.#certified = certified
    this.#stateRootOf = stateRootOf
    this.#accumulators = { ...this.#accumulators, shielded }
  }

  /** After the entries so far. */
  get accumulators(): StateAccumulators {
    return this.#accumulators
  }

  /** Takes the next entries of a part. Costs some 5 µs per nullifier and 50 per verdict: give a few hundred. */
  add(part: SnapshotPart, entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    switch (part) {
      case 'block':
        return this.#addBlock(entries)
      case 'nullifiers': {
        const leaves = hashesOf(entries)
        if (!leaves.ok) return leaves
        const nullifiers = appendLeaves(this.#accumulators.nullifiers, leaves.value)
        this.#accumulators = { ...this.#accumulators, nullifiers }
        return ok(leaves.value.map((leaf) => ({ part, nullifier: leaf as string as Nullifier })))
      }
      case 'shielded-entries':
        return this.#addShieldedEntries(entries)
      case 'verdicts':
        return this.#addVerdicts(entries)
      case 'staking':
        return this.#addStaking(entries)
      case 'accounts':
        return this.#addAccounts(entries)
      case 'electors':
        return this.#addElectors(entries)
      case 'batches':
        return this.#addBatches(entries)
      case 'trust':
        return this.#addTrust(entries)
      case 'operators':
        return this.#addOperators(entries)
      case 'operations':
        return this.#addOperations(entries)
      case 'recent-blocks':
        return this.#addRecentBlocks(entries)
      case 'shielded':
        return this.#addShielded(entries)
    }
  }

  /** The block and the state after it, when all that was added is what was certified. */
  finish(): Result<FinishedReplay, SnapshotRefusal> {
    if (this.#staking === null) return refuse('wrong-entry', 'no staking state')
    if (this.#electors === null) return refuse('wrong-entry', 'no electors')
    if (this.#shielded === null) return refuse('wrong-entry', 'no shielded state')
    if (this.#block === null) return refuse('wrong-entry', 'no block')
    const { height } = this.#block.header
    // The state after a block names its ancestors.
    if (this.#recent.length !== recentCount(height)) {
      return refuse('wrong-entry', `${this.#recent.length} recent blocks below height ${height}`)
    }
    const accumulators = {
      ...this.#accumulators,
      recentBlocks: recentBlocksOf(height, this.#recent),
      shielded: { ...this.#accumulators.shielded, ...this.#shielded },
    }
    const staking: StakingState = {
      ...this.#staking,
      accounts: this.#accounts,
      operators: this.#operators,
    }
    const voting: VerdictVoting = {
      electors: this.#electors,
      batches: this.#batches,
      trust: this.#trust,
      operations: this.#operations ?? NO_OPERATIONS,
    }
    const root = this.#stateRootOf(accumulators, staking, voting)
    if (root !== this.#certified.stateRoot) {
      return refuse(
        'wrong-root',
        `the entries have state root ${root}, certified is ${this.#certified.stateRoot}`,
      )
    }
    return ok({ block: this.#block, accumulators, staking, voting })
  }

  #addBlock(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const [bytes] = entries
    // A copy: the entry is a part of its chunk.
    const block = bytes === undefined ? null : decodeBlock(new Uint8Array(bytes))
    if (
      block === null ||
      !block.ok ||
      block.value.hash !== this.#certified.blockHash ||
      this.#block !== null
    ) {
      return refuse('wrong-entry', `it is not block ${this.#certified.blockHash}`)
    }
    this.#block = block.value
    return ok([{ part: 'block', block: block.value }])
  }

  #addStaking([bytes, ...more]: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const rest = bytes === undefined || more.length > 0 ? null : decodeStakingRest(new Uint8Array(bytes))
    if (rest === null || this.#staking !== null) return refuse('wrong-entry', 'not one staking state')
    if (!rest.ok) return refuse('wrong-entry', `the staking state: ${rest.detail}`)
    this.#staking = rest.value
    return ok([{ part: 'staking' }])
  }

  #addAccounts(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      // A copy: the entry is a part of its chunk, and keys would keep it alive.
      const account = decodeAccount(new Uint8Array(bytes))
      if (!account.ok) return refuse('wrong-entry', `an account: ${account.detail}`)
      if (this.#accounts.size >= ACCOUNTS_MAX) return refuse('wrong-entry', 'more accounts than there can be')
      this.#accounts.set(account.value.id, account.value)
      taken.push({ part: 'accounts', account: account.value })
    }
    return ok(taken)
  }

  #addElectors([bytes, ...more]: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const electors = bytes === undefined || more.length > 0 ? null : decodeElectors(bytes)
    if (electors === null || this.#electors !== null) return refuse('wrong-entry', 'not one list of electors')
    if (!electors.ok) return refuse('wrong-entry', `the electors: ${electors.detail}`)
    this.#electors = electors.value
    return ok([{ part: 'electors', electors: electors.value }])
  }

  #addBatches(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      const batch = decodeBatch(bytes)
      if (!batch.ok) return refuse('wrong-entry', `an open batch: ${batch.detail}`)
      if (this.#batches.length >= OPEN_BATCHES_MAX)
        return refuse('wrong-entry', 'more batches than there can be')
      this.#batches.push(batch.value)
      taken.push({ part: 'batches', batch: batch.value })
    }
    return ok(taken)
  }

  #addOperators(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      // A copy, as for accounts.
      const operator = decodeOperator(new Uint8Array(bytes))
      if (!operator.ok) return refuse('wrong-entry', `an operator: ${operator.detail}`)
      if (this.#operators.size >= ACCOUNTS_MAX) return refuse('wrong-entry', 'more operators than accounts')
      this.#operators.set(operator.value.account, operator.value)
      taken.push({ part: 'operators', operator: operator.value })
    }
    return ok(taken)
  }

  #addOperations([bytes, ...more]: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    // A copy, as for accounts.
    const operations = bytes === undefined || more.length > 0 ? null : decodeOperations(new Uint8Array(bytes))
    if (operations === null || this.#operations !== null) {
      return refuse('wrong-entry', 'not one state of operations')
    }
    if (!operations.ok) return refuse('wrong-entry', `the state of operations: ${operations.detail}`)
    this.#operations = operations.value
    return ok([{ part: 'operations', operations: operations.value }])
  }

  #addShieldedEntries(bytes: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: ShieldedEntry[] = []
    for (const each of bytes) {
      // A copy, as for accounts.
      const entry = decodeShieldedEntry(new Uint8Array(each))
      if (!entry.ok) return refuse('wrong-entry', `a shielded transaction: ${entry.detail}`)
      const commitments = entry.value.commitments.map(fromHex)
      if (commitments.some((commitment) => decodeDigest(commitment) === null)) {
        return refuse('wrong-entry', 'a shielded transaction whose commitment is none')
      }
      taken.push(entry.value)
    }
    const { shielded } = this.#accumulators
    const notes = appendNotes(
      shielded.notes,
      taken.flatMap(({ commitments }) => commitments),
    )
    const entries = appendLeaves(shielded.entries, taken.map(shieldedEntryLeaf))
    this.#accumulators = { ...this.#accumulators, shielded: { ...shielded, notes, entries } }
    return ok(taken.map((entry) => ({ part: 'shielded-entries', entry })))
  }

  #addShielded([bytes, ...more]: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const rest = bytes === undefined || more.length > 0 ? null : decodeShieldedRest(bytes)
    if (rest === null || this.#shielded !== null) return refuse('wrong-entry', 'not one shielded state')
    if (!rest.ok) return refuse('wrong-entry', `the shielded state: ${rest.detail}`)
    this.#shielded = rest.value
    return ok([{ part: 'shielded' }])
  }

  #addTrust(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      const trust = decodeTrust(bytes)
      if (!trust.ok) return refuse('wrong-entry', `trust: ${trust.detail}`)
      if (this.#trust.size >= ACCOUNTS_MAX) return refuse('wrong-entry', 'trust in more than there can be')
      this.#trust.set(trust.value.account, trust.value)
      taken.push({ part: 'trust', trust: trust.value })
    }
    return ok(taken)
  }

  #addRecentBlocks(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const hashes = hashesOf(entries)
    if (!hashes.ok) return hashes
    if (this.#recent.length + hashes.value.length > RECENT_BLOCKS) {
      return refuse('wrong-entry', 'more recent blocks than the state names')
    }
    const blocks = hashes.value as readonly string[] as readonly BlockHash[]
    this.#recent.push(...blocks)
    return ok(blocks.map((hash) => ({ part: 'recent-blocks', hash })))
  }

  #addVerdicts(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const leaves: Hex32[] = []
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      const record = decodeVerdict(bytes)
      if (!record.ok) return refuse('wrong-entry', `a verdict: ${record.detail}`)
      leaves.push(verdictLeaf(bytes))
      taken.push({ part: 'verdicts', record: record.value })
    }
    const verdicts = appendLeaves(this.#accumulators.verdicts, leaves)
    this.#accumulators = { ...this.#accumulators, verdicts }
    return ok(taken)
  }
}

function hashesOf(entries: readonly Uint8Array[]): Result<Hex32[], SnapshotRefusal> {
  const wrong = entries.find((entry) => entry.length !== 32)
  return wrong === undefined
    ? ok(entries.map((entry) => toHex(entry) as Hex32))
    : refuse('wrong-entry', `a leaf of ${wrong.length} bytes`)
}

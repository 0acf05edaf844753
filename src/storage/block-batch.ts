/** What one final block writes, as operations of the one batch. Reads and writes nothing itself. */
import { fromHex } from '../codec/hex.ts'
import { encodeStateAccumulators, encodeVerdictRow, type StateFrontiers } from '../codec/ledger-state.ts'
import { encodeOperations } from '../codec/operations.ts'
import { encodeOperator } from '../codec/operator.ts'
import { slotOf } from '../codec/recent-blocks.ts'
import { bytesUpTo, counter, decode, encode, hexBytes, listOf, record } from '../codec/schema.ts'
import { encodeShieldedEntry, encodeShieldedState } from '../codec/shielded.ts'
import { encodeAccount, encodeStakingRest } from '../codec/staking.ts'
import { encodeFailures, verdictBytes } from '../codec/verdict.ts'
import { encodeBatchProgress, encodeElectors, encodeOpenRequests, encodeTrust } from '../codec/voting.ts'
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import type { Result } from '../types/errors.ts'
import type { FinalizedBlock, StateChanges, StoredVerdict } from '../types/ledger-state.ts'
import { NO_OPERATIONS } from '../types/operations.ts'
import type { Operators } from '../types/operator.ts'
import type { BlockHash, Height, Hex32, Nullifier, RequestKey, StateRoot } from '../types/primitives.ts'
import type { ShieldedEntry, ShieldedState } from '../types/shielded.ts'
import type { StakingState } from '../types/staking.ts'
import { isValidation } from '../types/transaction.ts'
import type { Judgement } from '../types/verdict.ts'
import type { OpenBatch, VerdictVoting } from '../types/voting.ts'
import {
  accountKey,
  batchKey,
  batchRequestsKey,
  blockKey,
  commitKey,
  encodeHeight,
  fillersKey,
  finalityKey,
  heightOfHashKey,
  judgementKey,
  META,
  nullifierKey,
  operatorKey,
  recentBlockKey,
  requestIdKey,
  sequenceKey,
  shieldedEntryKey,
  transactionKey,
  trustKey,
  verdictKey,
} from './buckets.ts'
import type { Checkpoint } from './checkpoints.ts'
import type { WriteOperation } from './database.ts'
import { encodeSequence } from './ledger-store.ts'
import { runOperations } from './runs.ts'

/** The last final block by name. The state root of every earlier block stands in its successor's header. */
export interface TipRecord {
  readonly height: Height
  readonly hash: BlockHash
  readonly stateRoot: StateRoot
}

const tipSchema = record<TipRecord>({ height: counter(), hash: hexBytes(32), stateRoot: hexBytes(32) })

export function decodeTip(bytes: Uint8Array): Result<TipRecord, 'malformed'> {
  return decode(tipSchema, bytes, 72)
}

export const put = (key: Uint8Array, value: Uint8Array): WriteOperation => ({ type: 'put', key, value })
const deleted = (key: Uint8Array): WriteOperation => ({ type: 'del', key })
const NOTHING = new Uint8Array(0)

/** Who used a request id first; remembers those of the batch that is being made. */
export interface FirstUsers {
  keyOf(requestIdHash: Hex32): RequestKey | null
  remember(id: Hex32, key: RequestKey): void
}

/** Block, hash index, the parent among the recent blocks, nullifiers, verdicts with answers, request ids, sequences, places of staking transactions. */
export function blockOperations(
  finalized: Pick<FinalizedBlock, 'block' | 'answers'> & {
    readonly changes: Pick<
      StateChanges,
      'nullifiers' | 'shieldedEntries' | 'verdicts' | 'judgements' | 'accumulators'
    >
  },
  firstUsers: FirstUsers,
): WriteOperation[] {
  const { block, changes, answers } = finalized
  const { height } = block.header
  assert(answers.length === changes.verdicts.length, `${answers.length} answers at height ${height}`)
  const { nullifiers, verdicts, shielded } = changes.accumulators
  const firstNullifier = nullifiers.size - changes.nullifiers.length
  const firstEntry = shielded.entries.size - changes.shieldedEntries.length
  const firstVerdict = verdicts.size - changes.verdicts.length
  const operations = [
    put(blockKey(height), block.bytes),
    put(heightOfHashKey(block.hash), encodeHeight(height)),
    // Genesis has no parent.
    ...(height === 0 ? [] : [recentBlockOperation(height - 1, block.header.parentHash)]),
    ...block.transactions
      .filter((hashed) => !isValidation(hashed) && hashed.transaction.kind !== 'ballots')
      .map(({ requestKey }) => put(transactionKey(requestKey), encodeHeight(height))),
  ]
  operations.push(...nullifierOperations(changes.nullifiers, firstNullifier))
  for (const [i, entry] of changes.shieldedEntries.entries()) {
    operations.push(shieldedEntryOperation(entry, firstEntry + i))
  }
  for (const judgement of changes.judgements) operations.push(...judgementOperations(judgement, firstUsers))
  const rows = changes.verdicts.map((verdict, i) => {
    const figures = answers[i]
    assert(figures !== undefined, `no answer to verdict ${i} at height ${height}`)
    return { record: verdict, figures }
  })
  operations.push(...verdictOperations(rows, firstVerdict))
  return operations
}

/** Nullifiers that follow on the state's list. @param first position of the first one */
export function nullifierOperations(nullifiers: readonly Nullifier[], first: number): WriteOperation[] {
  return [
    ...nullifiers.map((nullifier) => put(nullifierKey(nullifier), NOTHING)),
    ...runOperations(
      'nullifierRuns',
      nullifiers.map((nullifier) => fromHex(nullifier)),
      first,
    ),
  ]
}

/** A shielded transaction at its position in the state's list. */
export function shieldedEntryOperation(entry: ShieldedEntry, position: number): WriteOperation {
  return put(shieldedEntryKey(position), encodeShieldedEntry(entry))
}

/** What this node found about a request when a block ordered it, and the request's id. */
export function judgementOperations(
  { requestKey, requestIdHash, failures }: Judgement,
  firstUsers: FirstUsers,
): WriteOperation[] {
  return [
    put(judgementKey(requestKey), encodeFailures(failures)),
    ...requestIdOperations(requestIdHash, requestKey, firstUsers),
  ]
}

/** A request id belongs to the request that used it first. */
export function requestIdOperations(
  requestIdHash: Hex32,
  requestKey: RequestKey,
  firstUsers: FirstUsers,
): WriteOperation[] {
  if (firstUsers.keyOf(requestIdHash) !== null) return []
  firstUsers.remember(requestIdHash, requestKey)
  return [put(requestIdKey(requestIdHash), fromHex(requestKey))]
}

/** Verdicts that follow on the state's list, with the sequences that they advance. @param first position of the first one */
export function verdictOperations(
  rows: readonly Pick<StoredVerdict, 'record' | 'figures'>[],
  first: number,
): WriteOperation[] {
  const lastOfRun = first + rows.length - 1
  return [
    ...rows.flatMap(({ record, figures }, i) => {
      const { requestKey, sequence } = record
      return [
        put(verdictKey(requestKey), encodeVerdictRow({ figures, position: first + i, lastOfRun })),
        ...(sequence === null
          ? []
          : [put(sequenceKey(sequence.nodeIdHash), encodeSequence(sequence.number))]),
      ]
    }),
    ...runOperations(
      'verdictRuns',
      rows.map(({ record }) => verdictBytes(record)),
      first,
    ),
  ]
}

/** What is overwritten with every batch: the tip, its certificate, and the accumulators when they moved. */
export function tipOperations(
  tip: TipRecord,
  certificate: Uint8Array,
  accumulators: StateFrontiers | null,
): WriteOperation[] {
  return [
    put(META.tip, encode(tipSchema, tip)),
    put(META.tipCertificate, certificate),
    ...(accumulators === null ? [] : [put(META.accumulators, encodeStateAccumulators(accumulators))]),
  ]
}

/**
 * The row of the shielded state, when it changed.
 * @param before as the database has it; null when it has none
 */
export function shieldedOperations(before: ShieldedState | null, after: ShieldedState): WriteOperation[] {
  return before === after ? [] : [put(META.shielded, encodeShieldedState(after))]
}

/**
 * The rows of the staking state that changed.
 * @param before as the database has it; null when it has none
 */
export function stakingOperations(before: StakingState | null, after: StakingState): WriteOperation[] {
  if (before === after) return []
  const changed = [...after.accounts.values()].filter(
    (account) => before?.accounts.get(account.id) !== account,
  )
  return [
    put(META.staking, encodeStakingRest(after)),
    ...changed.map((account) => put(accountKey(account.id), encodeAccount(account))),
    ...operatorOperations(before?.operators ?? new Map(), after.operators),
  ]
}

/**
 * The rows of open batches, electors, trust and operations that changed.
 * @param before as the database has it; null when it has none
 */
export function votingOperations(before: VerdictVoting | null, after: VerdictVoting): WriteOperation[] {
  if (before === after) return []
  const open = new Set(after.batches.map(({ height }) => height))
  const known = new Map((before?.batches ?? []).map((batch) => [batch.height, batch]))
  const operationsBefore = before?.operations ?? NO_OPERATIONS
  return [
    ...(operationsBefore === after.operations
      ? []
      : [put(META.operations, encodeOperations(after.operations))]),
    ...(before?.electors === after.electors ? [] : [put(META.electors, encodeElectors(after.electors))]),
    ...(before?.batches ?? [])
      .filter(({ height }) => !open.has(height))
      .flatMap(({ height }) => [deleted(batchKey(height)), deleted(batchRequestsKey(height))]),
    ...after.batches
      .filter((batch) => known.get(batch.height) !== batch)
      .flatMap((batch) => batchOperations(batch, known.get(batch.height)?.requests ?? null)),
    ...[...after.trust.values()]
      .filter((trust) => before?.trust.get(trust.account) !== trust)
      .map((trust) => put(trustKey(trust.account), encodeTrust(trust))),
  ]
}

/**
 * An open batch: what changes with every block that speaks of it, and the requests, which do not.
 * @param before its requests as the database has them; null when it has none
 */
export function batchOperations(batch: OpenBatch, before: OpenBatch['requests'] | null): WriteOperation[] {
  return [
    put(batchKey(batch.height), encodeBatchProgress(batch)),
    ...(before === batch.requests
      ? []
      : [put(batchRequestsKey(batch.height), encodeOpenRequests(batch.requests))]),
  ]
}

function operatorOperations(before: Operators, after: Operators): WriteOperation[] {
  if (before === after) return []
  const changed = [...after.values()].filter((operator) => before.get(operator.account) !== operator)
  const forgotten = [...before.keys()].filter((account) => !after.has(account))
  return [
    ...changed.map((operator) => put(operatorKey(operator.account), encodeOperator(operator))),
    ...forgotten.map((account) => deleted(operatorKey(account))),
  ]
}

/** The hash of the block of a height among the recent ones; it takes the place of one that is no longer recent. */
export function recentBlockOperation(height: number, hash: BlockHash): WriteOperation {
  return put(recentBlockKey(slotOf(height)), fromHex(hash))
}

/** A finality certificate that is kept. */
export function checkpointOperation({ height, certificate }: Checkpoint): WriteOperation {
  return put(finalityKey(height), certificate)
}

/** More than ever stand behind one epoch: each is a view that certified a block and did not make it final. */
const FILLERS_MAX = 1_024
const FILLER_BYTES_MAX = 1_024
const fillersSchema = listOf(bytesUpTo(FILLER_BYTES_MAX), FILLERS_MAX)

/** What leads from an epoch's last block to the block of the certificate that made it final (R13). */
export function fillersOperation(height: Height, fillers: readonly HashedBlock[]): WriteOperation {
  return put(
    fillersKey(height),
    encode(
      fillersSchema,
      fillers.map(({ bytes }) => bytes),
    ),
  )
}

/** The way back from {@link fillersOperation}. */
export function decodeFillers(bytes: Uint8Array): Result<readonly Uint8Array[], 'malformed'> {
  return decode(fillersSchema, bytes, FILLERS_MAX * (FILLER_BYTES_MAX + 4))
}

/** A commit certificate that is kept. */
export function commitOperation({ height, certificate }: Checkpoint): WriteOperation {
  return put(commitKey(height), certificate)
}

/**
 * Canonical bytes of open batches, electors and trust: rows of the database, parts of a snapshot, and leaves under the
 * state root. Strict both ways: whatever decodes re-encodes to the same bytes.
 */
import type { Findings } from '../types/ballots.ts'
import type { Result } from '../types/errors.ts'
import type {
  AccountId,
  BlockHash,
  Epoch,
  Height,
  Hex32,
  Nullifier,
  RequestKey,
  UnixMs,
  ValidatorId,
} from '../types/primitives.ts'
import { VERDICT_KINDS } from '../types/verdict.ts'
import {
  type CastBallot,
  COMMIT_PAIRS_MAX,
  type Elector,
  type Electors,
  type OpenBatch,
  type OpenRequest,
  REQUEST_NULLIFIERS_MAX,
  TRUST_STATUSES,
  type ValidatorTrust,
} from '../types/voting.ts'
import { ballotSlotSchema, findingsListSchema } from './ballots.ts'
import { BLOCK_TRANSACTIONS_MAX, OPEN_BATCHES_MAX, VALIDATORS_MAX } from './limits.ts'
import {
  counter,
  DecodeError,
  decode,
  encode,
  flag,
  hexBytes,
  listOf,
  nullable,
  oneOf,
  optionalCounter,
  record,
  type Schema,
  u64,
  uint,
} from './schema.ts'

export const trustSchema: Schema<ValidatorTrust> = record<ValidatorTrust>({
  account: hexBytes<AccountId>(32),
  ppm: uint(4),
  status: oneOf(TRUST_STATUSES),
  exclusions: uint(4),
  untilPeriod: counter(),
  cleanStreak: uint(4),
  opportunities: uint(4),
  agreed: uint(4),
  dissented: uint(4),
  withheld: uint(4),
  absent: uint(4),
  lastSeen: counter(),
  withheldAt: counter(),
  commitPairs: listOf(ballotSlotSchema, COMMIT_PAIRS_MAX),
})

export const electorsSchema: Schema<Electors> = record<Electors>({
  period: counter(),
  stake: u64,
  members: listOf(
    record<Elector>({
      id: hexBytes<ValidatorId>(32),
      account: hexBytes<AccountId>(32),
      stake: u64,
      weighs: flag,
    }),
    VALIDATORS_MAX,
  ),
})

const nullifierList = listOf(hexBytes<Nullifier>(32), REQUEST_NULLIFIERS_MAX)

const openRequest = record<OpenRequest>({
  requestKey: hexBytes<RequestKey>(32),
  requestIdHash: hexBytes<Hex32>(32),
  kind: oneOf(VERDICT_KINDS),
  proofHash: hexBytes<Hex32>(32),
  nullifiers: nullifierList,
  sequence: nullable(record({ nodeIdHash: hexBytes<Hex32>(32), number: u64 })),
})

export const openRequestsSchema: Schema<readonly OpenRequest[]> = listOf(
  {
    ...openRequest,
    fromRaw: (raw) => {
      const request = openRequest.fromRaw(raw)
      // Every request spends something; an operation nothing.
      if ((request.nullifiers.length === 0) !== (request.kind === 'operation')) {
        throw new DecodeError('a request without a nullifier')
      }
      return request
    },
  },
  BLOCK_TRANSACTIONS_MAX,
)

/** Stands for a request without a verdict: no findings have these bits. */
const NO_VERDICT = 0xffff

const outcomesSchema: Schema<OpenBatch['outcomes']> = {
  ssz: findingsListSchema.ssz,
  toRaw: (value) => findingsListSchema.toRaw(value.map((outcome) => outcome ?? NO_VERDICT)),
  fromRaw: (raw) =>
    findingsListSchema.fromRaw(raw).map((value: Findings) => (value === NO_VERDICT ? null : value)),
}

export const ballotListSchema: Schema<readonly CastBallot[]> = listOf(
  record<CastBallot>({
    elector: uint(2),
    commit: hexBytes<Hex32>(32),
    opening: nullable(record({ rules: uint(2), findings: findingsListSchema, isLeak: flag })),
  }),
  VALIDATORS_MAX,
)

/** Which batch it is, and which attempt at it; first in everything that is made of a batch. */
const slotFields = {
  height: counter<Height>(),
  blockHash: nullable(hexBytes<BlockHash>(32)),
  blockTime: counter<UnixMs>(),
  epoch: counter<Epoch>(),
  round: uint(1),
  openedAt: counter<Height>(),
  period: counter(),
}

const batchSchema: Schema<OpenBatch> = record<OpenBatch>({
  ...slotFields,
  requests: openRequestsSchema,
  outcomes: outcomesSchema,
  ballots: ballotListSchema,
  closedAt: optionalCounter(),
})

/** A batch without its requests, which have a row of their own: they stay the same while it is open. */
export type BatchProgress = Omit<OpenBatch, 'requests'>

const batchProgressSchema: Schema<BatchProgress> = record<BatchProgress>({
  ...slotFields,
  outcomes: outcomesSchema,
  ballots: ballotListSchema,
  closedAt: optionalCounter(),
})

/** What of a batch has no root of its own. */
export type BatchHead = Omit<OpenBatch, 'requests' | 'ballots'> & {
  readonly requests: Hex32
  readonly ballots: Hex32
}

/** A batch with the roots of its large parts in their place: the same root as that of the batch itself. */
export const batchHeadSchema: Schema<BatchHead> = record<BatchHead>({
  ...slotFields,
  requests: hexBytes<Hex32>(32),
  outcomes: outcomesSchema,
  ballots: hexBytes<Hex32>(32),
  closedAt: optionalCounter(),
})

/** Roots of the open batches, oldest first. */
export const batchRootsSchema = listOf(hexBytes<Hex32>(32), OPEN_BATCHES_MAX)
/** Roots of trust, in order of account. */
export const trustRootsSchema = listOf(hexBytes<Hex32>(32), 4_096)
/** One for every period that an open batch names, at the most. */
export const electorsListSchema = listOf(electorsSchema, OPEN_BATCHES_MAX)

const BATCH_BYTES_MAX = BLOCK_TRANSACTIONS_MAX * (384 + 2 * VALIDATORS_MAX) + VALIDATORS_MAX * 64 + 1_024
const ELECTORS_BYTES_MAX = OPEN_BATCHES_MAX * VALIDATORS_MAX * 96

const TRUST_BYTES_MAX = 256 + COMMIT_PAIRS_MAX * 41

export function encodeTrust(trust: ValidatorTrust): Uint8Array {
  return encode(trustSchema, trust)
}

export function decodeTrust(bytes: Uint8Array): Result<ValidatorTrust, 'malformed'> {
  return decode(trustSchema, bytes, TRUST_BYTES_MAX)
}

export function encodeBatch(batch: OpenBatch): Uint8Array {
  return encode(batchSchema, batch)
}

export function decodeBatch(bytes: Uint8Array): Result<OpenBatch, 'malformed'> {
  return decode(batchSchema, bytes, BATCH_BYTES_MAX)
}

/** What {@link encodeOpenRequests} leaves of a batch. */
export function encodeBatchProgress(batch: BatchProgress): Uint8Array {
  return encode(batchProgressSchema, batch)
}

export function decodeBatchProgress(bytes: Uint8Array): Result<BatchProgress, 'malformed'> {
  return decode(batchProgressSchema, bytes, BATCH_BYTES_MAX)
}

export function encodeOpenRequests(requests: OpenBatch['requests']): Uint8Array {
  return encode(openRequestsSchema, requests)
}

export function decodeOpenRequests(bytes: Uint8Array): Result<OpenBatch['requests'], 'malformed'> {
  return decode(openRequestsSchema, bytes, BATCH_BYTES_MAX)
}

export function encodeElectors(electors: readonly Electors[]): Uint8Array {
  return encode(electorsListSchema, electors)
}

export function decodeElectors(bytes: Uint8Array): Result<readonly Electors[], 'malformed'> {
  return decode(electorsListSchema, bytes, ELECTORS_BYTES_MAX)
}

/** Trust in order of account. */
export function sortedTrust(trust: ReadonlyMap<AccountId, ValidatorTrust>): ValidatorTrust[] {
  return [...trust.values()].sort((a, b) => (a.account < b.account ? -1 : 1))
}

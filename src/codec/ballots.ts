/** Canonical bytes of ballots: in votes, in blocks, and under the hash that is a commit. */
import type {
  BallotCommit,
  BallotOpening,
  BallotSlot,
  Ballots,
  CastCommit,
  CastOpening,
  Findings,
} from '../types/ballots.ts'
import type { BlockHash, Epoch, GenesisHash, Hex32, ValidatorId } from '../types/primitives.ts'
import type { BallotsTransaction } from '../types/transaction.ts'
import { sha256TaggedHex, u32le, u64le } from './hashes.ts'
import { fromHex } from './hex.ts'
import { BALLOTS_PER_VOTE_MAX, BLOCK_TRANSACTIONS_MAX, CAST_BALLOTS_MAX } from './limits.ts'
import {
  bytesUpTo,
  counter,
  DecodeError,
  encode,
  hexBytes,
  index,
  listOf,
  record,
  type Schema,
  tagged,
  uint,
} from './schema.ts'

const rawFindings = bytesUpTo(2 * BLOCK_TRANSACTIONS_MAX)

/** Two bytes each, little endian. What the values may be is a rule of the ledger. */
export const findingsListSchema: Schema<readonly Findings[]> = {
  ssz: rawFindings.ssz,
  toRaw: (value) => rawFindings.toRaw(findingsBytes(value)),
  fromRaw: (raw) => {
    const bytes = rawFindings.fromRaw(raw)
    if (bytes.length % 2 !== 0) throw new DecodeError(`findings of ${bytes.length} bytes`)
    return Array.from(
      { length: bytes.length / 2 },
      (_, i) => (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8),
    )
  },
}

function findingsBytes(findings: readonly Findings[]): Uint8Array {
  const bytes = new Uint8Array(2 * findings.length)
  for (const [i, value] of findings.entries()) {
    bytes[2 * i] = value & 0xff
    bytes[2 * i + 1] = value >> 8
  }
  return bytes
}

const slot = { height: counter<BallotSlot['height']>(), blockHash: hexBytes<BlockHash>(32), round: uint(1) }
const commitFields = { ...slot, commit: hexBytes<Hex32>(32) }
const openingFields = { ...slot, rules: uint(2), findings: findingsListSchema, salt: hexBytes<Hex32>(32) }

export const ballotSlotSchema: Schema<BallotSlot> = record<BallotSlot>(slot)

export const commitsSchema: Schema<readonly BallotCommit[]> = listOf(
  record<BallotCommit>(commitFields),
  BALLOTS_PER_VOTE_MAX,
)

/** What a vote carries. */
export const ballotsSchema: Schema<Ballots> = record<Ballots>({
  commits: commitsSchema,
  openings: listOf(record<BallotOpening>(openingFields), BALLOTS_PER_VOTE_MAX),
})

export const ballotCommitSchema: Schema<BallotCommit> = record<BallotCommit>(commitFields)

export const ballotsTransactionSchema = tagged<BallotsTransaction>(
  'ballots',
  record({
    commits: listOf(record<CastCommit>({ voter: index(), ...commitFields }), CAST_BALLOTS_MAX),
    openings: listOf(record<CastOpening>({ voter: index(), ...openingFields }), CAST_BALLOTS_MAX),
  }),
)

/** What a prepare vote signs for the commits that it carries; null for none. */
export function commitsDigest(commits: readonly BallotCommit[]): Hex32 | null {
  return commits.length === 0 ? null : sha256TaggedHex<Hex32>('voteCommits', encode(commitsSchema, commits))
}

/**
 * The hash that is published first. Binds network, epoch, slot and validator, so that it is good nowhere else and for
 * nobody else (spec/commit-reveal.md 5.2; SHA-256 as everywhere on this ledger).
 */
export function ballotCommit(
  { genesisHash, epoch, validator }: { genesisHash: GenesisHash; epoch: Epoch; validator: ValidatorId },
  { height, blockHash, round, rules, findings, salt }: BallotOpening,
): Hex32 {
  return sha256TaggedHex<Hex32>(
    'ballotCommit',
    fromHex(genesisHash),
    u64le(BigInt(epoch)),
    u64le(BigInt(height)),
    fromHex(blockHash),
    u32le(round),
    fromHex(validator),
    u32le(rules),
    findingsBytes(findings),
    fromHex(salt),
  )
}

/** Canonical bytes of ballots: in votes, in blocks, and under the hash that is a commit. */
import {
  type BallotCommit,
  type BallotOpening,
  type BallotSlot,
  type Ballots,
  type CastCommit,
  type CastOpening,
  FINDINGS_MAX,
  type Findings,
  isSameSlot,
} from '../types/ballots.ts'
import type { BlockHash, Epoch, GenesisHash, Hex32, ValidatorId } from '../types/primitives.ts'
import type { BallotsTransaction } from '../types/transaction.ts'
import { sha256TaggedHex, u32le, u64le } from './hashes.ts'
import { fromHex } from './hex.ts'
import {
  BALLOTS_PER_VOTE_MAX,
  BLOCK_TRANSACTIONS_MAX,
  CAST_BALLOTS_MAX,
  OPEN_BATCHES_MAX,
  VALIDATORS_MAX,
} from './limits.ts'
import {
  counter,
  DecodeError,
  encode,
  hexBytes,
  index,
  listOf,
  packed,
  record,
  type Schema,
  tagged,
  uint,
} from './schema.ts'

/** In the state: two bytes each, little endian. What the values may be is a rule of the ledger. */
export const findingsListSchema: Schema<readonly Findings[]> = packed<readonly Findings[]>(
  2 * BLOCK_TRANSACTIONS_MAX,
  {
    empty: [],
    sizeOf: (findings) => 2 * findings.length,
    pack: findingsBytes,
    unpack: (bytes) => {
      if (bytes.length % 2 !== 0) throw new DecodeError(`findings of ${bytes.length} bytes`)
      return Array.from(
        { length: bytes.length / 2 },
        (_, i) => (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8),
      )
    },
  },
)

function findingsBytes(findings: readonly Findings[]): Uint8Array {
  const bytes = new Uint8Array(2 * findings.length)
  for (const [i, value] of findings.entries()) {
    bytes[2 * i] = value & 0xff
    bytes[2 * i + 1] = value >> 8
  }
  return bytes
}

/**
 * In votes and blocks: twelve bits each, lowest first, in a stream of bytes lowest bits first; an odd number of them
 * leaves four bits, which are zero. So the length tells how many there are.
 */
const packedFindingsSchema: Schema<readonly Findings[]> = packed<readonly Findings[]>(
  packedFindingsBytes(BLOCK_TRANSACTIONS_MAX),
  {
    empty: [],
    sizeOf: (findings) => packedFindingsBytes(findings.length),
    pack,
    unpack,
  },
)

/** Bytes that the findings of an opening take. @param count of requests */
export function packedFindingsBytes(count: number): number {
  return Math.ceil((3 * count) / 2)
}

function pack(findings: readonly Findings[]): Uint8Array {
  const bytes = new Uint8Array(packedFindingsBytes(findings.length))
  for (const [i, value] of findings.entries()) {
    if (value > FINDINGS_MAX) throw new RangeError(`findings ${value} are above ${FINDINGS_MAX}`)
    const at = 3 * (i >> 1)
    if (i % 2 === 0) {
      bytes[at] = value & 0xff
      bytes[at + 1] = value >> 8
    } else {
      bytes[at + 1] = (bytes[at + 1] ?? 0) | ((value & 0xf) << 4)
      bytes[at + 2] = value >> 4
    }
  }
  return bytes
}

function unpack(bytes: Uint8Array): readonly Findings[] {
  const count = Math.floor((2 * bytes.length) / 3)
  if (packedFindingsBytes(count) !== bytes.length) {
    throw new DecodeError(`findings of ${bytes.length} bytes`)
  }
  if (count % 2 === 1 && (bytes.at(-1) ?? 0) >> 4 !== 0) {
    throw new DecodeError('bits after the last finding')
  }
  return Array.from({ length: count }, (_, i) => {
    const at = 3 * (i >> 1)
    const middle = bytes[at + 1] ?? 0
    return i % 2 === 0
      ? (bytes[at] ?? 0) | ((middle & 0xf) << 8)
      : (middle >> 4) | ((bytes[at + 2] ?? 0) << 4)
  })
}

const slot = { height: counter<BallotSlot['height']>(), blockHash: hexBytes<BlockHash>(32), round: uint(1) }
const commitFields = { commit: hexBytes<Hex32>(32) }
const openingFields = { rules: uint(2), findings: packedFindingsSchema, salt: hexBytes<Hex32>(32) }

export const ballotSlotSchema: Schema<BallotSlot> = record<BallotSlot>(slot)

export const commitsSchema: Schema<readonly BallotCommit[]> = listOf(
  record<BallotCommit>({ ...slot, ...commitFields }),
  BALLOTS_PER_VOTE_MAX,
)

export const openingsSchema: Schema<readonly BallotOpening[]> = listOf(
  record<BallotOpening>({ ...slot, ...openingFields }),
  BALLOTS_PER_VOTE_MAX,
)

/** What a vote carries. */
export const ballotsSchema: Schema<Ballots> = record<Ballots>({
  commits: commitsSchema,
  openings: openingsSchema,
})

export const ballotCommitSchema: Schema<BallotCommit> = record<BallotCommit>({ ...slot, ...commitFields })

/** Ballots of one slot that follow one another in a block. */
interface Run<T> extends BallotSlot {
  readonly ballots: readonly Omit<T, keyof BallotSlot>[]
}

/** Ballots of a block, each slot said once for all that follow one another in it. */
function runsOf<T extends CastCommit | CastOpening>(
  ballot: Schema<Omit<T, keyof BallotSlot>>,
): Schema<readonly T[]> {
  const runs = listOf(record<Run<T>>({ ...slot, ballots: listOf(ballot, VALIDATORS_MAX) }), OPEN_BATCHES_MAX)
  return {
    ssz: runs.ssz,
    toRaw: (value) => runs.toRaw(toRuns(value)),
    fromRaw: (raw) => fromRuns(runs.fromRaw(raw)),
  }
}

function toRuns<T extends CastCommit | CastOpening>(ballots: readonly T[]): readonly Run<T>[] {
  const runs: (Run<T> & { readonly ballots: Omit<T, keyof BallotSlot>[] })[] = []
  for (const ballot of ballots) {
    const { height, blockHash, round, ...rest } = ballot
    const last = runs.at(-1)
    if (last !== undefined && isSameSlot(last, ballot)) last.ballots.push(rest)
    else runs.push({ height, blockHash, round, ballots: [rest] })
  }
  return runs
}

/** What no list of ballots comes to is refused: or one list would have two encodings. */
function fromRuns<T extends CastCommit | CastOpening>(runs: readonly Run<T>[]): readonly T[] {
  const count = runs.reduce((sum, { ballots }) => sum + ballots.length, 0)
  if (count > CAST_BALLOTS_MAX) throw new DecodeError(`${count} ballots, the limit is ${CAST_BALLOTS_MAX}`)
  return runs.flatMap(({ ballots, ...of }, i) => {
    const before = runs[i - 1]
    if (ballots.length === 0) throw new DecodeError('a slot without ballots')
    if (before !== undefined && isSameSlot(before, of)) throw new DecodeError('one slot twice in a row')
    return ballots.map((ballot) => ({ ...of, ...ballot }) as T)
  })
}

export const ballotsTransactionSchema = tagged<BallotsTransaction>(
  'ballots',
  record({
    commits: runsOf<CastCommit>(record({ voter: index(), ...commitFields })),
    openings: runsOf<CastOpening>(record({ voter: index(), ...openingFields })),
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

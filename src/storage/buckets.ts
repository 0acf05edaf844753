/**
 * Every key of the database in one table: one prefix byte per bucket, then a binary key. Heights are eight bytes,
 * big endian, so that they sort. Changing a row here is a new SCHEMA_VERSION.
 */
import { setHex } from '../codec/hex.ts'
import type { SealHash } from '../types/pow.ts'
import type {
  AccountId,
  BlockHash,
  Epoch,
  Height,
  Hex32,
  Nullifier,
  RequestKey,
} from '../types/primitives.ts'

/** What the rows below and the values under them add up to. A database of another version is refused. */
export const SCHEMA_VERSION = 10

/** Prefix bytes. Zero stays free, so that no key is a prefix of the empty range. */
const BUCKET = {
  /** Name (ASCII) → schema, network, tip, accumulators, tip certificate. */
  meta: 0x01,
  /** Height → canonical bytes of the final block. */
  blocks: 0x02,
  /** Block hash → height. */
  heights: 0x03,
  /** Height → pre-commit certificate of exactly that block; at checkpoints only (checkpoints.ts). */
  finality: 0x04,
  /** Height → commit certificate of that block; at checkpoints only. */
  commits: 0x05,
  /** Nullifier → nothing. */
  nullifiers: 0x06,
  /** Request key → figures of the verdict's answer, its position in the state's list, and the run that has its record. */
  verdicts: 0x07,
  /** Hash of a request id → key of the request that used it first. */
  requestIds: 0x08,
  /** Hash of a node id, or of an operator's, → highest sequence number, u64 little endian. */
  sequences: 0x09,
  /** Account id → account. */
  accounts: 0x0a,
  /** Request key of a staking, operator, operation or evidence transaction → height of the block that holds it. */
  transactions: 0x0b,
  /** Height of an epoch's last block → the fillers from it to the block of its finality certificate, where there are any. */
  fillers: 0x0c,
  /** Request key → what this node's own rules found about it. */
  judgements: 0x0d,
  /** Height → the batch of that block without its requests, while it is open. */
  batches: 0x0e,
  /** Account id → trust in its validator. */
  trust: 0x0f,
  /** Position in the state's list of nullifiers → nullifiers up to that one (runs.ts). */
  nullifierRuns: 0x10,
  /** Position in the state's list of verdicts → verdict records up to that one (runs.ts). */
  verdictRuns: 0x11,
  /** Epoch → proof of the validator set that followed it; kept for ever. */
  handOvers: 0x12,
  /**
   * Level and index of a complete subtree of the state's list of verdicts → its root, from the level of a page on;
   * level 0 and index of a page → the leaves of it that are there (receipt-index.ts).
   */
  verdictNodes: 0x13,
  /** Height → the requests of an open batch. */
  batchRequests: 0x14,
  /** Account id → its operator. */
  operators: 0x15,
  /** Place in the ring of recent blocks → block hash. */
  recentBlocks: 0x16,
  /** Account id → the latest changes of trust in its validator. */
  trustHistory: 0x17,
  /** Position in the state's list of shielded transactions → what a wallet reads of it. */
  shieldedEntries: 0x18,
  /** Name of a sealed block → its canonical bytes, while it is neither settled nor forgotten (pow-store.ts). */
  minedBlocks: 0x20,
  /** Height → seal of the settled block there: bits and nonce. */
  seals: 0x21,
  /** Name of a settled sealed block → height. */
  sealHeights: 0x22,
} as const

/** Rows of the bucket `meta`. */
export const META = {
  schema: metaKey('schema'),
  network: metaKey('network'),
  tip: metaKey('tip'),
  accumulators: metaKey('accumulators'),
  tipCertificate: metaKey('tip-certificate'),
  /** The staking state without its accounts. */
  staking: metaKey('staking'),
  /** Those who take part in verdicts. */
  electors: metaKey('electors'),
  /** The shielded state. */
  shielded: metaKey('shielded'),
  /** The state of operations; absent: there never was one. */
  operations: metaKey('operations'),
  /** Lowest height from which every block is kept; absent: none was pruned. */
  lowest: metaKey('lowest'),
  /** Present while a snapshot is being installed: what else is here is half of a state. */
  installing: metaKey('installing'),
  minedRoot: metaKey('mined-root'),
  /** Verdicts whose nodes are there (receipt-index.ts); absent: none. */
  verdictsIndexed: metaKey('verdicts-indexed'),
  /** The newest final block with a certificate of its own, and what leads from the verdicts to the state it names. */
  receiptAnchor: metaKey('receipt-anchor'),
} as const

type NumberedBucket =
  | 'blocks'
  | 'finality'
  | 'commits'
  | 'fillers'
  | 'batches'
  | 'batchRequests'
  | 'nullifierRuns'
  | 'verdictRuns'
  | 'handOvers'
  | 'seals'
  | 'recentBlocks'
  | 'shieldedEntries'

/** Keys from the lower bound up to, not including, the upper one. */
export interface KeyRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

export const blockKey = (height: Height): Uint8Array => heightKey('blocks', height)
export const finalityKey = (height: Height): Uint8Array => heightKey('finality', height)
export const commitKey = (height: Height): Uint8Array => heightKey('commits', height)
export const fillersKey = (height: Height): Uint8Array => heightKey('fillers', height)
export const heightOfHashKey = (hash: BlockHash): Uint8Array => hashKey(BUCKET.heights, hash)
export const nullifierKey = (nullifier: Nullifier): Uint8Array => hashKey(BUCKET.nullifiers, nullifier)
export const verdictKey = (requestKey: RequestKey): Uint8Array => hashKey(BUCKET.verdicts, requestKey)
export const requestIdKey = (idHash: Hex32): Uint8Array => hashKey(BUCKET.requestIds, idHash)
export const sequenceKey = (nodeIdHash: Hex32): Uint8Array => hashKey(BUCKET.sequences, nodeIdHash)

export const accountKey = (id: AccountId): Uint8Array => hashKey(BUCKET.accounts, id)
export const transactionKey = (requestKey: RequestKey): Uint8Array => hashKey(BUCKET.transactions, requestKey)

export const judgementKey = (requestKey: RequestKey): Uint8Array => hashKey(BUCKET.judgements, requestKey)
export const trustKey = (account: AccountId): Uint8Array => hashKey(BUCKET.trust, account)
export const trustHistoryKey = (account: AccountId): Uint8Array => hashKey(BUCKET.trustHistory, account)
export const batchKey = (height: Height): Uint8Array => heightKey('batches', height)
export const batchRequestsKey = (height: Height): Uint8Array => heightKey('batchRequests', height)

/** Trust in every validator there was. */
export const TRUST_RANGE: KeyRange = bucketRange('trust')
/** Every open batch, oldest first. */
export const BATCH_RANGE: KeyRange = bucketRange('batches')

export const operatorKey = (account: AccountId): Uint8Array => hashKey(BUCKET.operators, account)
export const recentBlockKey = (slot: number): Uint8Array => heightKey('recentBlocks', slot)

/** Every operator, in order of their accounts. */
export const OPERATOR_RANGE: KeyRange = bucketRange('operators')

/** Every account, in order of their ids. */
export const ACCOUNT_RANGE: KeyRange = bucketRange('accounts')

export const nullifierRunKey = (last: number): Uint8Array => heightKey('nullifierRuns', last)
export const verdictRunKey = (last: number): Uint8Array => heightKey('verdictRuns', last)
export const shieldedEntryKey = (position: number): Uint8Array => heightKey('shieldedEntries', position)

/** One byte for the level, eight for the index. */
export function verdictNodeKey(level: number, index: number): Uint8Array {
  const key = new Uint8Array(10)
  key[0] = BUCKET.verdictNodes
  key[1] = level
  new DataView(key.buffer).setBigUint64(2, BigInt(index))
  return key
}

export const handOverKey = (epoch: Epoch): Uint8Array => heightKey('handOvers', epoch)

/** All block hashes. */
export const HASH_RANGE: KeyRange = bucketRange('heights')

/** All nullifiers. */
export const NULLIFIER_RANGE: KeyRange = bucketRange('nullifiers')
/** All request ids. */
export const REQUEST_ID_RANGE: KeyRange = bucketRange('requestIds')

/** Everything but what says whose database it is. */
export const CONTENT_RANGE: KeyRange = { gte: Uint8Array.of(BUCKET.blocks), lt: Uint8Array.of(0xff) }

export const minedBlockKey = (hash: SealHash): Uint8Array => hashKey(BUCKET.minedBlocks, hash)
export const sealKey = (height: Height): Uint8Array => heightKey('seals', height)
export const sealHeightKey = (hash: SealHash): Uint8Array => hashKey(BUCKET.sealHeights, hash)

/** All sealed blocks that are kept, in no order that means anything. */
export const MINED_BLOCKS: KeyRange = bucketRange('minedBlocks')

/** Every key of a bucket. */
function bucketRange(bucket: keyof typeof BUCKET): KeyRange {
  return { gte: Uint8Array.of(BUCKET[bucket]), lt: Uint8Array.of(BUCKET[bucket] + 1) }
}

/** The heights `from` to `to`, both included, of a bucket; or its positions, or its epochs. */
export function heightRange(bucket: NumberedBucket, from: number, to: number): KeyRange {
  return { gte: heightKey(bucket, from), lt: heightKey(bucket, to + 1) }
}

/** Eight bytes, big endian. */
export function encodeHeight(height: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(height))
  return bytes
}

/** The height in the last eight bytes of a key or value. */
export function decodeHeight(bytes: Uint8Array): Height {
  return Number(new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8).getBigUint64(0)) as Height
}

function heightKey(bucket: NumberedBucket, height: number): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = BUCKET[bucket]
  new DataView(key.buffer).setBigUint64(1, BigInt(height))
  return key
}

function hashKey(prefix: number, hash: string): Uint8Array {
  const key = new Uint8Array(1 + hash.length / 2)
  key[0] = prefix
  setHex(key, hash, 1)
  return key
}

function metaKey(name: string): Uint8Array {
  return Uint8Array.of(BUCKET.meta, ...new TextEncoder().encode(name))
}

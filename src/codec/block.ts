/** Canonical bytes of blocks. The block's hash is the SSZ root of its header. */
import type { Block, BlockHeader, CertificateReference, HashedBlock } from '../types/block.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import {
  asEpoch,
  type BlockHash,
  type Epoch,
  type GenesisHash,
  type Hex32,
  type StateRoot,
  type TransactionHash,
} from '../types/primitives.ts'
import type { HashedTransaction } from '../types/transaction.ts'
import { toHex } from './hex.ts'
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX } from './limits.ts'
import {
  bytesUpTo,
  counter,
  decode,
  encode,
  hashTreeRoot,
  hexBytes,
  index,
  listOf,
  record,
  type Schema,
} from './schema.ts'
import { decodeTransaction } from './transaction.ts'

export const certificateReferenceSchema = record<CertificateReference>({
  view: counter(),
  blockHash: hexBytes<BlockHash>(32),
})

/** The header; its field order is the layout that src/ledger/README.md documents. */
export const headerSchema: Schema<BlockHeader> = record<BlockHeader>({
  genesisHash: hexBytes<GenesisHash>(32),
  epoch: counter(),
  view: counter(),
  height: counter(),
  parentHash: hexBytes<BlockHash>(32),
  justify: certificateReferenceSchema,
  timestamp: counter(),
  proposer: index(),
  transactionsRoot: hexBytes<Hex32>(32),
  proofCommitment: hexBytes<string>(48),
  noteCommitmentRoot: hexBytes<Hex32>(32),
  nullifierRoot: hexBytes<Hex32>(32),
  parentStateRoot: hexBytes<StateRoot>(32),
  validatorSetRoot: hexBytes<Hex32>(32),
})

interface RawBlock {
  readonly header: BlockHeader
  readonly transactions: readonly Uint8Array[]
}

const rawBlockSchema = record<RawBlock>({
  header: headerSchema,
  transactions: listOf(bytesUpTo(TRANSACTION_BYTES_MAX), BLOCK_TRANSACTIONS_MAX),
})

/** SSZ bytes of a block: offset table, header, then the transactions as byte strings. */
export const BLOCK_OVERHEAD_BYTES = encode(rawBlockSchema, {
  header: emptyHeader(),
  transactions: [],
}).length

/** Bytes that one transaction of `length` bytes adds to a block. */
export function transactionBytesInBlock(length: number): number {
  return length + 4
}

/** Hash of a block: the SSZ hash tree root of its header. */
export function blockHash(header: BlockHeader): BlockHash {
  return toHex(hashTreeRoot(headerSchema, header)) as BlockHash
}

/** Encodes and hashes a block. */
export function hashBlock(block: Block): HashedBlock {
  return {
    header: block.header,
    transactions: block.transactions,
    hash: blockHash(block.header),
    bytes: encode(rawBlockSchema, {
      header: block.header,
      transactions: block.transactions.map((transaction) => transaction.bytes),
    }),
  }
}

/**
 * Reads a block, every transaction in it, and hashes them. Says nothing about the block's rules, but refuses
 * transactions that are not those of the header: the hash names a block only if it binds all of it, or whoever
 * passes a block on could make a valid one look invalid.
 */
export function decodeBlock(bytes: Uint8Array): Result<HashedBlock, 'malformed'> {
  // Views: most transactions were read before, and nothing is copied of them.
  const raw = decode(rawBlockSchema, bytes, BLOCK_BYTES_MAX, true)
  if (!raw.ok) return raw
  const transactions: HashedTransaction[] = []
  for (const transactionBytes of raw.value.transactions) {
    const transaction = decodeTransaction(transactionBytes, true)
    if (!transaction.ok) return transaction
    transactions.push(transaction.value)
  }
  const { header } = raw.value
  if (transactionsRoot(transactions) !== header.transactionsRoot) {
    return refuse('malformed', "the transactions are not those of the header's root")
  }
  return ok({ header, transactions, hash: blockHash(header), bytes })
}

/** Bytes before the epoch in a header, and so in a block (src/ledger/README.md). */
const EPOCH_OFFSET = 32

/** Epoch of a block in canonical bytes, without decoding the rest. */
export function epochOfBlockBytes(bytes: Uint8Array): Epoch {
  return asEpoch(Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(EPOCH_OFFSET, true)))
}

const transactionHashList = listOf<TransactionHash>(hexBytes(32), BLOCK_TRANSACTIONS_MAX)

const knownRoots = new WeakMap<readonly HashedTransaction[], Hex32>()

/**
 * SSZ root of List[Bytes32] over the transaction hashes; the list's length is mixed in. Worked out once for each list:
 * whoever reads a block asks for it, and whoever checks the same block again.
 */
export function transactionsRoot(transactions: readonly HashedTransaction[]): Hex32 {
  const known = knownRoots.get(transactions)
  if (known !== undefined) return known
  const hashes = transactions.map((transaction) => transaction.hash)
  const root = toHex(hashTreeRoot(transactionHashList, hashes)) as Hex32
  knownRoots.set(transactions, root)
  return root
}

function emptyHeader(): BlockHeader {
  return headerSchema.fromRaw(headerSchema.ssz.defaultValue())
}

/** Builds a legal block out of candidate transactions. Which candidates, and when, is the caller's business. */
import { BLOCK_OVERHEAD_BYTES, hashBlock, transactionBytesInBlock, transactionsRoot } from '../codec/block.ts'
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX } from '../codec/limits.ts'
import { assert } from '../types/assert.ts'
import type { BlockHeader } from '../types/block.ts'
import { asUnixMs, nextHeight } from '../types/primitives.ts'
import { type HashedTransaction, isValidation } from '../types/transaction.ts'
import { type ChainRules, isFiller } from './chain-rules.ts'
import { BlockExecution } from './execute-transactions.ts'
import type { ExecutedBlock, ParentBlock } from './executed-block.ts'
import type { TransactionRefusal } from './execution.ts'
import { proposerAccount } from './proposer-account.ts'

/** What the proposer decides; the rest of the header follows from the parent and the transactions. */
export type ProposedFields = Pick<BlockHeader, 'epoch' | 'view' | 'justify' | 'timestamp' | 'proposer'>

/** A candidate that is not in the block, and why. */
export interface SkippedTransaction {
  readonly transaction: HashedTransaction
  readonly code: TransactionRefusal | 'block-full'
}

/** Why a request waits: another one's verdict comes first. */
const WAITS: ReadonlySet<SkippedTransaction['code']> = new Set([
  'block-full',
  'nullifier-reserved',
  'sequence-reserved',
])

/**
 * Whether a skipped candidate can be in a later block. Those without a verdict can: on another branch, or when the
 * transaction before it is there. What the final state rules out, the mempool's own review removes.
 */
export function isGoodLater({ transaction, code }: SkippedTransaction): boolean {
  return WAITS.has(code) || !isValidation(transaction)
}

export interface BuiltBlock {
  readonly executed: ExecutedBlock
  readonly skipped: readonly SkippedTransaction[]
}

/**
 * Executes the candidates in order, leaves out those that would make the block illegal or too large, and fills
 * the header. An empty list gives an empty block, and so does an epoch that ended below: a filler.
 * @param fields `timestamp` is the proposer's clock; the block gets at least the parent's plus one
 */
export function buildBlock(
  fields: ProposedFields,
  candidates: readonly HashedTransaction[],
  parent: ParentBlock,
  rules: ChainRules,
): BuiltBlock {
  const timestamp = asUnixMs(Math.max(fields.timestamp, parent.header.timestamp + 1))
  const height = nextHeight(parent.header.height)
  const bytesMax = Math.min(rules.parameters.blockBytesMax, BLOCK_BYTES_MAX)
  const countMax = Math.min(rules.parameters.blockTransactionsMax, BLOCK_TRANSACTIONS_MAX)
  const { epoch } = fields
  const execution = new BlockExecution(
    {
      epoch,
      height,
      blockTime: timestamp,
      parentHash: parent.hash,
      proposer: proposerAccount(fields, parent.state.staking),
      rules,
    },
    parent.state,
  )
  const transactions: HashedTransaction[] = []
  const skipped: SkippedTransaction[] = []
  let bytes = BLOCK_OVERHEAD_BYTES
  const offered = isFiller({ epoch, height }, rules.parameters.epochBlocks) ? [] : candidates
  for (const transaction of offered) {
    const grown = bytes + transactionBytesInBlock(transaction.bytes.length)
    if (grown > bytesMax || transactions.length === countMax) {
      skipped.push({ transaction, code: 'block-full' })
      continue
    }
    const refusal = execution.add(transaction)
    if (refusal === null) {
      transactions.push(transaction)
      bytes = grown
    } else {
      skipped.push({ transaction, code: refusal.code })
    }
  }
  const finished = execution.finish()
  // Judging looks every nullifier up before it is spent, so what was judged in order is legal.
  assert(finished.ok, 'a block built from judged transactions is illegal')
  const after = finished.value
  const block = hashBlock({
    header: {
      genesisHash: rules.genesisHash,
      epoch,
      view: fields.view,
      height,
      parentHash: parent.hash,
      justify: fields.justify,
      timestamp,
      proposer: fields.proposer,
      transactionsRoot: transactionsRoot(transactions),
      proofCommitment: after.proofCommitment,
      noteCommitmentRoot: after.noteCommitmentRoot,
      nullifierRoot: after.nullifierRoot,
      parentStateRoot: parent.stateRoot,
      validatorSetRoot: after.validatorSetRoot,
    },
    transactions,
  })
  return { executed: { block, changes: after.changes, stateRoot: after.stateRoot }, skipped }
}

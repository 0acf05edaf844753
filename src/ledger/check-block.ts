/**
 * Whether a block is legal on its parent: its header against genesis and the parent, its sizes, its roots, and
 * its transactions executed. Who may propose, when, and on which certificate is the consensus layer's business,
 * and so is the comparison of the timestamp with a clock.
 */
import { transactionsRoot } from '../codec/block.ts'
import type { BlockHeader, HashedBlock } from '../types/block.ts'
import { epochOf } from '../types/epochs.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import { type ChainRules, isFiller } from './chain-rules.ts'
import { executeTransactions } from './execute-transactions.ts'
import type { ExecutedBlock, ParentBlock } from './executed-block.ts'
import type { ExecutionRefusal } from './execution.ts'
import { proposerAccount } from './proposer-account.ts'

export type BlockRefusal =
  | 'genesis-hash'
  | 'epoch'
  | 'height'
  | 'parent-hash'
  | 'timestamp'
  | 'block-bytes'
  | 'block-transactions'
  | 'transactions-root'
  | 'proof-commitment'
  | 'nullifier-root'
  | 'note-commitment-root'
  | 'parent-state-root'
  | 'validator-set-root'
  | 'filler-transactions'
  | ExecutionRefusal

/**
 * Checks a block and executes it, cheap rules first.
 * @param parent the block it must build on, with the state after it
 */
export function checkBlock(
  block: HashedBlock,
  parent: ParentBlock,
  rules: ChainRules,
): Result<ExecutedBlock, BlockRefusal> {
  const { header, transactions } = block
  const refusal = checkHeader(header, parent, rules) ?? checkSizes(block, rules)
  if (refusal !== null) return refusal
  const root = mismatch('transactions-root', header.transactionsRoot, transactionsRoot(transactions))
  if (root !== null) return root
  const { epoch, height, timestamp, parentHash } = header
  const proposer = proposerAccount(header, parent.state.staking)
  const context = { epoch, height, blockTime: timestamp, parentHash, proposer, rules }
  const execution = executeTransactions(context, transactions, parent.state)
  if (!execution.ok) return execution
  const after = execution.value
  const wrongRoot =
    mismatch('proof-commitment', header.proofCommitment, after.proofCommitment) ??
    mismatch('nullifier-root', header.nullifierRoot, after.nullifierRoot) ??
    mismatch('note-commitment-root', header.noteCommitmentRoot, after.noteCommitmentRoot) ??
    mismatch('validator-set-root', header.validatorSetRoot, after.validatorSetRoot)
  if (wrongRoot !== null) return wrongRoot
  return ok({ block, changes: after.changes, stateRoot: after.stateRoot })
}

function checkHeader(
  header: BlockHeader,
  parent: ParentBlock,
  rules: ChainRules,
): Refusal<BlockRefusal> | null {
  const identity =
    mismatch('genesis-hash', header.genesisHash, rules.genesisHash) ??
    mismatch('parent-hash', header.parentHash, parent.hash) ??
    mismatch('height', header.height, parent.header.height + 1) ??
    checkEpoch(header, parent.header, rules.parameters.epochBlocks)
  if (identity !== null) return identity
  if (header.timestamp <= parent.header.timestamp) {
    return refuse('timestamp', `${header.timestamp} is not above the parent's ${parent.header.timestamp}`)
  }
  return mismatch('parent-state-root', header.parentStateRoot, parent.stateRoot)
}

/**
 * R13: a block is of the epoch of its height, or a filler of the epoch that ended below it. Nothing but fillers
 * builds on a filler: the next epoch begins on the last block of the old one.
 */
function checkEpoch(header: BlockHeader, parent: BlockHeader, epochBlocks: number): Refusal<'epoch'> | null {
  if (isFiller(header, epochBlocks)) return mismatch('epoch', header.epoch, parent.epoch)
  if (isFiller(parent, epochBlocks)) return refuse('epoch', `it builds on a filler of epoch ${parent.epoch}`)
  return mismatch('epoch', header.epoch, epochOf(header.height, epochBlocks))
}

function checkSizes(block: HashedBlock, rules: ChainRules): Refusal<BlockRefusal> | null {
  const { blockBytesMax, blockTransactionsMax } = rules.parameters
  if (block.bytes.length > blockBytesMax) {
    return refuse('block-bytes', `${block.bytes.length} bytes, the maximum is ${blockBytesMax}`)
  }
  const count = block.transactions.length
  if (count > 0 && isFiller(block.header, rules.parameters.epochBlocks)) {
    return refuse('filler-transactions', `${count} transactions in a filler, which holds none`)
  }
  if (count > blockTransactionsMax) {
    return refuse('block-transactions', `${count} transactions, the maximum is ${blockTransactionsMax}`)
  }
  return null
}

function mismatch<Code extends BlockRefusal>(
  code: Code,
  seen: string | number,
  expected: string | number,
): Refusal<Code> | null {
  return seen === expected ? null : refuse(code, `the header says ${seen}, it must be ${expected}`)
}

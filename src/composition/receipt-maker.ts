/**
 * Makes receipts: the record, its path in the list under the newest anchor, and the proofs that lead to the set that
 * signed. Signs nothing and judges nothing; needs no block but the one that a checkpoint names.
 */

import { RECEIPT_BYTES_MAX, RECEIPT_HAND_OVERS_MAX } from '../codec/limits.ts'
import { encodeReceipt } from '../codec/receipt.ts'
import { encodeVerdict } from '../codec/verdict.ts'
import { merklePath } from '../ledger/receipt/merkle-path.ts'
import { validatorSetRoot } from '../ledger/staking/staking-root.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { ReceiptAnchor } from '../storage/receipt-anchor.ts'
import type { ReceiptIndex } from '../storage/receipt-index.ts'
import { epochOf } from '../types/epochs.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { asEpoch, asHeight, type Epoch, type Height } from '../types/primitives.ts'
import type { Receipt, ReceiptStart, StartBlock } from '../types/receipt.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import type { HandOverChain } from './hand-over-chain.ts'

export interface ReceiptMakerOptions {
  readonly chain: Pick<ChainStore, 'headerAt'>
  readonly index: ReceiptIndex
  readonly sets: HandOverChain
  readonly epochBlocks: number
}

/** `not-ready`: trying again helps. `unavailable`: it does not, here. */
type MakerRefusal = 'not-ready' | 'unavailable'

export class ReceiptMaker {
  readonly #options: ReceiptMakerOptions

  constructor(options: ReceiptMakerOptions) {
    this.#options = options
  }

  /** Tells when more may be proven than before. */
  onAnchor(listener: () => void): () => void {
    return this.#options.index.onAnchor(listener)
  }

  /**
   * The receipt of a verdict that is final.
   * @throws StorageError E_DB_CORRUPT, E_DB_WRITE
   */
  async make(record: VerdictRecord, start: ReceiptStart): Promise<Result<Receipt, MakerRefusal>> {
    const { index, sets } = this.#options
    const { anchor } = index
    const position = index.positionOf(record.requestKey)
    if (anchor === null || position === null || position >= anchor.listSize) {
      return refuse(
        'not-ready',
        'the verdict is final; the block that certifies the state with it is not yet: it follows within a heartbeat',
      )
    }
    const { header, certificate, listSize, stateBranch } = anchor
    if (!(await sets.reach(header.epoch, stateBranch.validators))) {
      return refuse(
        'not-ready',
        `the proof that the validators of epoch ${header.epoch} follow from genesis is not here; peers are asked for it`,
      )
    }
    const from = await this.#from(start, anchor)
    if (!from.ok) return from
    const { startEpoch, startBlock } = from.value
    const handOvers = await sets.between(startEpoch, header.epoch)
    const path = merklePath(position, listSize, (level, i) => index.node(level, i))
    const receipt: Receipt = {
      startEpoch,
      startBlock,
      handOvers,
      header,
      certificate,
      stateBranch,
      listSize,
      position,
      path,
      record: encodeVerdict(record),
    }
    return this.#bounded(receipt)
  }

  async #from(
    start: ReceiptStart,
    anchor: ReceiptAnchor,
  ): Promise<Result<Pick<Receipt, 'startEpoch' | 'startBlock'>, MakerRefusal>> {
    if (start.kind === 'genesis') return ok({ startEpoch: asEpoch(0), startBlock: null })
    const { height, epoch } = anchor.header
    const isEpoch = start.kind === 'epoch'
    const startEpoch = isEpoch ? start.epoch : epochOf(asHeight(start.height + 1), this.#options.epochBlocks)
    if (startEpoch > epoch || (!isEpoch && start.height > height)) {
      return refuse('not-ready', `receipts end at height ${height}, epoch ${epoch}: the start is beyond`)
    }
    if (isEpoch) return ok({ startEpoch, startBlock: null })
    const startBlock = await this.#startBlock(start.height, startEpoch)
    return startBlock.ok ? ok({ startEpoch, startBlock: startBlock.value }) : startBlock
  }

  async #startBlock(height: Height, epoch: Epoch): Promise<Result<StartBlock, MakerRefusal>> {
    const { chain, sets } = this.#options
    const header = chain.headerAt(height)
    if (header === null) {
      return refuse(
        'unavailable',
        `block ${height} was pruned here: name a later one, or ask a node that keeps all`,
      )
    }
    const { validators } = await sets.setIn(epoch)
    return validatorSetRoot(validators) === header.validatorSetRoot
      ? ok({ header, validators })
      : refuse('unavailable', `the validators that block ${height} names are not known here`)
  }

  #bounded(receipt: Receipt): Result<Receipt, MakerRefusal> {
    const { handOvers } = receipt
    const tooLong = refuse(
      'unavailable',
      `${handOvers.length} changes of the validators lie between, more than a receipt carries: name a later checkpoint`,
    )
    if (handOvers.length > RECEIPT_HAND_OVERS_MAX) return tooLong
    return encodeReceipt(receipt).length > RECEIPT_BYTES_MAX ? tooLong : ok(receipt)
  }
}

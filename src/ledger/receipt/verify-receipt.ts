/**
 * What makes a receipt true: from the set that is trusted, hand-over by hand-over, to the set that made a block final;
 * from that block's header to the state before it; from there to the verdict. A pure function of the receipt and of
 * what is trusted. Says nothing about whether the verdict is Valid: an Invalid one has receipts too.
 */
import { blockHash } from '../../codec/block.ts'
import { FRONTIER_DEPTH } from '../../codec/ledger-state.ts'
import { decodeVerdict, verdictLeaf } from '../../codec/verdict.ts'
import { epochOf } from '../../types/epochs.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import { asHeight, type BlockHash, type Height, type UnixMs } from '../../types/primitives.ts'
import type { Receipt, ReceiptTrust } from '../../types/receipt.ts'
import type { VerifySignature } from '../../types/signatures.ts'
import type { ValidatorSet } from '../../types/validator-set.ts'
import type { VerdictRecord } from '../../types/verdict.ts'
import { followHandOver, setInEpoch } from '../hand-over.ts'
import { countQuorum, type Quorum, type QuorumRefusal } from '../quorum-check.ts'
import { validatorSetRoot } from '../staking/staking-root.ts'
import { stateRootOfVerdicts } from '../state-root.ts'
import { pathLength, rootOfPath } from './merkle-path.ts'

/** Leaves of an SSZ List[Bytes32, 2^32]. */
const LIST_SIZE_MAX = 2 ** FRONTIER_DEPTH

/** One for every check; `detail` says what was found and what must be. */
export type ReceiptRefusal =
  | QuorumRefusal
  | 'wrong-network'
  | 'start-not-trusted'
  | 'wrong-start-block'
  | 'wrong-start-epoch'
  | 'wrong-start-set'
  | 'wrong-hand-over'
  | 'epoch-out-of-reach'
  | 'not-a-finality-certificate'
  | 'certificate-of-another-block'
  | 'record-malformed'
  | 'position-outside'
  | 'path-length'
  | 'wrong-path'

/** What a receipt proves. */
export interface ProvenVerdict extends Quorum {
  readonly record: VerdictRecord
  /** Place of the record in the list of all verdicts. */
  readonly position: number
  /** The final block whose header names the state that the verdict is in. */
  readonly block: { readonly height: Height; readonly hash: BlockHash; readonly timestamp: UnixMs }
  /** The set that signed, in the epoch of that block: a checkpoint for later receipts. */
  readonly set: ValidatorSet
  /** Changes of the set that were followed. */
  readonly handOvers: number
}

/**
 * Checks a receipt against what is trusted, offline.
 * @param verifySignature ML-DSA-65 (crypto/verify-signature.ts, or receipt.ts for the portable one)
 */
export function verifyReceipt(
  receipt: Receipt,
  trust: ReceiptTrust,
  verifySignature: VerifySignature,
): Result<ProvenVerdict, ReceiptRefusal> {
  const { header, certificate } = receipt
  if (header.genesisHash !== trust.genesisHash) {
    return refuse('wrong-network', `it is of network ${header.genesisHash}, you trust ${trust.genesisHash}`)
  }
  const start = startSet(receipt, trust)
  if (!start.ok) return start
  const set = followAll(receipt, start.value, trust, verifySignature)
  if (!set.ok) return set

  if (certificate.kind !== 'pre-commit') {
    return refuse('not-a-finality-certificate', `a ${certificate.kind} certificate makes no block final`)
  }
  const hash = blockHash(header)
  const { height, epoch } = header
  if (certificate.blockHash !== hash || certificate.height !== height || certificate.epoch !== epoch) {
    return refuse(
      'certificate-of-another-block',
      `the certificate is of block ${certificate.blockHash} at height ${certificate.height}, the header of block ${hash} at ${height}`,
    )
  }
  const quorum = countQuorum(trust.genesisHash, certificate, set.value, verifySignature)
  if (!quorum.ok) return quorum

  const record = decodeVerdict(receipt.record)
  if (!record.ok) return refuse('record-malformed', `the record cannot be read: ${record.detail}`)
  const misplaced = checkPath(receipt)
  if (misplaced !== null) return misplaced
  return ok({
    ...quorum.value,
    record: record.value,
    position: receipt.position,
    block: { height, hash, timestamp: header.timestamp },
    set: set.value,
    handOvers: receipt.handOvers.length,
  })
}

/** The set that the receipt starts with, when it is what is trusted. */
function startSet(
  { startEpoch, startBlock }: Receipt,
  trust: ReceiptTrust,
): Result<ValidatorSet, ReceiptRefusal> {
  if (startBlock === null) {
    if (trust.kind === 'block') {
      return refuse(
        'start-not-trusted',
        `it starts with the validators of epoch ${startEpoch}, you trust block ${trust.height}: get one that is made from height ${trust.height} on`,
      )
    }
    const trustedEpoch = trust.kind === 'genesis' ? 0 : trust.epoch
    return startEpoch === trustedEpoch
      ? ok({ epoch: startEpoch, validators: trust.validators })
      : refuse(
          'start-not-trusted',
          `it starts with the validators of epoch ${startEpoch}, you trust those of epoch ${trustedEpoch}: get one that is made from there on`,
        )
  }
  const { header, validators } = startBlock
  if (trust.kind !== 'block') {
    return refuse(
      'start-not-trusted',
      `it starts with block ${header.height}, you trust a validator set: trust that block, or get one that is made from genesis or from an epoch on`,
    )
  }
  const hash = blockHash(header)
  if (hash !== trust.blockHash || header.height !== trust.height) {
    return refuse(
      'wrong-start-block',
      `it starts with block ${hash} at height ${header.height}, you trust ${trust.blockHash} at ${trust.height}`,
    )
  }
  const epoch = epochOf(asHeight(header.height + 1), trust.epochBlocks)
  if (startEpoch !== epoch) {
    return refuse(
      'wrong-start-epoch',
      `it starts with epoch ${startEpoch}, the block after its first is of ${epoch}`,
    )
  }
  return validators.length > 0 && validatorSetRoot(validators) === header.validatorSetRoot
    ? ok({ epoch, validators })
    : refuse('wrong-start-set', `the validators are not those that block ${header.height} names`)
}

/** The set of the epoch of the receipt's block. */
function followAll(
  { handOvers, header }: Receipt,
  start: ValidatorSet,
  { genesisHash, epochBlocks }: ReceiptTrust,
  verifySignature: VerifySignature,
): Result<ValidatorSet, ReceiptRefusal> {
  let why = ''
  const isCertified = (
    ...[certificate, of]: Parameters<Parameters<typeof followHandOver>[2]['isCertified']>
  ) => {
    const quorum = countQuorum(genesisHash, certificate, of, verifySignature)
    if (!quorum.ok) why = `: ${quorum.detail}`
    return quorum.ok
  }
  let set = start
  for (const handOver of handOvers) {
    const next = followHandOver(set, handOver, { genesisHash, epochBlocks, isCertified })
    if (!next.ok) return refuse(next.code, `${next.detail}${why}`)
    set = next.value
  }
  const there = setInEpoch(set, header.epoch)
  return there === null
    ? refuse(
        'epoch-out-of-reach',
        `block ${header.height} is of epoch ${header.epoch}, before the set of ${set.epoch}`,
      )
    : ok(there)
}

/** Null when the record is where the header's state has it. */
function checkPath(receipt: Receipt): Refusal<ReceiptRefusal> | null {
  const { record, position, listSize, path, stateBranch, header } = receipt
  if (position >= listSize || listSize > LIST_SIZE_MAX) {
    return refuse('position-outside', `place ${position} in a list of ${listSize}`)
  }
  const list = rootOfPath(verdictLeaf(record), position, listSize, path)
  if (list === null) {
    const length = pathLength(position, listSize)
    return refuse(
      'path-length',
      `the path has ${path.length} hashes, place ${position} of ${listSize} has ${length}`,
    )
  }
  const root = stateRootOfVerdicts(list, stateBranch)
  return root === header.parentStateRoot
    ? null
    : refuse(
        'wrong-path',
        `the path leads to state ${root}, block ${header.height} names ${header.parentStateRoot}`,
      )
}

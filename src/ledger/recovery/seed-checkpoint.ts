/**
 * Whether a checkpoint that was kept outside of the nodes holds, and which of several counts. A checkpoint only ever says
 * which block was final: it never takes the place of one (spec/commit-reveal.md 6.2).
 */
import { blockHash } from '../../codec/block.ts'
import { validatorId } from '../../codec/genesis.ts'
import { checkpointSigningPayload } from '../../codec/recovery.ts'
import { epochEndHeight } from '../../types/epochs.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import type { BlockHash, GenesisHash, Height } from '../../types/primitives.ts'
import type { SignedCheckpoint } from '../../types/recovery.ts'
import type { VerifySignature } from '../../types/signatures.ts'
import { countQuorum, type Quorum } from '../quorum-check.ts'
import { validatorSetRoot } from '../staking/staking-root.ts'

export type CheckpointRefusal =
  | 'other-network'
  | 'not-an-epoch-end'
  | 'other-certificate'
  | 'certificate-does-not-hold'
  | 'other-validators'
  | 'unknown-custodian'
  | 'custodian-signature'

/** What a checkpoint that holds says. */
export interface ProvenCheckpoint {
  readonly height: Height
  readonly blockHash: BlockHash
  readonly quorum: Quorum
}

/**
 * Checks all that a checkpoint says of itself. Whether its voters were the validators is for whoever trusts an earlier
 * one, or a custodian: its key must be among the voters or the next set.
 * @param network that it must be of
 */
export function checkSeedCheckpoint(
  checkpoint: SignedCheckpoint,
  network: GenesisHash,
  verifySignature: VerifySignature,
): Result<ProvenCheckpoint, CheckpointRefusal> {
  const { genesisHash, epochBlocks, header, stateRoot, voters, validators, certificate } = checkpoint
  if (genesisHash !== network || header.genesisHash !== network) {
    return refuse('other-network', `it is of network ${genesisHash}, not ${network}`)
  }
  if (header.height !== epochEndHeight(header.epoch, epochBlocks)) {
    return refuse('not-an-epoch-end', `height ${header.height} does not end epoch ${header.epoch}`)
  }
  const hash = blockHash(header)
  const isOfBlock =
    certificate.kind === 'commit' &&
    certificate.blockHash === hash &&
    certificate.height === header.height &&
    certificate.stateRoot === stateRoot
  if (!isOfBlock) return refuse('other-certificate', `the certificate is not of block ${hash} and its state`)
  const quorum = countQuorum(
    network,
    certificate,
    { epoch: header.epoch, validators: voters },
    verifySignature,
  )
  if (!quorum.ok) return refuse('certificate-does-not-hold', quorum.detail)
  if (validators.length === 0 || validatorSetRoot(validators) !== header.validatorSetRoot) {
    return refuse('other-validators', 'the block names another next set')
  }
  const { custodian, signature } = checkpoint
  const id = validatorId(custodian)
  if (![...voters, ...validators].some((validator) => validator.id === id)) {
    return refuse('unknown-custodian', `custodian ${id} is none of the validators`)
  }
  return verifySignature(custodian, checkpointSigningPayload(checkpoint), signature, 'seed-checkpoint')
    ? ok({ height: header.height, blockHash: hash, quorum: quorum.value })
    : refuse('custodian-signature', `the signature of custodian ${id} is not valid`)
}

/**
 * The checkpoint that counts of several that hold: the highest, of two of one height the one with the lower block hash.
 * Neither when it was written nor how often it is there makes one count more.
 */
export function newestCheckpoint(checkpoints: readonly SignedCheckpoint[]): SignedCheckpoint | null {
  return checkpoints.reduce<SignedCheckpoint | null>((best, checkpoint) => {
    if (best === null) return checkpoint
    const order = checkpoint.header.height - best.header.height
    if (order !== 0) return order > 0 ? checkpoint : best
    return blockHash(checkpoint.header) < blockHash(best.header) ? checkpoint : best
  }, null)
}

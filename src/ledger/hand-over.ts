/**
 * From a validator set that is trusted to the set of a later epoch: each set's quorum certified the block that names
 * the next one (R13). Where a set did not change there is no proof, and its keys go on. What this trusts: that no
 * quorum of any set on the way has signed two chains, also long after it left. A trusted block narrows that to the
 * sets since then.
 */
import { blockHash } from '../codec/block.ts'
import { epochEndHeight } from '../types/epochs.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { asEpoch, type Epoch, type GenesisHash } from '../types/primitives.ts'
import type { HandOver } from '../types/snapshot.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { CertificateCheck } from './snapshot-check.ts'
import { validatorSetRoot } from './staking/staking-root.ts'

export interface HandOverContext {
  readonly genesisHash: GenesisHash
  /** Blocks per epoch; 0: one epoch without end. */
  readonly epochBlocks: number
  readonly isCertified: CertificateCheck
}

/** The set after a hand-over, when the proof holds against the set that was trusted before it. */
export function followHandOver(
  set: ValidatorSet,
  { header, certificate, validators }: HandOver,
  { genesisHash, epochBlocks, isCertified }: HandOverContext,
): Result<ValidatorSet, 'wrong-hand-over'> {
  const wrong = (why: string) => refuse('wrong-hand-over', `hand-over of epoch ${header.epoch}: ${why}`)
  if (header.genesisHash !== genesisHash) return wrong('it is of another network')
  if (header.epoch < set.epoch) return wrong(`the set before it is of epoch ${set.epoch}`)
  if (header.height !== epochEndHeight(header.epoch, epochBlocks)) {
    return wrong(`height ${header.height} does not end an epoch of ${epochBlocks} blocks`)
  }
  const isOfBlock = certificate.blockHash === blockHash(header) && certificate.height === header.height
  const old: ValidatorSet = { epoch: header.epoch, validators: set.validators }
  if (certificate.kind !== 'commit' || !isOfBlock || certificate.epoch !== header.epoch) {
    return wrong('the certificate is of another block')
  }
  if (!isCertified(certificate, old)) return wrong('the certificate does not hold')
  if (validators.length === 0 || validatorSetRoot(validators) !== header.validatorSetRoot) {
    return wrong('the block names another set')
  }
  return ok({ epoch: asEpoch(header.epoch + 1), validators })
}

/** The set as it stands in a later epoch, when no hand-over lies between. */
export function setInEpoch(set: ValidatorSet, epoch: Epoch): ValidatorSet | null {
  return epoch < set.epoch ? null : { epoch, validators: set.validators }
}

/**
 * Following the validator set without executing blocks (R13): whoever trusts the set of one epoch checks, with the
 * last block of that epoch and a commit certificate over it, which set decides the next one.
 */
import { blockHash } from '../codec/block.ts'
import { commitSigningPayload } from '../codec/signing-payloads.ts'
import type { BlockHeader } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { VerifySignature } from '../types/signatures.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import { type ChainRules, isEpochEnd } from './chain-rules.ts'
import { validatorSetRoot } from './staking/staking-root.ts'

export type SetChangeRefusal =
  | 'genesis-hash'
  | 'epoch'
  | 'not-an-epoch-end'
  | 'certificate'
  | 'validator-set-root'
  | 'voter'
  | 'signature'
  | 'quorum'

/**
 * @param trustedSet the set of epoch e
 * @param header of the last block of epoch e
 * @param certificate a commit certificate over that block by the trusted set
 * @param nextSet what is said to be the set of epoch e + 1
 * @param rules the network and the length of its epochs, as genesis has them
 * @returns the next set, which may now be trusted
 */
export function checkSetChange(
  trustedSet: ValidatorSet,
  header: BlockHeader,
  certificate: QuorumCertificate,
  nextSet: ValidatorSet,
  verifySignature: VerifySignature,
  rules: Pick<ChainRules, 'genesisHash' | 'parameters'>,
): Result<ValidatorSet, SetChangeRefusal> {
  const { genesisHash, parameters } = rules
  if (header.genesisHash !== genesisHash) return refuse('genesis-hash', 'the header is of another network')
  if (header.epoch !== trustedSet.epoch || nextSet.epoch !== trustedSet.epoch + 1) {
    return refuse('epoch', `from epoch ${trustedSet.epoch} by a block of ${header.epoch} to ${nextSet.epoch}`)
  }
  if (!isEpochEnd(header, parameters.epochBlocks)) {
    return refuse('not-an-epoch-end', `height ${header.height} is not the last of epoch ${header.epoch}`)
  }
  if (validatorSetRoot(nextSet.validators) !== header.validatorSetRoot) {
    return refuse('validator-set-root', 'the next set is not the one of the header')
  }
  const refusal =
    checkSubject(header, certificate) ??
    checkSignatures(trustedSet, certificate, verifySignature, genesisHash)
  return refusal ?? ok(nextSet)
}

function checkSubject(header: BlockHeader, certificate: QuorumCertificate): Refusal<'certificate'> | null {
  const { kind, epoch, height } = certificate
  const isOfBlock =
    kind === 'commit' &&
    epoch === header.epoch &&
    height === header.height &&
    certificate.blockHash === blockHash(header)
  return isOfBlock ? null : refuse('certificate', 'it is no commit certificate over the block of the header')
}

function checkSignatures(
  { validators }: ValidatorSet,
  certificate: QuorumCertificate,
  verifySignature: VerifySignature,
  genesisHash: ChainRules['genesisHash'],
): Refusal<'certificate' | 'voter' | 'signature' | 'quorum'> | null {
  const { stateRoot, signatures } = certificate
  if (stateRoot === null) return refuse('certificate', 'it names no state')
  const payload = commitSigningPayload(genesisHash, { ...certificate, stateRoot })
  let weight = 0n
  let last = -1
  for (const { voter, signature } of signatures) {
    const validator = validators[voter]
    if (validator === undefined || voter <= last) {
      return refuse('voter', `voter ${voter} after ${last}, of ${validators.length}`)
    }
    if (!verifySignature(validator.publicKey, payload, signature, 'commit')) {
      return refuse('signature', `the signature of voter ${voter} is not valid`)
    }
    weight += validator.stake
    last = voter
  }
  const total = validators.reduce((sum, { stake }) => sum + stake, 0n)
  // Q of consensus/README.md: above two thirds.
  return 3n * weight > 2n * total ? null : refuse('quorum', `weight ${weight} of ${total} signed`)
}

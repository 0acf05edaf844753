/**
 * Whether a certificate is a quorum's of a set that is given: what a light client asks, and whoever takes a snapshot
 * or follows hand-overs (hand-over.ts). The node's own consensus checks its current validators' in
 * runtime/message-verifier.ts, which knows what it holds already.
 */
import { certificateSigningPayload } from '../codec/signing-payloads.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { VerifySignature } from '../types/signatures.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { CertificateCheck } from './snapshot-check.ts'

export type QuorumRefusal =
  | 'certificate-form'
  | 'certificate-epoch'
  | 'no-validator-set'
  | 'unknown-voter'
  | 'voters-not-ascending'
  | 'wrong-signature'
  | 'too-little-stake'

/** Who signed a certificate that holds. */
export interface Quorum {
  readonly voters: number
  readonly signedStake: bigint
  readonly totalStake: bigint
}

/** Distinct voters in ascending order with more than two thirds of the stake, every signature true; or what is not so. */
export function countQuorum(
  genesisHash: GenesisHash,
  certificate: QuorumCertificate,
  { epoch, validators }: ValidatorSet,
  verifySignature: VerifySignature,
): Result<Quorum, QuorumRefusal> {
  const { kind, signatures } = certificate
  if (!isWellFormed(certificate)) {
    return refuse(
      'certificate-form',
      `a certificate names a state exactly when it is a commit's, and commits of ballots only in prepare votes`,
    )
  }
  if (certificate.epoch !== epoch) {
    return refuse(
      'certificate-epoch',
      `the certificate is of epoch ${certificate.epoch}, the set of ${epoch}`,
    )
  }
  // A set that a peer made up may hold anything; without stake it is none.
  if (validators.length === 0 || validators.some(({ stake }) => stake <= 0n)) {
    return refuse('no-validator-set', `the set of epoch ${epoch} is empty or has a validator without stake`)
  }
  const totalStake = validators.reduce((sum, { stake }) => sum + stake, 0n)
  let signedStake = 0n
  let last = -1
  for (const { voter, signature, commits } of signatures) {
    const validator = validators[voter]
    if (validator === undefined) {
      return refuse('unknown-voter', `voter ${voter} is none of the ${validators.length} of epoch ${epoch}`)
    }
    if (voter <= last) {
      return refuse(
        'voters-not-ascending',
        `voter ${voter} stands after voter ${last}: each signs once, in order`,
      )
    }
    const payload = certificateSigningPayload(genesisHash, certificate, commits)
    if (!verifySignature(validator.publicKey, payload, signature, kind)) {
      return refuse(
        'wrong-signature',
        `the signature of voter ${voter} is not that of validator ${validator.id}`,
      )
    }
    signedStake += validator.stake
    last = voter
  }
  // Q of consensus/README.md: above two thirds.
  return 3n * signedStake > 2n * totalStake
    ? ok({ voters: signatures.length, signedStake, totalStake })
    : refuse('too-little-stake', `stake ${signedStake} of ${totalStake} signed, more than two thirds must`)
}

/** {@link countQuorum} as a yes or no. */
export function quorumCheck(genesisHash: GenesisHash, verifySignature: VerifySignature): CertificateCheck {
  return (certificate, set) => countQuorum(genesisHash, certificate, set, verifySignature).ok
}

/** It names a state exactly when it must, and only prepare votes sign for commits. */
function isWellFormed({ kind, stateRoot, signatures }: QuorumCertificate): boolean {
  if ((kind === 'commit') !== (stateRoot !== null)) return false
  return kind === 'prepare' || signatures.every(({ commits }) => commits === null)
}

/**
 * Who broke the safety of a network: two certificates of one kind and view for two blocks cannot both be when more than
 * two thirds of the stake are honest, and every validator in both of them signed two contents for one slot (R12).
 */

import type { QuorumCertificate } from '../../types/certificates.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import { type Evidence, makeEvidence } from '../../types/evidence.ts'
import type { ForkProof } from '../../types/recovery.ts'
import type { VerifySignature } from '../../types/signatures.ts'
import type { Validator } from '../../types/validator-set.ts'
import { countQuorum } from '../quorum-check.ts'

export type ForkRefusal = 'no-conflict' | 'certificate-does-not-hold'

/** Why two certificates cannot both be. */
export type Conflict = 'one-view' | 'one-height'

/** A safety break that is proven. */
export interface ProvenFork {
  readonly conflict: Conflict
  /** In both certificates, in order of the set. */
  readonly signers: readonly Validator[]
  readonly signedStake: bigint
  readonly totalStake: bigint
  /**
   * One for each signer of both, when they are of one view: each proves itself. Of two views at one height nobody can be
   * named by these two alone: an honest validator may have been shown the second one.
   */
  readonly evidence: readonly Evidence[]
}

/** Whether two certificates contradict each other. Commit votes are no slashable kind. */
function conflictOf(first: QuorumCertificate, second: QuorumCertificate): Conflict | null {
  if (first.epoch !== second.epoch || first.kind === 'commit' || second.kind === 'commit') return null
  if (first.blockHash === second.blockHash) return null
  if (first.kind === second.kind && first.view === second.view) return 'one-view'
  const areFinal = first.kind === 'pre-commit' && second.kind === 'pre-commit'
  return areFinal && first.height === second.height ? 'one-height' : null
}

/** Checks both certificates, every signature in them, and names who signed both. */
export function checkForkProof(
  { genesisHash, voters, first, second }: ForkProof,
  verifySignature: VerifySignature,
): Result<ProvenFork, ForkRefusal> {
  const conflict = conflictOf(first, second)
  if (conflict === null) return refuse('no-conflict', 'both certificates can be: nothing is proven')
  const set = { epoch: first.epoch, validators: voters }
  let totalStake = 0n
  for (const certificate of [first, second]) {
    const quorum = countQuorum(genesisHash, certificate, set, verifySignature)
    if (!quorum.ok) return refuse('certificate-does-not-hold', quorum.detail)
    totalStake = quorum.value.totalStake
  }
  const evidence: Evidence[] = []
  const signers: Validator[] = []
  for (const one of first.signatures) {
    const other = second.signatures.find(({ voter }) => voter === one.voter)
    const validator = voters[one.voter]
    if (other === undefined || validator === undefined) continue
    signers.push(validator)
    const { kind } = first
    const of =
      conflict === 'one-view' && kind !== 'commit'
        ? makeEvidence(
            kind,
            first.epoch,
            first.view,
            validator.publicKey,
            {
              height: first.height,
              blockHash: first.blockHash,
              signature: one.signature,
              commits: one.commits,
            },
            {
              height: second.height,
              blockHash: second.blockHash,
              signature: other.signature,
              commits: other.commits,
            },
          )
        : null
    if (of !== null) evidence.push(of)
  }
  const signedStake = signers.reduce((sum, { stake }) => sum + stake, 0n)
  return ok({ conflict, signers, signedStake, totalStake, evidence })
}

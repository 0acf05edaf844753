/**
 * The rules of the level "declared", which every request is asked: its bytes, the state before it, the block's time
 * and the network's policy; no clock, socket, file or randomness (spec/four-proofs.md). All are asked, so that the
 * answer names everything that is wrong at once. What higher levels ask is judge-request.ts's.
 */

import type { ValidationPolicy } from '../../types/genesis.ts'
import type { UnixMs } from '../../types/primitives.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { CertificateValidationRequest } from '../../types/validation-request.ts'
import type { RuleFailure } from '../../types/verdict.ts'
import type { RequestIdentity } from '../request-identity.ts'
import type { StateReader } from '../state-reader.ts'
import { checkFourProofSet } from './four-proof-set.ts'
import { blockNanoseconds } from './moments.ts'
import { checkCertificateRequest } from './request.ts'
import { effectiveRequirements } from './requirements.ts'
import { RuleFailures } from './rule-failures.ts'
import { checkSpace } from './space.ts'
import { checkStake } from './stake.ts'
import { checkTime } from './time.ts'
import { checkWork } from './work.ts'

/** What the rules look up. */
export type JudgedState = Pick<StateReader, 'hasNullifier' | 'requestKeyOfId' | 'lastSequence'>

/**
 * Judges one request.
 * @param identity of the same transaction (request-identity.ts)
 * @param state before the transaction, with the earlier ones of its block
 * @param blockTime of the block that orders it
 * @returns every rule that failed, in the order space, stake, work, time, request; empty when Valid at this level
 */
export function checkFourProofs(
  transaction: ValidationTransaction,
  identity: RequestIdentity,
  state: JudgedState,
  blockTime: UnixMs,
  policy: ValidationPolicy,
): RuleFailure[] {
  const failures: RuleFailure[] = []
  const blockNs = blockNanoseconds(blockTime)
  if (transaction.kind === 'validate-certificate') {
    checkCertificate(transaction.request, identity, state, blockNs, policy, failures)
  } else {
    checkFourProofSet(transaction.request, identity, blockNs, policy, state, failures)
  }
  return failures
}

function checkCertificate(
  request: CertificateValidationRequest,
  identity: RequestIdentity,
  state: JudgedState,
  blockNs: bigint,
  policy: ValidationPolicy,
  failures: RuleFailure[],
): void {
  const { consensusProof, nodeId } = request.certificateRequest
  const requirements = effectiveRequirements(request.consensusRequirements, policy)
  checkSpace(consensusProof.spaceProof, requirements, blockNs, new RuleFailures('space', failures))
  checkStake(consensusProof.stakeProof, requirements, blockNs, new RuleFailures('stake', failures))
  checkWork(consensusProof.workProof, requirements, blockNs, new RuleFailures('work', failures))
  checkTime(
    consensusProof.timeProof,
    identity.nullifier,
    nodeId,
    requirements,
    blockNs,
    state,
    new RuleFailures('time', failures),
  )
  checkCertificateRequest(
    request,
    identity.requestKey,
    state.requestKeyOfId(identity.requestIdHash),
    blockNs,
    new RuleFailures('request', failures),
  )
}

/** The rules of `validate_proofs`: the four proofs of a `FourProofSet` and the request around them. */
import type { ValidationPolicy } from '../../types/genesis.ts'
import type { FourProofValidationRequest } from '../../types/validation-request.ts'
import type { RuleFailure } from '../../types/verdict.ts'
import type { RequestIdentity } from '../request-identity.ts'
import type { StateReader } from '../state-reader.ts'
import { NANOS_PER_SECOND, requireWithin, WINDOW_MAX_NS } from './moments.ts'
import { quoted } from './reason-text.ts'
import { checkRequestTime, ID_BYTES_MAX } from './request.ts'
import { policyFloor, requireMinimum } from './requirements.ts'
import { RuleFailures } from './rule-failures.ts'

const BYTE_FIELD_MAX = 65_536
/** Bits of SHA-256. */
const DIFFICULTY_MAX = 256

/** All rules for a set, in the order space, stake, work, time, request. */
export function checkFourProofSet(
  request: FourProofValidationRequest,
  identity: RequestIdentity,
  blockNs: bigint,
  policy: ValidationPolicy,
  state: Pick<StateReader, 'hasNullifier' | 'lastSequence'>,
  failures: RuleFailure[],
): void {
  const { spaceProof, stakeProof, workProof } = request.proofSet

  const space = new RuleFailures('space', failures)
  requireMinimum(
    space,
    'storage_commitment',
    spaceProof.storageCommitment,
    policyFloor(policy.minimumStorage),
  )
  if (spaceProof.networkPosition === '') space.add('network_position is empty')
  space.requireBytesUpTo('allocation_proof', spaceProof.allocationProof, BYTE_FIELD_MAX)

  const stake = new RuleFailures('stake', failures)
  if (stakeProof.stakeAmount === 0n) stake.add('stake_amount is 0, it must be above')
  if (stakeProof.authorityLevel === 0n) stake.add('authority_level is 0, it must be above')
  stake.requireEach('access_permissions', stakeProof.accessPermissions, (permission) =>
    permission === '' ? 'is empty' : null,
  )

  const work = new RuleFailures('work', failures)
  if (workProof.difficultyTarget < 1 || workProof.difficultyTarget > DIFFICULTY_MAX) {
    work.add(`difficulty_target ${workProof.difficultyTarget} is not in 1 to ${DIFFICULTY_MAX}`)
  }
  if (workProof.operationSignature === '') work.add('operation_signature is empty')
  work.requireBytesUpTo('computational_proof', workProof.computationalProof, BYTE_FIELD_MAX)

  checkSequence(request, identity, blockNs, state, new RuleFailures('time', failures))

  const outer = new RuleFailures('request', failures)
  outer.requireText('node_id', request.nodeId, ID_BYTES_MAX)
  outer.requireText('asset_id', request.assetId, ID_BYTES_MAX)
  outer.requireText('operation', request.operation, ID_BYTES_MAX)
  checkRequestTime(request.timestamp, blockNs, outer)
}

function checkSequence(
  request: FourProofValidationRequest,
  identity: RequestIdentity,
  blockNs: bigint,
  state: Pick<StateReader, 'hasNullifier' | 'lastSequence'>,
  failures: RuleFailures,
): void {
  const { blockTimestamp, sequenceNumber, temporalProof } = request.proofSet.timeProof
  requireWithin(failures, 'block_timestamp', blockTimestamp * NANOS_PER_SECOND, blockNs, WINDOW_MAX_NS)
  const last = identity.sequence === null ? 0n : state.lastSequence(identity.sequence.nodeIdHash)
  if (sequenceNumber === 0n) {
    failures.add('sequence_number is 0, the minimum is 1')
  } else if (sequenceNumber <= last) {
    failures.add(
      `sequence_number ${sequenceNumber} of node ${quoted(request.nodeId)} is replayed: the last one recorded is ${last}`,
    )
  } else if (state.hasNullifier(identity.nullifier)) {
    // A certificate request of the same node may have spent this number as its nonce.
    failures.add(
      `sequence_number ${sequenceNumber} of node ${quoted(request.nodeId)} is replayed: a valid request has spent it`,
    )
  }
  failures.requireBytesUpTo('temporal_proof', temporalProof, BYTE_FIELD_MAX)
}

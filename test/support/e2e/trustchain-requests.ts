/** Requests as TrustChain's own tests make them, at the present time. */
import { randomBytes } from 'node:crypto'
import type {
  CertificateValidationRequest,
  FourProofValidationRequest,
} from '../../../src/types/validation-request.ts'
import { certificate, fourProofs } from './fresh.ts'

type Proofs = CertificateValidationRequest['certificateRequest']['consensusProof']

/** `ConsensusProof::new_for_testing()` with the requirements `localhost_testing()`. */
export function testRequest(
  change: (proofs: Proofs) => Proofs = (same) => same,
): CertificateValidationRequest {
  const request = certificate({ nonce: randomBytes(8).readBigUInt64LE() | 1n })
  const { certificateRequest } = request
  return {
    ...request,
    certificateRequest: { ...certificateRequest, consensusProof: change(certificateRequest.consensusProof) },
  }
}

/** The set of `test_four_proof_validation`: 1 MiB, stake 10,000, level 100, difficulty 20. */
export function testSet(
  change: (set: FourProofValidationRequest['proofSet']) => FourProofValidationRequest['proofSet'] = (same) =>
    same,
): FourProofValidationRequest {
  const request = fourProofs()
  const { timeProof } = request.proofSet
  const set = {
    spaceProof: {
      storageCommitment: 1_048_576n,
      networkPosition: 'hypermesh://test-node',
      allocationProof: Uint8Array.of(1, 2, 3, 4),
    },
    stakeProof: { stakeAmount: 10_000n, authorityLevel: 100n, accessPermissions: ['read', 'write'] },
    workProof: {
      computationalProof: Uint8Array.of(5, 6, 7, 8),
      difficultyTarget: 20,
      operationSignature: 'certificate-issuance',
    },
    timeProof: { ...timeProof, temporalProof: Uint8Array.of(9, 10, 11, 12) },
  }
  return { ...request, operation: 'certificate_issuance', proofSet: change(set) }
}

/**
 * Fresh requests with the values of TrustChain's own test profile (`new_for_testing`, `localhost_testing`; see
 * spec/stoq.md 3.4 and 4.2), current times and a random nonce. One proof can be broken, and then only that one.
 */
import { timeProofHash } from '../codec/proofs.ts'
import type {
  CertificateType,
  CertificateValidationRequest,
  FourProofValidationRequest,
  SecondsNanos,
} from '../types/validation-request.ts'
import type { ProofName } from '../types/verdict.ts'

/** What makes a request new. */
export interface Freshness {
  /** Microseconds since the Unix epoch. */
  readonly nowUs: bigint
  /** Random, full range; above 2^53 nearly always. */
  readonly nonce: bigint
  /** The proof to break; null for none. */
  readonly bad: ProofName | null
}

/** Whose request it is, and of what; what is absent is that of TrustChain's test profile. */
export interface RequestSubject {
  /** An operator's id or alias: every id in the request. */
  readonly node?: string
  readonly stake?: bigint
  readonly storage?: bigint
  readonly certificateType?: CertificateType
  /** Zero bits that a four-proof set says its work has. */
  readonly difficulty?: number
}

const MIB = 1024n ** 2n
const GIB = 1024n ** 3n
/** Far outside every window for times. */
const STALE_US = 3_600_000_000n
/** Below every floor that a network has. */
const TOO_LITTLE_STORAGE = 1_024n
const TOO_LITTLE_STAKE = 5n
const TOO_LITTLE_COMPUTE = 1n

function systemTime(us: bigint): SecondsNanos {
  return { secs: us / 1_000_000n, nanos: Number(us % 1_000_000n) * 1_000 }
}

/** A certificate request as `HyperMeshConsensusClient` builds it. */
export function freshCertificateRequest(
  { nowUs, nonce, bad }: Freshness,
  commonName: string,
  subject: RequestSubject = {},
): CertificateValidationRequest {
  const now = systemTime(nowUs)
  const timeProof = {
    networkTimeOffset: { secs: 0n, nanos: 0 },
    timeVerificationTimestamp: bad === 'time' ? systemTime(nowUs - STALE_US) : now,
    nonce,
  }
  return {
    certificateRequest: {
      commonName,
      sanEntries: [commonName],
      nodeId: subject.node ?? 'test_node_001',
      ipv6Addresses: ['::1'],
      consensusProof: {
        stakeProof: {
          stakeHolder: subject.node ?? 'test',
          stakeHolderId: subject.node ?? 'test-001',
          stakeAmount: bad === 'stake' ? TOO_LITTLE_STAKE : (subject.stake ?? 1_000n),
          stakeTimestamp: now,
        },
        timeProof: { ...timeProof, proofHash: timeProofHash(timeProof) },
        spaceProof: {
          nodeId: subject.node ?? 'test-node',
          storagePath: '/tmp/test',
          totalSize: 0n,
          totalStorage: bad === 'space' ? TOO_LITTLE_STORAGE : (subject.storage ?? GIB),
          fileHash: '',
          proofTimestamp: now,
        },
        workProof: {
          ownerId: subject.node ?? 'test-owner',
          workloadId: 'test-workload',
          pid: 1_234n,
          computationalPower: bad === 'work' ? TOO_LITTLE_COMPUTE : 1_000n,
          workloadType: 'Certificate',
          workState: 'Pending',
          workChallenges: [],
          proofTimestamp: now,
        },
      },
      timestamp: now,
    },
    consensusRequirements: {
      minimumStake: 100n,
      maxTimeOffset: { secs: 300n, nanos: 0 },
      minimumStorage: MIB,
      minimumCompute: 10n,
      byzantineTolerance: 0,
    },
    requestId: `trustchain-${nowUs / 1_000n}-${commonName}`,
    timestamp: now,
    validationContext: {
      caId: 'trustchain-ca',
      networkId: 'hypermesh-production',
      certificateType: subject.certificateType ?? 'TLS',
      metadata: [],
    },
  }
}

/** A four-proof request; its sequence number is the time in microseconds, so that each is above the last. */
export function freshFourProofRequest(
  { nowUs, bad }: Freshness,
  assetId: string,
  subject: RequestSubject = {},
): FourProofValidationRequest {
  return {
    proofSet: {
      spaceProof: {
        storageCommitment: bad === 'space' ? TOO_LITTLE_STORAGE : (subject.storage ?? MIB),
        networkPosition: `hypermesh://${subject.node ?? 'test-node'}`,
        allocationProof: Uint8Array.of(1, 2, 3, 4),
      },
      stakeProof: {
        stakeAmount: bad === 'stake' ? 0n : (subject.stake ?? 10_000n),
        authorityLevel: 100n,
        accessPermissions: ['read', 'write'],
      },
      workProof: {
        computationalProof: Uint8Array.of(5, 6, 7, 8),
        difficultyTarget: bad === 'work' ? 0 : (subject.difficulty ?? 20),
        operationSignature: 'certificate-issuance',
      },
      timeProof: {
        blockTimestamp: (bad === 'time' ? nowUs - STALE_US : nowUs) / 1_000_000n,
        sequenceNumber: nowUs,
        temporalProof: Uint8Array.of(9, 10, 11, 12),
      },
    },
    operation: 'certificate_issuance',
    assetId,
    nodeId: subject.node ?? 'test_node_001',
    timestamp: systemTime(nowUs),
  }
}

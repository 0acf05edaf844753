/**
 * The four-proof request of a CA, out of what is so on this machine now: its disk, its processor, its clock, and the
 * stake that it was told to name. What the network makes of it is the network's affair.
 */
import { createHash, randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type CertificateValidationRequest, type SecondsNanos, timeProofHash } from 'hypermesh-node/client'
import type { Applicant } from './names.ts'

/** Who the CA is to the network. */
export interface CaIdentity {
  /** The node id in its requests; also the owner of its storage and its work. */
  readonly nodeId: string
  readonly stakeHolder: string
  readonly stakeHolderId: string
  readonly stakeAmount: bigint
}

/** Power units of one processor, as TrustChain counts them. */
const POWER_PER_PROCESSOR = 1_000n
const MIB = 1024n ** 2n

function now(): SecondsNanos {
  const us = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000))
  return { secs: us / 1_000_000n, nanos: Number(us % 1_000_000n) * 1_000 }
}

/**
 * A request that has never been made before.
 * @param folder where the CA keeps what it issues: the storage of its space proof
 */
export function certificateValidationRequest(
  applicant: Applicant,
  { nodeId, stakeHolder, stakeHolderId, stakeAmount }: CaIdentity,
  folder: string,
): CertificateValidationRequest {
  const timestamp = now()
  const disk = statfsSync(folder, { bigint: true })
  const digest = createHash('sha256').update(new Uint8Array(applicant.request.rawData)).digest('hex')
  const time = {
    networkTimeOffset: { secs: 0n, nanos: 0 },
    timeVerificationTimestamp: timestamp,
    // Spent by the first Valid verdict: 64 random bits, and never 0, which the rules refuse.
    nonce: randomBytes(8).readBigUInt64LE() || 1n,
  }
  return {
    certificateRequest: {
      commonName: applicant.commonName,
      sanEntries: applicant.names,
      nodeId,
      ipv6Addresses: applicant.ipv6Addresses,
      consensusProof: {
        stakeProof: { stakeHolder, stakeHolderId, stakeAmount, stakeTimestamp: timestamp },
        timeProof: { ...time, proofHash: timeProofHash(time) },
        spaceProof: {
          nodeId,
          storagePath: folder,
          totalSize: (disk.blocks - disk.bfree) * disk.bsize,
          totalStorage: disk.blocks * disk.bsize,
          fileHash: digest,
          proofTimestamp: timestamp,
        },
        workProof: {
          ownerId: nodeId,
          workloadId: `issue-${digest.slice(0, 16)}`,
          pid: BigInt(process.pid),
          computationalPower: BigInt(availableParallelism()) * POWER_PER_PROCESSOR,
          workloadType: 'Certificate',
          workState: 'Running',
          workChallenges: [],
          proofTimestamp: timestamp,
        },
      },
      timestamp,
    },
    // A CA may ask for more than the network does, never for less.
    consensusRequirements: {
      minimumStake: 100n,
      maxTimeOffset: { secs: 60n, nanos: 0 },
      minimumStorage: 64n * MIB,
      minimumCompute: POWER_PER_PROCESSOR,
      byzantineTolerance: 0.33,
    },
    // A name alone would be used twice; the id belongs to one payload for ever.
    requestId: `${nodeId}-${timestamp.secs}-${randomBytes(8).toString('hex')}`,
    timestamp,
    validationContext: {
      caId: nodeId,
      networkId: 'hypermesh',
      certificateType: 'TLS',
      metadata: [],
    },
  }
}

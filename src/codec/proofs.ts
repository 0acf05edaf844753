/**
 * The proofs in the bincode form that TrustChain hashes (spec/stoq.md 4.1). Field order is the Rust structs'
 * order and must not follow ours. Only writing: the proofs arrive as JSON and are kept as SSZ.
 */
import type { Hex32 } from '../types/primitives.ts'
import type { ValidationTransaction } from '../types/transaction.ts'
import {
  type ConsensusProof,
  type FourProofSet,
  type TimeProof,
  WORK_STATES,
  WORKLOAD_TYPES,
} from '../types/validation-request.ts'
import { BincodeWriter } from './bincode.ts'
import { sha256Plain, u64le } from './hashes.ts'
import { toHex } from './hex.ts'

/** `bincode(ConsensusProof)`: stake, time, space, work. */
export function consensusProofBincode(proof: ConsensusProof): Uint8Array {
  const { stakeProof: stake, timeProof: time, spaceProof: space, workProof: work } = proof
  return new BincodeWriter()
    .text(stake.stakeHolder)
    .text(stake.stakeHolderId)
    .u64(stake.stakeAmount)
    .secondsNanos(stake.stakeTimestamp)
    .secondsNanos(time.networkTimeOffset)
    .secondsNanos(time.timeVerificationTimestamp)
    .u64(time.nonce)
    .bytes(time.proofHash)
    .text(space.nodeId)
    .text(space.storagePath)
    .u64(space.totalSize)
    .u64(space.totalStorage)
    .text(space.fileHash)
    .secondsNanos(space.proofTimestamp)
    .text(work.ownerId)
    .text(work.workloadId)
    .u64(work.pid)
    .u64(work.computationalPower)
    .u32(WORKLOAD_TYPES.indexOf(work.workloadType))
    .u32(WORK_STATES.indexOf(work.workState))
    .list(work.workChallenges, (writer, challenge) => writer.text(challenge))
    .secondsNanos(work.proofTimestamp)
    .finish()
}

/** `bincode(FourProofSet)`: space, stake, work, time. */
export function fourProofSetBincode(set: FourProofSet): Uint8Array {
  const { spaceProof: space, stakeProof: stake, workProof: work, timeProof: time } = set
  return new BincodeWriter()
    .u64(space.storageCommitment)
    .text(space.networkPosition)
    .bytes(space.allocationProof)
    .u64(stake.stakeAmount)
    .u64(stake.authorityLevel)
    .list(stake.accessPermissions, (writer, permission) => writer.text(permission))
    .bytes(work.computationalProof)
    .u32(work.difficultyTarget)
    .text(work.operationSignature)
    .u64(time.blockTimestamp)
    .u64(time.sequenceNumber)
    .bytes(time.temporalProof)
    .finish()
}

/** The proofs of a transaction in bincode form. */
export function transactionProofBincode(transaction: ValidationTransaction): Uint8Array {
  return transaction.kind === 'validate-certificate'
    ? consensusProofBincode(transaction.request.certificateRequest.consensusProof)
    : fourProofSetBincode(transaction.request.proofSet)
}

/** `proof_hash` of an answer: SHA-256 of the bincode form, whatever the verdict. */
export function proofHash(proofBincode: Uint8Array): Hex32 {
  return toHex(sha256Plain(proofBincode)) as Hex32
}

const MASK_64 = 2n ** 64n - 1n

function u128le(value: bigint): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(u64le(value & MASK_64), 0)
  bytes.set(u64le((value >> 64n) & MASK_64), 8)
  return bytes
}

const microseconds = (value: { readonly secs: bigint; readonly nanos: number }): bigint =>
  value.secs * 1_000_000n + BigInt(Math.floor(value.nanos / 1_000))

/**
 * The 40 bytes whose SHA-256 a time proof must carry as its `proof_hash`:
 * u128le(offset µs) ‖ u128le(timestamp µs) ‖ u64le(nonce).
 */
export function timeProofPreimage(proof: Omit<TimeProof, 'proofHash'>): Uint8Array {
  const preimage = new Uint8Array(40)
  preimage.set(u128le(microseconds(proof.networkTimeOffset)), 0)
  preimage.set(u128le(microseconds(proof.timeVerificationTimestamp)), 16)
  preimage.set(u64le(proof.nonce), 32)
  return preimage
}

/** SHA-256 of {@link timeProofPreimage}. */
export function timeProofHash(proof: Omit<TimeProof, 'proofHash'>): Uint8Array {
  return sha256Plain(timeProofPreimage(proof))
}

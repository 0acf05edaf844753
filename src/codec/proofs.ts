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
import { sha256Plain, sha256PlainHex } from './hashes.ts'

/** Where proofs are written before they are copied; nothing is called in between. */
const scratch = new Uint8Array(2_048)

/** `bincode(ConsensusProof)`: stake, time, space, work. */
export function consensusProofBincode(proof: ConsensusProof): Uint8Array {
  const { stakeProof: stake, timeProof: time, spaceProof: space, workProof: work } = proof
  return new BincodeWriter(scratch)
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
  return new BincodeWriter(scratch)
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
  return sha256PlainHex(proofBincode)
}

const microseconds = (value: { readonly secs: bigint; readonly nanos: number }): bigint =>
  value.secs * 1_000_000n + BigInt(Math.floor(value.nanos / 1_000))

/**
 * The 40 bytes whose SHA-256 a time proof must carry as its `proof_hash`:
 * u128le(offset µs) ‖ u128le(timestamp µs) ‖ u64le(nonce).
 */
export function timeProofPreimage(proof: Omit<TimeProof, 'proofHash'>): Uint8Array {
  const preimage = new Uint8Array(40)
  const numbers = new DataView(preimage.buffer)
  setU128le(numbers, 0, microseconds(proof.networkTimeOffset))
  setU128le(numbers, 16, microseconds(proof.timeVerificationTimestamp))
  numbers.setBigUint64(32, proof.nonce, true)
  return preimage
}

function setU128le(numbers: DataView, at: number, value: bigint): void {
  numbers.setBigUint64(at, BigInt.asUintN(64, value), true)
  numbers.setBigUint64(at + 8, value >> 64n, true)
}

/** SHA-256 of {@link timeProofPreimage}. */
export function timeProofHash(proof: Omit<TimeProof, 'proofHash'>): Uint8Array {
  return sha256Plain(timeProofPreimage(proof))
}

/**
 * What every attestation is bound to: the network, a recent block, the operator, the very proofs and the very request.
 * So none of the four serves for another request, network, operator or time.
 */

import { sha256Tagged, sha256TaggedHex, sha256TaggedPreimage, u32le, u64le } from '../../codec/hashes.ts'
import { fromHex } from '../../codec/hex.ts'
import { proofHash, transactionProofBincode } from '../../codec/proofs.ts'
import { encodeTransaction } from '../../codec/transaction.ts'
import { utf8ToBytes } from '../../codec/utf8.ts'
import { type Anchor, ATTESTATION_KEY, OPENINGS } from '../../types/attestation.ts'
import type { GenesisHash, Hex32, Nullifier } from '../../types/primitives.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'

/** The parts of a statement. */
export interface Statement {
  readonly genesisHash: GenesisHash
  readonly anchor: Anchor
  readonly operatorId: string
  readonly sequence: bigint
  /** `proof_hash` of the proofs without their attestation. */
  readonly proofHash: Hex32
  /** Of the canonical bytes of the request without its attestation. */
  readonly requestHash: Hex32
}

/** A request without its attestation: what the attestation is about. */
export function unattested(transaction: ValidationTransaction): ValidationTransaction {
  if (transaction.kind === 'validate-certificate') {
    const { request } = transaction
    const { validationContext } = request
    const metadata = validationContext.metadata.filter(([key]) => key !== ATTESTATION_KEY)
    return { ...transaction, request: { ...request, validationContext: { ...validationContext, metadata } } }
  }
  const { request } = transaction
  const { spaceProof, stakeProof, workProof, timeProof } = request.proofSet
  const none = new Uint8Array(0)
  return {
    ...transaction,
    request: {
      ...request,
      proofSet: {
        stakeProof,
        spaceProof: { ...spaceProof, allocationProof: none },
        workProof: { ...workProof, computationalProof: none, operationSignature: '' },
        timeProof: { ...timeProof, temporalProof: none },
      },
    },
  }
}

/** The hashes that bind a statement to a request. */
export function requestBinding(
  transaction: ValidationTransaction,
): Pick<Statement, 'proofHash' | 'requestHash'> {
  const bare = unattested(transaction)
  return {
    proofHash: proofHash(transactionProofBincode(bare)),
    requestHash: sha256TaggedHex<Hex32>('attestedRequest', encodeTransaction(bare)),
  }
}

function statementParts(statement: Statement): Uint8Array[] {
  const { genesisHash, anchor, operatorId, sequence } = statement
  return [
    fromHex(genesisHash),
    u64le(BigInt(anchor.height)),
    fromHex(anchor.hash),
    utf8ToBytes(operatorId),
    u64le(sequence),
    fromHex(statement.proofHash),
    fromHex(statement.requestHash),
  ]
}

/** The bytes that the operator's key signs, context stake-attestation. */
export function stakeStatement(statement: Statement): Uint8Array {
  return sha256TaggedPreimage('stakeAttestation', ...statementParts(statement))
}

/** The bytes whose SHA-256 is to be small, for any nonce: they end with it. */
export function workPreimage(statement: Statement, nonce: bigint): Uint8Array {
  return sha256TaggedPreimage('workAttestation', ...statementParts(statement), u64le(nonce))
}

/** The hash of work. */
export function workHash(statement: Statement, nonce: bigint): Uint8Array {
  return sha256Tagged('workAttestation', ...statementParts(statement), u64le(nonce))
}

/** Zero bits at the front: a hash has d of them exactly when it is below 2^(256 - d). */
export function leadingZeroBits(hash: Uint8Array): number {
  const first = hash.findIndex((byte) => byte !== 0)
  return first === -1 ? 8 * hash.length : 8 * first + Math.clz32(hash[first] ?? 0) - 24
}

/** Which leaves of the space are to be opened. The same one may be drawn twice. */
export function drawnLeaves(
  { genesisHash, anchor, operatorId }: Pick<Statement, 'genesisHash' | 'anchor' | 'operatorId'>,
  leaves: bigint,
): bigint[] {
  return Array.from({ length: OPENINGS }, (_, i) => {
    const drawn = sha256TaggedHex(
      'spaceIndex',
      fromHex(genesisHash),
      u64le(BigInt(anchor.height)),
      fromHex(anchor.hash),
      utf8ToBytes(operatorId),
      u32le(i),
    )
    return BigInt(`0x${drawn}`) % leaves
  })
}

/** What the work of a Valid request spends. */
export function workNullifier(genesisHash: GenesisHash, operatorId: string, nonce: bigint): Nullifier {
  return sha256TaggedHex<Nullifier>(
    'workNullifier',
    fromHex(genesisHash),
    utf8ToBytes(operatorId),
    u64le(nonce),
  )
}

/** Under which an operator's last sequence of certificate requests is kept. */
export function operatorSequenceHash(operatorId: string): Hex32 {
  return sha256TaggedHex<Hex32>('operatorSequence', utf8ToBytes(operatorId))
}

/**
 * Makes the attestation of a request: searches the work, opens the drawn leaves, signs, and puts all of it where the
 * wire has room. The rules it meets are in ledger/four-proofs/attested.ts.
 */

import { hash, randomBytes } from 'node:crypto'
import { encodeAttestation, encodeAttestationFields } from '../../codec/attestation.ts'
import {
  drawnLeaves,
  leadingZeroBits,
  requestBinding,
  type Statement,
  stakeStatement,
  workPreimage,
} from '../../ledger/attestation/statement.ts'
import { type Anchor, ATTESTATION_KEY, type Attestation, type LeafOpening } from '../../types/attestation.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'

/** Who attests, to what, and with what. */
export interface AttestationMaking {
  readonly genesisHash: GenesisHash
  readonly anchor: Anchor
  readonly operatorId: string
  /** Of a certificate request; a four-proof set has its own. Above the last one of the operator. */
  readonly sequence: bigint
  /** The policy's; a four-proof set may ask for more. */
  readonly minimumWorkBits: number
  /** Leaves of the registered space. */
  readonly leaves: bigint
  openLeaves(indices: readonly bigint[]): Promise<readonly LeafOpening[]>
  /** Context stake-attestation. */
  sign(statement: Uint8Array): Uint8Array
}

/** Searched between two turns of the event loop. */
const NONCES_PER_TURN = 50_000

/** A nonce from a random start on whose hash has as many zero bits at the front. Takes about 2^bits hashes. */
export async function findWork(statement: Statement, bits: number): Promise<bigint> {
  let nonce = randomBytes(8).readBigUInt64LE()
  const preimage = workPreimage(statement, nonce)
  const view = new DataView(preimage.buffer, preimage.byteOffset + preimage.length - 8, 8)
  for (let tried = 1; ; tried++) {
    view.setBigUint64(0, nonce, true)
    if (leadingZeroBits(hash('sha256', preimage, 'buffer')) >= bits) return nonce
    nonce = BigInt.asUintN(64, nonce + 1n)
    if (tried % NONCES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Zero bits that the work of a request must have. */
export function workBits(transaction: ValidationTransaction, minimum: number): number {
  const target =
    transaction.kind === 'validate-proofs' ? transaction.request.proofSet.workProof.difficultyTarget : 0
  return Math.max(minimum, target)
}

/** @returns the request with its attestation, an earlier one replaced */
export async function attestRequest<T extends ValidationTransaction>(
  transaction: T,
  making: AttestationMaking,
): Promise<T> {
  const { genesisHash, anchor, operatorId } = making
  const sequence =
    transaction.kind === 'validate-proofs'
      ? transaction.request.proofSet.timeProof.sequenceNumber
      : making.sequence
  const statement = { genesisHash, anchor, operatorId, sequence, ...requestBinding(transaction) }
  const workNonce = await findWork(statement, workBits(transaction, making.minimumWorkBits))
  const openings = await making.openLeaves(drawnLeaves(statement, making.leaves))
  const signature = making.sign(stakeStatement(statement))
  return withAttestation(transaction, { operatorId, anchor, sequence, signature, workNonce, openings })
}

/** Puts an attestation into a request, in place of one that is there. */
export function withAttestation<T extends ValidationTransaction>(transaction: T, attestation: Attestation): T
export function withAttestation(
  transaction: ValidationTransaction,
  attestation: Attestation,
): ValidationTransaction {
  if (transaction.kind === 'validate-certificate') {
    const { request } = transaction
    const { validationContext } = request
    const others = validationContext.metadata.filter(([key]) => key !== ATTESTATION_KEY)
    const metadata = [...others, [ATTESTATION_KEY, encodeAttestation(attestation)] as const].sort(
      ([a], [b]) => (a < b ? -1 : 1),
    )
    return { ...transaction, request: { ...request, validationContext: { ...validationContext, metadata } } }
  }
  const { request } = transaction
  const { spaceProof, stakeProof, workProof, timeProof } = request.proofSet
  const fields = encodeAttestationFields(attestation)
  return {
    ...transaction,
    request: {
      ...request,
      proofSet: {
        stakeProof,
        spaceProof: { ...spaceProof, allocationProof: fields.allocationProof },
        workProof: {
          ...workProof,
          computationalProof: fields.computationalProof,
          operationSignature: fields.operationSignature,
        },
        timeProof: { ...timeProof, temporalProof: fields.temporalProof },
      },
    },
  }
}

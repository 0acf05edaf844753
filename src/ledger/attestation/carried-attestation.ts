/** Finds the attestation in a request: each part, or what is wrong with it. Says nothing about whether it holds. */
import {
  decodeAllocationProof,
  decodeAttestation,
  decodeComputationalProof,
  decodeOperationSignature,
  decodeTemporalProof,
} from '../../codec/attestation.ts'
import { type Anchor, ATTESTATION_KEY, type Attestation, type LeafOpening } from '../../types/attestation.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'

/** One part as it was found. */
export interface CarriedPart<T> {
  /** Name of the field on the wire. */
  readonly field: string
  readonly read: Result<T>
}

export interface CarriedAttestation {
  readonly anchor: CarriedPart<Anchor>
  readonly sequence: CarriedPart<bigint>
  readonly signature: CarriedPart<Uint8Array>
  readonly workNonce: CarriedPart<bigint>
  readonly openings: CarriedPart<readonly LeafOpening[]>
  /** Who it says it is by; null where the wire has no field for that. */
  readonly operatorId: string | null
}

export function carriedAttestation(transaction: ValidationTransaction): CarriedAttestation {
  if (transaction.kind === 'validate-certificate') {
    const { metadata } = transaction.request.validationContext
    const text = metadata.find(([key]) => key === ATTESTATION_KEY)?.[1]
    const found: Result<Attestation> =
      text === undefined
        ? refuse('missing', 'is missing in validation_context.metadata')
        : named(decodeAttestation(text))
    const part = <T>(of: (attestation: Attestation) => T): CarriedPart<T> => ({
      field: ATTESTATION_KEY,
      read: found.ok ? ok(of(found.value)) : found,
    })
    return {
      anchor: part(({ anchor }) => anchor),
      sequence: part(({ sequence }) => sequence),
      signature: part(({ signature }) => signature),
      workNonce: part(({ workNonce }) => workNonce),
      openings: part(({ openings }) => openings),
      operatorId: found.ok ? found.value.operatorId : null,
    }
  }
  const { spaceProof, workProof, timeProof } = transaction.request.proofSet
  const { sequenceNumber, temporalProof } = timeProof
  return {
    anchor: { field: 'temporal_proof', read: named(decodeTemporalProof(temporalProof)) },
    sequence: { field: 'sequence_number', read: ok(sequenceNumber) },
    signature: {
      field: 'operation_signature',
      read: named(decodeOperationSignature(workProof.operationSignature)),
    },
    workNonce: {
      field: 'computational_proof',
      read: named(decodeComputationalProof(workProof.computationalProof)),
    },
    openings: { field: 'allocation_proof', read: named(decodeAllocationProof(spaceProof.allocationProof)) },
    operatorId: null,
  }
}

function named<T>(read: Result<T>): Result<T> {
  return read.ok ? read : refuse('malformed', `is no attestation: ${read.detail}`)
}

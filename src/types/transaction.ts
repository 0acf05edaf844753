/**
 * Transactions as the chain orders them. In this protocol version a transaction is a validation request
 * that a client asked the network to judge; kinds are a closed union so that new ones are compile errors
 * wherever they are not handled.
 */
import type { RequestKey, TransactionHash } from './primitives.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from './validation-request.ts'

/** A certificate request to be judged. */
export interface CertificateTransaction {
  readonly kind: 'validate-certificate'
  readonly request: CertificateValidationRequest
}

/** A four-proof set to be judged. */
export interface FourProofTransaction {
  readonly kind: 'validate-proofs'
  readonly request: FourProofValidationRequest
}

/** What a block orders. */
export type Transaction = CertificateTransaction | FourProofTransaction

/** A transaction with what is derived from its canonical bytes, computed once at the edge. */
export interface HashedTransaction {
  readonly transaction: Transaction
  readonly bytes: Uint8Array
  readonly hash: TransactionHash
  readonly requestKey: RequestKey
}

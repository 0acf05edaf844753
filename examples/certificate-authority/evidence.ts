/** When the network is believed: on a receipt that holds against what the CA trusts, of a Valid verdict, on its very request. */
import { createHash } from 'node:crypto'
import {
  type CertificateValidationRequest,
  ClientError,
  certificateRequestBytes,
  consensusProofBincode,
  type HypermeshClient,
  ok,
  type ReceiptTrust,
  type Result,
  refuse,
} from 'hypermesh-node/client'

/** What is kept beside a certificate, so that anybody can check why it was issued. */
export interface Evidence {
  /** JSON of the request, as it was sent. */
  readonly request: Uint8Array
  /** Text of the receipt; the certificate carries its SHA-256. */
  readonly receipt: Uint8Array
}

/** Why nothing is issued. */
export type EvidenceRefusal = 'invalid' | 'no-verdict' | 'no-proof'

/** Asks the network, and is content only with evidence. */
export type Confirm = (request: CertificateValidationRequest) => Promise<Result<Evidence, EvidenceRefusal>>

/**
 * Asks for a verdict, then for what proves it. The answer is one node's word and decides nothing but that asking on is of
 * use; the receipt decides, and the client checks it here, whoever gave it.
 * @param trust what the CA knows of the network by itself: its founders, or a set of validators that it checked before
 */
export function confirmByReceipt(client: HypermeshClient, trust: ReceiptTrust): Confirm {
  return async (request) => {
    const bytes = certificateRequestBytes(request)
    try {
      const { result } = await client.validateCertificate(bytes)
      if (result.kind === 'invalid') return refuse('invalid', result.reason)
      const { isValid, proven, payload } = await client.receipt(bytes, { trust })
      if (!isValid) return refuse('invalid', `the network's verdict is Invalid, though a node said Valid`)
      const { consensusProof } = request.certificateRequest
      const proofHash = createHash('sha256').update(consensusProofBincode(consensusProof)).digest('hex')
      if (proven.record.proofHash !== proofHash) {
        return refuse('no-proof', 'the verdict is on other proofs than those that were sent')
      }
      return ok({ request: bytes, receipt: payload })
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      return refuse(error.code === 'E_RECEIPT' ? 'no-proof' : 'no-verdict', textOf(error))
    }
  }
}

function textOf(error: ClientError): string {
  return error.advice.why === undefined ? error.message : `${error.message}: ${error.advice.why}`
}

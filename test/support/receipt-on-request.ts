/** A receipt that holds under the fixture's trust, of the verdict on a request that a test sends. */
import { createHash } from 'node:crypto'
import { requestKeyOf } from '../../src/client/request-key.ts'
import { consensusProofBincode } from '../../src/codec/proofs.ts'
import { decodeVerdict, encodeVerdict } from '../../src/codec/verdict.ts'
import { requestIdHash } from '../../src/ledger/request-identity.ts'
import { readJson } from '../../src/rpc/json-shape.ts'
import { certificateValidationRequest } from '../../src/rpc/trustchain-json-request.ts'
import type { Hex32 } from '../../src/types/primitives.ts'
import type { Receipt } from '../../src/types/receipt.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { receiptOf } from './receipt-fixture.ts'

/**
 * @param request JSON of a certificate request
 * @param change of the record, in place of a Valid verdict on the very request
 */
export function receiptOn(
  request: Uint8Array,
  change: (record: VerdictRecord) => VerdictRecord = (record) => record,
): Receipt {
  const read = readJson(certificateValidationRequest, request)
  const key = requestKeyOf(request)
  const executed = decodeVerdict(receiptOf({ size: 1, position: 0 }).record)
  if (!read.ok || !key.ok || !executed.ok)
    throw new Error('no certificate request, or no record to start from')
  const { requestId, certificateRequest } = read.value
  const proofs = consensusProofBincode(certificateRequest.consensusProof)
  const record: VerdictRecord = {
    ...executed.value,
    kind: 'validate-certificate',
    requestKey: key.value,
    requestIdHash: requestIdHash(requestId),
    proofHash: createHash('sha256').update(proofs).digest('hex') as Hex32,
    sequence: null,
  }
  return receiptOf({ size: 1, position: 0, records: [encodeVerdict(change(record))] })
}

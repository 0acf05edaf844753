/** The name of a request that covers all of it: id and payload. A receipt is on it and on no other. */

import { canonicalTransaction } from '../codec/transaction.ts'
import { readJson } from '../rpc/json-shape.ts'
import { certificateValidationRequest, fourProofValidationRequest } from '../rpc/trustchain-json-request.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { Transaction } from '../types/transaction.ts'
import { kindOfRequest } from './ask-network.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { readRequest } from './validate.ts'

/** Key of the request in a file. @throws CliError `E_FILE`, `E_REQUEST` (65) */
export async function requestKeyOf(file: string): Promise<RequestKey> {
  const bytes = await readRequest(file)
  const isCertificate = kindOfRequest(bytes) === 'certificate'
  const request = isCertificate
    ? readJson(certificateValidationRequest, bytes)
    : readJson(fourProofValidationRequest, bytes)
  const kind = isCertificate ? 'validate-certificate' : 'validate-proofs'
  const hashed = request.ok ? canonicalTransaction({ kind, request: request.value } as Transaction) : request
  if (hashed.ok) return hashed.value.requestKey
  throw new CliError('E_REQUEST', `${file} is no request that a node would take`, {
    why: hashed.detail,
    fix: 'give the very file that was sent',
    exitCode: EXIT.data,
  })
}

/**
 * Why a certificate was issued: what the network said, in a form that can be kept and hashed. Today that is the answers of
 * two nodes that agree; once nodes hand out receipts it is a receipt, and only {@link confirmByAgreement} is replaced.
 */
import { createHash } from 'node:crypto'
import {
  type CertificateValidationRequest,
  ClientError,
  certificateRequestBytes,
  consensusProofBincode,
  type HypermeshClient,
  ok,
  type Result,
  refuse,
  type Verdict,
} from 'hypermesh-node/client'

/** What is kept beside a certificate; the certificate carries its hash. */
export interface Evidence {
  /** Which of the two extensions names it. */
  readonly kind: 'answers' | 'receipt'
  readonly bytes: Uint8Array
}

/** Why nothing is issued. */
export type EvidenceRefusal = 'invalid' | 'no-verdict' | 'disagreement'

/** Asks the network, and is content only with evidence. */
export type Confirm = (request: CertificateValidationRequest) => Promise<Result<Evidence, EvidenceRefusal>>

/**
 * The step that a receipt brings: checks, without asking anybody, that the network gave the verdict. `trust` is what the
 * CA knows of the network for itself (its genesis hash). A `Confirm` then asks one node, checks the receipt with this, and
 * returns `{ kind: 'receipt', bytes: receiptBytes }`: the certificate embeds the SHA-256 of those bytes.
 */
export type VerifyReceipt<Trust> = (
  receiptBytes: Uint8Array,
  trust: Trust,
) => Result<{ readonly isValid: boolean; readonly proofHash: Uint8Array }>

/** Two nodes that say the same are the least: one alone could say whatever it likes. */
const NODES_MIN = 2

/**
 * Asks one node after the other, each through the client's failover, until two different ones have given the same
 * Valid verdict on the very same bytes. One Invalid, or one contradiction, and there is no evidence.
 */
export function confirmByAgreement(client: HypermeshClient): Confirm {
  return async (request) => {
    const bytes = certificateRequestBytes(request)
    const expected = createHash('sha256')
      .update(consensusProofBincode(request.certificateRequest.consensusProof))
      .digest()
    const verdicts: Verdict[] = []
    while (verdicts.length < NODES_MIN) {
      const except = verdicts.map(({ endpoint }) => endpoint)
      const verdict = await client.validateCertificate(bytes, { except }).catch((error: unknown) => {
        if (error instanceof ClientError) return error
        throw error
      })
      if (verdict instanceof ClientError) return refuse('no-verdict', textOf(verdict))
      const problem = problemWith(verdict, verdicts[0], expected)
      if (problem !== null) return problem
      verdicts.push(verdict)
    }
    const answers = verdicts.map(({ payload }) => Buffer.from(payload).toString())
    return ok({ kind: 'answers', bytes: Buffer.from(`[${answers.join(',')}]`) })
  }
}

function problemWith(
  { result, answer, endpoint }: Verdict,
  first: Verdict | undefined,
  expected: Buffer,
): Result<never, EvidenceRefusal> | null {
  if (result.kind === 'invalid') {
    if (first !== undefined)
      return refuse('disagreement', `${first.endpoint} said Valid, ${endpoint} Invalid`)
    return refuse('invalid', result.reason)
  }
  if (answer.proofHash === null || !expected.equals(answer.proofHash)) {
    return refuse('disagreement', `${endpoint} speaks of other proofs than those that were sent`)
  }
  if (first === undefined) return null
  if (answer.validatorId === first.answer.validatorId) {
    return refuse('disagreement', `${endpoint} and ${first.endpoint} are one node, ${answer.validatorId}`)
  }
  const [one, other] = [first.answer.validatedAt, answer.validatedAt]
  if (one.secs !== other.secs || one.nanos !== other.nanos) {
    return refuse('disagreement', `${endpoint} and ${first.endpoint} speak of two verdicts`)
  }
  return null
}

function textOf(error: ClientError): string {
  return error.advice.why === undefined ? error.message : `${error.message}: ${error.advice.why}`
}

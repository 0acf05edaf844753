/** Asks about many requests: by the batch route where a node has it, and one by one for whatever that leaves open. */
import { utf8ToBytes } from '../codec/utf8.ts'
import { JSON_BYTES_MAX } from '../rpc/lossless-json.ts'
import { answerJson } from '../rpc/trustchain-json-response.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from '../types/validation-request.ts'
import { type BatchPart, batchAnswer, batchBody, batchRuns, mapBounded } from './batch.ts'
import type { LoopParts } from './call-loop.ts'
import { type Answered, ClientError } from './client-error.ts'
import { passOver } from './failover.ts'
import { plainOutcome } from './outcome.ts'
import { certificateRequestBytes, fourProofRequestBytes } from './request-bytes.ts'
import { asVerdict, type CallFrame, type Verdict, verdictOn } from './verdict.ts'

/** One request of a batch; bytes are sent as they are. */
export type BatchItem =
  | { readonly certificate: CertificateValidationRequest | Uint8Array }
  | { readonly fourProof: FourProofValidationRequest | Uint8Array }

/** What became of one request of a batch. */
export type BatchResult =
  | { readonly ok: true; readonly verdict: Verdict }
  | { readonly ok: false; readonly error: ClientError }

/** Single calls of one batch at a time. */
const SINGLE_CALLS_MAX = 16

/** @returns for each request what became of it, in their order */
export async function batchResults(
  parts: LoopParts,
  items: readonly BatchItem[],
  frame: CallFrame,
): Promise<BatchResult[]> {
  const results: BatchResult[] = []
  for (const run of batchRuns(items.map(partOf))) results.push(...(await runResults(parts, run, frame)))
  return results
}

function partOf(item: BatchItem): BatchPart {
  if ('certificate' in item) {
    const request = item.certificate
    const bytes = request instanceof Uint8Array ? request : certificateRequestBytes(request)
    return { kind: 'certificate', bytes }
  }
  const request = item.fourProof
  const bytes = request instanceof Uint8Array ? request : fourProofRequestBytes(request)
  return { kind: 'four-proof', bytes }
}

async function runResults(
  parts: LoopParts,
  run: readonly BatchPart[],
  frame: CallFrame,
): Promise<BatchResult[]> {
  // A single request gains nothing.
  const answers = run.length > 1 ? await batchAnswers(parts, run, frame) : []
  return mapBounded(run, SINGLE_CALLS_MAX, async ({ kind, bytes }, i): Promise<BatchResult> => {
    const known = answers[i]
    const status = known?.answer.result.kind
    if (known !== undefined && (status === 'valid' || status === 'invalid')) {
      return { ok: true, verdict: asVerdict(known) }
    }
    try {
      const method = kind === 'certificate' ? 'validate_certificate' : 'validate_proofs'
      return { ok: true, verdict: await verdictOn(parts, method, bytes, frame) }
    } catch (error) {
      if (error instanceof ClientError) return { ok: false, error }
      throw error
    }
  })
}

/** One pass with the whole run; nothing when no node takes batches or answers one. */
async function batchAnswers(
  parts: LoopParts,
  run: readonly BatchPart[],
  frame: CallFrame,
): Promise<readonly Answered[]> {
  const without = parts.pool.all().filter(({ hasBatches }) => !hasBatches)
  const result = await passOver(parts, {
    method: 'validate_batch',
    payload: batchBody(run),
    read: (reply) => plainOutcome(reply, batchAnswer, 'a list of verdicts'),
    answerBytesMax: JSON_BYTES_MAX,
    attemptDeadlineMs: parts.attemptDeadlineMs,
    signal: frame.signal,
    endMs: frame.endMs,
    except: new Set([...frame.except, ...without.map(({ endpoint }) => endpoint)]),
    onAttempt: frame.onAttempt,
  })
  // Answers that are not one for each request cannot be told apart.
  if (result.kind !== 'done' || result.value.length !== run.length) return []
  const { endpoint } = result
  return result.value.map((answer) => ({ answer, payload: utf8ToBytes(answerJson(answer)), endpoint }))
}

/**
 * `/hypermesh/consensus/1.0.0`: one call per libp2p stream, the envelope read to the end of the caller's side and
 * answered with one envelope. Only the stream's handling is here; what a call means is in call-handler.ts.
 */
import type { Stream } from '@libp2p/interface'
import { type CallHandlerOptions, failure, handleEnvelope } from '../call-handler.ts'
import { ENVELOPE_BYTES_MAX } from '../envelope.ts'
import { JSON_BYTES_MAX } from '../lossless-json.ts'
import { readToEnd } from './read-to-end.ts'

/** Protocol id. */
export const CONSENSUS_PROTOCOL = '/hypermesh/consensus/1.0.0'

/** What is kept of a request: its JSON and the envelope around it. The rest is read and dropped. */
const KEPT_BYTES_MAX = JSON_BYTES_MAX + 64 * 1024
/** Of all requests being read at once. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024
/** For the caller to send its whole request, and for it to take the answer. */
const READ_DEADLINE_MS = 10_000
const WRITE_DEADLINE_MS = 10_000

/** The part of a libp2p connection that is looked at. */
export interface CallerConnection {
  readonly remotePeer: { toString(): string }
}

/** For `libp2p.handle(CONSENSUS_PROTOCOL, …)`. Never rejects. */
export type ConsensusStreamHandler = (stream: Stream, connection: CallerConnection) => Promise<void>

/** Why a request was not kept; a sentence for the error envelope. */
class ReadRefusal extends Error {}

/** Makes the handler; all streams that it serves share one bound on what is buffered. */
export function makeConsensusStreamHandler(options: CallHandlerOptions): ConsensusStreamHandler {
  let bufferedBytes = 0

  /** Reads to the end even when too much comes: a caller that is cut off mid-request never reads the reason. */
  const readRequest = async (stream: Stream): Promise<Uint8Array> => {
    const kept: Uint8Array[] = []
    let keptBytes = 0
    let receivedBytes = 0
    let refusal: string | null = null
    const keep = (bytes: Uint8Array): void => {
      receivedBytes += bytes.length
      if (receivedBytes > ENVELOPE_BYTES_MAX) throw new ReadRefusal(`more than ${ENVELOPE_BYTES_MAX} bytes`)
      if (receivedBytes > KEPT_BYTES_MAX) refusal ??= `more than ${KEPT_BYTES_MAX} bytes`
      if (bufferedBytes + bytes.length > BUFFERED_BYTES_MAX)
        refusal ??= 'the node is reading too many requests'
      if (refusal !== null) return
      kept.push(bytes)
      keptBytes += bytes.length
      bufferedBytes += bytes.length
    }
    try {
      await readToEnd(stream, keep, AbortSignal.timeout(READ_DEADLINE_MS))
    } finally {
      bufferedBytes -= keptBytes
    }
    if (refusal !== null) throw new ReadRefusal(refusal)
    return Buffer.concat(kept)
  }

  const answerTo = async (stream: Stream, client: string): Promise<Uint8Array> => {
    try {
      return await handleEnvelope(await readRequest(stream), options, client)
    } catch (error) {
      if (error instanceof ReadRefusal) return failure('', `Invalid request format: ${error.message}`)
      throw error
    }
  }

  return async (stream, connection) => {
    const client = `peer-${connection.remotePeer.toString()}`
    try {
      stream.send(await answerTo(stream, client))
      await stream.close({ signal: AbortSignal.timeout(WRITE_DEADLINE_MS) })
    } catch (error) {
      // The caller reset the stream, stalled, or went away: its affair, and nothing is owed.
      options.logger.debug({ client, error }, 'a consensus call ended without an answer')
      stream.abort(error instanceof Error ? error : new Error('consensus call ended'))
    }
  }
}

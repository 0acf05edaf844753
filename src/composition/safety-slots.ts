/**
 * The signed messages of a safety record, one by one, as an interchange file shows them: figures for a person and
 * for other tools, and the bytes themselves so that they can be said again (S1). A proposal is there as the prepare vote
 * that it is: what may not be signed twice is that.
 */

import { fromHex, toHex } from '../codec/hex.ts'
import { decodeMessage, encodeMessage } from '../codec/messages.ts'
import { signedVotePayload, timeoutSigningPayload } from '../codec/signing-payloads.ts'
import { payloadDigest } from '../crypto/signer.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Timeout, Vote } from '../types/messages.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'

/** What a record remembers of. */
export type RecordedMessage = Vote | Timeout

/** One signed message as the file has it. */
export interface SignedEntry {
  readonly kind: RecordedMessage['kind']
  readonly epoch: string
  readonly view: string
  readonly height?: string | undefined
  readonly block_hash?: string | undefined
  readonly high_qc_view?: string | undefined
  readonly signing_payload_digest?: string | undefined
  readonly signature?: string | undefined
  readonly message: string
}

/** The messages of a record that are there. */
export function recordedMessages(record: SafetyRecord): RecordedMessage[] {
  const { prepare, preCommit, timeout } = record
  return [prepare, preCommit, timeout].filter((message) => message !== null)
}

/** What the signature of a message is over. */
export function payloadOf(genesisHash: GenesisHash, message: RecordedMessage): Uint8Array {
  return message.kind === 'timeout'
    ? timeoutSigningPayload(genesisHash, message)
    : signedVotePayload(genesisHash, message)
}

function figuresOf(message: RecordedMessage): Omit<SignedEntry, 'kind' | 'message'> {
  if (message.kind === 'timeout') {
    const { epoch, view, highQcView } = message
    return { epoch: String(epoch), view: String(view), high_qc_view: String(highQcView) }
  }
  const { epoch, view, height, blockHash } = message
  return { epoch: String(epoch), view: String(view), height: String(height), block_hash: blockHash }
}

export function signedEntry(genesisHash: GenesisHash, message: RecordedMessage): Omit<SignedEntry, 'kind'> {
  return {
    ...figuresOf(message),
    signing_payload_digest: toHex(payloadDigest(payloadOf(genesisHash, message))),
    signature: toHex(message.signature),
    message: toHex(encodeMessage(message)),
  }
}

/** The part of a record that an entry stands for; refused when its figures, bytes and signature do not agree. */
export function signedMessage(
  genesisHash: GenesisHash,
  entry: SignedEntry,
  verify: (kind: SignedEntry['kind'], payload: Uint8Array, signature: Uint8Array) => boolean,
): Result<Partial<SafetyRecord>, 'malformed'> {
  const decoded = decodeMessage(fromHex(entry.message))
  if (!decoded.ok) return decoded
  const message = decoded.value
  if (message.kind !== entry.kind || !isRecorded(message)) {
    return refuse('malformed', `its message is a ${message.kind}`)
  }
  const said = signedEntry(genesisHash, message)
  for (const name of Object.keys(said) as (keyof typeof said)[]) {
    if (entry[name] !== undefined && entry[name] !== said[name]) {
      return refuse('malformed', `${name} is not that of its message`)
    }
  }
  if (entry.epoch !== said.epoch) return refuse('malformed', 'epoch is not that of its message')
  if (!verify(message.kind, payloadOf(genesisHash, message), message.signature)) {
    return refuse('malformed', 'its signature is not by this key on this network')
  }
  switch (message.kind) {
    case 'prepare':
      return ok({ prepare: message })
    case 'pre-commit':
      return ok({ preCommit: message })
    case 'timeout':
      return ok({ timeout: message })
  }
}

function isRecorded(message: { readonly kind: string }): message is RecordedMessage {
  return ['prepare', 'pre-commit', 'timeout'].includes(message.kind)
}

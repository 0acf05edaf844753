/**
 * The file in which a safety record travels, after EIP-3076: JSON, integers as strings, bytes as hex, one entry per
 * key. Makes and reads it and believes nothing: what it says was signed is checked against the key. No I/O.
 */

import { z } from 'zod'
import { decodeBlock } from '../codec/block.ts'
import {
  decodeQuorumCertificate,
  encodeQuorumCertificate,
  timeoutCertificateSchema,
} from '../codec/certificates.ts'
import { fromHex, toHex } from '../codec/hex.ts'
import { whyNotJson } from '../codec/json-text.ts'
import { MESSAGE_BYTES_MAX } from '../codec/limits.ts'
import { decode, encode } from '../codec/schema.ts'
import { issuesText } from '../config/issue-text.ts'
import { NodeError } from '../types/errors.ts'
import { asEpoch, asView, type GenesisHash, type ValidatorId, type View } from '../types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../types/safety.ts'
import { recordedMessages, type SignedEntry, signedEntry, signedMessage } from './safety-slots.ts'

/** The file is not one of ours, or not for this key. */
export class SafetyFileError extends NodeError {}

const FORMAT = 'hypermesh-safety'
const VERSION = '2'

/** A file longer than this is not read: some hundred unfinal blocks at their largest. */
export const SAFETY_FILE_BYTES_MAX = 256 * 1024 * 1024
const KEYS_MAX = 1_024
const BLOCKS_MAX = 1_024

/** All of one key that its record holds. */
export interface SafetyOfKey {
  readonly validatorId: ValidatorId
  /** Raw ML-DSA-65, 1,952 bytes. */
  readonly publicKey: Uint8Array
  readonly record: SafetyRecord
  /** Nothing is signed at or below this view; 0 when the record itself says all. */
  readonly refuseUpToView: View
}

const number = z.string().regex(/^\d{1,15}$/, 'expected an integer as a string')
const bytes = z.string().regex(/^(?:[0-9a-f]{2})*$/, 'expected bytes as lower-case hex')
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes as lower-case hex')
const slot = z.strictObject({
  epoch: number,
  view: number,
  height: number.optional(),
  block_hash: hash.optional(),
  high_qc_view: number.optional(),
  signing_payload_digest: hash.optional(),
  signature: bytes.optional(),
  message: bytes.optional(),
})
const certificate = z.strictObject({
  epoch: number,
  view: number,
  block_hash: hash.optional(),
  certificate: bytes,
})
const entrySchema = z.strictObject({
  validator_id: hash,
  pubkey: bytes,
  epoch: number,
  signed: z.strictObject({
    prepare: slot.optional(),
    pre_commit: slot.optional(),
    timeout: slot.optional(),
  }),
  lock: certificate.optional(),
  highest_timeout_certificate: certificate.optional(),
  blocks: z.array(bytes).max(BLOCKS_MAX).default([]),
  refuse_up_to_view: number.default('0'),
})
const headSchema = z.object({
  metadata: z.object({
    interchange_format: z.string(),
    interchange_format_version: z.string(),
    genesis_hash: z.string(),
  }),
  data: z.array(z.unknown()).max(KEYS_MAX),
})

type Entry = z.output<typeof entrySchema>

/** The file for one key, as JSON text. */
export function formatSafetyFile(genesisHash: GenesisHash, of: SafetyOfKey): string {
  const { validatorId, publicKey, record, refuseUpToView } = of
  const { highQc, highTc, blocks } = record
  const signed = Object.fromEntries(
    recordedMessages(record).map((message) => [
      message.kind === 'pre-commit' ? 'pre_commit' : message.kind,
      signedEntry(genesisHash, message),
    ]),
  )
  const metadata = {
    interchange_format: FORMAT,
    interchange_format_version: VERSION,
    genesis_hash: genesisHash,
  }
  const entry = {
    validator_id: validatorId,
    pubkey: toHex(publicKey),
    epoch: String(record.epoch),
    signed,
    ...(highQc === null || highQc.view === 0
      ? {}
      : {
          lock: {
            epoch: String(highQc.epoch),
            view: String(highQc.view),
            block_hash: highQc.blockHash,
            certificate: toHex(encodeQuorumCertificate(highQc)),
          },
        }),
    ...(highTc === null
      ? {}
      : {
          highest_timeout_certificate: {
            epoch: String(highTc.epoch),
            view: String(highTc.view),
            certificate: toHex(encode(timeoutCertificateSchema, highTc)),
          },
        }),
    blocks: blocks.map(toHex),
    refuse_up_to_view: String(refuseUpToView),
  }
  return `${JSON.stringify({ metadata, data: [entry] }, null, 2)}\n`
}

function malformed(where: string, why: string): SafetyFileError {
  return new SafetyFileError('E_SAFETY_FILE', `${where} is no safety record to import: ${why}`, {
    why: 'a record that is only half understood would let the key sign what it has signed already',
    fix: 'export it again with "hypermesh safety export" where the key was last in use',
    exitCode: 65,
  })
}

function parseHead(where: string, text: string): z.output<typeof headSchema> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw malformed(where, whyNotJson(text, error))
  }
  const head = headSchema.safeParse(json)
  if (!head.success) throw malformed(where, issuesText(head.error))
  return head.data
}

/**
 * Reads the entry of one key.
 * @param where name of the file, for messages
 * @param of whose entry is wanted; `verify` checks a signature of that key
 * @throws SafetyFileError E_SAFETY_FILE, E_SAFETY_FILE_VERSION, E_SAFETY_FILE_NETWORK, E_SAFETY_FILE_KEY
 */
export function parseSafetyFile(
  where: string,
  text: string,
  of: {
    readonly genesisHash: GenesisHash
    readonly validatorId: ValidatorId
    readonly publicKey: Uint8Array
    readonly verify: (kind: SignedEntry['kind'], payload: Uint8Array, signature: Uint8Array) => boolean
  },
): SafetyOfKey {
  const { metadata, data } = parseHead(where, text)
  const { interchange_format: format, interchange_format_version: version } = metadata
  if (format !== FORMAT) throw malformed(where, `its format is "${format}", expected "${FORMAT}"`)
  if (version !== VERSION) {
    throw new SafetyFileError('E_SAFETY_FILE_VERSION', `${where} has version ${version} of the format`, {
      why: `this program reads version ${VERSION}`,
      fix: 'import it with a version of hypermesh that reads it, as the one that exported it does',
      exitCode: 65,
    })
  }
  if (metadata.genesis_hash !== of.genesisHash) {
    throw new SafetyFileError(
      'E_SAFETY_FILE_NETWORK',
      `${where} is of the network with genesis ${metadata.genesis_hash}, this node is of ${of.genesisHash}`,
      { fix: 'import it into a data directory of its own network', exitCode: 65 },
    )
  }
  const entries = data.map((item, i) => {
    const entry = entrySchema.safeParse(item)
    if (!entry.success) throw malformed(where, `data.${i}.${issuesText(entry.error)}`)
    return entry.data
  })
  const ours = entries.filter((entry) => entry.validator_id === of.validatorId)
  if (ours.length > 1) throw malformed(where, `validator ${of.validatorId} has ${ours.length} entries`)
  const [entry] = ours
  if (entry === undefined || entry.pubkey !== toHex(of.publicKey)) {
    const whose = entries.map((other) => other.validator_id.slice(0, 16)).join(', ')
    throw new SafetyFileError(
      'E_SAFETY_FILE_KEY',
      `${where} has no record of this node's key ${of.validatorId.slice(0, 16)}… (it has: ${whose || 'none'})`,
      {
        why: 'a safety record protects only the key that it was made for',
        fix: 'import the record that was exported together with this key, or bring the key that belongs to it',
        exitCode: 77,
      },
    )
  }
  return { validatorId: of.validatorId, publicKey: of.publicKey, ...contentOf(where, entry, of) }
}

function contentOf(
  where: string,
  entry: Entry,
  of: Parameters<typeof parseSafetyFile>[2],
): Pick<SafetyOfKey, 'record' | 'refuseUpToView'> {
  const named = [
    ['prepare', entry.signed.prepare],
    ['pre-commit', entry.signed.pre_commit],
    ['timeout', entry.signed.timeout],
  ] as const
  const epoch = asEpoch(Number(entry.epoch))
  let record: SafetyRecord = { ...EMPTY_SAFETY_RECORD, epoch, ...certificatesOf(where, entry) }
  let refuseUpToView = Number(entry.refuse_up_to_view)
  for (const [kind, signed] of named) {
    if (signed === undefined) continue
    // Only a mark: the bytes cannot be said again, so nothing up to it may be signed.
    if (Number(signed.epoch) > epoch)
      throw malformed(where, `signed.${kind}: of a later epoch than the record`)
    if (signed.message === undefined) refuseUpToView = Math.max(refuseUpToView, Number(signed.view))
    else {
      const found = signedMessage(of.genesisHash, { ...signed, kind, message: signed.message }, of.verify)
      if (!found.ok) throw malformed(where, `signed.${kind}: ${found.detail}`)
      record = { ...record, ...found.value }
    }
  }
  return { record, refuseUpToView: asView(refuseUpToView) }
}

function certificatesOf(where: string, entry: Entry): Pick<SafetyRecord, 'highQc' | 'highTc' | 'blocks'> {
  const { lock, highest_timeout_certificate: highestTc, blocks } = entry
  const qc = lock === undefined ? null : decodeQuorumCertificate(fromHex(lock.certificate))
  if (qc !== null && !qc.ok) throw malformed(where, `lock: ${qc.detail}`)
  if (qc !== null && String(qc.value.view) !== lock?.view) throw malformed(where, 'lock: another view')
  const tc =
    highestTc === undefined
      ? null
      : decode(timeoutCertificateSchema, fromHex(highestTc.certificate), MESSAGE_BYTES_MAX)
  if (tc !== null && !tc.ok) throw malformed(where, `highest_timeout_certificate: ${tc.detail}`)
  if (tc !== null && String(tc.value.view) !== highestTc?.view) {
    throw malformed(where, 'highest_timeout_certificate: another view')
  }
  const decoded = blocks.map(fromHex)
  for (const [i, block] of decoded.entries()) {
    const found = decodeBlock(block)
    if (!found.ok) throw malformed(where, `blocks.${i}: ${found.detail}`)
  }
  return { highQc: qc?.value ?? null, highTc: tc?.value ?? null, blocks: decoded }
}

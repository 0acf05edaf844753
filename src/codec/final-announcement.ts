/** A final block as it is announced to those who follow: the block and the certificate that made it final. */
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { ok, type Result } from '../types/errors.ts'
import { decodeBlock } from './block.ts'
import { quorumCertificateSchema } from './certificates.ts'
import { BLOCK_BYTES_MAX, MESSAGE_BYTES_MAX } from './limits.ts'
import { bytesUpTo, decode, encode, record } from './schema.ts'

export interface FinalAnnouncement {
  readonly block: HashedBlock
  /** On the block or, when several became final together, on a descendant. */
  readonly finality: QuorumCertificate
}

const announcementSchema = record<{ block: Uint8Array; finality: QuorumCertificate }>({
  block: bytesUpTo(BLOCK_BYTES_MAX),
  finality: quorumCertificateSchema,
})

export function encodeFinalAnnouncement({ block, finality }: FinalAnnouncement): Uint8Array {
  return encode(announcementSchema, { block: block.bytes, finality })
}

export function decodeFinalAnnouncement(bytes: Uint8Array): Result<FinalAnnouncement, 'malformed'> {
  const raw = decode(announcementSchema, bytes, MESSAGE_BYTES_MAX)
  if (!raw.ok) return raw
  const block = decodeBlock(raw.value.block)
  return block.ok ? ok({ block: block.value, finality: raw.value.finality }) : block
}

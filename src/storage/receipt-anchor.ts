/**
 * Where receipts end: the newest final block with a pre-commit certificate of exactly itself. Its header names the
 * state before it, and every verdict in that state can be proven under it, old ones too, for the list only grows. So
 * one anchor is all that is kept, in one row that every batch overwrites; no receipt needs a block that was pruned.
 */
import { blockHash, headerSchema } from '../codec/block.ts'
import { decodeQuorumCertificate, quorumCertificateSchema } from '../codec/certificates.ts'
import { MESSAGE_BYTES_MAX } from '../codec/limits.ts'
import { stateBranchSchema } from '../codec/receipt.ts'
import { counter, decode, encode, nullable, record } from '../codec/schema.ts'
import type { BlockHeader } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { StateBranch } from '../types/receipt.ts'
import { put } from './block-batch.ts'
import { META } from './buckets.ts'
import type { Database, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

export interface ReceiptAnchor {
  readonly header: BlockHeader
  /** Pre-commit, of exactly this block. */
  readonly certificate: QuorumCertificate
  /** Verdicts in the state before the block. */
  readonly listSize: number
  /** Of that state. */
  readonly stateBranch: StateBranch
}

/** The certificate is null when it is that of the tip, which has a row already. */
const anchorSchema = record<Omit<ReceiptAnchor, 'certificate'> & { certificate: QuorumCertificate | null }>({
  header: headerSchema,
  certificate: nullable(quorumCertificateSchema),
  listSize: counter(),
  stateBranch: stateBranchSchema,
})

/** @param isOfTip the batch that this goes into has the anchor's certificate as that of the tip */
export function anchorOperation(anchor: ReceiptAnchor, isOfTip: boolean): WriteOperation {
  const row = isOfTip ? { ...anchor, certificate: null } : anchor
  return put(META.receiptAnchor, encode(anchorSchema, row))
}

/**
 * The anchor that was written last; null when none was, or when blocks came after it that wrote none (those of an older
 * version of this program): the next block brings another.
 * @throws StorageError E_DB_CORRUPT
 */
export function readAnchor(database: Database): ReceiptAnchor | null {
  const bytes = database.get(META.receiptAnchor)
  if (bytes === null) return null
  const damaged = (why: string) => damagedDatabase(database.path, `the anchor of receipts ${why}`)
  const row = decode(anchorSchema, bytes, MESSAGE_BYTES_MAX)
  if (!row.ok) throw damaged(`cannot be read: ${row.detail}`)
  let { certificate } = row.value
  if (certificate === null) {
    const ofTip = decodeQuorumCertificate(database.get(META.tipCertificate) ?? new Uint8Array())
    if (!ofTip.ok) throw damaged(`has no certificate: ${ofTip.detail}`)
    certificate = ofTip.value
  }
  return certificate.blockHash === blockHash(row.value.header) ? { ...row.value, certificate } : null
}

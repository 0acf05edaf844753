/** Canonical bytes of receipts. Says nothing about truth: ledger/receipt/verify-receipt.ts does. */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Hex32 } from '../types/primitives.ts'
import type { Receipt, StartBlock, StateBranch } from '../types/receipt.ts'
import { headerSchema } from './block.ts'
import { quorumCertificateSchema } from './certificates.ts'
import { validatorListSchema } from './genesis.ts'
import { FRONTIER_DEPTH } from './ledger-state.ts'
import { RECEIPT_BYTES_MAX, RECEIPT_HAND_OVERS_MAX } from './limits.ts'
import { bytesUpTo, counter, decode, encode, hexBytes, listOf, nullable, record, uint } from './schema.ts'
import { handOverSchema } from './snapshot.ts'
import { VERDICT_BYTES_MAX } from './verdict.ts'

/** Goes up with every change of the layout. */
export const RECEIPT_VERSION = 1

export const stateBranchSchema = record<StateBranch>({
  validators: hexBytes<Hex32>(32),
  nullifiersAndNotes: hexBytes<Hex32>(32),
  parametersToTrust: hexBytes<Hex32>(32),
  operatorsAndBlocks: hexBytes<Hex32>(32),
})

const receiptSchema = record<Receipt & { readonly version: number }>({
  version: uint(2),
  startEpoch: counter(),
  startBlock: nullable(record<StartBlock>({ header: headerSchema, validators: validatorListSchema })),
  handOvers: listOf(handOverSchema, RECEIPT_HAND_OVERS_MAX),
  header: headerSchema,
  certificate: quorumCertificateSchema,
  stateBranch: stateBranchSchema,
  listSize: counter(),
  position: counter(),
  path: listOf(hexBytes<Hex32>(32), FRONTIER_DEPTH),
  record: bytesUpTo(VERDICT_BYTES_MAX),
})

export function encodeReceipt(receipt: Receipt): Uint8Array {
  return encode(receiptSchema, { version: RECEIPT_VERSION, ...receipt })
}

/** Reads a receipt of this version; refuses every other, and whatever is not the one form of what it says. */
export function decodeReceipt(bytes: Uint8Array): Result<Receipt, 'malformed'> {
  const decoded = decode(receiptSchema, bytes, RECEIPT_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { version, ...receipt } = decoded.value
  return version === RECEIPT_VERSION
    ? ok(receipt)
    : refuse('malformed', `a receipt of version ${version}, this reads version ${RECEIPT_VERSION}`)
}

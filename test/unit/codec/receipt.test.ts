/** Where everything stands in a receipt's bytes, as src/ledger/README.md has it. */
import { describe, expect, it } from 'vitest'
import { encodeQuorumCertificate } from '../../../src/codec/certificates.ts'
import { toHex } from '../../../src/codec/hex.ts'
import { RECEIPT_BYTES_MAX } from '../../../src/codec/limits.ts'
import { decodeReceipt, encodeReceipt } from '../../../src/codec/receipt.ts'
import { encodeHandOver } from '../../../src/codec/snapshot.ts'
import { receiptOf } from '../../support/receipt-fixture.ts'

const RECEIPT = receiptOf({ isChanged: true })
const BYTES = encodeReceipt(RECEIPT)
const view = new DataView(BYTES.buffer, BYTES.byteOffset)
const u32 = (at: number): number => view.getUint32(at, true)
const u64 = (at: number): number => Number(view.getBigUint64(at, true))
const hex = (from: number, to: number): string => toHex(BYTES.slice(from, to))

describe('the bytes of a receipt', () => {
  it('have every field at its offset', () => {
    const { header, stateBranch, certificate, path, record } = RECEIPT
    expect([view.getUint16(0, true), u64(2)]).toEqual([1, 0])
    expect(hex(18, 50)).toBe(header.genesisHash)
    expect(hex(18 + 282, 18 + 314)).toBe(header.parentStateRoot)
    expect(hex(368, 400)).toBe(stateBranch.validators)
    expect(hex(400, 432)).toBe(stateBranch.nullifiersAndNotes)
    expect(hex(432, 464)).toBe(stateBranch.parametersToTrust)
    expect(hex(464, 496)).toBe(stateBranch.operatorsAndBlocks)
    expect([u64(496), u64(504)]).toEqual([5, 2])
    const [startBlock, handOvers, ofCertificate, ofPath, ofRecord] = [10, 14, 364, 512, 516].map(u32)
    expect(startBlock).toBe(520)
    // No start block; then the list of one hand-over, with an offset of its own.
    expect(handOvers).toBe(520)
    expect(hex(520 + 4, ofCertificate ?? 0)).toBe(
      RECEIPT.handOvers.map((proof) => toHex(encodeHandOver(proof)))[0],
    )
    expect(hex(ofCertificate ?? 0, ofPath ?? 0)).toBe(toHex(encodeQuorumCertificate(certificate)))
    expect(hex(ofPath ?? 0, ofRecord ?? 0)).toBe(path.join(''))
    expect(hex(ofRecord ?? 0, BYTES.length)).toBe(toHex(record))
  })

  it('of another version or longer than a receipt may be are refused', () => {
    const next = Uint8Array.from(BYTES)
    next[0] = 2
    expect(decodeReceipt(next)).toMatchObject({
      ok: false,
      detail: 'a receipt of version 2, this reads version 1',
    })
    expect(decodeReceipt(new Uint8Array(RECEIPT_BYTES_MAX + 1))).toMatchObject({
      ok: false,
      detail: `${RECEIPT_BYTES_MAX + 1} bytes, the limit is ${RECEIPT_BYTES_MAX}`,
    })
  })
})

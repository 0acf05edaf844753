/** The commitment to a block's proofs, against Node's own SHA-384 over the documented layout. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { transactionProofBincode } from '../../../src/codec/proofs.ts'
import { proofCommitment, type TransactionProof } from '../../../src/ledger/proof-commitment.ts'
import { built, certificateTransaction, fourProofTransaction, genesisParent } from './fixtures.ts'

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const tag = Buffer.from('hypermesh/proof-commitment/v1')

function expected(parts: readonly Buffer[]): string {
  const hash = createHash('sha384').update(Buffer.of(tag.length)).update(tag).update(u32(parts.length))
  for (const part of parts) hash.update(u32(part.length)).update(part)
  return hash.digest('hex')
}

describe('a proof commitment', () => {
  const certificate = certificateTransaction().transaction
  const set = fourProofTransaction().transaction

  it('covers the count, and kind and bincode of every proof, in order', () => {
    const { header } = built([certificateTransaction(), fourProofTransaction()], genesisParent().parent).block
    expect(header.proofCommitment).toBe(
      expected([
        Buffer.concat([Buffer.of(0), transactionProofBincode(certificate)]),
        Buffer.concat([Buffer.of(1), transactionProofBincode(set)]),
      ]),
    )
    expect(genesisParent().state.block.header.proofCommitment).toBe(expected([]))
  })

  it('tells kinds and cuts apart', () => {
    const proof = (kind: TransactionProof['kind'], ...bytes: number[]): TransactionProof => ({
      kind,
      proofBytes: Uint8Array.from(bytes),
    })
    const commitments = [
      proofCommitment([proof('validate-certificate', 1, 0, 2)]),
      proofCommitment([proof('validate-proofs', 1, 0, 2)]),
      proofCommitment([proof('validate-certificate', 1), proof('validate-certificate', 2)]),
      proofCommitment([proof('validate-certificate', 1, 2)]),
    ]
    expect(new Set(commitments).size).toBe(commitments.length)
  })
})

/** The header's layout byte by byte, as src/ledger/README.md tells it, and what the block's hash covers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  BLOCK_OVERHEAD_BYTES,
  blockHash,
  decodeBlock,
  hashBlock,
  headerSchema,
  transactionBytesInBlock,
  transactionsRoot,
} from '../../../src/codec/block.ts'
import { toHex } from '../../../src/codec/hex.ts'
import { encode } from '../../../src/codec/schema.ts'
import type { BlockHeader } from '../../../src/types/block.ts'
import { built, fourProofTransaction, genesisParent, numberedTransaction } from '../ledger/fixtures.ts'

const readme = readFileSync(join(import.meta.dirname, '../../../src/ledger/README.md'), 'utf8')
// Other layouts are told further down.
const [section = ''] = readme.split('\n## Hashes\n')
const rows = [...section.matchAll(/^\| *(\d+) \| *(\d+) \| `([\w.]+)` *\|/gm)].map(
  ([, offset, size, field]) => ({
    offset: Number(offset),
    size: Number(size),
    field: field as string,
  }),
)

const hashOf = (byte: number, length = 32): string => byte.toString(16).padStart(2, '0').repeat(length)
const header = {
  genesisHash: hashOf(1),
  epoch: 2,
  view: 3,
  height: 4,
  parentHash: hashOf(5),
  justify: { view: 6, blockHash: hashOf(7) },
  timestamp: 1_760_000_000_123,
  proposer: 0x0908,
  transactionsRoot: hashOf(10),
  proofCommitment: hashOf(11, 48),
  noteCommitmentRoot: hashOf(12),
  nullifierRoot: hashOf(13),
  parentStateRoot: hashOf(14),
  validatorSetRoot: hashOf(15),
} as unknown as BlockHeader

function littleEndian(value: number, size: number): string {
  const bytes = new Uint8Array(size)
  for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  return toHex(bytes)
}

describe('a header', () => {
  const bytes = encode(headerSchema, header)

  it('has the layout that is documented, without a gap', () => {
    expect(rows).toHaveLength(15)
    let end = 0
    for (const { offset, size, field } of rows) {
      expect(offset).toBe(end)
      end = offset + size
      const value = field
        .split('.')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], header)
      const expected = typeof value === 'number' ? littleEndian(value, size) : value
      expect(toHex(bytes.subarray(offset, end)), field).toBe(expected)
    }
    expect(bytes.length).toBe(end)
    expect(readme).toContain(`${end} bytes`)
  })

  it('gives another hash when any byte differs', () => {
    const hashes = new Set([blockHash(header)])
    for (const { offset } of rows) {
      const changed = Uint8Array.from(bytes)
      changed[offset] = (changed[offset] ?? 0) ^ 1
      hashes.add(blockHash(headerSchema.fromRaw(headerSchema.ssz.deserialize(changed))))
    }
    expect(hashes.size).toBe(rows.length + 1)
  })
})

describe('a block', () => {
  const { block } = built([numberedTransaction(1), fourProofTransaction()], genesisParent().parent)

  it('is as long as its parts', () => {
    const parts = block.transactions.map(({ bytes }) => transactionBytesInBlock(bytes.length))
    expect(block.bytes.length).toBe(parts.reduce((sum, part) => sum + part, BLOCK_OVERHEAD_BYTES))
  })

  it('is read back whole, with every hash computed anew', () => {
    expect(decodeBlock(block.bytes)).toEqual({ ok: true, value: block })
  })

  it('does not keep the whole block with a transaction that was not read before', () => {
    const fresh = built(
      [1, 2].map((n) => numberedTransaction(770_000 + n)),
      genesisParent().parent,
    )
    // As they come from a socket: a slice of a Buffer is no copy.
    const read = decodeBlock(Buffer.from(fresh.block.bytes))
    const transactions = read.ok ? read.value.transactions : []
    expect(transactions).toHaveLength(2)
    for (const { bytes } of transactions) expect(bytes.buffer.byteLength).toBe(bytes.length)
  })

  it('has a hash that covers its transactions through their root, in their order', () => {
    const reversed = block.transactions.toReversed()
    expect(transactionsRoot(reversed)).not.toBe(transactionsRoot(block.transactions))
    expect(transactionsRoot([])).not.toBe(transactionsRoot(block.transactions))
    expect(hashBlock({ header: block.header, transactions: reversed }).hash).toBe(block.hash)
  })

  it.each([
    ['in another order', block.transactions.toReversed()],
    ['without one of them', block.transactions.slice(1)],
    ['without any', []],
  ])('is not read with its transactions %s: its hash would name two blocks', (_, transactions) => {
    const other = hashBlock({ header: block.header, transactions })
    expect(other.hash).toBe(block.hash)
    expect(decodeBlock(other.bytes)).toMatchObject({ ok: false, code: 'malformed' })
  })

  it('with a broken transaction is not read', () => {
    const broken = Uint8Array.from(block.bytes)
    broken[BLOCK_OVERHEAD_BYTES + 8] = 9
    expect(decodeBlock(broken)).toMatchObject({ ok: false, code: 'malformed' })
  })
})

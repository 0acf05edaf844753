/** Salts of ballots: the same for the same slot for ever, and nobody else's (T4, T12). */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { sha256Tagged, sha256TaggedPreimage, u32le, u64le } from '../../../src/codec/hashes.ts'
import { fromHex } from '../../../src/codec/hex.ts'
import { ballotSalts } from '../../../src/crypto/ballot-salt.ts'
import type { BallotSlot } from '../../../src/types/ballots.ts'
import { asHeight, type BlockHash, type GenesisHash } from '../../../src/types/primitives.ts'

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const network = 'aa'.repeat(32) as GenesisHash
const slot: BallotSlot = { height: asHeight(7), blockHash: 'bb'.repeat(32) as BlockHash, round: 0 }

describe('a salt', () => {
  it('is an HMAC over the slot, under a key from the seed for this network', () => {
    const key = sha256Tagged('ballotSaltKey', seed(1), fromHex(network))
    const message = sha256TaggedPreimage('ballotSalt', u64le(7n), fromHex(slot.blockHash), u32le(0))
    const expected = createHmac('sha256', key).update(message).digest('hex')
    expect(ballotSalts(seed(1), network)(slot)).toBe(expected)
    expect(ballotSalts(seed(1), network)({ ...slot })).toBe(expected)
  })

  it('is another for anything that differs, and never the seed', () => {
    const salts = [
      ballotSalts(seed(1), network)(slot),
      ballotSalts(seed(2), network)(slot),
      ballotSalts(seed(1), 'ab'.repeat(32) as GenesisHash)(slot),
      ballotSalts(seed(1), network)({ ...slot, height: asHeight(8) }),
      ballotSalts(seed(1), network)({ ...slot, round: 1 }),
      ballotSalts(seed(1), network)({ ...slot, blockHash: 'bc'.repeat(32) as BlockHash }),
    ]
    expect(new Set(salts).size).toBe(salts.length)
    for (const salt of salts) expect(salt).toMatch(/^[0-9a-f]{64}$/)
    expect(salts).not.toContain(Buffer.from(seed(1)).toString('hex'))
  })
})

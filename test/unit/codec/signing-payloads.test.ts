/** The bytes under signatures: their documented lengths, and network and epoch inside every one. */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/codec/hex.ts'
import {
  commitSigningPayload,
  preCommitSigningPayload,
  preparePayloadStart,
  prepareSigningPayload,
  timeoutSigningPayload,
} from '../../../src/codec/signing-payloads.ts'
import {
  asEpoch,
  asHeight,
  asView,
  type BlockHash,
  type GenesisHash,
  type Hex32,
  type StateRoot,
} from '../../../src/types/primitives.ts'

const genesis = 'a1'.repeat(32) as GenesisHash
const of = {
  epoch: asEpoch(1),
  view: asView(2),
  height: asHeight(3),
  blockHash: 'b2'.repeat(32) as BlockHash,
  stateRoot: 'c3'.repeat(32) as StateRoot,
  highQcView: asView(4),
}
const commits = 'd4'.repeat(32) as Hex32
const counter = (n: number): string => `0${n}${'00'.repeat(7)}`

describe('a signing payload', () => {
  it.each([
    [
      'pre-commit vote',
      preCommitSigningPayload,
      88,
      [genesis, counter(1), counter(2), counter(3), of.blockHash],
    ],
    [
      'prepare vote with commits',
      (network: GenesisHash, vote: typeof of) => prepareSigningPayload(network, vote, commits),
      120,
      [genesis, counter(1), counter(2), counter(3), of.blockHash, commits],
    ],
    [
      'prepare vote without',
      (network: GenesisHash, vote: typeof of) => prepareSigningPayload(network, vote, null),
      120,
      [genesis, counter(1), counter(2), counter(3), of.blockHash, '00'.repeat(32)],
    ],
    [
      'commit',
      commitSigningPayload,
      120,
      [genesis, counter(1), counter(2), counter(3), of.blockHash, of.stateRoot],
    ],
    ['timeout', timeoutSigningPayload, 56, [genesis, counter(1), counter(2), counter(4)]],
  ] as const)('of a %s', (_, payload, length, parts) => {
    const bytes = payload(genesis, of)
    expect(bytes.length).toBe(length)
    expect(toHex(bytes)).toBe(parts.join(''))
  })

  it('of a prepare vote begins the same whatever it commits to', () => {
    const start = preparePayloadStart(genesis, of)
    for (const said of [commits, null]) {
      expect(prepareSigningPayload(genesis, of, said).subarray(0, start.length)).toEqual(start)
    }
  })
})

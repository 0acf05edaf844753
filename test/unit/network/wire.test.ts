import { describe, expect, it } from 'vitest'
import {
  BLOCK_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  TRANSACTION_BYTES_MAX,
  VALIDATORS_MAX,
} from '../../../src/codec/limits.ts'
import {
  type BlocksAnswer,
  type BlocksRequest,
  decodeBlocksAnswer,
  decodeBlocksRequest,
  encodeBlocksAnswer,
  encodeBlocksRequest,
} from '../../../src/network/block-fetch-codec.ts'
import { messageId } from '../../../src/network/gossip-parameters.ts'
import {
  BLOCKS_ANSWER_BYTES_MAX,
  CERTIFICATE_BYTES_MAX,
  PROTOCOL_LIMITS,
  RANGE_BLOCKS_MAX,
  RANGE_BYTES_MAX,
  TOPIC_LIMITS,
  wireNames,
} from '../../../src/network/topics.ts'
import { asHeight, type BlockHash, type GenesisHash } from '../../../src/types/primitives.ts'

describe('the names on the wire', () => {
  const names = wireNames(`0123456789abcdef${'00'.repeat(24)}` as GenesisHash)
  it('carry the network and a version', () => {
    expect(names.consensusChannel).toBe('/hypermesh/0123456789abcdef/consensus-channel/2')
    expect(names.blocks).toBe('/hypermesh/0123456789abcdef/blocks/1')
    expect(names.validation).toBe('/hypermesh/consensus/1.0.0')
    expect(names.topics.transactions).toBe('/hypermesh/0123456789abcdef/transactions/1')
  })

  it('are all different, within a network and between two', () => {
    const other = wireNames('ff'.repeat(32) as GenesisHash)
    const flat = (from: typeof names): string[] => [
      from.consensusChannel,
      from.blocks,
      from.identities,
      from.kademlia,
      ...Object.values(from.topics),
    ]
    expect(new Set(flat(names)).size + new Set(flat(other)).size).toBe(
      new Set([...flat(names), ...flat(other)]).size,
    )
  })

  it('bound what the codecs allow', () => {
    expect(PROTOCOL_LIMITS.consensusChannel.frameBytesMax).toBe(MESSAGE_BYTES_MAX)
    expect(TOPIC_LIMITS.transactions.messageBytesMax).toBeGreaterThan(TRANSACTION_BYTES_MAX)
    expect(CERTIFICATE_BYTES_MAX).toBeGreaterThan(VALIDATORS_MAX * 3_309)
    expect(RANGE_BYTES_MAX).toBeGreaterThanOrEqual(BLOCK_BYTES_MAX)
  })
})

describe('message ids', () => {
  it('depend on topic and data, and not on where one ends', () => {
    const id = (topic: string, data: string): string =>
      Buffer.from(messageId(topic, Buffer.from(data))).toString('hex')
    const ids = [id('a', 'bc'), id('ab', 'c'), id('a', 'bd'), id('', 'abc')]
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids[0]).toHaveLength(32)
    expect(id('a', 'bc')).toBe(ids[0])
  })
})

const HASH = 'cd'.repeat(32) as BlockHash

describe('block requests', () => {
  it.each<BlocksRequest>([
    { kind: 'block', hash: HASH },
    { kind: 'range', fromHeight: asHeight(5), countMax: 1, bytesMax: 1 },
    { kind: 'range', fromHeight: asHeight(2 ** 40), countMax: RANGE_BLOCKS_MAX, bytesMax: RANGE_BYTES_MAX },
    { kind: 'status', knownHeight: asHeight(0) },
  ])('$kind comes back as it was', (request) => {
    const bytes = encodeBlocksRequest(request)
    expect(bytes.byteLength).toBeLessThanOrEqual(PROTOCOL_LIMITS.blocks.frameBytesMax)
    expect(decodeBlocksRequest(bytes)).toEqual({ ok: true, value: request })
  })

  it.each([
    { countMax: 0, bytesMax: 1 },
    { countMax: RANGE_BLOCKS_MAX + 1, bytesMax: 1 },
    { countMax: 1, bytesMax: 0 },
  ])('a range of $countMax blocks and $bytesMax bytes is refused', (bounds) => {
    const bytes = encodeBlocksRequest({ kind: 'range', fromHeight: asHeight(1), ...bounds })
    expect(decodeBlocksRequest(bytes)).toMatchObject({ ok: false, code: 'malformed' })
  })
})

describe('block answers', () => {
  it.each<BlocksAnswer>([
    { kind: 'block', block: Uint8Array.of(1, 2, 3) },
    { kind: 'range', blocks: [Uint8Array.of(1), Uint8Array.of(2, 2)], certificate: Uint8Array.of(9) },
    { kind: 'range', blocks: [Uint8Array.of(1)], certificate: null },
    { kind: 'status', finalHeight: asHeight(7), lowestHeight: asHeight(2), certificate: null },
    { kind: 'refused', code: 'busy' },
    { kind: 'refused', code: 'pruned' },
  ])('$kind comes back as it was', (answer) => {
    expect(decodeBlocksAnswer(encodeBlocksAnswer(answer))).toEqual({ ok: true, value: answer })
  })

  it('of the largest kind is within the bound', () => {
    const block = new Uint8Array(RANGE_BYTES_MAX / RANGE_BLOCKS_MAX)
    const answer: BlocksAnswer = {
      kind: 'range',
      blocks: Array.from({ length: RANGE_BLOCKS_MAX }, () => block),
      certificate: new Uint8Array(CERTIFICATE_BYTES_MAX),
    }
    const bytes = encodeBlocksAnswer(answer)
    expect(bytes.byteLength).toBeLessThanOrEqual(BLOCKS_ANSWER_BYTES_MAX)
    expect(decodeBlocksAnswer(bytes).ok).toBe(true)
  })
})

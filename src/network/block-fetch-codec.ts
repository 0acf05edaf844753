/**
 * Requests and answers of the block protocol as canonical bytes. Blocks and certificates travel as they are:
 * whether they are what was asked for, and true, is the asker's to check.
 */

import { BLOCK_BYTES_MAX } from '../codec/limits.ts'
import {
  bytesUpTo,
  counter,
  decode,
  encode,
  hexBytes,
  listOf,
  nullable,
  oneOf,
  record,
  type Schema,
  tagged,
  uint,
  variants,
} from '../codec/schema.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { BlockHash, Height } from '../types/primitives.ts'
import {
  BLOCKS_ANSWER_BYTES_MAX,
  CERTIFICATE_BYTES_MAX,
  PROTOCOL_LIMITS,
  RANGE_BLOCKS_MAX,
} from './topics.ts'

/** Asks for one block, final or not. */
export interface BlockRequest {
  readonly kind: 'block'
  readonly hash: BlockHash
}

/** Asks for final blocks from a height upwards. */
export interface RangeRequest {
  readonly kind: 'range'
  readonly fromHeight: Height
  /** 1 to `RANGE_BLOCKS_MAX`. */
  readonly countMax: number
  /** Block bytes; a first block that is larger is sent all the same. */
  readonly bytesMax: number
}

/** Asks how far the other side is. */
export interface StatusRequest {
  readonly kind: 'status'
  /** The asker's own final height; the certificate is left out when there is nothing above it. */
  readonly knownHeight: Height
}

export type BlocksRequest = BlockRequest | RangeRequest | StatusRequest

export interface BlockAnswer {
  readonly kind: 'block'
  /** Canonical bytes. */
  readonly block: Uint8Array
}

export interface RangeAnswer {
  readonly kind: 'range'
  /** Canonical bytes in order of height, without gaps. */
  readonly blocks: readonly Uint8Array[]
  /** Encoded pre-commit certificate of the last block, or of one that makes it final; null for no blocks. */
  readonly certificate: Uint8Array | null
}

export interface StatusAnswer {
  readonly kind: 'status'
  /** A claim; what counts is the certificate. */
  readonly finalHeight: Height
  /** From here on every block is kept; below, ranges are refused as pruned. */
  readonly lowestHeight: Height
  /** Encoded pre-commit certificate of the highest final block; null at genesis, or when not above `knownHeight`. */
  readonly certificate: Uint8Array | null
}

/** Why there is no answer. */
export interface RefusalAnswer {
  readonly kind: 'refused'
  readonly code: 'not-found' | 'busy' | 'malformed' | 'pruned'
}

export type BlocksAnswer = BlockAnswer | RangeAnswer | StatusAnswer | RefusalAnswer

const requestSchema: Schema<BlocksRequest> = variants<BlocksRequest>([
  {
    kinds: ['block'],
    schema: tagged<BlockRequest>('block', record({ hash: hexBytes<BlockHash>(32) })) as Schema<BlocksRequest>,
  },
  {
    kinds: ['range'],
    schema: tagged<RangeRequest>(
      'range',
      record({ fromHeight: counter<Height>(), countMax: uint(4), bytesMax: uint(4) }),
    ) as Schema<BlocksRequest>,
  },
  {
    kinds: ['status'],
    schema: tagged<StatusRequest>(
      'status',
      record({ knownHeight: counter<Height>() }),
    ) as Schema<BlocksRequest>,
  },
])

const certificate = nullable(bytesUpTo(CERTIFICATE_BYTES_MAX))

const answerSchema: Schema<BlocksAnswer> = variants<BlocksAnswer>([
  {
    kinds: ['block'],
    schema: tagged<BlockAnswer>(
      'block',
      record({ block: bytesUpTo(BLOCK_BYTES_MAX) }),
    ) as Schema<BlocksAnswer>,
  },
  {
    kinds: ['range'],
    schema: tagged<RangeAnswer>(
      'range',
      record({ blocks: listOf(bytesUpTo(BLOCK_BYTES_MAX), RANGE_BLOCKS_MAX), certificate }),
    ) as Schema<BlocksAnswer>,
  },
  {
    kinds: ['status'],
    schema: tagged<StatusAnswer>(
      'status',
      record({ finalHeight: counter<Height>(), lowestHeight: counter<Height>(), certificate }),
    ) as Schema<BlocksAnswer>,
  },
  {
    kinds: ['refused'],
    schema: tagged<RefusalAnswer>(
      'refused',
      record({ code: oneOf(['not-found', 'busy', 'malformed', 'pruned']) }),
    ) as Schema<BlocksAnswer>,
  },
])

export function encodeBlocksRequest(request: BlocksRequest): Uint8Array {
  return encode(requestSchema, request)
}

/** Reads a request and its bounds. */
export function decodeBlocksRequest(bytes: Uint8Array): Result<BlocksRequest, 'malformed'> {
  const request = decode(requestSchema, bytes, PROTOCOL_LIMITS.blocks.frameBytesMax)
  if (!request.ok || request.value.kind !== 'range') return request
  const { countMax, bytesMax } = request.value
  return countMax >= 1 && countMax <= RANGE_BLOCKS_MAX && bytesMax >= 1
    ? ok(request.value)
    : refuse('malformed', `a range of ${countMax} blocks and ${bytesMax} bytes`)
}

export function encodeBlocksAnswer(answer: BlocksAnswer): Uint8Array {
  return encode(answerSchema, answer)
}

/** Reads an answer; says nothing about its truth. */
export function decodeBlocksAnswer(bytes: Uint8Array): Result<BlocksAnswer, 'malformed'> {
  return decode(answerSchema, bytes, BLOCKS_ANSWER_BYTES_MAX)
}

/** Canonical bytes of consensus messages: one selector byte, then the message. */
import type { Result } from '../types/errors.ts'
import type {
  CertificateBundle,
  CertificateRequestMessage,
  CommitVote,
  ConsensusMessage,
  Openings,
  Proposal,
  Timeout,
  Vote,
} from '../types/messages.ts'
import type { BlockHash, StateRoot } from '../types/primitives.ts'
import { type BallotVote, ballotVotesSchema, besideBlock, wholeVotes } from './ballot-votes.ts'
import { ballotsSchema, commitsSchema, openingsSchema } from './ballots.ts'
import { certificateReferenceSchema, decodeBlock } from './block.ts'
import { quorumCertificateSchema, signatureSchema, timeoutCertificateSchema } from './certificates.ts'
import { BLOCK_BYTES_MAX, MESSAGE_BYTES_MAX } from './limits.ts'
import {
  bytesUpTo,
  counter,
  DecodeError,
  decode,
  encode,
  hexBytes,
  index,
  nullable,
  record,
  type Schema,
  tagged,
  variants,
} from './schema.ts'

function voteOf(kind: Vote['kind']): Schema<Vote> {
  return tagged<Vote>(
    kind,
    record<Omit<Vote, 'kind'>>({
      epoch: counter(),
      view: counter(),
      height: counter(),
      blockHash: hexBytes<BlockHash>(32),
      voter: index(),
      signature: signatureSchema,
      ballots: ballotsSchema,
    }),
  )
}

export const prepareVoteSchema = voteOf('prepare')
export const preCommitVoteSchema = voteOf('pre-commit')

const rawProposal = record<{
  block: Uint8Array
  timeoutCertificate: Proposal['timeoutCertificate']
  ballotVotes: readonly BallotVote[]
  signature: Uint8Array
  commits: Proposal['commits']
}>({
  block: bytesUpTo(BLOCK_BYTES_MAX),
  timeoutCertificate: nullable(timeoutCertificateSchema),
  ballotVotes: ballotVotesSchema,
  signature: signatureSchema,
  commits: commitsSchema,
})

/** The block travels as its own bytes, so that they are kept for storage and hashed once. */
export const proposalSchema: Schema<Proposal> = {
  ssz: rawProposal.ssz,
  toRaw: (value) =>
    rawProposal.toRaw({
      block: value.block.bytes,
      timeoutCertificate: value.timeoutCertificate,
      ballotVotes: besideBlock(value.ballotVotes, value.block),
      signature: value.signature,
      commits: value.commits,
    }),
  fromRaw: (raw) => {
    const { block: bytes, timeoutCertificate, signature, commits, ...raws } = rawProposal.fromRaw(raw)
    const block = decodeBlock(bytes)
    if (!block.ok) throw new DecodeError(`block: ${block.detail}`)
    const ballotVotes = wholeVotes(raws.ballotVotes, block.value)
    return { kind: 'proposal', block: block.value, timeoutCertificate, ballotVotes, signature, commits }
  },
}

const commitVoteSchema = tagged<CommitVote>(
  'commit',
  record<Omit<CommitVote, 'kind'>>({
    epoch: counter(),
    view: counter(),
    height: counter(),
    blockHash: hexBytes<BlockHash>(32),
    stateRoot: hexBytes<StateRoot>(32),
    voter: index(),
    signature: signatureSchema,
  }),
)

export const timeoutSchema = tagged<Timeout>(
  'timeout',
  record<Omit<Timeout, 'kind'>>({
    epoch: counter(),
    view: counter(),
    highQcView: counter(),
    voter: index(),
    signature: signatureSchema,
    highQc: certificateReferenceSchema,
    final: record({ height: counter(), blockHash: hexBytes<BlockHash>(32) }),
  }),
)

const certificateBundleSchema = tagged<CertificateBundle>(
  'certificates',
  record<Omit<CertificateBundle, 'kind'>>({
    highQc: nullable(quorumCertificateSchema),
    highTc: nullable(timeoutCertificateSchema),
    finality: nullable(quorumCertificateSchema),
  }),
)

const certificateRequestSchema = tagged<CertificateRequestMessage>(
  'certificate-request',
  record<Omit<CertificateRequestMessage, 'kind'>>({ view: counter() }),
)

const openingsMessageSchema = tagged<Openings>(
  'openings',
  record<Omit<Openings, 'kind'>>({ epoch: counter(), voter: index(), openings: openingsSchema }),
)

const messageSchema = variants<ConsensusMessage>([
  { kinds: ['proposal'], schema: proposalSchema as Schema<ConsensusMessage> },
  { kinds: ['prepare'], schema: prepareVoteSchema as Schema<ConsensusMessage> },
  { kinds: ['pre-commit'], schema: preCommitVoteSchema as Schema<ConsensusMessage> },
  { kinds: ['commit'], schema: commitVoteSchema as Schema<ConsensusMessage> },
  { kinds: ['timeout'], schema: timeoutSchema as Schema<ConsensusMessage> },
  { kinds: ['certificates'], schema: certificateBundleSchema as Schema<ConsensusMessage> },
  { kinds: ['certificate-request'], schema: certificateRequestSchema as Schema<ConsensusMessage> },
  { kinds: ['openings'], schema: openingsMessageSchema as Schema<ConsensusMessage> },
])

/** Canonical bytes of a consensus message. */
export function encodeMessage(message: ConsensusMessage): Uint8Array {
  return encode(messageSchema, message)
}

/** Reads a consensus message. What its parts say about each other is for whoever verifies it. */
export function decodeMessage(bytes: Uint8Array): Result<ConsensusMessage, 'malformed'> {
  return decode(messageSchema, bytes, MESSAGE_BYTES_MAX)
}

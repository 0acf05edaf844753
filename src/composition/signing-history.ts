/** What the signer must know of the past, from the safety record: its second line of defence starts where it stopped. */

import { decodeMessage } from '../codec/messages.ts'
import {
  proposalSigningPayload,
  signedVotePayload,
  timeoutSigningPayload,
} from '../codec/signing-payloads.ts'
import { payloadDigest, type SignedSlot, type SigningHistory } from '../crypto/signer.ts'
import { assert } from '../types/assert.ts'
import type { Vote } from '../types/messages.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'

export function signingHistoryOf(recovered: SafetyRecord, genesisHash: GenesisHash): SigningHistory {
  const { proposal, prepare, preCommit, timeout } = recovered
  const voteSlot = (vote: Vote): SignedSlot => ({
    epoch: vote.epoch,
    position: vote.view,
    payloadDigest: payloadDigest(signedVotePayload(genesisHash, vote)),
    signature: vote.signature,
  })
  return {
    ...(proposal === null ? {} : { proposal: proposalSlot(proposal.bytes, genesisHash) }),
    ...(prepare === null ? {} : { prepare: voteSlot(prepare) }),
    ...(preCommit === null ? {} : { 'pre-commit': voteSlot(preCommit) }),
    ...(timeout === null
      ? {}
      : {
          timeout: {
            epoch: timeout.epoch,
            position: timeout.view,
            payloadDigest: payloadDigest(timeoutSigningPayload(genesisHash, timeout)),
            signature: timeout.signature,
          },
        }),
  }
}

function proposalSlot(bytes: Uint8Array, genesisHash: GenesisHash): SignedSlot {
  const message = decodeMessage(bytes)
  assert(message.ok && message.value.kind === 'proposal', 'the recorded proposal decodes')
  const { block, signature } = message.value
  const { epoch, view } = block.header
  return {
    epoch,
    position: view,
    payloadDigest: payloadDigest(proposalSigningPayload(genesisHash, { epoch, view, blockHash: block.hash })),
    signature,
  }
}

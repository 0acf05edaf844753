/** What the signer must know of the past, from the safety record: its second line of defence starts where it stopped. */

import { signedVotePayload, timeoutSigningPayload } from '../codec/signing-payloads.ts'
import type { SignedSlot, SigningHistory } from '../crypto/signer.ts'
import type { Vote } from '../types/messages.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'

export function signingHistoryOf(recovered: SafetyRecord, genesisHash: GenesisHash): SigningHistory {
  const { prepare, preCommit, timeout } = recovered
  const voteSlot = (vote: Vote): SignedSlot => ({
    epoch: vote.epoch,
    position: vote.view,
    payload: signedVotePayload(genesisHash, vote),
    signature: vote.signature,
  })
  return {
    ...(prepare === null ? {} : { prepare: voteSlot(prepare) }),
    ...(preCommit === null ? {} : { 'pre-commit': voteSlot(preCommit) }),
    ...(timeout === null
      ? {}
      : {
          timeout: {
            epoch: timeout.epoch,
            position: timeout.view,
            payload: timeoutSigningPayload(genesisHash, timeout),
            signature: timeout.signature,
          },
        }),
  }
}

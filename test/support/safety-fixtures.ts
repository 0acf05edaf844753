/** Safety records whose signatures are real: what a validator of the tests' network has signed, view by view. */

import { hashBlock } from '../../src/codec/block.ts'
import { genesisHash, validatorId } from '../../src/codec/genesis.ts'
import { encodeMessage } from '../../src/codec/messages.ts'
import { payloadOf } from '../../src/composition/safety-slots.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import { genesisState } from '../../src/ledger/genesis-state.ts'
import { NO_BALLOTS } from '../../src/types/ballots.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import { type Proposal, type Timeout, type Vote, voteOfProposal } from '../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  type BlockHash,
} from '../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../src/types/safety.ts'
import { PORTS } from '../unit/ledger/fixtures.ts'
import { KEYS, NETWORK_GENESIS } from './consensus-nodes.ts'

export const NETWORK = genesisHash(NETWORK_GENESIS)
export const BLOCK_A = 'aa'.repeat(32) as BlockHash
export const BLOCK_B = 'bb'.repeat(32) as BlockHash

export function keyOf(index: number): (typeof KEYS)[number] {
  const key = KEYS[index]
  if (key === undefined) throw new Error(`no key ${index}`)
  return key
}

export const idOf = (index: number) => validatorId(keyOf(index).publicKey.raw)

function signed<T extends Vote | Timeout>(index: number, message: T): T {
  const signature = keyOf(index).sign(payloadOf(NETWORK, message), SIGNATURE_CONTEXTS[message.kind])
  // Plain bytes, as a decoder gives them.
  return { ...message, signature: new Uint8Array(signature) }
}

const unsigned = new Uint8Array(3_309)

export function signedVote(index: number, kind: Vote['kind'], view: number, blockHash = BLOCK_A): Vote {
  return signed(index, {
    kind,
    epoch: asEpoch(0),
    view: asView(view),
    height: asHeight(view),
    blockHash,
    voter: asValidatorIndex(index),
    signature: unsigned,
    ballots: NO_BALLOTS,
  })
}

export function signedTimeout(index: number, view: number, highQcView = view - 1): Timeout {
  return signed(index, {
    kind: 'timeout',
    epoch: asEpoch(0),
    view: asView(view),
    highQcView: asView(highQcView),
    voter: asValidatorIndex(index),
    signature: unsigned,
    highQc: { view: asView(highQcView), blockHash: BLOCK_A },
    final: { height: asHeight(0), blockHash: BLOCK_A },
  })
}

/** A proposal, with the prepare vote that it is. */
export function signedProposal(
  index: number,
  view: number,
): {
  readonly view: ReturnType<typeof asView>
  readonly bytes: Uint8Array
  readonly block: Uint8Array
  readonly vote: Vote
} {
  const { header } = genesisState(NETWORK_GENESIS, PORTS).block
  const block = hashBlock({
    header: {
      ...header,
      height: asHeight(view),
      view: asView(view),
      proposer: asValidatorIndex(index),
      timestamp: asUnixMs(header.timestamp + view),
    },
    transactions: [],
  })
  const proposal: Proposal = {
    kind: 'proposal',
    block,
    timeoutCertificate: null,
    ballotVotes: [],
    signature: unsigned,
    commits: [],
  }
  const vote = signed(index, voteOfProposal(proposal))
  const bytes = encodeMessage({ ...proposal, signature: vote.signature })
  return { view: asView(view), bytes, block: block.bytes, vote }
}

/** A certificate by these validators; real signatures. */
export function signedCertificate(
  kind: Vote['kind'],
  view: number,
  voters: readonly number[] = [0, 1, 2],
): QuorumCertificate {
  const votes = voters.map((index) => signedVote(index, kind, view))
  return {
    kind,
    epoch: asEpoch(0),
    view: asView(view),
    height: asHeight(view),
    blockHash: BLOCK_A,
    stateRoot: null,
    signatures: votes.map(({ voter, signature }) => ({ voter, signature, commits: null })),
  }
}

/** All that validator `index` may have signed by `view`. */
export function recordAt(index: number, view: number): SafetyRecord {
  const { view: proposed, bytes, block, vote } = signedProposal(index, view)
  return {
    ...EMPTY_SAFETY_RECORD,
    proposal: { view: proposed, bytes },
    prepare: vote,
    preCommit: signedVote(index, 'pre-commit', view - 1),
    timeout: signedTimeout(index, view - 2),
    highQc: signedCertificate('prepare', view - 1),
    blocks: [block],
  }
}

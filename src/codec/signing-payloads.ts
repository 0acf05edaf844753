/**
 * The bytes under every consensus and staking signature: fixed layout, network inside. The kind of message is
 * told apart by the ML-DSA context string (crypto/contexts.ts), so that no signature serves for two kinds.
 */

import type { QuorumCertificate } from '../types/certificates.ts'
import type { Vote } from '../types/messages.ts'
import type { NetworkOperation } from '../types/operations.ts'
import type { OperatorRecord } from '../types/operator.ts'
import type {
  AccountId,
  BlockHash,
  Epoch,
  GenesisHash,
  Height,
  Hex32,
  RequestKey,
  StateRoot,
  View,
} from '../types/primitives.ts'
import type { OperationContent, OperatorContent, StakingContent } from '../types/transaction.ts'
import { commitsDigest } from './ballots.ts'
import { networkOperationSchema, operationContentFields } from './operations.ts'
import { operatorContentFields, operatorRecordSchema } from './operator.ts'
import { counter, encode, hexBytes, record } from './schema.ts'
import { stakingContentFields } from './staking-operation.ts'

interface Scope {
  readonly genesisHash: GenesisHash
  readonly epoch: Epoch
  readonly view: View
}

const scope = { genesisHash: hexBytes<GenesisHash>(32), epoch: counter<Epoch>(), view: counter<View>() }

const votePayload = record<Scope & { height: Height; blockHash: BlockHash }>({
  ...scope,
  height: counter(),
  blockHash: hexBytes(32),
})
const preparePayload = record<Scope & { height: Height; blockHash: BlockHash; commits: Hex32 }>({
  ...scope,
  height: counter(),
  blockHash: hexBytes(32),
  commits: hexBytes(32),
})
const commitPayload = record<Scope & { height: Height; blockHash: BlockHash; stateRoot: StateRoot }>({
  ...scope,
  height: counter(),
  blockHash: hexBytes(32),
  stateRoot: hexBytes(32),
})
const timeoutPayload = record<Scope & { highQcView: View }>({ ...scope, highQcView: counter() })

/** Stands for no commits. */
const NO_COMMITS = '00'.repeat(32) as Hex32

/** (chainId, epoch, view, height, blockHash), 88 bytes; context pre-commit. */
export function preCommitSigningPayload(
  genesisHash: GenesisHash,
  of: { readonly epoch: Epoch; readonly view: View; readonly height: Height; readonly blockHash: BlockHash },
): Uint8Array {
  const { epoch, view, height, blockHash } = of
  return encode(votePayload, { genesisHash, epoch, view, height, blockHash })
}

/**
 * (chainId, epoch, view, height, blockHash): the first 88 bytes of {@link prepareSigningPayload}, for one who knows the
 * block that was voted for and not the commits. Nobody signs it.
 */
export const preparePayloadStart = preCommitSigningPayload

/**
 * (chainId, epoch, view, height, blockHash, commits), 120 bytes; context prepare. A leader's is what a proposal is
 * signed with.
 * @param commits digest of the commits that the vote carries (codec/ballots.ts); null for none
 */
export function prepareSigningPayload(
  genesisHash: GenesisHash,
  of: { readonly epoch: Epoch; readonly view: View; readonly height: Height; readonly blockHash: BlockHash },
  commits: Hex32 | null,
): Uint8Array {
  const { epoch, view, height, blockHash } = of
  return encode(preparePayload, {
    genesisHash,
    epoch,
    view,
    height,
    blockHash,
    commits: commits ?? NO_COMMITS,
  })
}

/** The payload of either kind of vote. @param commits null for a pre-commit vote, and for one without commits */
export function voteSigningPayload(
  genesisHash: GenesisHash,
  of: Parameters<typeof preCommitSigningPayload>[1] & { readonly kind: 'prepare' | 'pre-commit' },
  commits: Hex32 | null,
): Uint8Array {
  return of.kind === 'prepare'
    ? prepareSigningPayload(genesisHash, of, commits)
    : preCommitSigningPayload(genesisHash, of)
}

/** (chainId, epoch, view, height, blockHash, stateRoot), 120 bytes; context commit. */
export function commitSigningPayload(
  genesisHash: GenesisHash,
  of: {
    readonly epoch: Epoch
    readonly view: View
    readonly height: Height
    readonly blockHash: BlockHash
    readonly stateRoot: StateRoot
  },
): Uint8Array {
  const { epoch, view, height, blockHash, stateRoot } = of
  return encode(commitPayload, { genesisHash, epoch, view, height, blockHash, stateRoot })
}

/** (chainId, epoch, view, highQcView), 56 bytes; context timeout. */
export function timeoutSigningPayload(
  genesisHash: GenesisHash,
  of: { readonly epoch: Epoch; readonly view: View; readonly highQcView: View },
): Uint8Array {
  return encode(timeoutPayload, { genesisHash, epoch: of.epoch, view: of.view, highQcView: of.highQcView })
}

/** What one voter of a certificate signed. @param commits of its vote; null where the kind has none */
export function certificateSigningPayload(
  genesisHash: GenesisHash,
  { kind, epoch, view, height, blockHash, stateRoot }: QuorumCertificate,
  commits: Hex32 | null,
): Uint8Array {
  const of = { epoch, view, height, blockHash }
  if (kind === 'commit') return commitSigningPayload(genesisHash, { ...of, stateRoot: stateRoot ?? NO_STATE })
  return voteSigningPayload(genesisHash, { kind, ...of }, commits)
}

/** In the place of a state that a malformed certificate does not name: nobody signs it. */
const NO_STATE = '00'.repeat(32) as StateRoot

/** What a vote with its ballots is signed over. */
export function signedVotePayload(
  genesisHash: GenesisHash,
  vote: Omit<Vote, 'signature' | 'voter'>,
): Uint8Array {
  return voteSigningPayload(genesisHash, vote, commitsDigest(vote.ballots.commits))
}

const stakingPayload = record<StakingContent & { genesisHash: GenesisHash }>({
  genesisHash: hexBytes(32),
  ...stakingContentFields,
})
const keyChangePayload = record<{ genesisHash: GenesisHash; account: AccountId; sequence: number }>({
  genesisHash: hexBytes(32),
  account: hexBytes(32),
  sequence: counter(),
})

/** (chainId, public key, sequence, last height, operation); context staking. */
export function stakingSigningPayload(genesisHash: GenesisHash, of: StakingContent): Uint8Array {
  const { publicKey, sequence, expiresAtHeight, operation } = of
  return encode(stakingPayload, { genesisHash, publicKey, sequence, expiresAtHeight, operation })
}

/**
 * (chainId, account, sequence), 72 bytes; context key-change. Signed by the new key, so that nobody can claim a
 * key that another one holds; good for one transaction of one account.
 */
export function keyChangeSigningPayload(
  genesisHash: GenesisHash,
  of: { readonly account: AccountId; readonly sequence: number },
): Uint8Array {
  return encode(keyChangePayload, { genesisHash, account: of.account, sequence: of.sequence })
}

const operatorPayload = record<OperatorContent & { genesisHash: GenesisHash }>({
  genesisHash: hexBytes(32),
  ...operatorContentFields,
})
interface Possession {
  readonly account: AccountId
  readonly sequence: number
  readonly record: OperatorRecord
}
const operatorKeyPayload = record<Possession & { genesisHash: GenesisHash }>({
  genesisHash: hexBytes(32),
  account: hexBytes(32),
  sequence: counter(),
  record: operatorRecordSchema,
})

/** (chainId, public key, sequence, last height, operation); context operator. */
export function operatorSigningPayload(genesisHash: GenesisHash, of: OperatorContent): Uint8Array {
  const { publicKey, sequence, expiresAtHeight, operation } = of
  return encode(operatorPayload, { genesisHash, publicKey, sequence, expiresAtHeight, operation })
}

/**
 * (chainId, account, sequence, record); context operator-key. Signed by the operator's own key, so that nobody can
 * claim one that another holds; good for one transaction of one account.
 */
export function operatorKeySigningPayload(genesisHash: GenesisHash, of: Possession): Uint8Array {
  const { account, sequence, record: claimed } = of
  return encode(operatorKeyPayload, { genesisHash, account, sequence, record: claimed })
}

const operationPayload = record<OperationContent & { genesisHash: GenesisHash }>({
  genesisHash: hexBytes(32),
  ...operationContentFields,
})
const authorityPayload = record<{ genesisHash: GenesisHash; operation: NetworkOperation }>({
  genesisHash: hexBytes(32),
  operation: networkOperationSchema,
})
const escalationPayload = record<{ genesisHash: GenesisHash; id: RequestKey }>({
  genesisHash: hexBytes(32),
  id: hexBytes(32),
})

/** (chainId, public key, sequence, last height, action); context operation. */
export function operationSigningPayload(genesisHash: GenesisHash, of: OperationContent): Uint8Array {
  const { publicKey, sequence, expiresAtHeight, operation } = of
  return encode(operationPayload, { genesisHash, publicKey, sequence, expiresAtHeight, operation })
}

/** (chainId, operation); context authority. The operation names a version of its key, so it is good once. */
export function authoritySigningPayload(genesisHash: GenesisHash, operation: NetworkOperation): Uint8Array {
  return encode(authorityPayload, { genesisHash, operation })
}

/** (chainId, id of the operation), 64 bytes; context escalation. */
export function escalationSigningPayload(genesisHash: GenesisHash, id: RequestKey): Uint8Array {
  return encode(escalationPayload, { genesisHash, id })
}

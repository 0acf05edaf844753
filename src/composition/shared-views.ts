/** What the public API shows of a block and of a peer, whichever way a network agrees on its blocks. */
import type { Electorate } from '../consensus/validator-set.ts'
import type { PeerEntry } from '../network/peers.ts'
import type { BlockView, PeerView } from '../rpc/http/api-ports.ts'
import type { HashedBlock } from '../types/block.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'

/**
 * A block with what is known of it here.
 * @param known `verdicts` of its requests in any order: a block may also hold transactions that get none
 */
export function blockView(
  block: HashedBlock,
  known: Pick<BlockView, 'stateRoot' | 'isFinal' | 'voters'> & {
    readonly verdicts: readonly Pick<StoredVerdict, 'record' | 'failures'>[]
  },
): BlockView {
  const { verdicts, ...shown } = known
  const { header } = block
  const judged = new Map(verdicts.map((verdict) => [verdict.record.requestKey, verdict]))
  return {
    hash: block.hash,
    height: header.height,
    view: header.view,
    epoch: header.epoch,
    parentHash: header.parentHash,
    time: header.timestamp,
    proposer: header.proposer,
    transactionsRoot: header.transactionsRoot,
    proofCommitment: header.proofCommitment,
    noteCommitmentRoot: header.noteCommitmentRoot,
    nullifierRoot: header.nullifierRoot,
    parentStateRoot: header.parentStateRoot,
    ...shown,
    bytes: block.bytes.length,
    transactions: block.transactions.map((transaction) => {
      const verdict = judged.get(transaction.requestKey)
      return {
        hash: transaction.hash,
        kind: transaction.transaction.kind,
        requestKey: transaction.requestKey,
        verdict: verdict?.record.status ?? null,
        reasons: verdict?.failures?.map(({ subject, reason }) => `${subject}: ${reason}`) ?? [],
      }
    }),
  }
}

/**
 * An open connection.
 * @param unixMs now, milliseconds
 * @param electorate whose validators are told by index; null where there are none
 */
export function peerView(peer: PeerEntry, unixMs: number, electorate: Electorate | null): PeerView {
  return {
    peerId: peer.peerId,
    address: peer.address,
    direction: peer.direction,
    transport: peer.transport ?? 'tcp',
    identity: peer.nodeId,
    validatorIndex: peer.validatorId === null ? null : (electorate?.indexOf(peer.validatorId) ?? null),
    connectedSeconds: Math.max(0, Math.round((unixMs - peer.sinceMs) / 1_000)),
    rttMs: peer.rttMs,
  }
}

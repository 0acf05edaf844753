/** Receipts joined to storage, and to the peers that have a hand-over proof which this node misses. */
import { selectMlDsa65 } from '../crypto/select.ts'
import { signatureVerifier } from '../crypto/verify-signature.ts'
import { quorumCheck } from '../ledger/quorum-check.ts'
import type { Network } from '../network/network.ts'
import { HandOvers } from '../storage/hand-overs.ts'
import type { ReceiptIndex } from '../storage/receipt-index.ts'
import { asEpoch, type Epoch } from '../types/primitives.ts'
import { HandOverChain } from './hand-over-chain.ts'
import type { NodeStorage } from './node-storage.ts'
import { ReceiptMaker } from './receipt-maker.ts'

/** Peers that are asked for one proof. */
const PEERS_MAX = 4

/** @param network asked for only when a receipt is */
export function buildReceipts(
  {
    chain,
    database,
    genesis,
    genesisState,
  }: Pick<NodeStorage, 'chain' | 'database' | 'genesis' | 'genesisState'>,
  index: ReceiptIndex,
  network: () => Pick<Network, 'blocks' | 'snapshots'>,
): ReceiptMaker {
  const { genesisHash, parameters } = genesisState.rules
  const { epochBlocks } = parameters
  const sets = new HandOverChain({
    handOvers: new HandOvers(database),
    founders: { epoch: asEpoch(0), validators: genesis.validators },
    genesisHash,
    epochBlocks,
    isCertified: quorumCheck(genesisHash, signatureVerifier(selectMlDsa65())),
    fetch: async function* (fromEpoch: Epoch) {
      const { blocks, snapshots } = network()
      for (const peer of blocks.peers().slice(0, PEERS_MAX)) {
        const answer = await snapshots.handOver(peer, fromEpoch)
        if (answer.ok) yield answer.value
      }
    },
  })
  return new ReceiptMaker({ chain, index, sets, epochBlocks })
}

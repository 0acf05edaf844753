/** What a genesis document makes trusted: the network, its epochs, and the founders. */
import { genesisHash } from '../../codec/genesis.ts'
import type { Genesis } from '../../types/genesis.ts'
import type { ReceiptTrust } from '../../types/receipt.ts'

/** Trust in a network's founders. For a later checkpoint take its fields over and name what is trusted instead. */
export function genesisTrust(genesis: Genesis): Extract<ReceiptTrust, { kind: 'genesis' }> {
  return {
    kind: 'genesis',
    genesisHash: genesisHash(genesis),
    epochBlocks: genesis.parameters.epochBlocks,
    validators: genesis.validators,
  }
}

/** Asks for a block that consensus needs and has not, of the validator first that spoke of it. */

import type { Network } from '../network/network.ts'
import type { BlockHash, ValidatorId } from '../types/primitives.ts'

/** @returns its bytes; null when nobody who answered has it */
export async function fetchBlock(
  { peers, blocks }: Pick<Network, 'peers' | 'blocks'>,
  hash: BlockHash,
  from: ValidatorId | null,
): Promise<Uint8Array | null> {
  const first = from === null ? undefined : peers.peerIdOf(from)
  const fetched = await blocks.fetchByHash(hash, first)
  return fetched.ok ? fetched.value.value : null
}

/**
 * Salts of ballots: derived, not drawn, so that a validator that starts again says the same commit again. Whoever does
 * not have the validator's seed cannot tell one from a random number.
 */
import { createHmac } from 'node:crypto'
import { sha256Tagged, sha256TaggedPreimage, u32le, u64le } from '../codec/hashes.ts'
import { fromHex } from '../codec/hex.ts'
import type { BallotSlot } from '../types/ballots.ts'
import type { GenesisHash, Hex32 } from '../types/primitives.ts'

/**
 * @param seed of the validator's key, secret
 * @returns HMAC-SHA-256 over the slot under a key of this network's own, in hex
 */
export function ballotSalts(seed: Uint8Array, genesisHash: GenesisHash): (slot: BallotSlot) => Hex32 {
  const key = sha256Tagged('ballotSaltKey', seed, fromHex(genesisHash))
  return ({ height, blockHash, round }) => {
    const message = sha256TaggedPreimage(
      'ballotSalt',
      u64le(BigInt(height)),
      fromHex(blockHash),
      u32le(round),
    )
    return createHmac('sha256', key).update(message).digest('hex') as Hex32
  }
}

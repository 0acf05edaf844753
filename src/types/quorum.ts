/** The one formula for a quorum. */

/** Q = floor(2W/3) + 1: any two quorums of the stake W meet in an honest validator. */
export function quorumOf(totalStake: bigint): bigint {
  return (2n * totalStake) / 3n + 1n
}

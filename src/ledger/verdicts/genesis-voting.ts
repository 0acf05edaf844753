/** Verdicts and trust as a network starts with them. */
import { NO_OPERATIONS } from '../../types/operations.ts'
import type { StakingState } from '../../types/staking.ts'
import type { VerdictVoting } from '../../types/voting.ts'
import { electorsOf, seatsOf } from './electors.ts'
import { newTrust, TRUST_AT_GENESIS } from './trust.ts'

/** The state before block 1. */
export function genesisVoting(staking: StakingState): VerdictVoting {
  const seats = seatsOf(staking)
  const trust = new Map(seats.map(({ account }) => [account, newTrust(account, TRUST_AT_GENESIS, 'active')]))
  return { electors: [electorsOf(0, seats, trust)], batches: [], trust, operations: NO_OPERATIONS }
}

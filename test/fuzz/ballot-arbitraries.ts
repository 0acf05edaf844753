/** Random ballots, open batches, electors and trust, as far as their bytes allow them. Test material only. */
import fc, { type Arbitrary } from 'fast-check'
import { type BallotSlot, type Ballots, FINDINGS_MAX, type Findings } from '../../src/types/ballots.ts'
import type { BlockHash, Height, Hex32, Nullifier, ValidatorIndex } from '../../src/types/primitives.ts'
import type { BallotsTransaction } from '../../src/types/transaction.ts'
import {
  type CastBallot,
  type Electors,
  type OpenBatch,
  type OpenRequest,
  REQUEST_NULLIFIERS_MAX,
  TRUST_STATUSES,
  type ValidatorTrust,
} from '../../src/types/voting.ts'
import { counter, hex, index, u32, u64 } from './primitive-arbitraries.ts'

const u16 = fc.nat(65_535)
/** In the state any two bytes, in an opening any twelve bits: what they may be is a rule of the ledger. */
const findings: Arbitrary<readonly Findings[]> = fc.array(u16, { maxLength: 4 })
const packedFindings: Arbitrary<readonly Findings[]> = fc.array(fc.nat(FINDINGS_MAX), { maxLength: 7 })
const slot = { height: counter<Height>(), blockHash: hex<BlockHash>(), round: fc.nat(255) }
/** An attempt at the requests of a block. */
export const ballotSlot: Arbitrary<BallotSlot> = fc.record(slot)
const commit = { ...slot, commit: hex<Hex32>() }
const opening = { ...slot, rules: u16, findings: packedFindings, salt: hex<Hex32>() }

export const ballots: Arbitrary<Ballots> = fc.record({
  commits: fc.array(fc.record(commit), { maxLength: 3 }),
  openings: fc.array(fc.record(opening), { maxLength: 3 }),
})

/** Ballots as a block holds them, in any order: one slot's together, or not. */
function castIn<T extends object>(one: Arbitrary<T>): Arbitrary<readonly T[]> {
  return fc
    .array(fc.tuple(ballotSlot, fc.array(one, { maxLength: 3 })), { maxLength: 3 })
    .map((runs) => runs.flatMap(([of, ballots]) => ballots.map((ballot) => ({ ...ballot, ...of }))))
}

export const ballotsTransaction: Arbitrary<BallotsTransaction> = fc.record({
  kind: fc.constant('ballots' as const),
  commits: castIn(fc.record({ voter: index<ValidatorIndex>(), ...commit })),
  openings: castIn(fc.record({ voter: index<ValidatorIndex>(), ...opening })),
})

export const trust: Arbitrary<ValidatorTrust> = fc.record({
  account: hex(),
  ppm: u32,
  status: fc.constantFrom(...TRUST_STATUSES),
  exclusions: u32,
  untilPeriod: counter(),
  cleanStreak: u32,
  opportunities: u32,
  agreed: u32,
  dissented: u32,
  withheld: u32,
  absent: u32,
  lastSeen: counter(),
  withheldAt: counter(),
  commitPairs: fc.array(fc.record(slot), { maxLength: 3 }),
})

export const electors: Arbitrary<readonly Electors[]> = fc.array(
  fc.record({
    period: counter<number>(),
    stake: u64,
    members: fc.array(fc.record({ id: hex(), account: hex(), stake: u64, weighs: fc.boolean() }) as never, {
      maxLength: 3,
    }),
  }),
  { maxLength: 3 },
) as Arbitrary<readonly Electors[]>

const request: Arbitrary<OpenRequest> = fc.record({
  requestKey: hex(),
  requestIdHash: hex(),
  kind: fc.constantFrom('validate-certificate', 'validate-proofs'),
  proofHash: hex(),
  nullifiers: fc.array(hex<Nullifier>(), { minLength: 1, maxLength: REQUEST_NULLIFIERS_MAX }),
  sequence: fc.option(fc.record({ nodeIdHash: hex(), number: u64 })),
})

const cast: Arbitrary<CastBallot> = fc.record({
  elector: u16,
  commit: hex(),
  opening: fc.option(fc.record({ rules: u16, findings, isLeak: fc.boolean() })),
})

export const batch: Arbitrary<OpenBatch> = fc.record({
  height: counter(),
  blockHash: fc.option(hex()),
  blockTime: counter(),
  epoch: counter(),
  round: fc.nat(255),
  openedAt: counter(),
  period: counter(),
  requests: fc.array(request, { maxLength: 3 }),
  // 0xffff stands for none.
  outcomes: fc.array(fc.option(fc.nat(65_534)), { maxLength: 3 }),
  ballots: fc.array(cast, { maxLength: 3 }),
  closedAt: fc.option(counter()),
}) as Arbitrary<OpenBatch>

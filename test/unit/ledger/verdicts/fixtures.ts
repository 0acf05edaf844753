/** Electors, batches and ballots by hand, for tables about the pure rules of verdicts. Test material only. */
import { ballotCommit } from '../../../../src/codec/ballots.ts'
import { newTrust } from '../../../../src/ledger/verdicts/trust.ts'
import type { BallotOpening, Findings } from '../../../../src/types/ballots.ts'
import { NO_OPERATIONS } from '../../../../src/types/operations.ts'
import {
  type AccountId,
  asEpoch,
  asHeight,
  asUnixMs,
  type BlockHash,
  type GenesisHash,
  type Hex32,
  type Nullifier,
  type RequestKey,
  type ValidatorId,
} from '../../../../src/types/primitives.ts'
import type { Validator } from '../../../../src/types/validator-set.ts'
import type {
  CastBallot,
  Elector,
  Electors,
  OpenBatch,
  OpenRequest,
  VerdictVoting,
} from '../../../../src/types/voting.ts'

const hex = (prefix: string, n: number): string => (prefix + n.toString(16)).padEnd(64, '0')

export const NETWORK = 'ee'.repeat(32) as GenesisHash
export const idOf = (n: number): ValidatorId => hex('1', n) as ValidatorId
export const accountOf = (n: number): AccountId => hex('2', n) as AccountId
export const blockHashOf = (height: number): BlockHash => hex('3', height) as BlockHash

/** Electors with these stakes; a negative one is in probation, with that stake. */
export const electorsWith = (...stakes: readonly number[]): Elector[] =>
  stakes.map((stake, i) => ({
    id: idOf(i),
    account: accountOf(i),
    stake: BigInt(Math.abs(stake)),
    weighs: stake > 0,
  }))

export const validatorsOf = (electors: readonly Elector[]): Validator[] =>
  electors.map(({ id, stake }) => ({ id, publicKey: new Uint8Array(0), stake }))

export function request(n: number, of: Partial<OpenRequest> = {}): OpenRequest {
  return {
    requestKey: hex('4', n) as RequestKey,
    requestIdHash: hex('5', n) as Hex32,
    kind: 'validate-certificate',
    proofHash: hex('6', n) as Hex32,
    nullifiers: [hex('7', n) as Nullifier],
    sequence: null,
    ...of,
  }
}

/** A batch of height 10, one request, nothing said about it yet. */
export function batchWith(of: Partial<OpenBatch> = {}): OpenBatch {
  const { requests = [request(0)] } = of
  const height = of.height ?? asHeight(10)
  return {
    height,
    blockHash: blockHashOf(height),
    blockTime: asUnixMs(1_000),
    epoch: asEpoch(0),
    round: 0,
    openedAt: height,
    period: 0,
    requests,
    outcomes: requests.map(() => null),
    ballots: [],
    closedAt: null,
    ...of,
  }
}

/** An elector's opening of a batch, and the ballot that commits to it. */
export function ballotOf(
  batch: OpenBatch,
  elector: number,
  findings: readonly Findings[],
  of: Partial<BallotOpening> = {},
): { readonly opening: BallotOpening; readonly ballot: CastBallot } {
  const opening: BallotOpening = {
    height: batch.height,
    blockHash: batch.blockHash ?? blockHashOf(batch.height),
    round: batch.round,
    rules: 1,
    findings,
    salt: hex('8', elector) as Hex32,
    ...of,
  }
  const commit = ballotCommit({ genesisHash: NETWORK, epoch: batch.epoch, validator: idOf(elector) }, opening)
  return { opening, ballot: { elector, commit, opening: null } }
}

/** The batch with these findings opened by elector; null: committed and not opened; undefined: nothing said. */
export function opened(
  batch: OpenBatch,
  findings: readonly (readonly Findings[] | null | undefined)[],
  of: Partial<NonNullable<CastBallot['opening']>> = {},
): OpenBatch {
  const ballots = findings.flatMap((found, elector) => {
    if (found === undefined) return []
    const { ballot } = ballotOf(batch, elector, found ?? batch.requests.map(() => 0))
    const opening = found === null ? null : { rules: 1, findings: found, isLeak: false, ...of }
    return [{ ...ballot, opening }]
  })
  return { ...batch, ballots }
}

/** Of a period in which nobody was excluded. */
export function electorsIn(period: number, members: readonly Elector[]): Electors {
  return { period, stake: members.reduce((sum, { stake }) => sum + stake, 0n), members }
}

/** A state with these electors in period 0, all at 800,000. */
export function votingOf(members: readonly Elector[], batches: readonly OpenBatch[] = []): VerdictVoting {
  const trust = new Map(
    members.map(({ account, weighs }) => [
      account,
      newTrust(account, 800_000, weighs ? 'active' : 'probation'),
    ]),
  )
  return { electors: [electorsIn(0, members)], batches, trust, operations: NO_OPERATIONS }
}

/**
 * What a block does to the open batches once its ballots are in: closes them, draws verdicts, accounts for what each
 * elector did, and opens another attempt at what found no quorum. In order of the batches, so that all nodes agree.
 */
import type { Findings } from '../../types/ballots.ts'
import type { TrustLoss } from '../../types/operations.ts'
import type { AccountId, Height, ValidatorId } from '../../types/primitives.ts'
import type { VerdictRecord, VerdictStatus } from '../../types/verdict.ts'
import type { Elector, OpenBatch, OpenRequest, ValidatorTrust, VerdictVoting } from '../../types/voting.ts'
import { quorumFor } from '../operations/operation-quorum.ts'
import { eligibleStakeOf, periodOfBatch } from './electors.ts'
import { findingOf, isDissent, statusOf } from './findings.ts'
import {
  agreementOf,
  type CountedOpening,
  countedOpenings,
  isWhole,
  RULES_VERSION,
  tallied,
} from './tally.ts'
import { afterSlot, type Conduct } from './trust.ts'
import { commitDeadline, openingDeadline, RETRIES } from './windows.ts'

/** A request whose verdict has come. */
export interface Decided {
  readonly request: OpenRequest
  readonly record: VerdictRecord
}

/** What settling needs to know besides. */
export interface SettlingContext {
  readonly height: Height
  /** Of the block: the electors of a new attempt. */
  readonly period: number
  /** Those in the set that decides the block: one who is gone could not have done anything. */
  readonly present: ReadonlySet<ValidatorId>
}

export interface Settled {
  readonly batches: readonly OpenBatch[]
  readonly decided: readonly Decided[]
  /** Trust that dissent from verdicts cost. */
  readonly losses: readonly TrustLoss[]
  /** The very map of before when nothing was accounted for. */
  readonly trust: ReadonlyMap<AccountId, ValidatorTrust>
}

export function settle(voting: VerdictVoting, context: SettlingContext): Settled {
  const decided: Decided[] = []
  const losses: TrustLoss[] = []
  const batches: OpenBatch[] = []
  let trust: Map<AccountId, ValidatorTrust> | null = null
  for (const open of voting.batches) {
    const electors = periodOfBatch(voting, open)
    const { members } = electors
    const quorumOf: QuorumOf = ({ requestKey }) => quorumFor(requestKey, voting.operations, electors)
    const batch = drawVerdicts(
      closed(open, members, context.height),
      members,
      quorumOf,
      context.height,
      decided,
    )
    if (!isToBeAccounted(batch, context.height)) {
      batches.push(batch)
      continue
    }
    const final = drawLastVerdicts(batch, members, quorumOf, context.height, decided)
    trust ??= new Map(voting.trust)
    losses.push(...account(final, members, context, trust))
    const again = nextAttempt(final, context, decided)
    if (again !== null) batches.push(again)
  }
  return { batches, decided, losses, trust: trust ?? voting.trust }
}

/** Weight that decides one request among the electors of its batch. */
type QuorumOf = (request: OpenRequest) => bigint

/** Closed with the last commit that can come, or when no more are taken. */
function closed(batch: OpenBatch, members: readonly Elector[], height: Height): OpenBatch {
  if (batch.closedAt !== null) return batch
  const isFull = batch.ballots.length === members.length
  return isFull || height >= commitDeadline(batch) ? { ...batch, closedAt: height } : batch
}

/** Early verdicts: those with a quorum in every component. */
function drawVerdicts(
  batch: OpenBatch,
  members: readonly Elector[],
  quorumOf: QuorumOf,
  height: Height,
  decided: Decided[],
): OpenBatch {
  if (batch.closedAt === null || batch.closedAt === height) return batch
  const openings = countedOpenings(batch, members)
  if (openings.length === 0) return batch
  const outcomes = batch.requests.map((request, i) => {
    const known = batch.outcomes[i] ?? null
    if (known !== null) return known
    const verdict = tallied(openings, quorumOf(request), i)
    if (!isWhole(verdict)) return null
    decided.push(decide(batch, members, request, i, verdict, openings, height))
    return verdict
  })
  return outcomes.every((outcome, i) => outcome === batch.outcomes[i]) ? batch : { ...batch, outcomes }
}

/** Nothing more can come: a quorum that finds one component invalid is enough for Invalid. */
function drawLastVerdicts(
  batch: OpenBatch,
  members: readonly Elector[],
  quorumOf: QuorumOf,
  height: Height,
  decided: Decided[],
): OpenBatch {
  const openings = countedOpenings(batch, members)
  const outcomes = batch.requests.map((request, i) => {
    const known = batch.outcomes[i] ?? null
    if (known !== null) return known
    const verdict = tallied(openings, quorumOf(request), i)
    if (statusOf(verdict) === null) return null
    decided.push(decide(batch, members, request, i, verdict, openings, height))
    return verdict
  })
  return { ...batch, outcomes }
}

function decide(
  batch: OpenBatch,
  members: readonly Elector[],
  request: OpenRequest,
  at: number,
  verdict: Findings,
  openings: readonly CountedOpening[],
  height: Height,
): Decided {
  const agreement = agreementOf(openings, at, verdict, request.kind)
  return {
    request,
    record: recordOf(batch, members, request, height, verdict, statusOf(verdict) ?? 'expired', agreement),
  }
}

function recordOf(
  batch: OpenBatch,
  members: readonly Elector[],
  { requestKey, requestIdHash, kind, proofHash, sequence }: OpenRequest,
  height: Height,
  findings: Findings,
  status: VerdictStatus,
  agreement: Pick<VerdictRecord, 'agreeing' | 'dissenting'>,
): VerdictRecord {
  return {
    requestKey,
    requestIdHash,
    kind,
    height: batch.height,
    blockTime: batch.blockTime,
    decidedAt: height,
    status,
    findings,
    round: batch.round,
    ...agreement,
    eligibleStake: eligibleStakeOf(members),
    proofHash,
    sequence: status === 'valid' ? sequence : null,
  }
}

/** When all who committed have opened, or their time is over. */
function isToBeAccounted({ closedAt, ballots }: OpenBatch, height: Height): boolean {
  if (closedAt === null) return false
  return height >= openingDeadline(closedAt) || ballots.every(({ opening }) => opening !== null)
}

function account(
  batch: OpenBatch,
  members: readonly Elector[],
  { height, present }: SettlingContext,
  trust: Map<AccountId, ValidatorTrust>,
): TrustLoss[] {
  const losses: TrustLoss[] = []
  for (const [position, elector] of members.entries()) {
    const of = trust.get(elector.account)
    if (of === undefined || !present.has(elector.id)) continue
    const conduct = conductOf(batch, position)
    const after = afterSlot(of, conduct, height, batch.round === 0)
    if (conduct === 'dissented' || conduct === 'opposed') {
      const { ppm } = of
      losses.push({ account: elector.account, height: batch.height, ppm, lost: ppm - after.ppm })
    }
    trust.set(elector.account, after)
  }
  return losses
}

function conductOf(batch: OpenBatch, position: number): Conduct {
  const ballot = batch.ballots.find(({ elector }) => elector === position)
  if (ballot === undefined) return 'absent'
  const { opening } = ballot
  if (opening === null) return 'withheld'
  if (opening.isLeak) return 'leaked'
  if (opening.rules !== RULES_VERSION || opening.findings.every((findings) => findings === 0))
    return 'abstained'
  const verdicts = batch.outcomes.map((outcome) => outcome ?? 0)
  const dissents = opening.findings.map((findings, i) =>
    dissentOf(batch.requests[i]?.kind, findings, verdicts[i] ?? 0),
  )
  if (dissents.includes('dissented')) return 'dissented'
  if (dissents.includes('opposed')) return 'opposed'
  return verdicts.some((verdict) => verdict !== 0) ? 'agreed' : 'inconclusive'
}

/** What the rules say of an operation is in one component; the others are its operator's opinion. */
function dissentOf(
  kind: OpenRequest['kind'] | undefined,
  findings: Findings,
  verdict: Findings,
): 'dissented' | 'opposed' | null {
  if (!isDissent(findings, verdict)) return null
  if (kind !== 'operation') return 'dissented'
  const final = findingOf(verdict, 'request')
  return final !== 0 && findingOf(findings, 'request') !== final ? 'dissented' : 'opposed'
}

/** Another attempt at what has no verdict; after the last one it is expired, which is never Valid. */
function nextAttempt(
  batch: OpenBatch,
  { height, period }: SettlingContext,
  decided: Decided[],
): OpenBatch | null {
  const requests = batch.requests.filter((_, i) => (batch.outcomes[i] ?? null) === null)
  if (requests.length === 0) return null
  if (batch.round >= RETRIES) {
    for (const request of requests) {
      const nobody = { agreeing: { validators: 0, stake: 0n }, dissenting: 0 }
      decided.push({ request, record: recordOf(batch, [], request, height, 0, 'expired', nobody) })
    }
    return null
  }
  return {
    ...batch,
    round: batch.round + 1,
    openedAt: height,
    period,
    requests,
    outcomes: requests.map(() => null),
    ballots: [],
    closedAt: null,
  }
}

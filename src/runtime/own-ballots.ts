/**
 * What this validator commits to and opens: the same for one slot, for ever, whatever is asked again and however often
 * the process starts. Knows the key of the salts through a function; hears and decides nothing.
 */
import { ballotCommit } from '../codec/ballots.ts'
import { operationFindings } from '../ledger/operations/operation-findings.ts'
import { OPENED_PER_BLOCK_MAX } from '../ledger/operations/operations-state.ts'
import { findingsOf } from '../ledger/verdicts/findings.ts'
import { RULES_VERSION } from '../ledger/verdicts/tally.ts'
import type { BallotCommit, BallotOpening, BallotSlot, Findings } from '../types/ballots.ts'
import { OPERATION_VOTES, type OperationVote } from '../types/operations.ts'
import type {
  BlockHash,
  GenesisHash,
  Height,
  Hex32,
  RequestKey,
  ValidatorId,
  ValidatorIndex,
} from '../types/primitives.ts'
import type { RuleFailure } from '../types/verdict.ts'
import type { OpenBatch } from '../types/voting.ts'

/** How a validator departs from the protocol: only for tests, which host it to see that others are not harmed. */
export interface BallotConduct {
  /** What it says about a request whose rules failed so. */
  readonly findings?: (failures: readonly RuleFailure[], requestKey: RequestKey) => Findings
  /** It opens as soon as its commit is in the chain. */
  readonly opensEarly?: boolean
  /** As a leader it leaves this validator's ballots out of its blocks. */
  readonly leavesOut?: (voter: ValidatorIndex) => boolean
}

/** What makes a validator's ballots. */
export interface OwnBallotsOptions {
  readonly id: ValidatorId
  /** The same salt for the same slot, for ever, and to nobody else known. */
  readonly saltOf: (slot: BallotSlot) => Hex32
  /** Commits of before the start: they are never replaced by others. */
  readonly committed: readonly BallotCommit[]
  /** What the operator says about a critical operation, as of now; absent: nothing about any. */
  readonly vote?: (operation: RequestKey) => OperationVote
  readonly conduct?: BallotConduct
}

interface Surroundings {
  readonly genesisHash: GenesisHash
  /** What this node's rules found about a request of a block; null when it was not there to judge. */
  readonly judgement: (blockHash: BlockHash, requestKey: RequestKey) => readonly RuleFailure[] | null
}

/** A commit with what opens it. */
export interface OwnBallot {
  readonly commit: BallotCommit
  readonly opening: BallotOpening
}

/** Blocks behind the final one at which a slot is long over. */
const KEPT_BLOCKS = 256

export class OwnBallots {
  readonly #options: OwnBallotsOptions & Surroundings
  readonly #committed = new Map<string, Hex32>()
  readonly #own = new Map<string, OwnBallot>()

  constructor(options: OwnBallotsOptions & Surroundings) {
    this.#options = options
    for (const commit of options.committed) this.#committed.set(slotName(commit), commit.commit)
  }

  /** Forgets slots that are long over, up to the first that is not: they are in the order in which they were asked for. */
  final(height: Height): void {
    for (const [name, { commit }] of this.#own) {
      if (commit.height >= height - KEPT_BLOCKS) return
      this.#own.delete(name)
    }
  }

  /**
   * The ballot of a slot.
   * @returns null when the requests were not judged here, or when something else was committed to before
   */
  ballot(slot: BallotSlot, { epoch, requests }: OpenBatch): OwnBallot | null {
    const { genesisHash, judgement, ...self } = this.#options
    const name = slotName(slot)
    const known = this.#own.get(name)
    if (known !== undefined) return known
    const judged: Judged[] = []
    for (const { requestKey, kind } of requests) {
      const failures = judgement(slot.blockHash, requestKey)
      if (failures === null) return null
      judged.push({ requestKey, kind, failures })
    }
    const salt = self.saltOf(slot)
    const before = this.#committed.get(name)
    for (const votes of votesToTry(judged, self.vote ?? (() => 'abstain'), before !== undefined)) {
      const findings = judged.map((of) => findingsAbout(of, votes, self.conduct))
      const opening = { ...slot, rules: RULES_VERSION, findings, salt }
      const commit = ballotCommit({ genesisHash, epoch, validator: self.id }, opening)
      if ((before ?? commit) !== commit) continue
      const own = { commit: { ...slot, commit }, opening }
      this.#own.set(name, own)
      return own
    }
    // Something else was committed to before, by other rules or another key of salts: better silent than two-faced.
    return null
  }
}

/** A request of a batch, and what this node's rules found about it. */
interface Judged {
  readonly requestKey: RequestKey
  readonly kind: OpenBatch['requests'][number]['kind']
  readonly failures: readonly RuleFailure[]
}

type Votes = ReadonlyMap<RequestKey, OperationVote>

function findingsAbout(
  { requestKey, kind, failures }: Judged,
  votes: Votes,
  conduct: BallotConduct | undefined,
): Findings {
  if (conduct?.findings !== undefined) return conduct.findings(failures, requestKey)
  return kind === 'operation'
    ? operationFindings(failures, votes.get(requestKey) ?? 'abstain')
    : findingsOf(failures)
}

/**
 * What the operator may have said about the operations of a batch: what is said now, and when a commit of before the
 * start must be opened, all that could have been said when it was made. A block puts four to the vote at most.
 */
function* votesToTry(
  judged: readonly Judged[],
  vote: (operation: RequestKey) => OperationVote,
  isCommitted: boolean,
): Generator<Votes> {
  const operations = judged.flatMap(({ kind, requestKey }) => (kind === 'operation' ? [requestKey] : []))
  yield new Map(operations.map((id) => [id, vote(id)]))
  if (!isCommitted) return
  const choices = OPERATION_VOTES.length
  for (let n = 0; n < choices ** Math.min(operations.length, OPENED_PER_BLOCK_MAX); n++) {
    yield new Map(
      operations.map((id, i) => [id, OPERATION_VOTES[Math.floor(n / choices ** i) % choices] ?? 'abstain']),
    )
  }
}

/** A slot's name among others. */
export function slotName({ height, blockHash, round }: BallotSlot): string {
  return `${height}:${round}:${blockHash}`
}

/**
 * Looks at verdicts and ballots from outside: no wrong verdict, none that was copied, no ballot that was stolen, no
 * honest validator blamed (the columns of spec/commit-reveal.md 5.9). That trust is the same everywhere is part of I9.
 */
import { findingOf, findingsOf } from '../../src/ledger/verdicts/findings.ts'
import { type BallotCommit, type BallotSlot, COMPONENTS, type Findings } from '../../src/types/ballots.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import { type ConsensusMessage, voteOfProposal } from '../../src/types/messages.ts'
import type { AccountId, ValidatorIndex } from '../../src/types/primitives.ts'
import type { BallotsTransaction } from '../../src/types/transaction.ts'
import type { Validator } from '../../src/types/validator-set.ts'
import type { Judgement, VerdictRecord } from '../../src/types/verdict.ts'
import type { ValidatorTrust } from '../../src/types/voting.ts'
import type { Speaker } from './checker.ts'
import { slotName } from './conspiracy.ts'

/** A final block, as far as verdicts go. */
export interface FinalVerdicts {
  readonly height: number
  readonly ballots: BallotsTransaction | null
  /** What the rules found about the requests of the block, and which verdicts it brought. */
  readonly judgements: readonly Pick<Judgement, 'requestKey' | 'failures'>[]
  readonly verdicts: readonly Pick<VerdictRecord, 'requestKey' | 'status' | 'findings'>[]
  /** After the block. */
  readonly trust: ReadonlyMap<AccountId, ValidatorTrust>
  /** The set that decides the next block. */
  readonly nextSet: readonly Validator[]
}

/** What a node's final block led to. */
export function finalVerdicts({ block, changes }: FinalizedBlock): FinalVerdicts {
  const first = block.transactions[0]?.transaction
  return {
    height: block.header.height,
    ballots: first?.kind === 'ballots' ? first : null,
    judgements: changes.judgements,
    verdicts: changes.verdicts,
    trust: changes.voting.trust,
    nextSet: changes.staking.validators,
  }
}

/** What a period with too little to judge costs (src/ledger/verdicts/README.md), parts per million. */
const IDLE_LOSS = 2_000

export interface BallotCheckerOptions {
  /** Accounts of those who follow the rules. */
  readonly honest: ReadonlySet<string>
  readonly founders: readonly Validator[]
  /** Honest validators are never away or unheard: no silence of theirs may cost them anything. */
  readonly isCalm: boolean
  /** Commits that stand in the durable record of an honest validator: it is bound to them before anybody hears of it. */
  readonly recordedBy: (account: string) => readonly BallotCommit[]
  readonly violated: (what: string) => void
}

export class BallotChecker {
  readonly #violated: (what: string) => void
  readonly #honest: ReadonlySet<string>
  readonly #recordedBy: BallotCheckerOptions['recordedBy']
  /** Request → what every honest validator finds. */
  readonly #findings = new Map<string, Findings>()
  /** Slot → the how manieth message first held an opening of an honest validator. */
  readonly #openedAt = new Map<string, number>()
  /** Slot and commit → the how manieth message first held it. */
  readonly #committedAt = new Map<string, number>()
  /** Slot and voter → the commit of an honest validator. */
  readonly #saidBy = new Map<string, string>()
  /** Slot and voter → the commit in the chain. */
  readonly #cast = new Map<string, string>()
  /** Height → the set that decides its block; the founders where nothing is known. */
  readonly #setAt = new Map<number, readonly Validator[]>()
  readonly #founders: readonly Validator[]
  readonly #isCalm: boolean
  readonly #seen = new Set<number>()
  /** What was last known of each honest validator. */
  readonly #trust = new Map<string, { readonly height: number; readonly trust: ValidatorTrust }>()
  /** Slot and commit → who opened it in the chain. */
  readonly #opened = new Map<string, string>()
  #messages = 0
  /** Verdicts by status, for a run's figures. */
  readonly verdicts = { valid: 0, invalid: 0, expired: 0 }
  /** The lowest trust that an honest validator had, parts per million. */
  lowestHonestTrust = Number.POSITIVE_INFINITY

  constructor({ honest, founders, isCalm, recordedBy, violated }: BallotCheckerOptions) {
    this.#founders = founders
    this.#honest = honest
    this.#isCalm = isCalm
    this.#recordedBy = recordedBy
    this.#violated = violated
  }

  /** Bytes leave a node. */
  said(node: Pick<Speaker, 'name' | 'isHonest'>, message: ConsensusMessage): void {
    if (message.kind !== 'prepare' && message.kind !== 'pre-commit' && message.kind !== 'proposal') return
    this.#messages++
    const vote = message.kind === 'proposal' ? voteOfProposal(message) : message
    // A liar's vote may be known only from its own proposal.
    for (const { ballots } of message.kind === 'proposal' ? [vote, ...message.ballotVotes] : [vote]) {
      for (const { commit, ...slot } of ballots.commits) {
        first(this.#committedAt, `${slotName(slot)}/${commit}`, this.#messages)
      }
    }
    if (!node.isHonest) return
    for (const { commit, ...slot } of vote.ballots.commits) {
      const name = `${slotName(slot)}/${node.name}`
      const before = this.#saidBy.get(name) ?? commit
      if (before !== commit) this.#violated(`V7: ${node.name} commits to two things in ${slotName(slot)}`)
      this.#saidBy.set(name, before)
    }
    for (const opening of vote.ballots.openings) first(this.#openedAt, slotName(opening), this.#messages)
  }

  /** Final blocks with what they led to; of those that several nodes tell of the first is looked at. */
  executed(node: Pick<Speaker, 'isHonest'>, blocks: readonly FinalVerdicts[]): void {
    if (!node.isHonest) return
    for (const { height, ballots, judgements, verdicts, trust, nextSet } of blocks) {
      if (this.#seen.has(height)) continue
      this.#seen.add(height)
      for (const { requestKey, failures } of judgements) {
        this.#findings.set(requestKey, findingsOf(failures))
      }
      for (const { requestKey, status, findings } of verdicts) {
        this.verdicts[status]++
        if (status !== 'expired' && !agrees(findings, this.#findings.get(requestKey) ?? findings)) {
          this.#violated(`V1: a wrong verdict on ${requestKey} at height ${height}`)
        }
      }
      if (ballots !== null) this.#ballots(ballots, this.#setAt.get(height) ?? this.#founders)
      this.#setAt.set(height + 1, nextSet)
      for (const of of trust.values()) this.#trusted(of, height)
    }
  }

  #ballots({ commits, openings }: BallotsTransaction, set: readonly Validator[]): void {
    // Another epoch has other indices.
    const idOf = (voter: ValidatorIndex): string => set[voter]?.id ?? 'nobody'
    for (const { commit, voter, ...slot } of commits) {
      this.#inTime(slot, commit, idOf(voter))
      this.#cast.set(`${slotName(slot)}/${idOf(voter)}`, commit)
    }
    for (const { voter, ...slot } of openings) {
      const name = slotName(slot)
      const id = idOf(voter)
      const commit = this.#cast.get(`${name}/${id}`)
      const by = this.#opened.get(`${name}/${commit}`) ?? id
      if (by !== id) this.#violated(`V3: the ballot of ${by} in ${name} is stolen by ${id}`)
      this.#opened.set(`${name}/${commit}`, by)
    }
  }

  /**
   * V2: what was known of others when a commit was first said is nothing. V4: it was said, or stands in its voter's record:
   * a validator with a quorum of its own may die before it says anything, and make final what it recorded.
   */
  #inTime(slot: BallotSlot, commit: string, voter: string): void {
    const name = slotName(slot)
    const openedAt = this.#openedAt.get(name) ?? Number.POSITIVE_INFINITY
    const committedAt = this.#committedAt.get(`${name}/${commit}`)
    if (committedAt === undefined) {
      const isRecorded = this.#recordedBy(voter).some((of) => of.commit === commit && slotName(of) === name)
      if (!isRecorded) this.#violated(`V4: nobody said commit ${commit} of ${name}`)
    } else if (committedAt > openedAt) {
      this.#violated(`V2: a commit of ${name} was said after an opening was known`)
    }
  }

  /**
   * V5: nobody blames an honest validator. V8: nothing else costs it trust either, but that it was away (which others
   * must not be able to bring about: so not at all on a calm network), or that there was too little to judge.
   */
  #trusted(trust: ValidatorTrust, height: number): void {
    const { account, dissented, ppm } = trust
    if (!this.#honest.has(account)) return
    const last = this.#trust.get(account)
    if (last !== undefined && last.height >= height) return
    this.#trust.set(account, { height, trust })
    this.lowestHonestTrust = Math.min(this.lowestHonestTrust, ppm)
    const before = last?.trust ?? { ppm, dissented: 0, withheld: 0, absent: 0 }
    const name = `honest ${account.slice(0, 8)}`
    if (dissented > before.dissented) this.#violated(`V5: ${name} is blamed by height ${height}`)
    else if (this.#isCalm && before.ppm - ppm > IDLE_LOSS) {
      this.#violated(`V8: ${name} falls from ${before.ppm} to ${ppm} by height ${height}`)
    }
  }
}

/** Whether a verdict says nothing that honest validators did not find. */
function agrees(verdict: Findings, found: Findings): boolean {
  return COMPONENTS.every((component) => {
    const value = findingOf(verdict, component)
    return value === 0 || value === findingOf(found, component)
  })
}

function first(at: Map<string, number>, name: string, now: number): void {
  if (!at.has(name)) at.set(name, now)
}

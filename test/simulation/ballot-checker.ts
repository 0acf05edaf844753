/**
 * Looks at verdicts and ballots from outside: no wrong verdict, none that was copied, no ballot that was stolen, no
 * honest validator blamed (the columns of spec/commit-reveal.md 5.9). That trust is the same everywhere is part of I9.
 */
import { findingOf, findingsOf } from '../../src/ledger/verdicts/findings.ts'
import { type BallotSlot, COMPONENTS, type Findings } from '../../src/types/ballots.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import type { ConsensusMessage } from '../../src/types/messages.ts'
import type { ValidatorIndex } from '../../src/types/primitives.ts'
import type { BallotsTransaction } from '../../src/types/transaction.ts'
import type { Validator } from '../../src/types/validator-set.ts'
import type { ValidatorTrust } from '../../src/types/voting.ts'
import type { Speaker } from './checker.ts'
import { slotName } from './conspiracy.ts'

export class BallotChecker {
  readonly #violated: (what: string) => void
  readonly #honest: ReadonlySet<string>
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
  /** Slot and commit → who opened it in the chain. */
  readonly #opened = new Map<string, string>()
  #messages = 0
  /** Verdicts by status, for a run's figures. */
  readonly verdicts = { valid: 0, invalid: 0, expired: 0 }
  /** The lowest trust that an honest validator had, parts per million. */
  lowestHonestTrust = Number.POSITIVE_INFINITY

  /** @param honest accounts of those who follow the rules */
  constructor(honest: ReadonlySet<string>, founders: readonly Validator[], violated: (what: string) => void) {
    this.#founders = founders
    this.#honest = honest
    this.#violated = violated
  }

  /** Bytes leave a node. */
  said(node: Speaker, message: ConsensusMessage): void {
    if (message.kind !== 'prepare' && message.kind !== 'pre-commit' && message.kind !== 'proposal') return
    this.#messages++
    // A liar's vote may be known only from its own proposal.
    for (const { ballots } of message.kind === 'proposal' ? message.ballotVotes : [message]) {
      for (const { commit, ...slot } of ballots.commits) {
        first(this.#committedAt, `${slotName(slot)}/${commit}`, this.#messages)
      }
    }
    if (!node.isHonest || message.kind === 'proposal') return
    for (const { commit, ...slot } of message.ballots.commits) {
      const name = `${slotName(slot)}/${node.name}`
      const before = this.#saidBy.get(name) ?? commit
      if (before !== commit) this.#violated(`V7: ${node.name} commits to two things in ${slotName(slot)}`)
      this.#saidBy.set(name, before)
    }
    for (const opening of message.ballots.openings) first(this.#openedAt, slotName(opening), this.#messages)
  }

  /** Final blocks with what they led to. */
  executed(node: Speaker, blocks: readonly FinalizedBlock[]): void {
    if (!node.isHonest) return
    for (const { block, changes } of blocks) {
      const { height } = block.header
      for (const { requestKey, failures } of changes.judgements) {
        this.#findings.set(requestKey, findingsOf(failures))
      }
      for (const { requestKey, status, findings } of changes.verdicts) {
        this.verdicts[status]++
        if (status !== 'expired' && !agrees(findings, this.#findings.get(requestKey) ?? findings)) {
          this.#violated(`V1: a wrong verdict on ${requestKey} at height ${height}`)
        }
      }
      const [first] = block.transactions
      const set = this.#setAt.get(height) ?? this.#founders
      if (first?.transaction.kind === 'ballots') this.#ballots(first.transaction, set)
      this.#setAt.set(height + 1, changes.staking.validators)
      for (const trust of changes.voting.trust.values()) this.#trusted(trust, height)
    }
  }

  #ballots({ commits, openings }: BallotsTransaction, set: readonly Validator[]): void {
    // Another epoch has other indices.
    const idOf = (voter: ValidatorIndex): string => set[voter]?.id ?? 'nobody'
    for (const { commit, voter, ...slot } of commits) {
      this.#inTime(slot, commit)
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

  /** V2: what was known of others when a commit was first said is nothing. */
  #inTime(slot: BallotSlot, commit: string): void {
    const name = slotName(slot)
    const openedAt = this.#openedAt.get(name) ?? Number.POSITIVE_INFINITY
    const committedAt = this.#committedAt.get(`${name}/${commit}`)
    if (committedAt === undefined) this.#violated(`V4: nobody said commit ${commit} of ${name}`)
    else if (committedAt > openedAt)
      this.#violated(`V2: a commit of ${name} was said after an opening was known`)
  }

  #trusted({ account, dissented, ppm }: ValidatorTrust, height: number): void {
    if (!this.#honest.has(account)) return
    this.lowestHonestTrust = Math.min(this.lowestHonestTrust, ppm)
    if (dissented > 0) this.#violated(`V5: honest ${account.slice(0, 8)} is blamed by height ${height}`)
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

/**
 * Verdicts under an abstract network (spec/commit-reveal.md 5.9): the ledger's own rules and the validators' own boxes
 * of ballots, with messages that are lost now and then, and leaders that are drawn by stake. Less than a third of the
 * stake is Byzantine; such a leader leaves out nine in ten ballots of honest validators, replaces any block that is
 * not final, says what it pleases in time for what it has heard, and puts honest openings into its blocks as leaks.
 * No views, certificates or time: evidence about the rules of verdicts, not about consensus.
 */
import { LeaderSchedule } from '../../../src/consensus/leader-schedule.ts'
import type { BallotBox } from '../../../src/runtime/ballot-box.ts'
import type { Ballots, CastCommit, CastOpening } from '../../../src/types/ballots.ts'
import { compareSlots } from '../../../src/types/ballots.ts'
import type { Vote } from '../../../src/types/messages.ts'
import { asEpoch, asValidatorIndex, asView, type View } from '../../../src/types/primitives.ts'
import { quorumOf } from '../../../src/types/quorum.ts'
import type { BallotsTransaction } from '../../../src/types/transaction.ts'
import { HONEST } from '../adversary.ts'
import { BallotChecker } from '../ballot-checker.ts'
import { type BallotHabits, bendBallots, conductOf, HONEST_BALLOTS } from '../ballot-liar.ts'
import { Conspiracy } from '../conspiracy.ts'
import { Random } from '../random.ts'
import { type VerdictBlock, VerdictChain } from './verdict-chain.ts'

/** The columns of table 5.9. */
export interface ModelFigures {
  /** Slots that were opened. */
  readonly batches: number
  readonly wrong: number
  readonly copied: number
  readonly stolen: number
  readonly framed: number
  /** Attempts without a verdict on all of their requests. */
  readonly inconclusive: number
  /** Parts per million. */
  readonly lowestHonestTrust: number
  /** Times that an honest validator lost trust for anything but too little to judge. */
  readonly losses: number
  readonly violations: readonly string[]
}

/** As many heights, and so many more in which nothing is asked any more. */
const HEIGHTS = 240
const DRAIN = 40
const PERIOD_BLOCKS = 60
const REQUEST_CHANCE = 0.9
const INVALID_SHARE = 0.2
const LOSS = 0.05
/** Of ballots of honest validators, by a Byzantine leader. */
const CENSORED = 0.9
const ORPHANED = 0.5
/** Of blocks that close something, by leaders that wait until they are final. */
const WAITED = 0.5

/** The first of them has as much as less than a third can be. */
const CENSORS_AND_OTHERS: readonly bigint[] = [33n, 17n, 10n, 10n, 10n, 10n, 10n]

/** The verdict attackers of spec/commit-reveal.md section 8. */
export const ATTACKERS = {
  lazy: { laze: 1 },
  dissent: { lie: 1 },
  withhold: { lie: 1, hush: 1 },
  copier: { copy: 1 },
  thief: { steal: 1 },
  'bad opening': { spoil: 1 },
  leaker: { leak: 1 },
  absent: { abstain: 1 },
} as const satisfies Record<string, Partial<BallotHabits>>

interface Player {
  readonly name: string
  readonly isHonest: boolean
  readonly habits: BallotHabits
  readonly box: BallotBox
}

export interface ModelOptions {
  /**
   * Byzantine validators judge as honest ones do and censor as hard as they can: no ballot of an honest one in their
   * blocks, no block of an honest one that they can replace.
   */
  readonly isCensoring?: boolean
  /** Who leads a view: drawn by stake, drawn by head, or as the node elects (consensus/leader-schedule.ts). */
  readonly leaders?: 'by stake' | 'per head' | 'elected'
}

/** Runs a seed to the end. A pure function of it. */
export function runModel(seed: number, options: ModelOptions = {}): ModelFigures {
  return new Model(new Random(seed ^ 0xc0de), options).run()
}

/** Whether the block closed a batch: what is in it is opened next. */
function isClosing({ height, voting }: VerdictBlock): boolean {
  return voting.batches.some(({ closedAt }) => closedAt === height)
}

class Model {
  readonly #random: Random
  readonly #chain: VerdictChain
  readonly #players: readonly Player[]
  readonly #knows: Conspiracy
  readonly #checker: BallotChecker
  readonly #found = new Map<string, number>()
  readonly #violations: string[] = []
  readonly #isCensoring: boolean
  readonly #leaders: ModelOptions['leaders']
  readonly #schedule: LeaderSchedule
  #asked = 0
  #view = 0
  #batches = 0
  #inconclusive = 0

  constructor(random: Random, { isCensoring = false, leaders = 'by stake' }: ModelOptions) {
    this.#random = random
    this.#isCensoring = isCensoring
    this.#leaders = leaders
    const stakes = isCensoring
      ? CENSORS_AND_OTHERS
      : Array.from({ length: 4 + random.below(7) }, () => BigInt(1 + random.below(100)))
    // One period for censors: in a short one chance alone brings absence about.
    this.#chain = new VerdictChain(stakes, isCensoring ? 0 : PERIOD_BLOCKS)
    const { genesisHash } = this.#chain.rules
    this.#knows = new Conspiracy(genesisHash, this.#chain.electorate, random)
    this.#schedule = new LeaderSchedule(this.#chain.electorate)
    const byzantine = isCensoring
      ? new Map([[0, HONEST_BALLOTS]])
      : drawByzantine(random, stakes, Object.values(ATTACKERS))
    this.#players = stakes.map((_, i) => this.#player(i, byzantine.get(i) ?? null))
    this.#checker = new BallotChecker({
      honest: new Set(stakes.flatMap((_, i) => (byzantine.has(i) ? [] : [this.#chain.accountOf(i)]))),
      founders: this.#chain.staking.validators,
      isCalm: true,
      // Nobody dies here: what is recorded is said.
      recordedBy: () => [],
      violated: (what) => this.#violated(what),
    })
  }

  run(): ModelFigures {
    let tip = this.#chain.genesis
    while (tip.height < HEIGHTS + DRAIN) {
      this.#view++
      this.#vote(tip)
      const leader = this.#leader()
      const player = this.#players[leader] as Player
      // The parent of the tip is final. The tip is when a leader has waited for it, else with the next block on it.
      const isOrphaning = !player.isHonest && this.#random.chance(this.#isCensoring ? 1 : ORPHANED)
      const base = isOrphaning ? (tip.parent ?? tip) : tip
      if (base === tip && isClosing(tip) && this.#random.chance(WAITED)) this.#open(tip)
      const next = this.#propose(base, leader)
      if (base === tip) this.#final(tip)
      tip = next
    }
    const count = (name: string): number => this.#found.get(name) ?? 0
    return {
      batches: this.#batches,
      wrong: count('V1'),
      copied: count('V2'),
      stolen: count('V3'),
      framed: count('V5'),
      inconclusive: this.#inconclusive,
      lowestHonestTrust: this.#checker.lowestHonestTrust,
      losses: count('V5') + count('V8'),
      violations: this.#violations,
    }
  }

  #player(index: number, attacker: BallotHabits | null): Player {
    const habits = attacker ?? { ...HONEST, ...HONEST_BALLOTS }
    const conduct =
      attacker === null
        ? undefined
        : {
            ...conductOf(habits, this.#random),
            leavesOut: (voter: number) =>
              this.#players[voter]?.isHonest === true &&
              this.#random.chance(this.#isCensoring ? 1 : CENSORED),
          }
    const box = this.#chain.box(index, conduct)
    return { name: this.#chain.idOf(index), isHonest: attacker === null, habits, box }
  }

  #violated(what: string): void {
    const name = what.slice(0, 2)
    this.#found.set(name, (this.#found.get(name) ?? 0) + 1)
    if (this.#violations.length < 5) this.#violations.push(what)
  }

  /** Without memory, but for those that the node would elect. */
  #leader(): number {
    const { validators } = this.#chain.staking
    if (this.#leaders === 'elected') return this.#schedule.leaderOf(asView(this.#view))
    if (this.#leaders === 'per head') return this.#random.below(validators.length)
    let at = this.#random.next() * Number(this.#chain.electorate.totalStake)
    for (const [i, { stake }] of validators.entries()) {
      at -= Number(stake)
      if (at < 0) return i
    }
    return validators.length - 1
  }

  /** Everybody votes for the tip, and is heard by most. */
  #vote(tip: VerdictBlock): void {
    for (const { box } of this.#players) if (tip.parent !== null) box.final(tip.parent.height)
    // Whoever is Byzantine has heard all others before it speaks.
    for (const isHonest of [true, false]) {
      const votes = this.#players.flatMap((player, i) =>
        player.isHonest === isHonest ? [[player, this.#voteOf(i, tip)] as const] : [],
      )
      for (const [player, vote] of votes) {
        this.#checker.said(player, vote)
        this.#knows.observe(vote)
        for (const other of this.#players) {
          if (other === player || !this.#random.chance(LOSS)) other.box.heard(vote)
        }
      }
    }
  }

  /** What the tip closed is final before anything is built on it, and is opened at once; most of it is heard. */
  #open(tip: VerdictBlock): void {
    for (const { box } of this.#players) box.final(tip.height)
    for (const player of this.#players.keys()) {
      const vote = this.#voteOf(player, tip)
      const { openings } = vote.ballots
      this.#knows.observe({ ...vote, ballots: { commits: [], openings } })
      for (const [other, { box }] of this.#players.entries()) {
        if (other === player || !this.#random.chance(LOSS)) box.opened({ ...vote, openings })
      }
    }
  }

  #voteOf(index: number, tip: VerdictBlock): Vote {
    return {
      kind: 'prepare',
      epoch: asEpoch(0),
      view: asView(this.#view) as View,
      height: tip.height,
      blockHash: tip.hash,
      voter: asValidatorIndex(index),
      signature: new Uint8Array(0),
      ballots: this.#says(index, tip),
    }
  }

  #says(index: number, tip: VerdictBlock): Ballots {
    const { box, isHonest, habits } = this.#players[index] as Player
    const ballots = box.say('prepare', tip)
    return isHonest ? ballots : bendBallots(ballots, habits, this.#knows, asValidatorIndex(index))
  }

  #propose(base: VerdictBlock, leader: number): VerdictBlock {
    const { box, isHonest } = this.#players[leader] as Player
    const collected = box.collect(base, this.#chain.staking.validators)?.transaction.transaction ?? null
    const requests =
      base.height < HEIGHTS && this.#random.chance(REQUEST_CHANCE)
        ? [{ number: ++this.#asked, isValid: !this.#random.chance(INVALID_SHARE) }]
        : []
    let ballots = collected
    if (!isHonest) for (const more of this.#afterthoughts(base)) ballots = this.#joined(base, ballots, more)
    const next = this.#chain.next(base, { ballots, requests })
    if (!next.ok) throw new Error(`an honest leader's block is refused: ${next.code}`)
    return next.value
  }

  /** What Byzantine validators would still have in a block on the base, now that they know what they know. */
  *#afterthoughts(base: VerdictBlock): Generator<Pick<BallotsTransaction, 'commits' | 'openings'>> {
    for (const [i, { isHonest }] of this.#players.entries()) {
      if (isHonest) continue
      const voter = asValidatorIndex(i)
      const { commits, openings } = this.#says(i, base)
      for (const commit of commits) {
        this.#checker.said(
          { name: this.#chain.idOf(i), isHonest },
          { ...this.#voteOf(i, base), ballots: { commits: [commit], openings: [] } },
        )
        yield { commits: [{ ...commit, voter }], openings: [] }
      }
      for (const opening of openings) yield { commits: [], openings: [{ ...opening, voter }] }
    }
    for (const { height, round, blockHash, closedAt } of base.voting.batches) {
      if (closedAt !== null) continue
      for (const [voter, opening] of this.#knows.openingsOf({
        height,
        round,
        blockHash: blockHash ?? base.hash,
      })) {
        if (this.#players[voter]?.isHonest === true) yield { commits: [], openings: [{ ...opening, voter }] }
      }
    }
  }

  /** With these ballots too, if that is legal and they are new. */
  #joined(
    base: VerdictBlock,
    before: BallotsTransaction | null,
    more: Pick<BallotsTransaction, 'commits' | 'openings'>,
  ): BallotsTransaction | null {
    const joined: BallotsTransaction = {
      kind: 'ballots',
      commits: inOrder([...(before?.commits ?? []), ...more.commits]),
      openings: inOrder([...(before?.openings ?? []), ...more.openings]),
    }
    return this.#chain.next(base, { ballots: joined }).ok ? joined : before
  }

  #final(block: VerdictBlock): void {
    if (block.parent === null) return
    const { height, ballots, judgements, decided, voting } = block
    const verdicts = decided.map(({ record }) => record)
    const nextSet = this.#chain.staking.validators
    this.#checker.executed({ isHonest: true }, [
      { height, ballots, judgements, verdicts, trust: voting.trust, nextSet },
    ])
    this.#batches += voting.batches.filter(({ openedAt }) => openedAt === height).length
    this.#inconclusive +=
      voting.batches.filter(({ openedAt, round }) => openedAt === height && round > 0).length +
      (verdicts.some(({ status }) => status === 'expired') ? 1 : 0)
  }
}

/** Validators in any order, each with an attack of its own, as long as they are less than a third of the stake. */
function drawByzantine(
  random: Random,
  stakes: readonly bigint[],
  attacks: readonly Partial<BallotHabits>[],
): Map<number, BallotHabits> {
  const total = stakes.reduce((sum, stake) => sum + stake, 0n)
  const allowed = total - quorumOf(total)
  const order = stakes.map((_, i) => ({ i, at: random.next() })).sort((a, b) => a.at - b.at)
  const byzantine = new Map<number, BallotHabits>()
  let weight = 0n
  for (const { i } of order) {
    const stake = stakes[i] ?? 0n
    if (weight + stake > allowed) continue
    weight += stake
    byzantine.set(i, { ...HONEST_BALLOTS, ...attacks[random.below(attacks.length)] })
  }
  return byzantine
}

function inOrder<T extends CastCommit | CastOpening>(ballots: readonly T[]): T[] {
  return ballots.toSorted((a, b) => compareSlots(a, b) || a.voter - b.voter)
}

/**
 * R14: who leads which view of an epoch. By stake, smoothly, and without those who failed their last turns: the
 * longer they go on failing, the longer they are passed over. Nor do those lead whose findings do not weigh in verdicts.
 * Computed from final blocks and the state after them alone, those that are a few views old, so that all who hold the
 * same final chain agree. Starts anew with every period of trust, and so with every epoch.
 */
import type { ValidatorIndex, View } from '../types/primitives.ts'
import { asView } from '../types/primitives.ts'
import { LeaderSchedule } from './leader-schedule.ts'
import type { Electorate } from './validator-set.ts'

/**
 * A view's leader follows from final blocks at least this many views before it. Entering a view, a replica that
 * keeps up has seen those become final: finality is two views and one delay behind at most.
 */
const REFERENCE_DISTANCE = 4
/** Passed over for this many turns of everybody after the first failure, twice as many after the next … */
const PENALTY_TURNS = 2
/** … and at most two to this power times as many: a validator that comes back gets a turn within seconds. */
const PENALTY_DOUBLINGS_MAX = 6
/** Failed views before one block that are looked at, the latest ones: a long standstill is no one's record. */
const FAILED_VIEWS_MAX = 64
/** Records kept: all that views in the window of messages can refer to. */
const RECORDS_MAX = 16
/** Schedules kept, one per set of validators that are passed over. */
const SCHEDULES_MAX = 64

/** A final block, as far as leaders go. */
export interface FinalTurn {
  readonly view: View
  /** View of the block before it. The views between the two failed. */
  readonly parentView: View
  readonly proposer: ValidatorIndex
  /** For the last block of a period of trust: who does not weigh in the next one. */
  readonly weightless?: readonly ValidatorIndex[] | undefined
}

/** What an election begins with when a node starts. */
export interface LeaderRecord {
  /** Who does not weigh before the first of the turns. */
  readonly weightless: readonly ValidatorIndex[]
  /** Final blocks of this period and, in an epoch without end, the one before, in order. */
  readonly turns: Iterable<FinalTurn>
}

/** Of one who knows nothing, and of a network's beginning. */
export const NO_LEADER_RECORD: LeaderRecord = { weightless: [], turns: [] }

interface Suspension {
  /** Turns failed since the last block of its own that became final. */
  readonly failures: number
  /** Passed over in views below this one. */
  readonly untilView: number
}

type Suspensions = ReadonlyMap<ValidatorIndex, Suspension>

/** What is known after the final block of a view. */
interface Known {
  readonly view: number
  readonly suspensions: Suspensions
  readonly weightless: readonly ValidatorIndex[]
}

export class LeaderElection {
  readonly #electorate: Electorate
  readonly #schedules = new Map<string, LeaderSchedule>()
  /** After the final block of each view in which something changed, lowest first. */
  readonly #records: Known[] = []

  constructor(electorate: Electorate, { weightless, turns }: LeaderRecord = NO_LEADER_RECORD) {
    this.#electorate = electorate
    this.#records.push({ view: 0, suspensions: new Map(), weightless })
    for (const turn of turns) this.final(turn)
  }

  /** Takes in a block that became final. In order of height, every one since the epoch began. */
  final({ view, parentView, proposer, weightless }: FinalTurn): void {
    if (weightless !== undefined) {
      this.#know({ view, suspensions: new Map(), weightless })
      return
    }
    const last = this.#records.at(-1)
    const before = last?.suspensions ?? new Map<ValidatorIndex, Suspension>()
    const after = new Map(before)
    const firstFailed = Math.max(parentView + 1, view - FAILED_VIEWS_MAX)
    for (let failed = firstFailed; failed < view; failed++) {
      const leader = this.leaderOf(asView(failed))
      const failures = (after.get(leader)?.failures ?? 0) + 1
      const doublings = Math.min(failures - 1, PENALTY_DOUBLINGS_MAX)
      const turns = PENALTY_TURNS * this.#electorate.size * 2 ** doublings
      after.set(leader, { failures, untilView: failed + 1 + turns })
    }
    after.delete(proposer)
    if (firstFailed >= view && after.size === before.size) return
    this.#know({ view, suspensions: after, weightless: last?.weightless ?? [] })
  }

  #know(known: Known): void {
    this.#records.push(known)
    if (this.#records.length > RECORDS_MAX) this.#records.shift()
  }

  /** Leader of a view, as far as final blocks are known here. */
  leaderOf(view: View): ValidatorIndex {
    return this.#scheduleWithout(this.#passedOver(view)).leaderOf(view)
  }

  /** Validators that are passed over in a view, in order. */
  passedOverIn(view: View): ValidatorIndex[] {
    return this.#passedOver(view)
  }

  #passedOver(view: View): ValidatorIndex[] {
    const record =
      this.#records.findLast((known) => known.view <= view - REFERENCE_DISTANCE) ?? this.#records[0]
    if (record === undefined || record.suspensions.size + record.weightless.length === 0) return []
    const { totalStake, quorum, amplification } = this.#electorate
    // Too little stake weighs to be sure of an honest leader in it: then everybody leads.
    const weighing = totalStake - this.#electorate.weightOf(record.weightless)
    const passedOver = weighing < amplification ? [] : [...record.weightless]
    let leading = passedOver.length === 0 ? totalStake : weighing
    const suspended = [...record.suspensions].filter(
      ([validator, { untilView }]) => view < untilView && !passedOver.includes(validator),
    )
    // Never a third of the stake or more for failing: whoever is left out, an honest validator must be left in.
    const weightMax = totalStake - quorum
    suspended.sort(([a, one], [b, other]) => other.failures - one.failures || a - b)
    let weight = 0n
    for (const [validator] of suspended) {
      const stake = this.#electorate.stakeOf(validator)
      if (weight + stake > weightMax || leading - stake < amplification) continue
      weight += stake
      leading -= stake
      passedOver.push(validator)
    }
    return passedOver.sort((a, b) => a - b)
  }

  #scheduleWithout(passedOver: readonly ValidatorIndex[]): LeaderSchedule {
    const key = passedOver.join()
    let schedule = this.#schedules.get(key)
    if (schedule === undefined) {
      schedule = new LeaderSchedule(this.#electorate, new Set(passedOver))
      if (this.#schedules.size >= SCHEDULES_MAX) this.#schedules.clear()
      this.#schedules.set(key, schedule)
    }
    return schedule
  }
}

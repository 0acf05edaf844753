/** Attacks on trust (spec/commit-reveal.md section 8), told on the ledger's own rules. Each says what went wrong. */
import { ballotCommit } from '../../../src/codec/ballots.ts'
import { electorsOf, eligibleStakeOf, type Seat } from '../../../src/ledger/verdicts/electors.ts'
import { ALL_VALID } from '../../../src/ledger/verdicts/findings.ts'
import {
  afterPeriod,
  afterSlot,
  type Conduct,
  changeStatuses,
  newTrust,
} from '../../../src/ledger/verdicts/trust.ts'
import type { BallotConduct } from '../../../src/runtime/own-ballots.ts'
import { type AccountId, asEpoch, asHeight } from '../../../src/types/primitives.ts'
import { TRUST_MAX, type ValidatorTrust } from '../../../src/types/voting.ts'
import { accountOf, idOf } from '../../unit/ledger/verdicts/fixtures.ts'
import { Told } from './told.ts'
import { FOUND_TOO_LITTLE } from './verdict-chain.ts'

/** Whatever it finds, the opposite. */
const LIAR: BallotConduct = {
  findings: (failures) => (failures.length === 0 ? FOUND_TOO_LITTLE : ALL_VALID),
}
const LAZY: BallotConduct = { findings: () => ALL_VALID }
const ABSTAINING: BallotConduct = { findings: () => 0 }
/** Blocks of a period: each orders one request, and ten verdicts of agreement find room in it. */
const PERIOD = 12

/** Clean periods that the way back takes: said again here, for whoever changes the rule. */
const TWENTY = 20

/** Periods of blocks, each with a request; every so manieth of these breaks a rule. */
function periods(story: Told, count: number, invalidEvery = 5): Told {
  for (let i = 0; i < count * PERIOD; i++) {
    story.step({ requests: [story.ask(story.tip.height % invalidEvery !== 0)] })
  }
  return story
}

/** T5: the same lies, told by one and kept by another. */
export function withholding(): string[] {
  const story = new Told({ stakes: [2n, 2n, 2n, 1n, 1n], conducts: { 3: LIAR, 4: LIAR } })
  for (let i = 0; i < 4; i++) {
    story.step({ requests: [story.ask()] })
    for (let block = 0; block < 22; block++) {
      story.step({ bend: (who, said) => (who === 4 ? { ...said, openings: [] } : said) })
    }
  }
  const [told, kept] = [story.trust(3), story.trust(4)]
  story.must(told.dissented === 4 && kept.withheld === 4, 'T5: the lies are not seen')
  story.must(kept.ppm <= told.ppm, `T5: keeping a lie to oneself leaves ${kept.ppm}, telling it ${told.ppm}`)
  return story.violations
}

/** T12: an outage over several slots in flight is paid for once. */
export function outage(): string[] {
  const story = new Told()
  for (let i = 0; i < 3; i++) story.step({ requests: [story.ask()] })
  // Its commits to the first two are in the chain; then it is gone.
  for (let i = 0; i < 30; i++) story.step({ silent: [3] })
  const { ppm, withheld } = story.trust(3)
  story.must(
    withheld === 1 && ppm === 640_000,
    `T12: one outage is paid for ${withheld} times, ${ppm} is left`,
  )
  return story.violations
}

/** T17: three in ten by weight judge by other rules, and say so. */
export function skew(): string[] {
  const story = new Told({ stakes: [3n, 3n, 3n, 2n], conducts: { 3: LIAR } })
  for (let i = 0; i < 3; i++) story.step({ requests: [story.ask()] })
  story.steps(4)
  const liar = story.trust(3)
  story.must(liar.dissented > 0, 'T17: a liar by the rules does not dissent')
  const skewed = new Told({ stakes: [3n, 3n, 3n, 2n] })
  skewed.step({ requests: [skewed.ask()] })
  const commit = byOtherRules(skewed)
  for (let i = 0; i < 4; i++) skewed.step({ bend: (who, said) => (who === 3 ? commit(said) : said) })
  const { ppm, absent, dissented } = skewed.trust(3)
  skewed.must(skewed.verdicts[0]?.status === 'valid', 'T17: no verdict without them')
  skewed.must(dissented === 0 && ppm === 800_000, `T17: other rules are taken for a lie: ${ppm}`)
  skewed.must(absent === 1, 'T17: other rules are not counted as absence')
  // Without a version in what they say they lie: then the cap holds, whoever is below the line.
  const fallen = [1, 2, 3, 4].map((i) => trustOf(i, 400_000))
  const [seats, trust] = seated([...fallen, ...[5, 6, 7, 8, 9].map((i) => trustOf(i, 800_000))])
  changeStatuses(trust, seats, 5)
  const out = [...trust.values()].filter(({ status }) => status === 'excluded').length
  skewed.must(out === 3, `T17: ${out} of nine are excluded`)
  return [...story.violations, ...skewed.violations]
}

/** Commits and opens by rules of another version. */
function byOtherRules(story: Told): (said: ReturnType<Told['says']>) => ReturnType<Told['says']> {
  const { genesisHash } = story.chain.rules
  return ({ commits }) => ({
    commits: commits.map((commit) => {
      const opening = {
        ...commit,
        rules: 2,
        findings: [FOUND_TOO_LITTLE],
        salt: story.chain.saltOf(3)(commit),
      }
      const by = { genesisHash, epoch: asEpoch(0), validator: story.chain.idOf(3) }
      return { ...commit, commit: ballotCommit(by, opening) }
    }),
    // Its own box is silent about a slot in which something else was committed to.
    openings: story.says(0).openings.map((opening) => ({
      ...opening,
      rules: 2,
      findings: [FOUND_TOO_LITTLE],
      salt: story.chain.saltOf(3)(opening),
    })),
  })
}

/** T18: everything is valid to one that does not look; requests that are not find it out. */
export function laziness(): string[] {
  const story = new Told({ conducts: { 3: LAZY }, periodBlocks: PERIOD })
  // One in two periods.
  periods(story, 8, 2 * PERIOD)
  const { status, ppm } = story.trust(3)
  story.must(status === 'excluded', `T18: a lazy one is ${status} with ${ppm}`)
  story.must(
    [0, 1, 2].every((i) => story.trust(i).ppm >= 800_000),
    'T18: others pay for the lazy',
  )
  return story.violations
}

/** T19: trust is not to be farmed: by many requests of one's own, nor by those that find no verdict. */
export function farming(): string[] {
  const busy = periods(new Told({ periodBlocks: PERIOD }), 2)
  for (const i of [0, 1, 2, 3]) {
    const { ppm } = busy.trust(i)
    busy.must(ppm <= 800_000 + 2 * 10_000, `T19: ${ppm} after two periods`)
    busy.must(ppm > 800_000, 'T19: nothing is earned')
  }
  // Two in five lie in all: no quorum on anything.
  const cartel = { 3: LIAR, 4: LIAR }
  const idle = periods(new Told({ stakes: [1n, 1n, 1n, 1n, 1n], conducts: cartel, periodBlocks: PERIOD }), 3)
  for (const i of [3, 4]) {
    const { ppm } = idle.trust(i)
    idle.must(ppm <= 800_000, `T19: a cartel farms ${ppm} without one verdict`)
  }
  return [...busy.violations, ...idle.violations]
}

/** T20: good for so many periods, then one lie, and again: who lies oftener than once in fourteen periods falls. */
export function milking(): string[] {
  const violations: string[] = []
  for (let every = 5; every <= 25; every++) {
    let trust = trustOf(1, TRUST_MAX)
    let isFallen = false
    for (let period = 1; period <= 40 * every; period++) {
      const conducts: Conduct[] = Array<Conduct>(12).fill('agreed')
      if (period % every === 0) conducts[5] = 'dissented'
      for (const conduct of conducts) trust = afterSlot(trust, conduct, asHeight(period), true)
      isFallen ||= trust.ppm < 500_000
      trust = afterPeriod(trust)
    }
    if (isFallen !== every < 14) {
      violations.push(`T20: a lie in ${every} periods ${isFallen ? 'does not survive' : 'survives'}`)
    }
  }
  return violations
}

/** T21: a new name weighs nothing, and one stake under many names weighs what it did. */
export function whitewash(): string[] {
  const violations: string[] = []
  const [seats, trust] = seated([1, 2, 3, 4].map((i) => trustOf(i, 800_000)))
  const newcomers: Seat[] = Array.from({ length: 50 }, (_, i) => seatOf(100 + i))
  const all = [
    ...seats.map((seat) => ({ ...seat, validator: { ...seat.validator, stake: 50n } })),
    ...newcomers,
  ]
  const weight = (): bigint => eligibleStakeOf(electorsOf(1, all, trust).members)
  changeStatuses(trust, all, 1)
  if (weight() !== 200n) violations.push(`T21: fifty new names weigh ${weight() - 200n}`)
  for (let period = 1; period < TWENTY; period++) {
    for (const { account } of newcomers) {
      let of = trust.get(account) as ValidatorTrust
      for (let i = 0; i < 12; i++) of = afterSlot(of, 'agreed', asHeight(period), true)
      trust.set(account, afterPeriod(of))
    }
    changeStatuses(trust, all, period + 1)
    if (weight() !== 200n) violations.push(`T21: new names weigh after ${period} periods`)
    if (violations.length > 0) return violations
  }
  return violations
}

/** T22: an excluded one that is back on probation: as it judges, so it fares. */
export function probation(): string[] {
  const violations: string[] = []
  for (const [what, conduct, isBack] of [
    ['honest', {}, true],
    ['lazy', LAZY, false],
    ['copying', ABSTAINING, false],
  ] as const) {
    const story = new Told({ conducts: { 3: conduct }, periodBlocks: PERIOD })
    // As it was when its cool-down was over.
    const account = story.chain.accountOf(3)
    const { voting } = story.tip
    const trust = new Map(voting.trust)
    trust.set(account, { ...newTrust(account, 500_000, 'probation'), exclusions: 1 })
    const electors = voting.electors.map(({ members, ...of }) => ({
      ...of,
      members: members.map((member) => ({ ...member, weighs: member.account !== account })),
    }))
    story.tip = { ...story.tip, voting: { ...voting, trust, electors } }
    periods(story, TWENTY - 1)
    if (story.trust(3).status !== 'probation')
      violations.push(`T22: ${what}, it is back before twenty periods`)
    periods(story, 3)
    const { status, ppm } = story.trust(3)
    if ((status === 'active') !== isBack) violations.push(`T22: ${what}, it is ${status} with ${ppm}`)
  }
  return violations
}

/** T28: abstaining from everything is being absent. */
export function abstaining(): string[] {
  const story = new Told({ conducts: { 3: ABSTAINING }, periodBlocks: PERIOD })
  periods(story, 2)
  const { ppm, cleanStreak } = story.trust(3)
  story.must(ppm === 800_000 - 2 * 20_000, `T28: one that abstains has ${ppm} after two periods`)
  story.must(cleanStreak === 0, 'T28: abstaining is clean')
  return story.violations
}

function trustOf(n: number, ppm: number): ValidatorTrust {
  return newTrust(accountOf(n), ppm, 'active')
}

function seatOf(n: number): Seat {
  return { validator: { id: idOf(n), publicKey: new Uint8Array(0), stake: 1n }, account: accountOf(n) }
}

function seated(all: readonly ValidatorTrust[]): [Seat[], Map<AccountId, ValidatorTrust>] {
  return [all.map((_, i) => seatOf(i + 1)), new Map(all.map((trust) => [trust.account, trust]))]
}

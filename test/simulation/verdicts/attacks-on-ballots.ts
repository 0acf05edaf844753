/** Attacks on ballots (spec/commit-reveal.md section 8), told on the ledger's own rules. Each says what went wrong. */
import { ballotCommit } from '../../../src/codec/ballots.ts'
import { checkBallots } from '../../../src/ledger/verdicts/check-ballots.ts'
import { electorQuorum } from '../../../src/ledger/verdicts/electors.ts'
import { ALL_VALID } from '../../../src/ledger/verdicts/findings.ts'
import { countedOpenings, tallied } from '../../../src/ledger/verdicts/tally.ts'
import { trustRoot } from '../../../src/ledger/verdicts/voting-root.ts'
import type { BallotOpening, CastCommit, CastOpening } from '../../../src/types/ballots.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  type BlockHash,
  type GenesisHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import { TRUST_MAX } from '../../../src/types/voting.ts'
import { batchWith, electorsWith, opened } from '../../unit/ledger/verdicts/fixtures.ts'
import { Told } from './told.ts'
import { FOUND_TOO_LITTLE } from './verdict-chain.ts'

const voter = asValidatorIndex

/** A story whose tip has ordered one request. */
function ordered(isValid = true): Told {
  const story = new Told()
  story.step({ requests: [story.ask(isValid)] })
  return story
}

/** T3: a commit and its opening, good in one slot, again in another that differs in one thing. */
export function replay(): string[] {
  const story = ordered()
  const { genesisHash } = story.chain.rules
  const [said] = story.says(0).commits
  const [batch] = story.tip.voting.batches
  if (said === undefined || batch === undefined) throw new Error('nothing was said')
  const own: BallotOpening = {
    ...said,
    rules: 1,
    findings: [ALL_VALID],
    salt: story.chain.saltOf(0)(said),
  }
  const elsewhere: Record<string, { slot?: Partial<BallotOpening>; epoch?: number; network?: string }> = {
    round: { slot: { round: 1 } },
    height: { slot: { height: asHeight(9) } },
    block: { slot: { blockHash: 'ab'.repeat(32) as BlockHash } },
    epoch: { epoch: 1 },
    network: { network: 'ab'.repeat(32) },
  }
  for (const [what, { slot = {}, epoch = 0, network = genesisHash }] of Object.entries(elsewhere)) {
    const opening = { ...own, ...slot, voter: voter(0) }
    const { height, round, blockHash } = opening
    const ballots = [{ elector: 0, commit: said.commit, opening: null }]
    const other = {
      ...batch,
      height,
      round,
      blockHash,
      epoch: asEpoch(epoch),
      closedAt: asHeight(2),
      ballots,
    }
    const checked = checkBallots(
      { commits: [], openings: [opening] },
      {
        genesisHash: network as GenesisHash,
        height: asHeight(20),
        validators: story.chain.staking.validators,
        voting: { ...story.tip.voting, batches: [other] },
      },
    )
    const isRefused = !checked.ok && checked.code === 'ballot-mismatch'
    story.must(isRefused, `T3: a ballot is good in another ${what}`)
  }
  return story.violations
}

/** T4: what was committed to, guessed from the few findings there are and every salt that a stranger can know. */
export function guess(): string[] {
  const story = ordered()
  const { chain } = story
  const [first] = story.says(0).commits
  if (first === undefined) throw new Error('nothing was said')
  // The victim's salt of a slot that is over is known to all.
  story.steps(2)
  story.step({ requests: [story.ask(), story.ask(false)] })
  const [target] = story.says(0).commits
  if (target === undefined) throw new Error('nothing was said')
  const salts = new Set<Hex32>([
    '00'.repeat(32) as Hex32,
    chain.saltOf(0)(first),
    ...[1, 2, 3].flatMap((i) => [chain.saltOf(i)(first), chain.saltOf(i)(target)]),
    ...Array.from({ length: 64 }, (_, i) => i.toString(16).padStart(64, '0') as Hex32),
  ])
  const { genesisHash } = chain.rules
  const by = { genesisHash, epoch: asEpoch(0), validator: chain.idOf(0) }
  for (const salt of salts) {
    for (const one of [ALL_VALID, FOUND_TOO_LITTLE]) {
      for (const other of [ALL_VALID, FOUND_TOO_LITTLE]) {
        const isIt = ballotCommit(by, { ...target, rules: 1, findings: [one, other], salt }) === target.commit
        story.must(!isIt, `T4: what was committed to is guessed with salt ${salt.slice(0, 8)}`)
      }
    }
  }
  return story.violations
}

/** T6: one never says a word; the verdict comes all the same, with the fourth block's closing. */
export function silence(): string[] {
  const story = new Told()
  story.step({ requests: [story.ask()], silent: [3] })
  story.steps(6, { silent: [3] })
  const { closedAt } = story.verdicts[0] === undefined ? { closedAt: null } : { closedAt: 5 }
  story.must(closedAt !== null, 'T6: one that is silent keeps the verdict from coming')
  story.must(story.verdicts[0]?.decidedAt === 7, `T6: the verdict comes at ${story.verdicts[0]?.decidedAt}`)
  story.must(story.trust(3).absent === 1, 'T6: silence is not seen')
  return story.violations
}

/** T8: stake, not heads, and more than two thirds of it. */
export function stake(): string[] {
  const story = new Told()
  const verdictOf = (stakes: readonly number[], findings: readonly (number | null)[]): number => {
    const members = electorsWith(...stakes)
    const said = findings.map((found) => (found === null ? null : [found]))
    return tallied(countedOpenings(opened(batchWith(), said), members), electorQuorum(members), 0)
  }
  const cases: [string, readonly number[], readonly (number | null)[], number][] = [
    ['exactly two thirds decide', [1, 1, 1], [ALL_VALID, ALL_VALID, null], 0],
    ['floor(2W/3) decides', [66, 1, 33], [ALL_VALID, null, null], 0],
    ['one more does not decide', [67, 33], [ALL_VALID, null], ALL_VALID],
    [
      'a giant is outvoted by heads',
      [1, 1, 1, 97],
      [FOUND_TOO_LITTLE, FOUND_TOO_LITTLE, FOUND_TOO_LITTLE, ALL_VALID],
      ALL_VALID,
    ],
    [
      'heads without stake decide',
      [1, 1, 1, 97],
      [FOUND_TOO_LITTLE, FOUND_TOO_LITTLE, FOUND_TOO_LITTLE, null],
      0,
    ],
  ]
  for (const [what, stakes, findings, expected] of cases) {
    story.must(verdictOf(stakes, findings) === expected, `T8: ${what}`)
  }
  story.must(electorQuorum(electorsWith(1, 1, 1)) === 3n, 'T8: two of three are a quorum')
  return story.violations
}

/** T9: garbage under a victim's name, and an opening that its owner lets out before closing. */
export function framing(): string[] {
  const story = ordered()
  story.steps(1)
  const [commit] = story.tip.ballots?.commits ?? []
  if (commit === undefined) throw new Error('nobody committed')
  story.steps(1)
  const { height, round, blockHash } = commit
  const garbage: CastOpening = {
    ...{ height, round, blockHash },
    voter: voter(0),
    rules: 1,
    findings: [FOUND_TOO_LITTLE],
    salt: '5a'.repeat(32) as Hex32,
  }
  story.refused('T9: an opening that nobody committed to', { openings: [garbage] })
  const leaking = new Told({ conducts: { 3: { opensEarly: true } } })
  leaking.step({ requests: [leaking.ask()] })
  // One is not heard, so that commits are still taken when the leak is said.
  leaking.steps(2, { silent: [2] })
  leaking.steps(8)
  const trusts = [0, 1, 2, 3].map((i) => leaking.trust(i))
  story.must(trusts[3]?.ppm === 400_000, `T9: a leak leaves ${trusts[3]?.ppm}`)
  story.must(
    trusts.slice(0, 3).every(({ ppm }) => ppm === 800_000),
    'T9: a leak costs others',
  )
  return story.violations
}

/** T10: commits and openings too late, or for the second time. */
export function untimely(): string[] {
  const story = new Told()
  story.step({ requests: [story.ask()], silent: [3] })
  const late = story.says(3).commits.map((commit): CastCommit => ({ ...commit, voter: voter(3) }))
  story.steps(1, { silent: [3] })
  const again = (story.tip.ballots?.commits ?? []).slice(0, 1)
  story.refused('T10: a second commit', { commits: again })
  story.steps(3, { silent: [3] })
  story.refused('T10: a commit after closing', { commits: late })
  const closed = story.tip
  story.step({ silent: [3] })
  // In the votes for that block closing is final; what they open may be in the block after closing already.
  const openings = [0, 1].map((i): CastOpening => ({ ...openingBy(story, i), voter: voter(i) }))
  story.tip = closed
  story.build({ kind: 'ballots', commits: [], openings: openings.slice(0, 1) })
  story.refused('T10: a second opening', { openings: openings.slice(0, 1) })
  story.refused('T10: one opening twice in a block', {
    openings: [...openings.slice(1), ...openings.slice(1)],
  })
  while (story.tip.height < 5 + 17) story.build(null)
  story.refused('T10: an opening after the last block for it', { openings: openings.slice(1) })
  return story.violations
}

function openingBy(story: Told, index: number): BallotOpening {
  const [opening] = story.says(index).openings
  if (opening === undefined) throw new Error(`validator ${index} opens nothing`)
  return opening
}

/** T14: whatever order ballots are heard in and validators are known in, all come to the same numbers. */
export function orders(): string[] {
  const run = (isTurned: boolean): Told => {
    const story = new Told({ conducts: { 3: { findings: () => FOUND_TOO_LITTLE } } })
    story.step({ requests: [story.ask()] })
    // Two halves of the commits come in two blocks, in one order or the other.
    const halves = isTurned
      ? [
          [0, 1],
          [2, 3],
        ]
      : [
          [2, 3],
          [0, 1],
        ]
    for (const silent of halves) story.step({ silent })
    return story.steps(3)
  }
  const [one, other] = [run(false), run(true)]
  const seen = [...one.tip.voting.trust.values()].map((trust) => ({ ...trust, lastSeen: asHeight(0) }))
  one.must(
    seen.every(({ ppm }) => Number.isInteger(ppm) && ppm >= 0 && ppm <= TRUST_MAX),
    'T14: trust is no whole number',
  )
  const turned = new Map([...one.tip.voting.trust].reverse())
  one.must(
    trustRoot(turned) === trustRoot(one.tip.voting.trust),
    'T14: the root depends on the order of a map',
  )
  one.must(
    trustRoot(one.tip.voting.trust) === trustRoot(other.tip.voting.trust),
    'T14: the root depends on who was heard first',
  )
  const batch = one.chain.genesis
  one.must(batch.height === 0 && one.verdicts.length === 1, 'T14: no verdict')
  return one.violations
}

/** T16: honest judges in two halves: no verdict, and nobody is to blame for it. */
export function split(): string[] {
  const disagreeing = { findings: () => FOUND_TOO_LITTLE }
  for (const [stakes, conducts] of [
    [[1n, 1n, 1n, 1n], { 2: disagreeing, 3: disagreeing }],
    [[3n, 3n, 2n, 2n], { 2: disagreeing, 3: disagreeing }],
  ] as const) {
    const story = new Told({ stakes, conducts })
    story.step({ requests: [story.ask()] }).height
    story.steps(12)
    story.must(story.verdicts[0]?.status === 'expired', `T16: the verdict is ${story.verdicts[0]?.status}`)
    for (const i of [0, 1, 2, 3]) {
      story.must(story.trust(i).ppm === 800_000, `T16: validator ${i} pays for a split question`)
    }
    if (story.violations.length > 0) return story.violations
  }
  return []
}

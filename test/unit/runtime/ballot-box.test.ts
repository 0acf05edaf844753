/** What a validator says about requests in its votes, and what a leader makes of what it heard. */
import { describe, expect, it } from 'vitest'
import { BALLOTS_PER_VOTE_MAX } from '../../../src/codec/limits.ts'
import { ballotSalts } from '../../../src/crypto/ballot-salt.ts'
import type { ParentBlock } from '../../../src/ledger/executed-block.ts'
import { StateOverlay } from '../../../src/ledger/state-overlay.ts'
import { ALL_VALID } from '../../../src/ledger/verdicts/findings.ts'
import { BallotBox, type BallotBoxOptions, type BallotPoint } from '../../../src/runtime/ballot-box.ts'
import type { BallotCommit, BallotOpening, Ballots } from '../../../src/types/ballots.ts'
import type { Vote } from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type BlockHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import type { RuleFailure, VerdictRecord } from '../../../src/types/verdict.ts'
import {
  asParent,
  built,
  certificateTransaction,
  GENESIS,
  genesisParent,
  numberedTransaction,
} from '../ledger/fixtures.ts'

const { state: START, parent: GENESIS_PARENT } = genesisParent()
const { genesisHash } = START.rules
const VALIDATORS = GENESIS.validators
const seed = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1)

type Self = NonNullable<BallotBoxOptions['self']>

/** A chain with the boxes of its four validators; which of them are heard is up to the test. */
class World {
  readonly blockBytesMax: number
  parent: ParentBlock = GENESIS_PARENT
  readonly verdicts: VerdictRecord[] = []
  readonly #judged = new Map<string, readonly RuleFailure[]>()
  readonly judgement = (_: BlockHash, key: string): readonly RuleFailure[] | null =>
    this.#judged.get(key) ?? null
  readonly boxes: BallotBox[]

  constructor(blockBytesMax = GENESIS.parameters.blockBytesMax) {
    this.blockBytesMax = blockBytesMax
    this.boxes = VALIDATORS.map((_, i) => this.box(i))
  }

  /** The box of a validator, as it is after a start. */
  box(i: number, of: Partial<Self> = {}, judgement = this.judgement): BallotBox {
    const id = VALIDATORS[i]?.id as Self['id']
    const self = { id, saltOf: ballotSalts(seed(i), genesisHash), committed: [], ...of }
    return new BallotBox({ genesisHash, blockBytesMax: this.blockBytesMax, self, judgement }, asEpoch(0))
  }

  get point(): BallotPoint {
    const { hash, header, state } = this.parent
    return { hash, height: header.height, voting: state.voting }
  }

  vote(voter: number, ballots: Ballots, of: Partial<Vote> = {}): Vote {
    const { hash, header } = this.parent
    return {
      kind: 'prepare',
      epoch: asEpoch(0),
      view: asView(header.height),
      height: header.height,
      blockHash: hash,
      voter: asValidatorIndex(voter),
      signature: new Uint8Array(0),
      ballots,
      ...of,
    }
  }

  /** All vote for the tip, box 0 hears those voters, and the next block is made from it. */
  next(requests: readonly HashedTransaction[] = [], voters: readonly number[] = [0, 1, 2, 3]) {
    for (const voter of voters) {
      this.leader.heard(this.vote(voter, this.boxes[voter]?.say('prepare', this.point) as Ballots))
    }
    const collected = this.leader.collect(this.point, VALIDATORS)
    const executed = built(collected === null ? requests : [collected.transaction, ...requests], this.parent)
    const below = this.parent.state
    for (const { requestKey, failures } of executed.changes.judgements) this.#judged.set(requestKey, failures)
    this.verdicts.push(...executed.changes.verdicts)
    this.parent = asParent(
      executed,
      StateOverlay.of(() => below, executed.changes),
    )
    return collected
  }

  /** The blocks up to the tip's parent are final everywhere, or the tip itself with `behind` 0. */
  finalize(behind = 1): this {
    for (const box of this.boxes) box.final(asHeight(this.parent.header.height - behind))
    return this
  }

  get leader(): BallotBox {
    return this.boxes[0] as BallotBox
  }
}

/** A world in which block 1 has ordered a request. */
function ordered(...requests: HashedTransaction[]): World {
  const world = new World()
  world.next(requests.length === 0 ? [numberedTransaction(1)] : requests)
  return world
}
const say = (box: BallotBox | undefined, { point }: World, kind: Vote['kind'] = 'prepare'): Ballots =>
  (box as BallotBox).say(kind, point)
const NOTHING: Ballots = { commits: [], openings: [] }

describe('four boxes', () => {
  it('bring a request to its verdict: commits, a final closing, openings', () => {
    const world = ordered(numberedTransaction(1), certificateTransaction({ stake: { stakeAmount: 1n } }))
    const commits = world.next()
    expect(commits?.transaction.transaction).toMatchObject({ openings: [] })
    expect(commits?.transaction.transaction.commits.map(({ voter, height }) => [voter, height])).toEqual(
      [0, 1, 2, 3].map((voter) => [voter, 1]),
    )
    expect(commits?.votes.map(({ voter }) => voter)).toEqual([0, 1, 2, 3])
    expect(world.finalize().next()).toBeNull()
    const openings = world.finalize().next()
    expect(openings?.votes).toEqual([])
    expect(openings?.transaction.transaction.openings.map(({ voter }) => voter)).toEqual([0, 1, 2, 3])
    expect(world.verdicts).toMatchObject([
      { height: 1, decidedAt: 4, status: 'valid', agreeing: { validators: 4 } },
      { height: 1, decidedAt: 4, status: 'invalid', dissenting: 0 },
    ])
    expect(world.parent.state.voting.batches).toEqual([])
  })

  it('go on with three of them, and with a liar, whom it costs', () => {
    const world = new World()
    const liar = world.box(3, { conduct: { findings: () => 0b10_10_10_10_10 } })
    world.boxes[3] = liar
    world.next([numberedTransaction(1)])
    for (let i = 0; i < 3; i++) world.finalize().next()
    expect(world.verdicts).toMatchObject([{ status: 'valid', dissenting: 1, agreeing: { validators: 3 } }])
    expect([...world.parent.state.voting.trust.values()].map(({ ppm }) => ppm).sort()).toEqual([
      640_000, 800_000, 800_000, 800_000,
    ])
  })
})

describe('a commit', () => {
  it('is said again, the same, until it is in the chain, and not twice', () => {
    const world = ordered()
    const first = say(world.boxes[1], world)
    expect(first.commits).toHaveLength(1)
    expect(say(world.boxes[1], world)).toEqual(first)
    world.next([], [0])
    expect(say(world.boxes[1], world)).toEqual(first)
    world.next([], [1])
    expect(say(world.boxes[1], world)).toEqual(NOTHING)
  })

  it('is not said where no block could hold it any more', () => {
    const world = ordered()
    for (let i = 0; i < 3; i++) world.next([], [0, 2, 3])
    expect([world.point.height, say(world.boxes[1], world).commits.length]).toEqual([4, 1])
    world.next([], [0, 2, 3])
    expect(say(world.boxes[1], world)).toEqual(NOTHING)
  })

  it('is in prepare votes only', () => {
    const world = ordered()
    expect(say(world.boxes[1], world, 'pre-commit')).toEqual(NOTHING)
  })

  it('is the same after a restart, and of another block or network another', () => {
    const world = ordered()
    const { commits } = say(world.boxes[1], world)
    expect(say(world.box(1, { committed: commits }), world).commits).toEqual(commits)
    expect(say(world.box(1), world).commits).toEqual(commits)
    const sibling = { ...world.point, hash: 'ab'.repeat(32) as BlockHash }
    expect(world.box(1).say('prepare', sibling).commits[0]?.commit).not.toBe(commits[0]?.commit)
  })

  it('that is recorded as another makes the box silent about the slot, for ever', () => {
    const world = ordered()
    const [{ ...slot }] = say(world.boxes[1], world).commits as [BallotCommit]
    const box = world.box(1, { committed: [{ ...slot, commit: '0b'.repeat(32) as Hex32 }] })
    expect(say(box, world)).toEqual(NOTHING)
    // Even if the chain has its commit of today's rules: it is not the one it vouched for.
    world.next()
    world.next()
    box.final(asHeight(2))
    expect(say(box, world)).toEqual(NOTHING)
    // About others it speaks.
    world.next([numberedTransaction(2)])
    expect(say(box, world).commits).toHaveLength(1)
  })

  it('is of nobody who was not there to judge, takes no part, or never votes', () => {
    const world = ordered()
    expect(
      say(
        world.box(1, {}, () => null),
        world,
      ),
    ).toEqual(NOTHING)
    expect(say(world.box(1, { id: 'aa'.repeat(32) as Self['id'] }), world)).toEqual(NOTHING)
    const follower = new BallotBox(
      { genesisHash, blockBytesMax: world.blockBytesMax, self: null, judgement: world.judgement },
      asEpoch(0),
    )
    expect(say(follower, world)).toEqual(NOTHING)
  })

  it('is one of so many as a vote can carry, oldest first', () => {
    const world = ordered()
    const [batch] = world.point.voting.batches
    if (batch === undefined) throw new Error('no batch')
    const batches = Array.from({ length: BALLOTS_PER_VOTE_MAX + 6 }, (_, i) => ({
      ...batch,
      height: asHeight(1_000 - i),
    }))
    const voting = { ...world.point.voting, batches }
    const { commits } = world.box(1).say('prepare', { ...world.point, voting })
    expect(commits).toHaveLength(BALLOTS_PER_VOTE_MAX)
    expect(commits.map(({ height }) => height)).toEqual(commits.map((_, i) => 1_000 - batches.length + 1 + i))
  })
})

describe('an opening', () => {
  it('goes by itself as soon as closing is final, in the block after it, until it is in the chain', () => {
    const world = ordered()
    world.next()
    const box = world.boxes[1] as BallotBox
    expect(box.openings(world.point)).toEqual([])
    world.finalize(0)
    const opened = box.openings(world.point)
    expect(opened).toEqual(say(box, world).openings)
    expect(opened).toHaveLength(1)
    world.leader.opened({ epoch: asEpoch(0), voter: asValidatorIndex(1), openings: opened })
    const { transaction } = world.leader.collect(world.point, VALIDATORS)?.transaction ?? {}
    expect(transaction?.openings).toMatchObject([{ voter: 1 }])
    world.next()
    expect(box.openings(world.point)).toEqual([])
  })

  it('of another epoch is not taken', () => {
    const world = ordered()
    world.next()
    world.finalize(0)
    const openings = (world.boxes[1] as BallotBox).openings(world.point)
    world.leader.opened({ epoch: asEpoch(1), voter: asValidatorIndex(1), openings })
    expect(world.leader.collect(world.point, VALIDATORS)).toBeNull()
  })

  /** All have committed in block 2, which closes; the tip is block 3. */
  function closed(): World {
    const world = ordered()
    world.next()
    world.next()
    return world
  }

  it('is kept until closing is final here, and then in both kinds of vote', () => {
    const world = closed()
    const box = world.boxes[1]
    expect(say(box, world)).toEqual(NOTHING)
    box?.final(asHeight(1))
    expect(say(box, world)).toEqual(NOTHING)
    box?.final(asHeight(2))
    const { openings, commits } = say(box, world)
    expect(commits).toEqual([])
    expect(openings).toMatchObject([{ height: 1, round: 0, rules: 1, findings: [ALL_VALID] }])
    expect(say(box, world, 'pre-commit').openings).toEqual(openings)
    // Finality does not go back.
    box?.final(asHeight(1))
    expect(say(box, world).openings).toEqual(openings)
  })

  it('is the same after a restart, and is not said when it is in the chain', () => {
    const world = closed().finalize()
    const { openings } = say(world.boxes[1], world)
    const restarted = world.box(1)
    restarted.final(asHeight(2))
    expect(say(restarted, world).openings).toEqual(openings)
    world.next()
    expect(say(restarted, world)).toEqual(NOTHING)
  })

  it('of one who did not commit is never said', () => {
    const world = ordered()
    for (let i = 0; i < 4; i++) world.next([], [0, 2, 3])
    world.finalize()
    expect(world.point.voting.batches[0]?.closedAt).toBe(5)
    expect(say(world.boxes[1], world)).toEqual(NOTHING)
  })
})

describe('a block that could hold more ballots', () => {
  const isIncomplete = ({ leader, point }: World, view = point.height + 1): boolean =>
    leader.isIncomplete(point, VALIDATORS, asView(view))
  const hear = (world: World, voters: readonly number[], kind: Vote['kind'] = 'prepare'): void => {
    for (const voter of voters) world.leader.heard(world.vote(voter, say(world.boxes[voter], world, kind)))
  }
  /** All four have voted lately. */
  function voting(): World {
    const world = new World()
    world.next([numberedTransaction(1)])
    return world
  }

  it('lacks the commits of those who vote these days, until they are heard', () => {
    const world = voting()
    hear(world, [0, 1, 2])
    expect(isIncomplete(world)).toBe(true)
    hear(world, [3])
    expect(isIncomplete(world)).toBe(false)
  })

  it('lacks nothing while nothing is open', () => {
    const world = new World()
    world.next()
    expect(isIncomplete(world)).toBe(false)
  })

  it('does not lack its own, nor those of one who has not voted for eight views', () => {
    const world = voting()
    hear(world, [1, 2])
    expect([8, 9].map((view) => isIncomplete(world, view))).toEqual([true, false])
  })

  it('right after closing lacks no late vote, but openings: of a quorum at first, then of the others, its own too', () => {
    const world = voting()
    world.next()
    hear(world, [1, 2, 3])
    const missing = () =>
      world.leader.missingOpenings(world.point, VALIDATORS, asView(world.point.height + 1))
    expect([isIncomplete(world), missing()]).toEqual([false, 'quorum'])
    world.finalize(0)
    const after = [1, 2, 3, 0].map((voter) => {
      const openings = (world.boxes[voter] as BallotBox).openings(world.point)
      world.leader.opened({ epoch: asEpoch(0), voter: asValidatorIndex(voter), openings })
      return [isIncomplete(world), missing()]
    })
    expect(after).toEqual([
      [false, 'quorum'],
      [false, 'quorum'],
      [false, 'others'],
      [false, null],
    ])
  })

  it('does not await the openings of one who has not voted for eight views, nor of one who did not commit', () => {
    const world = voting()
    for (const voters of [[0, 1, 2], [], [], []]) world.next([], voters)
    world.finalize(0)
    expect(world.point.voting.batches[0]?.closedAt).toBe(5)
    world.leader.heard(world.vote(1, NOTHING, { view: asView(9) }))
    const after = [0, 1].map((voter) => {
      const before = world.leader.missingOpenings(world.point, VALIDATORS, asView(10))
      const openings = (world.boxes[voter] as BallotBox).openings(world.point)
      world.leader.opened({ epoch: asEpoch(0), voter: asValidatorIndex(voter), openings })
      return before
    })
    expect([...after, world.leader.missingOpenings(world.point, VALIDATORS, asView(10))]).toEqual([
      'quorum',
      'quorum',
      null,
    ])
  })

  it('awaits the openings of all who vote these days, whatever view one of them says it votes in', () => {
    const world = voting()
    world.next()
    world.leader.heard(world.vote(3, NOTHING, { view: asView(1_000_000) }))
    world.finalize(0)
    const openings = (world.boxes[0] as BallotBox).openings(world.point)
    world.leader.opened({ epoch: asEpoch(0), voter: asValidatorIndex(0), openings })
    const own = (world.boxes[3] as BallotBox).openings(world.point)
    world.leader.opened({ epoch: asEpoch(0), voter: asValidatorIndex(3), openings: own })
    expect(world.leader.missingOpenings(world.point, VALIDATORS, asView(world.point.height + 1))).toBe(
      'quorum',
    )
  })

  it('lacks no commits that come too late, and openings of what was closed before its parent', () => {
    const world = voting()
    world.next([], [0, 1, 2])
    world.next([], [0, 1, 2, 3])
    // Closed in block 3.
    world.finalize()
    hear(world, [0, 1, 2])
    expect(isIncomplete(world)).toBe(false)
    world.next([], [])
    world.finalize()
    hear(world, [0, 1, 2])
    expect(isIncomplete(world)).toBe(true)
    hear(world, [3], 'pre-commit')
    expect(isIncomplete(world)).toBe(false)
  })
})

describe('the ballots of a block', () => {
  it('are of the newest vote of each, and never of an older one', () => {
    const world = ordered()
    const { commits } = say(world.boxes[1], world)
    const forged = commits.map((commit) => ({ ...commit, commit: '0b'.repeat(32) as Hex32 }))
    const newest = world.vote(1, { commits, openings: [] }, { view: asView(9) })
    world.leader.heard(newest)
    world.leader.heard(world.vote(1, { commits: forged, openings: [] }, { view: asView(8) }))
    // A later vote without commits says nothing against the one before.
    world.leader.heard(world.vote(1, NOTHING, { view: asView(10) }))
    const collected = world.leader.collect(world.point, VALIDATORS)
    expect(collected?.transaction.transaction.commits).toEqual([{ voter: 1, ...commits[0] }])
    expect(collected?.votes).toEqual([newest])
  })

  it('are of open slots of the branch only', () => {
    const world = ordered()
    const [commit] = say(world.boxes[1], world).commits as [BallotCommit]
    for (const other of [
      { round: 1 },
      { height: asHeight(9) },
      { blockHash: 'ab'.repeat(32) as BlockHash },
    ]) {
      const box = world.box(0)
      box.heard(world.vote(1, { commits: [{ ...commit, ...other }], openings: [] }))
      expect(box.collect(world.point, VALIDATORS)).toBeNull()
    }
  })

  it('take half of a block at most, and the rest comes in the next ones', () => {
    // 56 bytes for a slot, 48 for each commit to it or for an opening besides its findings: room for two.
    const world = new World(2 * (56 + 2 * (48 + 2)))
    world.next([numberedTransaction(1)])
    const voters = [0, 1, 2, 3]
    const counts = () => {
      const { transaction } = world.finalize().next([], voters)?.transaction ?? {}
      return [transaction?.commits.length ?? 0, transaction?.openings.length ?? 0]
    }
    expect([counts(), counts(), counts(), counts(), counts()]).toEqual([
      [2, 0],
      [2, 0],
      [0, 0],
      [0, 2],
      [0, 2],
    ])
    expect(world.verdicts).toMatchObject([{ status: 'valid', decidedAt: 6 }])
  })

  it('are none of what is there already', () => {
    const world = ordered()
    expect(world.next()).not.toBeNull()
    expect(world.leader.collect(world.point, VALIDATORS)).toBeNull()
  })

  it.each<[string, (opening: BallotOpening) => Partial<BallotOpening>]>([
    ['another salt', () => ({ salt: '0c'.repeat(32) as Hex32 })],
    ['other findings', () => ({ findings: [0] })],
    ['fewer findings', () => ({ findings: [] })],
    ['other rules', () => ({ rules: 7 })],
  ])('leave an opening out that would make the block illegal: %s', (_, change) => {
    const world = ordered()
    world.next()
    world.next()
    world.finalize()
    const [opening] = say(world.boxes[1], world).openings as [BallotOpening]
    world.leader.heard(world.vote(1, { commits: [], openings: [{ ...opening, ...change(opening) }] }))
    expect(world.leader.collect(world.point, VALIDATORS)).toBeNull()
    world.leader.heard(world.vote(1, { commits: [], openings: [opening] }))
    expect(world.leader.collect(world.point, VALIDATORS)?.transaction.transaction.openings).toEqual([
      { voter: 1, ...opening },
    ])
  })

  it('remember so many openings of one validator, the newest', () => {
    const world = ordered()
    world.next()
    world.next()
    world.finalize()
    const [opening] = say(world.boxes[1], world).openings as [BallotOpening]
    const junk = Array.from({ length: 32 }, (_, i) => ({ ...opening, height: asHeight(500 + i) }))
    world.leader.heard(world.vote(1, { commits: [], openings: [opening, ...junk] }))
    expect(world.leader.collect(world.point, VALIDATORS)).toBeNull()
    world.leader.heard(world.vote(1, { commits: [], openings: [opening] }))
    expect(world.leader.collect(world.point, VALIDATORS)).not.toBeNull()
  })

  it('are of the epoch that goes on: earlier votes are forgotten, and late ones are not heard', () => {
    const world = ordered()
    const ballots = say(world.boxes[1], world)
    world.leader.heard(world.vote(1, ballots))
    expect(world.leader.collect(world.point, VALIDATORS)).not.toBeNull()
    world.leader.beginEpoch(asEpoch(1))
    expect(world.leader.collect(world.point, VALIDATORS)).toBeNull()
    world.leader.heard(world.vote(1, ballots, { view: asView(1_000) }))
    expect(world.leader.collect(world.point, VALIDATORS)).toBeNull()
    const vote = world.vote(1, ballots, { epoch: asEpoch(1), view: asView(1) })
    world.leader.heard(vote)
    expect(world.leader.collect(world.point, VALIDATORS)?.votes).toEqual([vote])
  })
})

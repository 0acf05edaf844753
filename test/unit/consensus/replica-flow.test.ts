/** Whole effect lists of single steps: proposals, votes, finality, in the order in which they are performed. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import type { ConsensusEffect } from '../../../src/consensus/effect.ts'
import type { ConsensusInput } from '../../../src/consensus/input.ts'
import type { Step } from '../../../src/consensus/replica.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { TimeoutCertificate } from '../../../src/types/certificates.ts'
import { asMonotonicMs, asUnixMs, asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import { certificateRequest } from '../../support/requests.ts'
import {
  blockOn,
  chainOf,
  commitVote,
  GENESIS,
  Harness,
  proposal,
  quorumOn,
  START_UNIX_MS,
  said,
  stateAfter,
  timeout,
  timeoutQuorum,
  vote,
  words,
} from './harness.ts'

const TRANSACTION = hashTransaction({ kind: 'validate-certificate', request: certificateRequest('one') })
const ANOTHER = hashTransaction({ kind: 'validate-certificate', request: certificateRequest('two') })
const [B1, B2] = chainOf(2) as [ReturnType<typeof blockOn>, ReturnType<typeof blockOn>]

describe('a proposal of the current view', () => {
  it('is checked, prepared, and the record is durable before the vote leaves (R3, S0)', () => {
    const h = new Harness()
    expect(words(h.receive(proposal(B1)))).toEqual([
      'check 1',
      'sign prepare 1',
      'persist prepare+blocks',
      'broadcast prepare',
    ])
    expect(h.events.map(({ kind }) => kind)).toEqual(['proposal-accepted', 'voted'])
  })

  it('is prepared once, however often it comes', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    expect(h.receive(proposal(B1))).toEqual([])
  })

  it('makes the view one with work in it: its timer runs from now', () => {
    const h = new Harness()
    h.finalize(B1)
    h.later(500)
    const [timer] = h.receive(proposal(B2), 2)
    // The middle of the allowed range until there are samples: sqrt(100 × 1600).
    expect(timer).toMatchObject({ kind: 'set-timer', timer: 'view', view: 2, delayMs: 400 })
  })
})

describe('prepare votes', () => {
  it('are what proposals are: a quorum has the leader in it without a word more', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    expect(h.replica.look().prepareVoters).toEqual([0, 1])
    expect(h.replica.triage(vote('prepare', 1, B1))).toBe('ignore')
    h.votes('prepare', B1, [3])
    expect(h.replica.look()).toMatchObject({ view: 2, highQcView: 1 })
  })

  it('are what proposals are, also of one who does not lead by what is known here (R14)', () => {
    const h = new Harness()
    const theirs = blockOn(GENESIS, 1, { proposer: 3 })
    h.receive(proposal(theirs), 3)
    expect(h.replica.look().prepareVoters).toEqual([3])
    h.votes('prepare', theirs, [1, 2])
    expect(h.replica.look()).toMatchObject({ view: 2, highQcView: 1 })
  })

  it('of a quorum lock the block, end the view and are answered by a pre-commit vote (R4, R1, R5)', () => {
    const h = new Harness({ parameters: { heartbeatMs: 0 } })
    h.receive(proposal(B1))
    expect(words(h.votes('prepare', B1, [1]))).toEqual([])
    expect(words(h.votes('prepare', B1, [2]))).toEqual([
      'cancel propose',
      'cancel timeout-repeat',
      'set view 400',
      'sign pre-commit 1',
      'persist preCommit+highQc',
      'broadcast pre-commit',
    ])
    expect(h.replica.look()).toMatchObject({ view: 2, highQcView: 1 })
    expect(words(h.votes('prepare', B1, [3]))).toEqual([])
  })

  it('leave first for the leader of the next view, and so do all that it waits for', () => {
    const h = new Harness({ parameters: { heartbeatMs: 0 } })
    const sent = (effects: readonly ConsensusEffect[]) =>
      effects.flatMap((effect) => (effect.kind === 'broadcast' ? [[effect.message.kind, effect.first]] : []))
    expect(sent(h.receive(proposal(B1)))).toEqual([['prepare', 2]])
    expect(sent(h.votes('prepare', B1))).toEqual([['pre-commit', 2]])
    expect(sent(h.feed({ kind: 'timer-expired', timer: 'view', view: asView(2) }))).toEqual([['timeout', 3]])
  })

  it('are answered without the block only when it has come and is valid (R5)', () => {
    const h = new Harness()
    h.votes('prepare', B1)
    expect(h.view).toBe(2)
    expect(words(h.effects)).not.toContain('sign pre-commit 1')
    h.feed({ kind: 'blocks-received', blocks: [B1], finality: null })
    expect(words(h.effects)).toContain('sign pre-commit 1')
    expect(words(h.effects)).not.toContain('sign prepare 1')
  })

  it('over a block that is final with the next are not answered; the next makes both final', () => {
    const h = new Harness({ isFinalWithNext: ({ hash }) => hash === B1.hash })
    h.receive(proposal(B1))
    const certified = h.votes('prepare', B1)
    expect(words(certified)).not.toContain('sign pre-commit 1')
    h.receive(proposal(B2), 2)
    expect(words(h.votes('prepare', B2))).toContain('broadcast pre-commit')
    expect(words(h.votes('pre-commit', B2))).toContain('finalize 1,2')
  })

  it('are not answered when the block is invalid', () => {
    const h = new Harness({ invalid: () => true })
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    expect(words(h.effects).filter((word) => word.startsWith('sign'))).toEqual([])
  })
})

describe('pre-commit votes', () => {
  it('of a quorum make the block final, and a commit vote follows when it is durable (R6, R7)', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    expect(words(h.votes('pre-commit', B1))).toContain('finalize 1')
    const { view, height, timestamp } = B1.header
    const committed = h.feed({
      kind: 'blocks-committed',
      view,
      height,
      timestamp,
      blockHash: B1.hash,
      stateRoot: stateAfter(B1),
    })
    expect(words(committed)).toEqual(['sign commit 1', 'broadcast commit'])
    expect(committed[1]).toMatchObject({ isUrgent: false, first: null })
  })

  it('make all ancestors final as well, in order, without views in a row (R6)', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    h.receive(proposal(B2), 2)
    h.votes('prepare', B2)
    expect(h.replica.look().final.header.height).toBe(0)
    expect(words(h.votes('pre-commit', B2))).toContain('finalize 1,2')
  })

  it('stand for the prepare votes that never came (R0)', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('pre-commit', B1)
    expect(h.replica.look()).toMatchObject({ view: 2, highQcView: 1 })
    expect(h.replica.look().final.hash).toBe(B1.hash)
  })

  it('for a block that is not here wait for it', () => {
    const h = new Harness()
    h.votes('pre-commit', B1)
    expect(words(h.effects)).toContain('set fetch 30')
    const asked = h.expire('fetch')
    expect(asked).toContainEqual({ kind: 'fetch-block', blockHash: B1.hash, from: 1 })
    expect(words(h.feed({ kind: 'blocks-received', blocks: [B1], finality: null }))).toEqual([
      'check 1',
      'set view 2200',
      'finalize 1',
      'open-ballots 1 to 2',
    ])
  })
})

describe('the leader', () => {
  it('proposes on entering its view, persists before it sends, and prepares its own block with it (R2, R3, S0)', () => {
    const h = new Harness({ self: asValidatorIndex(1), isStarted: false })
    expect(words(h.feed({ kind: 'started' }))).toEqual([
      'set view 400',
      'build-block',
      'sign proposal 1',
      'persist proposal+prepare+blocks',
      'broadcast proposal',
    ])
    expect(h.events.map(({ kind }) => kind).slice(1)).toEqual(['proposed', 'proposal-accepted', 'voted'])
    expect(h.replica.look().prepareVoters).toEqual([1])
  })

  it('pre-commits when its proposal has left: nobody waits for its vote, and everybody for that', () => {
    const h = new Harness({ self: asValidatorIndex(2), parameters: { heartbeatMs: 0 }, isBusy: true })
    h.receive(proposal(B1))
    h.effects.length = 0
    h.votes('prepare', B1, [0, 1])
    const isOfVotes = (word: string): boolean => !/^(set|cancel)/.test(word)
    expect(words(h.effects).filter(isOfVotes)).toEqual([
      'yield',
      'build-block',
      'sign proposal 2',
      'persist proposal+prepare+highQc+blocks',
      'broadcast proposal',
    ])
    expect(words(h.feed({ kind: 'resumed' }))).toEqual([
      'sign pre-commit 1',
      'persist preCommit',
      'broadcast pre-commit',
    ])
  })

  it('proposes nothing that it could not vote for: a block too far ahead of its clock waits for it', () => {
    const h = new Harness({ self: asValidatorIndex(2), parameters: { heartbeatMs: 0 } })
    const now = h.unixOffsetMs + h.nowMs
    const ahead = blockOn(GENESIS, 1, { timestamp: now + 5_000 })
    h.receive(proposal(ahead), 1)
    h.unixOffsetMs -= 100
    h.votes('prepare', ahead, [0, 3])
    expect(words(h.effects)).toContain('set propose 101')
    expect(words(h.effects)).not.toContain('build-block')
    expect(words(h.later(100).expire('propose'))).toEqual(['set propose 1'])
    expect(words(h.later(1).expire('propose'))).toContain('broadcast proposal')
  })

  it('proposes nothing when the clock is set back while it builds', () => {
    const h = new Harness({ self: asValidatorIndex(1), isStarted: false })
    const step = (input: ConsensusInput, unixMs: number): Step =>
      h.replica.step(input, { monotonicMs: asMonotonicMs(h.nowMs), unixMs: asUnixMs(unixMs) })
    expect(words(step({ kind: 'started' }, START_UNIX_MS).effects)).toContain('build-block')
    const block = blockOn(GENESIS, 1, { timestamp: START_UNIX_MS })
    const outcome = { stateRoot: stateAfter(block), weightless: null, isFinalWithNext: false }
    const built = { block, ballotVotes: [], ...outcome }
    const { effects, events } = step({ kind: 'block-built', view: asView(1), built }, START_UNIX_MS - 5_001)
    expect(words(effects).filter((word) => /sign|broadcast/.test(word))).toEqual([])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'proposal-refused', reason: 'time-ahead' }))
  })

  it('does not vote any more when it has given up the view until then (R5)', () => {
    const h = new Harness({ self: asValidatorIndex(2), isBusy: true, parameters: { heartbeatMs: 0 } })
    h.receive(proposal(B1))
    h.votes('prepare', B1, [0, 1])
    h.expire('view')
    h.effects.length = 0
    expect(words(h.feed({ kind: 'resumed' }))).toEqual([])
  })

  it('builds on the highest certified block, with the timeout certificate that brought it there', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.receive(proposal(B1))
    h.votes('prepare', B1, [0, 1, 2])
    for (const voter of [0, 1, 2]) h.receive(timeout(2, voter, B1), voter)
    const [own] = said(h.effects).filter((message) => message.kind === 'proposal')
    expect(own).toMatchObject({
      block: { header: { view: 3, parentHash: B1.hash, justify: { view: 1, blockHash: B1.hash } } },
      timeoutCertificate: { view: 2 },
    })
  })

  it('waits with an empty block until shortly before the heartbeat, and no longer', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    h.finalize(B2)
    expect(words(h.effects)).toContain('set propose 1800')
    expect(h.expire('propose', 2)).toEqual([])
    expect(words(h.later(1_000).expire('propose'))).toEqual(['set propose 800'])
    expect(words(h.later(800).expire('propose'))).toContain('broadcast proposal')
  })

  it('builds an empty block on transactions that do not become final', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    const full = blockOn(B1, 2, { transactions: [TRANSACTION] })
    h.receive(proposal(full), 2)
    h.votes('prepare', full)
    expect(words(h.effects)).toContain('set propose 25')
    expect(words(h.later(25).expire('propose'))).toContain('broadcast proposal')
  })

  it('does not, when they have become final meanwhile', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    h.finalize(blockOn(B1, 2, { transactions: [TRANSACTION] }))
    expect(words(h.later(25).expire('propose'))).toEqual(['set propose 1775'])
  })

  it('proposes at once when work arrives', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    h.finalize(B2)
    h.later(700)
    h.pool = [TRANSACTION]
    expect(words(h.feed({ kind: 'work-arrived' }))).toEqual([
      'set view 400',
      'build-block',
      'sign proposal 3',
      'persist proposal+prepare+blocks',
      'broadcast proposal',
    ])
  })

  it('gathers for a moment when the last block held several transactions', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    h.feed({ kind: 'work-arrived' })
    h.pool = [TRANSACTION]
    const busy = blockOn(B1, 2, { transactions: [TRANSACTION, ANOTHER] })
    h.receive(proposal(busy), 2)
    h.votes('prepare', busy)
    expect(words(h.effects)).toContain('set propose 6')
    expect(words(h.later(3).feed({ kind: 'work-arrived' }))).toEqual([])
    expect(words(h.later(1).expire('propose'))).toEqual(['set propose 2'])
    expect(words(h.later(2).expire('propose'))).toContain('broadcast proposal')
  })

  it.each([
    ['one transaction', { transactions: [TRANSACTION] }, true],
    ['none', {}, true],
    ['several, and there is no more work', { transactions: [TRANSACTION, ANOTHER] }, false],
  ])('does not gather when the last block held %s', (_, fields, hasWork) => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    if (hasWork) h.feed({ kind: 'work-arrived' })
    h.pool = hasWork ? [TRANSACTION] : []
    const last = blockOn(B1, 2, fields)
    h.receive(proposal(last), 2)
    h.votes('prepare', last)
    expect(words(h.effects)).toContain('build-block')
    expect(words(h.effects)).not.toContain('set propose 6')
  })

  it('that is alone waits for its disk after a few blocks, instead of making blocks without end', () => {
    const h = new Harness({ stakes: [1n], parameters: { heartbeatMs: 0 }, isStarted: false })
    h.feed({ kind: 'started' })
    const final = (): HashedBlock[] =>
      h.effects.flatMap((effect) => (effect.kind === 'finalize' ? effect.blocks : []))
    expect(final().map(({ header }) => header.height)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    for (const block of final().slice(0, 2)) h.commit(block)
    expect(words(h.effects)).toContain('finalize 10')
  })

  it('says the proposal of its record again after a restart, and makes no other', () => {
    const first = new Harness({ self: asValidatorIndex(1), isStarted: false })
    first.feed({ kind: 'started' })
    const [own] = said(first.effects)
    const recovered = first.replica.safetySnapshot()
    const again = new Harness({
      self: asValidatorIndex(1),
      isStarted: false,
      recovered,
      recoveredProposal: own as never,
      recoveredBlocks: own?.kind === 'proposal' ? [own.block] : [],
    })
    again.later(5_000)
    again.feed({ kind: 'started' })
    expect(said(again.effects)).toEqual(said(first.effects))
    // Its vote is in there, and counts.
    expect(again.replica.look().prepareVoters).toEqual([1])
    expect(words(again.reach(2, true)).filter((word) => /proposal|prepare/.test(word))).toEqual([
      'send proposal to 2',
    ])
    expect(words(again.effects).filter((word) => /sign|persist|build/.test(word))).toEqual([])
  })
})

describe('a block that nobody would vote for', () => {
  it.each([
    ['not-the-leader', blockOn(GENESIS, 1, { proposer: 3 }), null],
    ['wrong-epoch', blockOn(GENESIS, 1, { epoch: 2 }), null],
    ['malformed-justify', blockOn(GENESIS, 1, { justifyView: 1 }), null],
    ['time-ahead', blockOn(GENESIS, 1, { timestamp: 1_760_000_000_000 + 60_000 }), null],
  ] as const)('is refused: %s', (reason, block, certificate) => {
    const h = new Harness()
    h.receive(proposal(block, certificate))
    expect(h.events).toContainEqual(expect.objectContaining({ kind: 'proposal-refused', reason }))
    expect(words(h.effects).filter((word) => word.startsWith('sign'))).toEqual([])
  })

  it('is refused: invalid-payload', () => {
    const h = new Harness({ invalid: () => true })
    h.receive(proposal(B1))
    expect(h.events).toContainEqual(expect.objectContaining({ reason: 'invalid-payload' }))
    expect(said(h.effects)).toEqual([])
  })

  it('is refused: equivocation, and the first one stays', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    const second = blockOn(GENESIS, 1, { timestamp: B1.header.timestamp + 1 })
    h.receive(proposal(second))
    expect(h.events).toContainEqual(expect.objectContaining({ reason: 'equivocation' }))
    expect(h.events).toContainEqual({
      kind: 'equivocation-seen',
      validator: 1,
      phase: 'prepare',
      position: 1,
    })
    const third = blockOn(GENESIS, 1, { timestamp: B1.header.timestamp + 2 })
    expect(h.replica.triage(proposal(third))).toBe('ignore')
    expect(said(h.effects).filter(({ kind }) => kind === 'prepare')).toHaveLength(1)
  })

  it('is refused: malformed-justify when the justified view is not the parent’s', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    // A certificate whose view is not that of its block can only come from a quorum that breaks the rules.
    const odd = { ...quorumOn('prepare', B1), view: asView(2) }
    h.receive({ kind: 'certificates', highQc: odd, highTc: null, finality: null })
    h.receive(proposal(blockOn(B1, 3, { justifyView: 2 })), 3)
    expect(h.events).toContainEqual(
      expect.objectContaining({ kind: 'proposal-refused', reason: 'malformed-justify' }),
    )
  })

  const low = blockOn(GENESIS, 1)
  const high = blockOn(low, 2)
  const onLow = (view: number): TimeoutCertificate => timeoutQuorum(view, quorumOn('prepare', low))
  const onHigh = (view: number): TimeoutCertificate => timeoutQuorum(view, quorumOn('prepare', high))
  it.each([
    { what: 'no timeout certificate at all', entered: null, view: 3, attached: null, isVoted: false },
    { what: 'one of another view', entered: null, view: 3, attached: onLow(1), isVoted: false },
    {
      what: 'only the held one, that reports more',
      entered: onHigh(4),
      view: 5,
      attached: null,
      isVoted: false,
    },
    { what: 'one that reports more', entered: onHigh(4), view: 5, attached: onHigh(4), isVoted: false },
    {
      what: 'one that reports no more, below our lock',
      entered: onHigh(4),
      view: 5,
      attached: onLow(4),
      isVoted: true,
    },
  ])(
    'R3 (e): a block on the certificate of view 1 with $what: $isVoted',
    ({ entered, view, attached, isVoted }) => {
      const h = new Harness()
      h.finalize(low)
      h.receive(proposal(high), 2)
      h.votes('prepare', high)
      if (entered !== null) h.receive({ kind: 'certificates', highQc: null, highTc: entered, finality: null })
      expect(h.view).toBe(view)
      h.receive(proposal(blockOn(low, view), attached), view % 4)
      const refusal = h.events.find((event) => event.kind === 'proposal-refused')
      expect(refusal?.reason).toBe(isVoted ? undefined : 'lock-clause')
      const isPrepared = said(h.effects).some(
        (message) => message.kind === 'prepare' && message.view === view,
      )
      expect(isPrepared).toBe(isVoted)
    },
  )
})

describe('equivocation by votes (R12)', () => {
  const other = blockOn(GENESIS, 1, { timestamp: B1.header.timestamp + 5 })

  it.each(['prepare', 'pre-commit'] as const)(
    'with a second %s vote is seen once; the first stays',
    (kind) => {
      const h = new Harness()
      h.receive(vote(kind, 2, B1), 2)
      h.receive(vote(kind, 2, other), 2)
      expect(h.events).toEqual([{ kind: 'equivocation-seen', validator: 2, phase: kind, position: 1 }])
      expect(h.replica.triage(vote(kind, 2, other))).toBe('ignore')
      h.receive(vote(kind, 1, other), 1)
      h.receive(vote(kind, 3, other), 3)
      expect(h.replica.look().highQcView).toBe(0)
    },
  )

  it('is seen after the quorum as well', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    h.receive(vote('prepare', 2, other), 2)
    expect(h.events).toContainEqual(expect.objectContaining({ kind: 'equivocation-seen', validator: 2 }))
  })

  it('is not another signature over the same content', () => {
    const h = new Harness()
    h.receive(vote('prepare', 2, B1), 2)
    expect(h.replica.triage({ ...vote('prepare', 2, B1), signature: new Uint8Array(3_309).fill(1) })).toBe(
      'ignore',
    )
  })

  it('by commit votes is seen', () => {
    const h = new Harness()
    h.finalize(B1)
    h.receive(commitVote(2, B1), 2)
    h.receive(commitVote(2, B1, stateAfter(B2)), 2)
    expect(h.events).toContainEqual({
      kind: 'equivocation-seen',
      validator: 2,
      phase: 'commit',
      position: 1,
    })
  })
})

describe('a halt', () => {
  it('follows weight A of commit votes for another state (R7)', () => {
    const h = new Harness()
    h.finalize(B1)
    const { view, height, timestamp } = B1.header
    h.feed({
      kind: 'blocks-committed',
      view,
      height,
      timestamp,
      blockHash: B1.hash,
      stateRoot: stateAfter(B1),
    })
    const wrong = stateAfter(B2)
    expect(words(h.receive(commitVote(1, B1, wrong), 1))).toEqual([])
    expect(words(h.receive(commitVote(2, B1, wrong), 2))).toEqual(['halt state-divergence'])
    expect(h.feed({ kind: 'work-arrived' })).toEqual([])
    expect(h.replica.triage(proposal(B2))).toBe('ignore')
  })

  const rivals = [
    ['of the same view', blockOn(GENESIS, 1, { timestamp: B1.header.timestamp + 9 })],
    ['of the same height in another view', blockOn(GENESIS, 3)],
  ] as const
  it.each(rivals)('follows a finality certificate beside our final block, %s (R6)', (_, rival) => {
    const h = new Harness()
    h.finalize(B1)
    const effects = h.receive({
      kind: 'certificates',
      highQc: null,
      highTc: null,
      finality: quorumOn('pre-commit', rival),
    })
    expect(words(effects)).toEqual(['halt accountable-fork'])
    expect(effects[0]).toMatchObject({
      dump: { finality: { blockHash: B1.hash }, other: { blockHash: rival.hash } },
    })
  })

  it('follows a certified chain that leads past our final block (R6)', () => {
    const h = new Harness()
    h.finalize(B1)
    const rival1 = blockOn(GENESIS, 3)
    const rival2 = blockOn(rival1, 4)
    const rival3 = blockOn(rival2, 5)
    const effects = h.feed({
      kind: 'blocks-received',
      blocks: [rival2, rival3],
      finality: quorumOn('pre-commit', rival3) as never,
    })
    expect(words(effects)).toContain('halt accountable-fork')
  })

  it('follows a block that is final and breaks the rules here', () => {
    const h = new Harness({ invalid: () => true })
    h.receive(proposal(B1))
    expect(words(h.votes('pre-commit', B1))).toContain('halt final-block-invalid')
  })
})

describe('a replica that follows', () => {
  it('takes final blocks, signs nothing and says nothing', () => {
    const replica = new Harness({ isStarted: false, self: null as never }).replica
    const now = { monotonicMs: asMonotonicMs(1), unixMs: asUnixMs(1_760_000_000_000) }
    const first = replica.step({ kind: 'started' }, now)
    const taken = replica.step(
      { kind: 'blocks-received', blocks: [B1], finality: quorumOn('pre-commit', B1) as never },
      now,
    )
    expect(replica.self).toBe(null)
    expect(words([...first.effects, ...taken.effects]).filter((word) => !word.startsWith('cancel'))).toEqual([
      'check 1',
    ])
    const checked = replica.step(
      {
        kind: 'block-checked',
        blockHash: B1.hash,
        outcome: { ok: true, stateRoot: stateAfter(B1), weightless: null, isFinalWithNext: false },
      },
      now,
    )
    expect(words(checked.effects)).toEqual(['finalize 1'])
  })
})

describe('the proposals of one who does not lead', () => {
  it('are verified twice in a view, and no third time (R16)', () => {
    const h = new Harness()
    // Validator 3 does not lead view 1.
    const [one, other, third] = [1, 2, 3].map((i) =>
      proposal(blockOn(GENESIS, 1, { proposer: 3, timestamp: GENESIS.header.timestamp + i })),
    ) as [ReturnType<typeof proposal>, ReturnType<typeof proposal>, ReturnType<typeof proposal>]
    h.receive(one, 3)
    h.receive(other, 3)
    expect(h.replica.triage(third)).toBe('ignore')
  })
})

/** Giving a view up, catching up, timers, restart: R8 to R11, R15, S1, as effect lists of single steps. */
import { describe, expect, it } from 'vitest'
import { decodeSafetyRecord, encodeSafetyRecord } from '../../../src/codec/safety-record.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { foldSafetyRecords } from '../../../src/consensus/safety.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import { asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import type { SafetyRecord } from '../../../src/types/safety.ts'
import { certificateRequest } from '../../support/requests.ts'
import {
  blockOn,
  chainOf,
  GENESIS,
  Harness,
  proposal,
  quorumOn,
  said,
  stateAfter,
  timeout,
  timeoutQuorum,
  vote,
  words,
} from './harness.ts'

const TRANSACTION = hashTransaction({ kind: 'validate-certificate', request: certificateRequest('one') })
const [B1, B2, B3] = chainOf(3) as [HashedBlock, HashedBlock, HashedBlock]

/** What the persisted records of a replica fold to, through their bytes. */
function durable(h: Harness): SafetyRecord {
  const records = h.effects.flatMap((effect) => (effect.kind === 'persist' ? [effect.record] : []))
  return foldSafetyRecords(
    records.map((record) => {
      const decoded = decodeSafetyRecord(encodeSafetyRecord(record))
      if (!decoded.ok) throw new Error(decoded.detail)
      return decoded.value
    }),
  )
}

describe('when the view timer fires', () => {
  it('the timeout is durable, then said, then repeated with growing distance (R8)', () => {
    const h = new Harness()
    expect(words(h.expire('view'))).toEqual([
      'cancel propose',
      'sign timeout 1',
      'persist timeout',
      'broadcast timeout',
      'set timeout-repeat 250',
    ])
    expect(words(h.expire('view'))).toEqual([])
    expect(words(h.expire('timeout-repeat'))).toEqual(['broadcast timeout', 'set timeout-repeat 375'])
    // Everybody waits for the proposal that a quorum of timeouts lets the next leader make.
    expect(h.expire('timeout-repeat')[0]).toMatchObject({ isUrgent: true, first: 2 })
    for (let i = 0; i < 4; i++) h.expire('timeout-repeat')
    expect(words(h.expire('timeout-repeat'))).toEqual(['broadcast timeout', 'set timeout-repeat 1000'])
  })

  it('no vote follows in that view, not even for what it has been waiting for (R3 d, R5)', () => {
    const h = new Harness()
    h.expire('view')
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    expect(h.view).toBe(2)
    expect(said(h.effects).map(({ kind }) => kind)).toEqual(['timeout'])
  })

  it('the timer of an earlier view says nothing', () => {
    const h = new Harness()
    h.finalize(B1)
    expect(h.expire('view', 1)).toEqual([])
  })

  it('a leader that was given up no longer proposes', () => {
    const h = new Harness({ self: asValidatorIndex(3) })
    h.finalize(B1)
    h.finalize(B2)
    h.expire('view')
    expect(words(h.feed({ kind: 'work-arrived' }))).not.toContain('build-block')
  })
})

describe('timeouts of others', () => {
  it('of weight A are joined at once, in their view (R9)', () => {
    const h = new Harness()
    expect(words(h.receive(timeout(4, 1), 1))).toEqual([])
    expect(words(h.receive(timeout(4, 2), 2))).toEqual([
      'cancel propose',
      'cancel timeout-repeat',
      'set view 400',
      'open-ballots 0 to 0',
      'cancel propose',
      'sign timeout 4',
      'persist timeout',
      'broadcast timeout',
      'set timeout-repeat 250',
      'send certificates to 3',
      ...['cancel propose', 'cancel timeout-repeat', 'set view 600', 'open-ballots 0 to 1'],
    ])
    expect(h.view).toBe(5)
  })

  it('of a quorum are a certificate, for those who are not in it as well (R1, R11)', () => {
    const h = new Harness({ stakes: [1n, 1n, 1n, 1n, 1n, 1n, 1n] })
    for (const voter of [1, 2, 3, 4]) h.receive(timeout(1, voter), voter)
    const sent = h.effects.flatMap((effect) => (effect.kind === 'send' ? [effect] : []))
    expect(sent.map(({ to }) => to)).toEqual([5, 6])
    expect(sent[0]?.message).toMatchObject({
      kind: 'certificates',
      highTc: { view: 1, timeouts: [0, 1, 2, 3, 4].map((voter) => ({ voter })) },
    })
    expect(h.view).toBe(2)
  })

  it('count only when what they report is proven; until then its sender is asked (R10)', () => {
    const h = new Harness()
    h.later(1_000)
    expect(words(h.receive(timeout(4, 1, B1), 1))).toEqual(['send certificate-request to 1'])
    h.receive(timeout(4, 2, B1), 2)
    expect(h.view).toBe(1)
    h.receive({ kind: 'certificates', highQc: quorumOn('prepare', B1), highTc: null, finality: null })
    expect(words(h.effects)).toContain('sign timeout 4')
    expect(h.view).toBe(5)
  })

  it('that report what nobody can have never count (relab #224)', () => {
    const h = new Harness()
    for (const voter of [1, 2]) h.receive(timeout(2 ** 47, voter, 2 ** 47 - 1), voter)
    for (const voter of [1, 2]) h.receive(timeout(60, voter, 59), voter)
    expect(h.view).toBe(1)
    for (const voter of [1, 3]) h.receive(timeout(1, voter), voter)
    expect(h.view).toBe(2)
  })

  it('the first of a sender and view counts', () => {
    const h = new Harness()
    h.receive(timeout(1, 1), 1)
    expect(h.replica.triage(timeout(1, 1, 0))).toBe('ignore')
    expect(h.replica.look().timeoutVoters).toEqual([1])
  })

  it('an older unproven one does not displace a newer one of the same sender', () => {
    const h = new Harness()
    h.receive(timeout(5, 1, B1), 1)
    h.receive(timeout(3, 1, B1), 1)
    h.receive(timeout(5, 2, B1), 2)
    h.receive({ kind: 'certificates', highQc: quorumOn('prepare', B1), highTc: null, finality: null })
    expect(words(h.effects)).toContain('sign timeout 5')
  })

  it('for an older view are answered with the highest certificates, as often as they come (R11)', () => {
    const h = new Harness()
    h.finalize(B1)
    h.receive(proposal(B2), 2)
    h.votes('prepare', B2)
    h.later(1_000)
    const late = timeout(2, 3, B1)
    const [answer] = h.receive(late, 3)
    expect(answer).toMatchObject({
      kind: 'send',
      to: 3,
      message: { kind: 'certificates', highQc: { view: 2 }, finality: { height: 1 } },
    })
    expect(h.receive(late, 3)).toEqual([])
    expect(words(h.later(100).receive(late, 3))).toEqual(['send certificates to 3'])
  })

  it('that were counted, and then left behind, are answered too: their sender may lack the certificate', () => {
    const h = new Harness()
    h.expire('view')
    for (const voter of [1, 2]) h.receive(timeout(1, voter), voter)
    expect(h.view).toBe(2)
    h.later(1_000)
    expect(said(h.receive(timeout(1, 2), 2))).toMatchObject([{ kind: 'certificates', highTc: { view: 1 } }])
  })
})

describe('catching up (R11)', () => {
  it('a request is answered with what the asker lacks', () => {
    const h = new Harness()
    expect(h.receive({ kind: 'certificate-request', view: asView(1) }, 1)).toEqual([])
    h.finalize(B1)
    const [answer] = said(h.receive({ kind: 'certificate-request', view: asView(1) }, 1))
    // R0: the finality certificate of view 1 says all that the prepare certificate would.
    expect(answer).toMatchObject({ highQc: null, highTc: null, finality: { kind: 'pre-commit', view: 1 } })
  })

  it('a lock that is known by its pre-commit certificate only is handed on as that (R0)', () => {
    const h = new Harness()
    h.votes('pre-commit', B1)
    expect(h.replica.look()).toMatchObject({ highQcView: 1, final: { hash: GENESIS.hash } })
    const [answer] = said(h.receive({ kind: 'certificate-request', view: asView(1) }, 1))
    expect(answer).toMatchObject({ highQc: { kind: 'pre-commit', view: 1 } })
    const other = new Harness({ self: asValidatorIndex(3) })
    other.receive(proposal(B1))
    expect(words(other.receive(answer as never, 0))).toContain('finalize 1')
  })

  it('a lock that is known so, and its block, survive a restart', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('pre-commit', B1, [1, 2])
    h.expire('view')
    const recovered = { ...durable(h), highQc: quorumOn('pre-commit', B1) }
    const restarted = new Harness({ recovered, recoveredBlocks: [B1], isStarted: false })
    expect(words(restarted.feed({ kind: 'started' }))).toContain('finalize 1')
  })

  it.each([
    ['a vote two views ahead', vote('prepare', 1, blockOn(GENESIS, 3))],
    ['a vote beyond the window', vote('pre-commit', 1, blockOn(GENESIS, 900))],
    ['a proposal two views ahead', proposal(blockOn(GENESIS, 5, { proposer: 1 }))],
    ['a timeout beyond the window', timeout(900, 1)],
  ])('%s makes us ask its sender, at most ten times a second', (_, message) => {
    const h = new Harness()
    h.later(1_000)
    expect(words(h.receive(message, 1))).toContain('send certificate-request to 1')
    expect(words(h.receive(message, 1))).not.toContain('send certificate-request to 1')
  })

  it('a proposal on a certificate that we lack makes us ask its proposer', () => {
    const h = new Harness()
    h.receive({
      kind: 'certificates',
      highQc: null,
      highTc: timeoutQuorum(4, quorumOn('prepare', GENESIS)),
      finality: null,
    })
    h.later(500)
    h.receive(proposal(blockOn(B1, 5)), 1)
    expect(words(h.later(30).expire('fetch'))).toEqual([
      'fetch-block',
      'send certificate-request to 1',
      'set fetch 250',
    ])
  })

  it('a finality certificate far above asks for the range, once', () => {
    const h = new Harness()
    const chain = chainOf(20)
    const far = chain[19] as HashedBlock
    const bundle = {
      kind: 'certificates',
      highQc: null,
      highTc: null,
      finality: quorumOn('pre-commit', far),
    } as const
    expect(h.receive(bundle)).toContainEqual({
      kind: 'sync',
      target: { height: 20, blockHash: far.hash },
    })
    expect(h.view).toBe(21)
    expect(words(h.feed({ kind: 'work-arrived' }))).not.toContain('sync')
    expect(words(h.feed({ kind: 'blocks-received', blocks: chain, finality: null })).slice(-2)).toEqual([
      `finalize ${chain.map(({ header }) => header.height)}`,
      'open-ballots 20 to 1',
    ])
  })

  it('a certificate of genesis moves nothing, whatever block it names', () => {
    const h = new Harness()
    const highQc = { ...quorumOn('prepare', GENESIS), blockHash: B3.hash }
    h.receive({ kind: 'certificates', highQc: null, highTc: timeoutQuorum(1, highQc), finality: null })
    expect(h.view).toBe(2)
    expect(h.replica.held({ view: asView(0), blockHash: B3.hash })).toBe(null)
  })
})

describe('a connection', () => {
  it('that comes back hears our latest words again, not signed anew (S1)', () => {
    const h = new Harness({ reachable: [1, 2] })
    h.receive(proposal(B1))
    h.votes('prepare', B1, [1, 2])
    h.receive(proposal(B2), 2)
    h.later(1_000)
    expect(words(h.reach(3, true))).toEqual([
      'send prepare to 3',
      'send pre-commit to 3',
      'send certificate-request to 3',
    ])
    h.expire('view')
    h.later(1_000)
    expect(words(h.reach(3, true))).toContain('send timeout to 3')
  })

  it('that comes back hears the proposal of its leader and the last commit vote', () => {
    const h = new Harness({ self: asValidatorIndex(1), reachable: [0, 2, 3], isStarted: true })
    expect(words(h.reach(3, true))).toContain('send proposal to 3')
    const own = h.replica.look()
    expect(own.view).toBe(1)
    const mine = said(h.reach(3, true)).find((message) => message.kind === 'proposal')
    const block = mine?.kind === 'proposal' ? mine.block : B1
    h.votes('prepare', block, [0, 2, 3])
    h.votes('pre-commit', block, [0, 2, 3])
    const { view, height, timestamp } = block.header
    h.feed({
      kind: 'blocks-committed',
      view,
      height,
      timestamp,
      blockHash: block.hash,
      stateRoot: stateAfter(block),
    })
    expect(words(h.reach(2, true))).toContain('send commit to 2')
  })

  it('that is lost shortens the timer of its leader’s view, and coming back does not lengthen it', () => {
    const h = new Harness()
    h.finalize(B1)
    h.feed({ kind: 'work-arrived' })
    const timers = (): string[] => words(h.effects).filter((word) => word.startsWith('set view'))
    h.effects.length = 0
    h.later(100).reach(2, false)
    expect(timers()).toEqual(['set view 50'])
    for (let i = 0; i < 20; i++) {
      h.later(10).reach(2, true)
      h.later(10).reach(2, false)
    }
    const delays = timers().map((word) => Number(word.split(' ')[2]))
    // Begun at 0 with 400: never beyond it, however often the leader comes and goes.
    h.effects.length = 0
    h.reach(2, true)
    expect(timers()).toEqual(['set view 0'])
    expect(Math.max(...delays)).toBeLessThanOrEqual(290)
  })

  it('of somebody else changes no timer', () => {
    const h = new Harness()
    h.finalize(B1)
    expect(words(h.reach(3, false))).toEqual([])
  })
})

describe('a view in which the work is done', () => {
  /** B2 carries a transaction and is final; view 3 was entered while it was not. */
  function afterWork(self: number): Harness {
    const h = new Harness({ self: asValidatorIndex(self) })
    h.finalize(B1)
    h.feed({ kind: 'work-arrived' })
    h.finalize(blockOn(B1, 2, { transactions: [TRANSACTION] }))
    return h
  }

  it('is idle again: its leader may wait for the heartbeat without being given up', () => {
    const h = afterWork(0)
    expect(words(h.feed({ kind: 'work-exhausted' }))).toEqual(['set view 2200'])
  })

  it('whether the pool or the chain is done last', () => {
    const h = new Harness()
    h.finalize(B1)
    h.feed({ kind: 'work-arrived' })
    const full = blockOn(B1, 2, { transactions: [TRANSACTION] })
    h.receive(proposal(full), 2)
    h.votes('prepare', full)
    h.feed({ kind: 'work-exhausted' })
    expect(words(h.votes('pre-commit', full))).toEqual(['set view 2200', 'finalize 2', 'open-ballots 2 to 3'])
  })

  it('is not idle while there is a proposal in it', () => {
    const h = afterWork(0)
    h.receive(proposal(blockOn(h.replica.look().final, 3)), 3)
    expect(words(h.feed({ kind: 'work-exhausted' }))).toEqual([])
  })
})

describe('an idle minute', () => {
  it('takes a few dozen effects of each block and no more', () => {
    const h = new Harness()
    let tip = B1
    h.finalize(B1)
    h.effects.length = 0
    for (let view = 2; view <= 31; view++) {
      h.later(1_900)
      tip = blockOn(tip, view, { timestamp: tip.header.timestamp + 1_900 })
      const isOwn = view % 4 === 0
      if (isOwn) {
        const own = said(h.expire('propose')).find((message) => message.kind === 'proposal')
        if (own?.kind === 'proposal') tip = own.block
      }
      h.finalize(tip)
      h.commit(tip)
      h.later(100)
    }
    expect(h.replica.look().final.header.height).toBe(31)
    expect(h.effects.length / 30).toBeLessThan(17)
  })
})

describe('after a restart', () => {
  it('the view is past every certificate, and past none that only a timeout speaks for (R9, R11)', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    h.receive({
      kind: 'certificates',
      highQc: null,
      highTc: timeoutQuorum(6, quorumOn('prepare', B1)),
      finality: null,
    })
    h.expire('view')
    expect(new Harness({ recovered: durable(h), recoveredBlocks: [B1] }).view).toBe(7)
    for (const voter of [1, 2]) h.receive(timeout(9, voter, B1), voter)
    expect(durable(h).timeout?.view).toBe(9)
    expect(new Harness({ recovered: durable(h), recoveredBlocks: [B1] }).view).toBe(9)
  })

  it('the stored votes are said again, and no others are made for their views (S1)', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.votes('prepare', B1)
    h.receive(proposal(B2), 2)
    const again = new Harness({ recovered: durable(h), recoveredBlocks: [B1, B2], isStarted: false })
    const first = again.feed({ kind: 'started' })
    expect(said(first)).toEqual([vote('prepare', 0, B2), vote('pre-commit', 0, B1)])
    again.receive(proposal(blockOn(B1, 2, { timestamp: B2.header.timestamp + 1 })), 2)
    again.votes('pre-commit', B1)
    expect(words(again.effects).filter((word) => word.startsWith('sign'))).toEqual([])
    expect(words(again.effects)).toContain('finalize 1')
  })

  it('a timeout is said again and repeated, and its view gets no vote', () => {
    const h = new Harness()
    h.expire('view')
    const again = new Harness({ recovered: durable(h), isStarted: false })
    expect(words(again.feed({ kind: 'started' })).filter((word) => /timeout/.test(word))).toEqual([
      'broadcast timeout',
      'set timeout-repeat 250',
    ])
    again.receive(proposal(B1))
    expect(said(again.effects).map(({ kind }) => kind)).toEqual(['timeout'])
  })

  it('a final block whose certificate is on a descendant waits for that descendant', () => {
    const h = new Harness({ final: B1, finality: quorumOn('pre-commit', B3), isStarted: false })
    expect(h.view).toBe(4)
    h.feed({ kind: 'started' })
    expect(words(h.effects)).toContain('set fetch 30')
    expect(words(h.feed({ kind: 'blocks-received', blocks: [B3, B2], finality: null }))).toContain(
      'finalize 2,3',
    )
  })
})

describe('the snapshot of the safety record', () => {
  const bytesOf = (h: Harness): string[] =>
    h.replica.safetySnapshot().blocks.map((bytes) => Buffer.from(bytes).toString('hex'))
  const hex = (...blocks: HashedBlock[]): string[] =>
    blocks.map(({ bytes }) => Buffer.from(bytes).toString('hex'))

  it('holds the blocks that were voted for until they are durable in the chain, not until they are final', () => {
    const h = new Harness()
    h.finalize(B1)
    h.receive(proposal(B2), 2)
    expect(bytesOf(h)).toEqual(hex(B1, B2))
    expect(h.replica.blockBytes(B1.hash)).toBe(B1.bytes)
    const { view, height, timestamp } = B1.header
    h.feed({
      kind: 'blocks-committed',
      view,
      height,
      timestamp,
      blockHash: B1.hash,
      stateRoot: stateAfter(B1),
    })
    expect(bytesOf(h)).toEqual(hex(B2))
  })

  it('holds no blocks that were only received', () => {
    const h = new Harness()
    h.receive({ kind: 'certificates', highQc: null, highTc: null, finality: quorumOn('pre-commit', B3) })
    h.feed({ kind: 'blocks-received', blocks: [B2, B3], finality: null })
    expect(bytesOf(h)).toEqual([])
  })

  it('lets go of what a higher lock has made useless', () => {
    const h = new Harness()
    h.receive(proposal(B1))
    h.receive({
      kind: 'certificates',
      highQc: null,
      highTc: timeoutQuorum(1, quorumOn('prepare', GENESIS)),
      finality: null,
    })
    const rival = blockOn(GENESIS, 2)
    h.receive(proposal(rival, timeoutQuorum(1, quorumOn('prepare', GENESIS))), 2)
    expect(bytesOf(h).toSorted()).toEqual(hex(B1, rival).toSorted())
    h.votes('prepare', rival)
    expect(bytesOf(h)).toEqual(hex(rival))
  })
})

describe('views that fail without end', () => {
  it('do not fill the tree: the block of the next good one is taken in', () => {
    const h = new Harness()
    const lowest = quorumOn('prepare', GENESIS)
    for (let view = 1; view <= 1_200; view++) {
      const certificate = view === 1 ? null : timeoutQuorum(view - 1, lowest)
      h.receive(proposal(blockOn(GENESIS, view, { proposer: view % 4 }), certificate), view % 4 || 1)
      h.receive({ kind: 'certificates', highQc: null, highTc: timeoutQuorum(view, lowest), finality: null })
      h.effects.length = 0
      h.events.length = 0
    }
    const good = blockOn(GENESIS, 1_201)
    h.receive(proposal(good, timeoutQuorum(1_200, lowest)), 1)
    h.votes('prepare', good)
    expect(words(h.votes('pre-commit', good))).toContain('finalize 1')
  })
})

/** R13 and R12 on one replica: the end of an epoch, its fillers, the root of the next one, and what convicts. */
import { describe, expect, it } from 'vitest'
import { commitsDigest } from '../../../src/codec/ballots.ts'
import type { ConsensusEffect } from '../../../src/consensus/effect.ts'
import { rootCertificate } from '../../../src/consensus/initial-state.ts'
import { foldSafetyRecords } from '../../../src/consensus/safety.ts'
import type { BallotCommit } from '../../../src/types/ballots.ts'
import { asEpoch, asHeight, asValidatorIndex, asView, type Hex32 } from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD } from '../../../src/types/safety.ts'
import {
  blockOn,
  chainOf,
  commitVote,
  GENESIS,
  Harness,
  leaderOf,
  proposal,
  quorumOn,
  said,
  stateAfter,
  timeout,
  timeoutQuorum,
  vote,
  words,
} from './harness.ts'

type Block = ReturnType<typeof blockOn>
const [B1, B2, B3] = chainOf(3) as [Block, Block, Block]

/** Epoch 1 ends with height 2. */
const ending = (options = {}): Harness => new Harness({ epochEnd: asHeight(2), ...options })

describe('the last block of an epoch', () => {
  it('ends it when it becomes final: its timers stop, and nothing is voted for any more', () => {
    const h = ending()
    h.finalize(B1)
    h.receive(proposal(B2), leaderOf(2))
    h.votes('prepare', B2)
    h.effects.length = 0
    h.votes('pre-commit', B2)
    expect(words(h.effects)).toEqual([
      'finalize 2',
      'cancel view',
      'cancel propose',
      'cancel timeout-repeat',
      'cancel fetch',
    ])
    expect(h.events.at(-1)).toEqual({ kind: 'epoch-over', epoch: 1, height: 2, blockHash: B2.hash })
    expect(h.receive(proposal(B3), leaderOf(3))).toEqual([])
    expect(h.votes('prepare', B3)).toEqual([])
    expect(h.expire('view')).toEqual([])
    expect(h.feed({ kind: 'work-arrived' })).toEqual([])
  })

  it('is made final by votes of its own, and so is a filler, even if a verdict is open', () => {
    const h = ending({ isFinalWithNext: () => true })
    h.receive(proposal(B1))
    expect(words(h.votes('prepare', B1))).not.toContain('broadcast pre-commit')
    for (const block of [B2, B3]) {
      h.receive(proposal(block), block.header.proposer)
      expect(words(h.votes('prepare', block))).toContain('broadcast pre-commit')
    }
    expect(words(h.votes('pre-commit', B3))).toContain('finalize 1,2')
  })

  it('is followed by a vote over the state after it, whatever the interval, repeated until it is certified', () => {
    const h = ending({ parameters: { certificateIntervalMs: 1_000_000_000 } })
    h.finalize(B1)
    h.commit(B1)
    h.finalize(B2)
    expect(words(h.commit(B2))).toEqual(['sign commit 2', 'broadcast commit', 'set commit-repeat 500'])
    const repeat = (): string[] =>
      words(h.feed({ kind: 'timer-expired', timer: 'commit-repeat', view: asView(h.view) }))
    expect(repeat()).toEqual(['broadcast commit', 'set commit-repeat 500'])
    h.receive(commitVote(1, B2), 1)
    expect(words(h.receive(commitVote(2, B2), 2))).toEqual(['store-commit-certificate'])
    expect(repeat()).toEqual([])
  })

  it('leaves no view to give up when its leader comes or goes', () => {
    const h = ending()
    h.finalize(B1)
    h.finalize(B2)
    expect(words(h.reach(leaderOf(h.view), false))).toEqual([])
    expect(words(h.reach(leaderOf(h.view), true))).not.toContainEqual(expect.stringMatching(/^set view/))
  })

  it('is what a straggler is told of', () => {
    const h = ending()
    h.finalize(B1)
    h.finalize(B2)
    const [bundle] = said(h.later(200).receive(timeout(3, 2), 2))
    expect(bundle).toMatchObject({ kind: 'certificates', finality: { blockHash: B2.hash } })
  })
})

describe('a filler', () => {
  it('is proposed at once while the last block is not final, without anything in it', () => {
    const h = ending({ self: asValidatorIndex(3) })
    h.finalize(B1)
    h.receive(proposal(B2), leaderOf(2))
    h.effects.length = 0
    h.votes('prepare', B2, [0, 1, 2])
    const built = h.effects.find(({ kind }) => kind === 'build-block')
    expect(built).toMatchObject({ view: 3, epoch: 1, parent: B2, isEmptyAllowed: true })
    expect(words(h.effects)).toContain('broadcast proposal')
  })

  it('makes the last block final, and nothing after it', () => {
    const h = ending()
    h.finalize(B1)
    h.receive(proposal(B2), leaderOf(2))
    h.votes('prepare', B2)
    const filler = blockOn(B2, 3)
    const second = blockOn(filler, 4)
    h.receive(proposal(filler), leaderOf(3))
    h.votes('prepare', filler)
    h.votes('prepare', second)
    h.receive(proposal(second), leaderOf(4))
    h.effects.length = 0
    h.votes('pre-commit', second)
    const [finalize] = h.effects
    expect(finalize).toMatchObject({ kind: 'finalize', certificate: { blockHash: second.hash } })
    if (finalize?.kind !== 'finalize') throw new Error('a finalize effect')
    expect(finalize.blocks.map(({ hash }) => hash)).toEqual([B2.hash])
    expect(finalize.fillers.map(({ hash }) => hash)).toEqual([filler.hash, second.hash])
    expect(h.replica.look().final.hash).toBe(B2.hash)
    // Whoever needs them to follow the certificate gets them from here.
    expect(h.replica.blockBytes(filler.hash)).toEqual(filler.bytes)
  })

  it('keeps the view going: an epoch that is ending is work', () => {
    const h = ending({ parameters: { heartbeatMs: 60_000 } })
    h.finalize(B1)
    h.receive(proposal(B2), leaderOf(2))
    h.effects.length = 0
    h.votes('prepare', B2)
    const timer = h.effects.find((effect) => effect.kind === 'set-timer' && effect.timer === 'view')
    expect(timer).toMatchObject({ delayMs: 400 })
  })
})

describe('the first block of an epoch', () => {
  const root = blockOn(B1, 8, { epoch: 0 })

  it('builds on a certificate over the root that needs no signatures', () => {
    const h = new Harness({ final: root })
    expect(h.view).toBe(9)
    const first = blockOn(root, 9)
    expect(words(h.receive(proposal(first), leaderOf(9)))).toContain('broadcast prepare')
    expect(rootCertificate(root, asEpoch(1))).toMatchObject({
      kind: 'prepare',
      epoch: 1,
      view: 8,
      blockHash: root.hash,
      signatures: [],
    })
  })

  it('may follow a failed view: timeouts report the root', () => {
    const h = new Harness({ final: root })
    const report = (voter: number) => ({
      ...timeout(9, voter, 8),
      final: { height: root.header.height, blockHash: root.hash },
    })
    h.receive(report(1), 1)
    h.receive(report(2), 2)
    expect(h.view).toBe(10)
    const tc = timeoutQuorum(9, rootCertificate(root, asEpoch(1)))
    const first = blockOn(root, 10)
    expect(words(h.receive(proposal(first, tc), leaderOf(10)))).toContain('broadcast prepare')
  })

  it('is refused when it is of another epoch', () => {
    const h = new Harness({ final: root })
    const foreign = blockOn(root, 9, { epoch: 2 })
    h.receive(proposal(foreign), leaderOf(9))
    expect(h.events).toContainEqual(expect.objectContaining({ reason: 'wrong-epoch' }))
  })
})

describe('the safety record', () => {
  const prepare = vote('prepare', 0, B1)

  it('of a later epoch stands for all before it', () => {
    const old = { ...EMPTY_SAFETY_RECORD, prepare, highQc: quorumOn('prepare', B1), blocks: [B1.bytes] }
    const next = { ...EMPTY_SAFETY_RECORD, epoch: asEpoch(1), timeout: timeout(2, 0) }
    expect(foldSafetyRecords([old, next])).toEqual(next)
    // One that comes late, as from an import, takes nothing back.
    expect(foldSafetyRecords([old, next, old])).toEqual(next)
  })

  it('of the epoch before binds nothing in this one, and one of a later epoch forbids it', () => {
    const h = new Harness({ final: GENESIS })
    expect(h.replica.safetySnapshot()).toMatchObject({ epoch: 1, prepare: null })
  })
})

describe('an equivocation', () => {
  const twin = blockOn(GENESIS, 1, { timestamp: B1.header.timestamp + 5 })
  const signature = (byte: number): Uint8Array => new Uint8Array(3_309).fill(byte)

  it('of a vote comes with both signed contents', () => {
    const h = new Harness()
    h.receive({ ...vote('prepare', 1, B1), signature: signature(1) }, 1)
    const effects = h.receive({ ...vote('prepare', 1, twin), signature: signature(2) }, 1)
    expect(effects).toEqual([
      {
        kind: 'report-equivocation',
        slashable: 'prepare',
        epoch: 1,
        view: 1,
        validator: 1,
        one: { height: 1, blockHash: B1.hash, signature: signature(1), commits: null },
        other: { height: 1, blockHash: twin.hash, signature: signature(2), commits: null },
      },
    ])
  })

  it('of prepare votes names what each signed for its commits, and two sets of commits alone are none', () => {
    const [one, other] = ['0a', '0b'].map((byte) => [
      { height: B1.header.height, blockHash: B1.hash, round: 0, commit: byte.repeat(32) as Hex32 },
    ]) as [BallotCommit[], BallotCommit[]]
    const h = new Harness()
    h.receive(vote('prepare', 1, B1, { commits: one, openings: [] }), 1)
    expect(h.receive(vote('prepare', 1, B1, { commits: other, openings: [] }), 1)).toEqual([])
    expect(h.receive(vote('prepare', 1, twin, { commits: other, openings: [] }), 1)).toMatchObject([
      {
        kind: 'report-equivocation',
        one: { blockHash: B1.hash, commits: commitsDigest(one) },
        other: { blockHash: twin.hash, commits: commitsDigest(other) },
      },
    ])
  })

  it('of a proposal does, too, once', () => {
    const h = new Harness()
    h.receive({ ...proposal(B1), signature: signature(1) }, 1)
    const effects = h.receive({ ...proposal(twin), signature: signature(2) }, 1)
    expect(effects).toEqual([
      {
        kind: 'report-equivocation',
        slashable: 'prepare',
        epoch: 1,
        view: 1,
        validator: 1,
        one: { height: 1, blockHash: B1.hash, signature: signature(1), commits: null },
        other: { height: 1, blockHash: twin.hash, signature: signature(2), commits: null },
      },
    ])
    expect(h.receive(proposal(twin), 1)).toEqual([])
  })

  it('of a proposal and a vote for another block is the same, once, whichever came first', () => {
    const reports = (effects: readonly ConsensusEffect[]) =>
      effects.filter(({ kind }) => kind === 'report-equivocation')
    const evidence = (one: Block, other: Block) => [
      {
        kind: 'report-equivocation',
        slashable: 'prepare',
        epoch: 1,
        view: 1,
        validator: 1,
        one: { height: 1, blockHash: one.hash, signature: signature(1), commits: null },
        other: { height: 1, blockHash: other.hash, signature: signature(2), commits: null },
      },
    ]
    const h = new Harness()
    h.receive({ ...proposal(B1), signature: signature(1) }, 1)
    expect(reports(h.receive({ ...vote('prepare', 1, twin), signature: signature(2) }, 1))).toEqual(
      evidence(B1, twin),
    )
    // The second proposal is the same second vote: looked at once more, and nothing new.
    expect(reports(h.receive(proposal(twin), 1))).toEqual([])
    expect(h.events.filter(({ kind }) => kind === 'equivocation-seen')).toHaveLength(1)
    expect(h.replica.triage(proposal(blockOn(GENESIS, 1, { timestamp: 9 })))).toBe('ignore')

    const other = new Harness()
    other.receive({ ...vote('prepare', 1, twin), signature: signature(1) }, 1)
    const taken = other.receive({ ...proposal(B1), signature: signature(2) }, 1)
    expect(reports(taken)).toEqual(evidence(twin, B1))
    // What was voted for besides is nothing against the block: a quorum may want it.
    expect(words(taken)).toContain('broadcast prepare')
  })

  it('is none when one content has two signatures: signing is hedged', () => {
    const h = new Harness()
    h.receive({ ...vote('prepare', 1, B1), signature: signature(1) }, 1)
    h.receive({ ...proposal(B1), signature: signature(1) }, 1)
    h.effects.length = 0
    h.receive({ ...vote('prepare', 1, B1), signature: signature(2) }, 1)
    h.receive({ ...proposal(B1), signature: signature(2) }, 1)
    expect(h.effects).toEqual([])
  })
})

describe('a timeout', () => {
  it('whose sender has another final block is answered with ours, or makes us ask (R14)', () => {
    const h = new Harness()
    h.finalize(B1)
    h.later(500)
    expect(words(h.receive(timeout(3, 1), 1))).toContain('send certificates to 1')
    const ahead = { ...timeout(3, 2), final: { height: asHeight(9), blockHash: stateAfter(B3) as never } }
    expect(words(h.receive(ahead, 2))).toContain('send certificate-request to 2')
  })
})

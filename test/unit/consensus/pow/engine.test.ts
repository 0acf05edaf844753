/** The proof-of-work engine by table: what it refuses, which chain it follows, what it asks for. */
import { describe, expect, it } from 'vitest'
import { sealBlock } from '../../../../src/codec/pow.ts'
import type { SealedBlock, SealHash } from '../../../../src/types/pow.ts'
import {
  asEpoch,
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  type BlockHash,
} from '../../../../src/types/primitives.ts'
import { chainOn, GENESIS, Harness, MINING, mineOn, ROOT, START_MS } from './harness.ts'

const names = (blocks: readonly SealedBlock[]): string[] => blocks.map(({ sealHash }) => sealHash)

describe('a sealed block', () => {
  const chain = chainOn(ROOT, 12)
  const onTwelve = (fields: Parameters<typeof mineOn>[1]) => mineOn(chain[11] ?? ROOT, fields)
  const { sealed: good } = mineOn(ROOT)
  /** The same block with a nonce that does not make the hash small enough. */
  const unsealed = (): SealedBlock => {
    for (let nonce = 0n; ; nonce++) {
      const tried = sealBlock(good.block, { ...good.seal, nonce })
      if (tried.sealHash > '40') return tried
    }
  }

  it.each([
    ['form', mineOn(ROOT, { header: { view: asView(1) } }).sealed],
    ['form', mineOn(ROOT, { header: { justify: { view: asView(1), blockHash: GENESIS.hash } } }).sealed],
    ['form', mineOn(ROOT, { header: { proposer: asValidatorIndex(1) } }).sealed],
    ['form', mineOn(ROOT, { header: { height: asHeight(0) } }).sealed],
    ['epoch', mineOn(ROOT, { header: { epoch: asEpoch(1) } }).sealed],
    ['bits', sealBlock(good.block, { bits: 0x20ffffff, nonce: 0n })],
    ['limit', mineOn(ROOT, { bits: 0x2100ffff }).sealed],
    ['work', unsealed()],
    ['height', mineOn(ROOT, { header: { height: asHeight(2) } }).sealed],
    ['parent-hash', mineOn(ROOT, { header: { parentHash: 'ab'.repeat(32) as BlockHash } }).sealed],
    ['target', mineOn(ROOT, { bits: 0x207fffff }).sealed],
    ['target', mineOn(ROOT, { bits: 0x201fffff }).sealed],
    ['median-time', mineOn(ROOT, { afterMs: 0 }).sealed],
  ])('is refused for its %s', (code, sealed) => {
    const harness = new Harness()
    harness.receive({ sealed })
    expect(harness.lastEvent).toMatchObject({ kind: 'block-refused', code })
    expect(harness.tip).toBe(ROOT.sealHash)
    expect(harness.effects).toEqual([])
  })

  it('is of the epoch of its height: a filler of the epoch before is refused', () => {
    const harness = new Harness({ epochBlocks: 2 })
    const [one, two, three] = chainOn(ROOT, 3, { epochBlocks: 2 })
    if (one === undefined || two === undefined || three === undefined) throw new Error('three')
    harness.receive(one, two, mineOn(two, { header: { epoch: asEpoch(0) } }))
    expect(harness.lastEvent).toMatchObject({ kind: 'block-refused', code: 'epoch' })
    expect(harness.tip).toBe(two.sealHash)
    expect(three.block.header.epoch).toBe(1)
    harness.receive(three)
    expect(harness.tip).toBe(three.sealHash)
  })

  it.each([
    ['at the median of eleven', -5_000, 'block-refused'],
    ['just above it', -4_999, 'block-taken'],
  ])('whose time is %s is judged', (_, afterMs, kind) => {
    const harness = new Harness({ mining: { ...MINING, maturityBlocks: 100 } })
    harness.receive(...chain)
    harness.events.length = 0
    harness.receive(onTwelve({ afterMs }))
    expect(harness.events[0]).toMatchObject({ kind })
  })

  it('that is ahead of the clock is taken when its time has come', () => {
    const harness = new Harness()
    harness.unixMs = START_MS
    const early = mineOn(ROOT, { afterMs: 5_001 })
    harness.receive(early)
    expect(harness.lastEvent).toMatchObject({ kind: 'block-ignored', reason: 'future' })
    harness.unixMs += 1
    harness.receive(early)
    expect(harness.tip).toBe(early.sealHash)
  })

  it('that the ledger refuses takes what builds on it along', () => {
    const harness = new Harness()
    const [bad, next] = chainOn(ROOT, 2)
    if (bad === undefined || next === undefined) throw new Error('two')
    harness.illegal.add(bad.sealHash)
    harness.receive(next)
    harness.receive(bad)
    expect(harness.events.filter(({ kind }) => kind === 'block-refused')).toEqual([
      { kind: 'block-refused', sealHash: bad.sealHash, code: 'ledger', detail: 'nullifier-root' },
      { kind: 'block-refused', sealHash: next.sealHash, code: 'invalid-parent', detail: 'nullifier-root' },
    ])
    expect(harness.tip).toBe(ROOT.sealHash)
    expect(harness.engine.look()).toMatchObject({ size: 0, waiting: 0 })
    harness.receive(bad, mineOn(bad))
    expect(harness.lastEvent).toMatchObject({ kind: 'block-refused', code: 'invalid-parent' })
  })
})

describe('the chain that is followed', () => {
  it('is the heaviest, and the first of equals', () => {
    const harness = new Harness()
    const a = chainOn(ROOT, 2)
    const b = chainOn(ROOT, 3, { afterMs: 1_001 })
    harness.receive(...a)
    expect(harness.tip).toBe(a[1]?.sealHash)
    expect(harness.receive(b[0] as (typeof b)[0], b[1] as (typeof b)[0])).toEqual([])
    expect(harness.tip).toBe(a[1]?.sealHash)
    const [change] = harness.receive(b[2] as (typeof b)[0])
    expect(change).toEqual({
      kind: 'switch',
      rollback: a.map(({ sealed }) => sealed).reverse(),
      apply: b.map(({ sealed }) => sealed),
    })
    expect(harness.lastEvent).toMatchObject({ kind: 'tip-changed', height: 3, rolledBack: 2, applied: 3 })
  })

  it('is the one of more work, not the longer one', () => {
    const harness = new Harness({ mining: { ...MINING, maturityBlocks: 100 } })
    // Quick blocks make the target harder: fewer of them weigh more.
    const slow = chainOn(ROOT, 12, { afterMs: 1_700 })
    const quick = chainOn(ROOT, 10, { afterMs: 150 })
    harness.receive(...slow)
    harness.receive(...quick)
    expect(harness.tip).toBe(quick.at(-1)?.sealHash)
    expect(harness.engine.look().tip.block.header.height).toBe(10)
  })

  it('tells two seals of one block apart, and each child its own', () => {
    const harness = new Harness()
    const first = mineOn(ROOT)
    const second = mineOn(ROOT, { isSecondSeal: true })
    expect(second.block.hash).toBe(first.block.hash)
    expect(second.sealHash).not.toBe(first.sealHash)
    harness.receive(first, second)
    expect(harness.tip).toBe(first.sealHash)
    const [change] = harness.receive(mineOn(second))
    expect(change).toMatchObject({ kind: 'switch', rollback: [{ sealHash: first.sealHash }] })
    expect(names(harness.engine.chain())[0]).toBe(second.sealHash)
  })

  it('settles what is deeper than the maturity, and drops what does not build on it', () => {
    const harness = new Harness()
    const side = mineOn(ROOT, { afterMs: 999 })
    const chain = chainOn(ROOT, MINING.maturityBlocks + 2)
    harness.receive(side)
    harness.receive(...chain)
    const settled = harness.effects.filter((effect) => effect.kind === 'settle')
    expect(settled.map(({ blocks }) => names(blocks))).toEqual([[chain[0]?.sealHash], [chain[1]?.sealHash]])
    expect(settled[1]?.settled.work).toBe(harness.engine.look().root.work)
    expect(harness.effects).toContainEqual({ kind: 'forget', blocks: [side.sealed] })
    expect(harness.engine.look().root.sealHash).toBe(chain[1]?.sealHash)
    harness.receive(side)
    expect(harness.lastEvent).toMatchObject({ kind: 'block-ignored', reason: 'settled' })
  })
})

describe('missing ancestors', () => {
  it('are asked for from the top down, each once, and then with the timer', () => {
    const harness = new Harness()
    const [one, two, three] = chainOn(ROOT, 3)
    if (one === undefined || two === undefined || three === undefined) throw new Error('three')
    expect(harness.receive(three)).toEqual([
      { kind: 'fetch', sealHash: two.sealHash, from: 'a-peer' },
      { kind: 'set-timer', timer: 'fetch', delayMs: 500 },
    ])
    expect(harness.input({ kind: 'timer-expired', timer: 'fetch' })[0]).toEqual({
      kind: 'fetch',
      sealHash: two.sealHash,
      from: null,
    })
    expect(harness.receive(two)[0]).toEqual({ kind: 'fetch', sealHash: one.sealHash, from: 'a-peer' })
    harness.receive(one)
    expect(harness.tip).toBe(three.sealHash)
    expect(harness.engine.look().waiting).toBe(0)
  })

  it('that nobody has are given up, with what waits for them', () => {
    const harness = new Harness()
    const [, two] = chainOn(ROOT, 2)
    if (two === undefined) throw new Error('two')
    harness.receive(two)
    for (let i = 0; i < 8; i++) harness.input({ kind: 'timer-expired', timer: 'fetch' })
    expect(harness.engine.look().waiting).toBe(0)
    expect(harness.effects.filter(({ kind }) => kind === 'fetch')).toHaveLength(8)
    expect(harness.effects.at(-1)).toEqual({ kind: 'cancel-timer', timer: 'fetch' })
  })

  it('never keep more blocks waiting than there is room for', () => {
    const harness = new Harness()
    for (const { sealed } of chainOn(ROOT, 100).slice(1)) harness.receive({ sealed })
    expect(harness.engine.look().waiting).toBeLessThanOrEqual(2 * MINING.maturityBlocks + 64)
  })
})

describe('the tree', () => {
  it('is bounded: the lightest rival goes, and the best chain stays', () => {
    const harness = new Harness()
    const chain = chainOn(ROOT, 4)
    harness.receive(...chain)
    for (let i = 0; i < 120; i++) harness.receive(mineOn(ROOT, { afterMs: 2_000 + i }))
    const { size } = harness.engine.look()
    expect(size).toBe(2 * MINING.maturityBlocks + 64)
    expect(
      harness.events.filter((event) => event.kind === 'block-ignored' && event.reason === 'no-room'),
    ).toHaveLength(120 + 4 - size)
    harness.receive(mineOn(chain[3] ?? ROOT))
    expect(harness.engine.look()).toMatchObject({ size, tip: { block: { header: { height: 5 } } } })
  })
})

describe('mining', () => {
  it('goes on from the tip, with its target and time, and stops when told', () => {
    const harness = new Harness()
    const [mine, timer] = harness.input({ kind: 'mining-wanted', isWanted: true })
    expect(mine).toEqual({
      kind: 'mine',
      parent: { sealHash: ROOT.sealHash, block: GENESIS },
      bits: MINING.initialBits,
      timestampMin: asUnixMs(START_MS + 1),
    })
    expect(timer).toEqual({ kind: 'set-timer', timer: 'template', delayMs: 250 })
    const own = mineOn(ROOT)
    expect(harness.input({ kind: 'mined', sealed: own.sealed }).map(({ kind }) => kind)).toEqual([
      'announce',
      'switch',
      'mine',
      'set-timer',
    ])
    expect(harness.input({ kind: 'mining-wanted', isWanted: false })).toEqual([
      { kind: 'stop-mining' },
      { kind: 'cancel-timer', timer: 'template' },
    ])
    expect(harness.receive(mineOn(own)).map(({ kind }) => kind)).toEqual(['switch'])
  })

  it('announces no block of its own that came too late or is illegal', () => {
    const harness = new Harness()
    const own = mineOn(ROOT)
    harness.receive(own)
    expect(harness.input({ kind: 'mined', sealed: own.sealed })).toEqual([])
    expect(harness.input({ kind: 'mined', sealed: mineOn(ROOT, { afterMs: 0 }).sealed })).toEqual([])
  })

  it('of a provisional chain ends at its bound, and begins anew on what BFT made final', () => {
    const harness = new Harness({ depth: 'provisional' })
    harness.input({ kind: 'mining-wanted', isWanted: true })
    const chain = chainOn(ROOT, MINING.maturityBlocks)
    const asked = harness.receive(...chain)
    expect(asked.slice(-2).map(({ kind }) => kind)).toEqual(['stop-mining', 'cancel-timer'])
    expect(harness.effects.some(({ kind }) => kind === 'settle')).toBe(false)
    const final = mineOn(ROOT, { header: { view: asView(3) } }).block
    const after = harness.input({ kind: 'final-moved', block: final })
    expect(after[0]).toEqual({
      kind: 'switch',
      rollback: chain.map(({ sealed }) => sealed).reverse(),
      apply: [],
    })
    expect(after[1]).toMatchObject({ kind: 'forget' })
    expect(after).toContainEqual(expect.objectContaining({ kind: 'mine', bits: MINING.initialBits }))
    expect(harness.engine.look()).toMatchObject({ size: 0, tip: { sealHash: final.hash, work: 0n } })
    expect(harness.input({ kind: 'final-moved', block: final })).toEqual([])
  })

  it('of a provisional chain does not go past the end of the epoch, until BFT does', () => {
    const epochBlocks = 3
    const harness = new Harness({ depth: 'provisional', epochBlocks })
    harness.input({ kind: 'mining-wanted', isWanted: true })
    const chain = chainOn(ROOT, 4, { epochBlocks })
    const [, , last, beyond] = chain
    if (last === undefined || beyond === undefined) throw new Error('four')
    expect(chain.map(({ block }) => block.header.epoch)).toEqual([0, 0, 0, 1])
    const asked = harness.receive(...chain.slice(0, 3))
    expect(asked.slice(-2).map(({ kind }) => kind)).toEqual(['stop-mining', 'cancel-timer'])
    expect(harness.receive(beyond)).toEqual([])
    expect(harness.lastEvent).toMatchObject({ kind: 'block-ignored', reason: 'next-epoch' })
    expect(harness.tip).toBe(last.sealHash)
    // Not even when nothing under it is known.
    expect(harness.receive(mineOn(beyond, { epochBlocks }))).toEqual([])
    expect(harness.engine.look().waiting).toBe(0)

    // The second of three is final: one more may be mined, by whoever mines on it.
    const second = mineOn(ROOT, { header: { view: asView(3), height: asHeight(2) } }).block
    const one = harness.input({ kind: 'final-moved', block: second })
    expect(one.some(({ kind }) => kind === 'mine')).toBe(true)
    // The last of the epoch is final: the next epoch's validators are known, and its blocks are mined.
    const end = mineOn(ROOT, { header: { view: asView(4), height: asHeight(3) } }).block
    const next = harness.input({ kind: 'final-moved', block: end })
    expect(next).toContainEqual(expect.objectContaining({ kind: 'mine' }))
    const { trail } = harness.engine.look().root
    const fresh = mineOn({ sealHash: end.hash as string as SealHash, block: end, trail }, { epochBlocks })
    harness.receive(fresh)
    expect(fresh.block.header.epoch).toBe(1)
    expect(harness.tip).toBe(fresh.sealHash)
  })
})

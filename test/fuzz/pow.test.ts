/**
 * Proof of work under random bytes and random inputs: decoders never throw and what they read is canonical, the
 * engine throws nothing, keeps within its bounds, follows the most work, and never leaves its own promises.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSealedBlock, sealBlock } from '../../src/codec/pow.ts'
import { bitsOfTarget, targetOfBits } from '../../src/types/compact-target.ts'
import type { SealedBlock } from '../../src/types/pow.ts'
import { GENESIS, Harness, MINING, mineOn, type Place, ROOT } from '../unit/consensus/pow/harness.ts'
import * as arbitrary from './arbitraries.ts'

const RUNS = { numRuns: 300 }

describe('decoders', () => {
  it('read every sealed block back as it was, and no other bytes of it', () => {
    const seal = fc.record({
      bits: fc.nat({ max: 2 ** 32 - 1 }),
      nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    })
    fc.assert(
      fc.property(arbitrary.block, seal, fc.nat(), (block, with_, at) => {
        const sealed = sealBlock(block, with_)
        const decoded = decodeSealedBlock(sealed.bytes)
        if (!decoded.ok) throw new Error(decoded.detail)
        expect(decoded.value.sealHash).toBe(sealed.sealHash)
        expect(decoded.value.seal).toEqual(with_)
        const damaged = sealed.bytes.slice()
        damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ (1 << (at % 8))
        const other = decodeSealedBlock(damaged)
        // Whatever still decodes has another name: the name binds all of it.
        if (other.ok) expect(other.value.sealHash).not.toBe(sealed.sealHash)
      }),
      { numRuns: 100 },
    )
  })

  it('refuse bytes that are none, without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const decoded = decodeSealedBlock(bytes)
        if (decoded.ok) expect(sealBlock(decoded.value.block, decoded.value.seal).bytes).toEqual(bytes)
      }),
      RUNS,
    )
  })

  it('read bits as exactly one target and write it the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (bits) => {
        const target = targetOfBits(bits)
        if (target.ok) expect(bitsOfTarget(target.value)).toBe(bits)
        else expect(['negative', 'overflow', 'zero', 'not-canonical']).toContain(target.code)
      }),
      { numRuns: 2_000 },
    )
  })
})

/** A tree of blocks, three on each of the last few: all that is received, in any order, some of it illegal. */
const TREE: (Place & { readonly sealed: SealedBlock })[] = []
for (let i = 0; i < 60; i++) {
  const parent = TREE.length === 0 ? ROOT : (TREE[Math.max(0, TREE.length - 1 - (i % 5))] ?? ROOT)
  TREE.push(mineOn(parent, { afterMs: 300 + 97 * (i % 13), isSecondSeal: i % 11 === 0 }))
}
const BROKEN = [
  mineOn(ROOT, { bits: 0x207fffff }),
  mineOn(ROOT, { afterMs: 0 }),
  mineOn(TREE[3] ?? ROOT, { afterMs: 9e9 }),
  { sealed: sealBlock(GENESIS, { bits: MINING.initialBits, nonce: 1n }) },
]

type Act = (harness: Harness) => void
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.constantFrom(...TREE).map(
      (place): Act =>
        (h) =>
          void h.receive(place),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...BROKEN).map(
      (place): Act =>
        (h) =>
          void h.receive(place),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...TREE).map(
      ({ sealed }): Act =>
        (h) =>
          void h.input({ kind: 'mined', sealed }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('template' as const, 'fetch' as const).map(
      (timer): Act =>
        (h) =>
          void h.input({ kind: 'timer-expired', timer }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (isWanted): Act =>
        (h) =>
          void h.input({ kind: 'mining-wanted', isWanted }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...TREE).map(
      ({ sealHash }): Act =>
        (h) =>
          void h.input({ kind: 'block-checked', sealHash, outcome: { ok: false, code: 'late' } }),
    ),
  },
)

describe('the engine', () => {
  it('keeps its promises under any inputs in any order', () => {
    fc.assert(
      fc.property(
        fc.array(act, { minLength: 50, maxLength: 300, size: 'max' }),
        fc.subarray(TREE, { maxLength: 4 }),
        (acts, illegal) => {
          const harness = new Harness()
          for (const { sealHash } of illegal) harness.illegal.add(sealHash)
          const told: string[] = []
          let seen = 0
          let work = 0n
          let rootHeight = 0
          for (const run of acts) {
            run(harness)
            const { tip, root, size, waiting } = harness.engine.look()
            // Work and root only ever grow, whatever comes.
            expect(tip.work).toBeGreaterThanOrEqual(work)
            expect(root.block.header.height).toBeGreaterThanOrEqual(rootHeight)
            work = tip.work
            rootHeight = root.block.header.height
            expect(tip.block.header.height - rootHeight).toBeLessThanOrEqual(MINING.maturityBlocks)
            expect(size).toBeLessThanOrEqual(2 * MINING.maturityBlocks + 64)
            expect(waiting).toBeLessThanOrEqual(2 * MINING.maturityBlocks + 64)
            for (const effect of harness.effects.slice(seen)) {
              if (effect.kind !== 'switch') continue
              for (const { sealHash } of effect.rollback) expect(told.pop()).toBe(sealHash)
              for (const { sealHash } of effect.apply) {
                expect(harness.illegal.has(sealHash)).toBe(false)
                told.push(sealHash)
              }
            }
            seen = harness.effects.length
            expect(told.at(-1) ?? ROOT.sealHash).toBe(tip.sealHash)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

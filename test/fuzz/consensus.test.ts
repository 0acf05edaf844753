/**
 * A replica under random inputs in any order: it throws nothing, signs no slot twice, gives no view up and votes in
 * it afterwards, and keeps a bounded memory of it all.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConsensusEffect } from '../../src/consensus/effect.ts'
import type { ConsensusMessage } from '../../src/types/messages.ts'
import { asValidatorIndex, asView } from '../../src/types/primitives.ts'
import {
  blockOn,
  commitVote,
  GENESIS,
  Harness,
  proposal,
  quorumOn,
  stateAfter,
  timeout,
  timeoutQuorum,
  vote,
} from '../unit/consensus/harness.ts'

/** A tree of blocks of the first views, two for each parent: all that is talked about. */
const BLOCKS = [GENESIS]
for (let view = 1; view <= 10; view++) {
  for (const parent of BLOCKS.slice(-3)) {
    BLOCKS.push(blockOn(parent, view), blockOn(parent, view, { timestamp: parent.header.timestamp + 7 }))
  }
}
const block = fc.constantFrom(...BLOCKS.slice(1))
const anyBlock = fc.constantFrom(...BLOCKS)
const voter = fc.nat({ max: 4 })
const view = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 12 }) }, fc.nat({ max: 200 }))
/** At most one block of a view is certified: more is beyond what a third can do. */
const certified = new Map(BLOCKS.map((b) => [b.header.view, b]))
const certifiedBlock = fc.constantFrom(...[...certified.values()].slice(1))

const qc = certifiedBlock.map((b) => quorumOn('prepare', b))
const tc = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.option(certifiedBlock, { nil: GENESIS }))
  .map(([above, b]) => timeoutQuorum(b.header.view + 1 + above, quorumOn('prepare', b)))
const message: fc.Arbitrary<ConsensusMessage> = fc.oneof(
  fc.tuple(block, fc.option(tc, { nil: null })).map(([b, t]) => proposal(b, t)),
  fc
    .tuple(fc.constantFrom('prepare' as const, 'pre-commit' as const), voter, certifiedBlock)
    .map(([k, v, b]) => vote(k, v, b)),
  fc.tuple(voter, block).map(([v, b]) => vote('prepare', v === 3 ? 3 : 4, b)),
  fc.tuple(view, voter, anyBlock).map(([at, v, b]) => timeout(Math.max(at, b.header.view + 1), v, b)),
  fc.tuple(voter, block).map(([v, b]) => commitVote(v, b)),
  fc
    .record({ highQc: fc.option(qc, { nil: null }), highTc: fc.option(tc, { nil: null }) })
    .map((certificates) => ({ kind: 'certificates' as const, ...certificates, finality: null })),
  view.map((at) => ({ kind: 'certificate-request' as const, view: asView(at) })),
)
type Act = (h: Harness) => readonly ConsensusEffect[]
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(message, voter).map(
      ([m, from]): Act =>
        (h) =>
          h.receive(m, from % 4),
    ),
  },
  fc.constantFrom('view', 'propose', 'timeout-repeat', 'fetch').map(
    (timer): Act =>
      (h) =>
        h.expire(timer as 'view'),
  ),
  fc.tuple(voter, fc.boolean()).map(
    ([v, is]): Act =>
      (h) =>
        v === 0 || v > 3 ? [] : h.reach(v, is),
  ),
  fc.constant<Act>((h) => h.feed({ kind: 'work-arrived' })),
  fc.constant<Act>((h) => h.feed({ kind: 'work-exhausted' })),
  fc.array(block, { maxLength: 4 }).map(
    (blocks): Act =>
      (h) =>
        h.feed({ kind: 'blocks-received', blocks, finality: null }),
  ),
  fc.integer({ min: 1, max: 3_000 }).map(
    (ms): Act =>
      (h) => {
        h.later(ms)
        return []
      },
  ),
  block.map(
    (b): Act =>
      (h) =>
        h.feed({
          kind: 'block-checked',
          blockHash: b.hash,
          outcome: { ok: true, stateRoot: stateAfter(b), weightless: null, isFinalWithNext: false },
        }),
  ),
)

describe('a replica', () => {
  it.each([0, 300])('keeps its word whatever it is told (heartbeat %i)', (heartbeatMs) => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 20, maxLength: 120 }), fc.nat({ max: 3 }), (acts, self) => {
        const h = new Harness({ self: asValidatorIndex(self), parameters: { heartbeatMs } })
        const signed = new Map<string, string>()
        let givenUp = 0
        let highQcView = 0
        let height = 0
        for (const run of acts) {
          run(h)
          const effects = h.effects.splice(0)
          h.events.length = 0
          for (const effect of effects) {
            if (effect.kind === 'halt') return
            if (effect.kind !== 'sign') continue
            const { request } = effect
            if (request.kind === 'commit') continue
            const content =
              'blockHash' in request
                ? request.blockHash
                : 'block' in request
                  ? request.block.hash
                  : `${request.highQcView}`
            const slot = `${request.kind} ${request.view}`
            expect(signed.has(slot), slot).toBe(false)
            signed.set(slot, content)
            if (request.kind === 'timeout') givenUp = request.view
            else expect(request.view).toBeGreaterThan(givenUp)
          }
          const look = h.replica.look()
          expect(look.highQcView).toBeGreaterThanOrEqual(highQcView)
          expect(look.view).toBeGreaterThan(look.highQcView)
          expect(look.final.header.height).toBeGreaterThanOrEqual(height)
          highQcView = look.highQcView
          height = look.final.header.height
          expect(effects.length).toBeLessThan(400)
        }
      }),
      { numRuns: 150 },
    )
  })
})

/** Which certificates are kept, and that a range answer always reaches one. */
import { describe, expect, it } from 'vitest'
import {
  CHECKPOINT_HEIGHTS,
  CHECKPOINT_RUN_BYTES,
  CheckpointRule,
  type CheckpointStep,
} from '../../../src/storage/checkpoints.ts'
import { asHeight } from '../../../src/types/primitives.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const GENESIS = asHeight(0)
const CERTIFICATE = Uint8Array.of(1)

function step(height: number, bytes = 300, isCertified = true): CheckpointStep {
  return { height: asHeight(height), bytes, certificate: isCertified ? CERTIFICATE : null }
}

function keptOf(steps: readonly CheckpointStep[], last = GENESIS): number[] {
  const rule = new CheckpointRule(last)
  return steps.flatMap((each) => rule.next(each).map(({ height }) => height))
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('the checkpoint rule', () => {
  it.each<{ what: string; steps: CheckpointStep[]; last?: number; kept: number[] }>([
    { what: 'every multiple of 64', steps: range(1, 200).map((h) => step(h)), kept: [64, 128, 192] },
    {
      what: 'the first certified block after a multiple',
      steps: range(1, 200).map((h) => step(h, 300, h % 64 !== 0 && h !== 65)),
      kept: [66, 129, 193],
    },
    { what: 'none without certificates', steps: range(1, 200).map((h) => step(h, 300, false)), kept: [] },
    { what: 'none a second time', steps: range(70, 127).map((h) => step(h)), last: 66, kept: [] },
    {
      what: 'the block before the one that would make the run too long',
      steps: [step(1, 1_000), step(2, CHECKPOINT_RUN_BYTES - 1_000), step(3, 1), step(4, 1)],
      kept: [2],
    },
    {
      what: 'the last certified one when the long run has none at its end',
      steps: [step(1, 1_000), step(2, 1_000, false), step(3, CHECKPOINT_RUN_BYTES, false), step(4, 10)],
      kept: [1],
    },
    {
      what: 'what a run has grown by since the last certified block',
      steps: [step(1, 1_000), step(2, CHECKPOINT_RUN_BYTES - 1_500, false), step(3, 600), step(4, 1_000)],
      kept: [1, 3],
    },
    {
      what: 'a full block alone',
      steps: range(1, 3).map((h) => step(h, CHECKPOINT_RUN_BYTES)),
      kept: [1, 2],
    },
  ])('keeps $what', ({ steps, last = 0, kept }) => {
    expect(keptOf(steps, asHeight(last))).toEqual(kept)
  })

  it('leaves no run that is longer or larger than an answer, whatever the blocks', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed)
      const steps = range(1, 400).map((h) => step(h, Math.floor(random() ** 4 * CHECKPOINT_RUN_BYTES)))
      const ends = [...keptOf(steps), 400]
      let from = 1
      for (const end of ends) {
        const run = steps.slice(from - 1, end)
        expect(run.length, `seed ${seed}`).toBeLessThanOrEqual(CHECKPOINT_HEIGHTS + 1)
        const bytes = run.reduce((sum, each) => sum + each.bytes, 0)
        expect(bytes, `seed ${seed}`).toBeLessThanOrEqual(CHECKPOINT_RUN_BYTES)
        from = end + 1
      }
    }
  })
})

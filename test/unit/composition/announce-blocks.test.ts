/** Which final blocks a validator tells those of who follow, and when. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { hashBlock } from '../../../src/codec/block.ts'
import { decodeFinalAnnouncement } from '../../../src/codec/final-announcement.ts'
import { ANNOUNCING, BlockAnnouncer } from '../../../src/composition/announce-blocks.ts'
import type { FinalizedBlock } from '../../../src/types/ledger-state.ts'
import type { ValidatorIndex } from '../../../src/types/primitives.ts'
import { FinalChain, GENESIS_PARENT } from '../../support/final-chain.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const SELF = 1 as ValidatorIndex

function announcing(subscribers = 1) {
  const heights: number[] = []
  const gossip = {
    subscribers: () => subscribers,
    publishBlock: (bytes: Uint8Array) => {
      const read = decodeFinalAnnouncement(bytes)
      if (!read.ok) throw new Error('what is told cannot be read')
      expect(read.value.finality.height).toBeGreaterThanOrEqual(read.value.block.header.height)
      heights.push(read.value.block.header.height)
      return 'sent' as const
    },
  }
  const announcer = new BlockAnnouncer({ gossip: () => gossip, nowMs: () => performance.now() })
  return { announcer, heights }
}

/** Blocks, each of the proposer named. */
function chain(...proposers: readonly number[]): readonly FinalizedBlock[] {
  return new FinalChain(GENESIS_PARENT, 'tallied').empty(proposers.length).map((final, index) => {
    const header = { ...final.block.header, proposer: proposers[index] as ValidatorIndex }
    return { ...final, block: hashBlock({ header, transactions: [] }) }
  })
}

it('tells of its own block at once', () => {
  const { announcer, heights } = announcing()
  announcer.finalized(chain(2, 1), SELF)
  expect(heights).toEqual([2])
  vi.advanceTimersByTime(ANNOUNCING.latestMs)
  expect(heights).toEqual([2])
})

it('tells of the last one of others when none comes after it', () => {
  const { announcer, heights } = announcing()
  const [one, two, three] = chain(2, 3, 0) as [FinalizedBlock, FinalizedBlock, FinalizedBlock]
  announcer.finalized([one, two], SELF)
  vi.advanceTimersByTime(ANNOUNCING.quietLeastMs - 1)
  announcer.finalized([three], SELF)
  vi.advanceTimersByTime(ANNOUNCING.quietLeastMs - 1)
  expect(heights).toEqual([])
  vi.advanceTimersByTime(ANNOUNCING.quietMostMs)
  expect(heights).toEqual([3])
  vi.advanceTimersByTime(ANNOUNCING.latestMs)
  expect(heights).toEqual([3])
})

it('tells of one now and then while they never cease', () => {
  const { announcer, heights } = announcing()
  const everyMs = ANNOUNCING.quietLeastMs - 1
  const blocks = chain(...Array.from({ length: 100 }, () => 2))
  for (const block of blocks) {
    announcer.finalized([block], SELF)
    vi.advanceTimersByTime(everyMs)
  }
  const least = Math.floor((100 * everyMs) / (ANNOUNCING.latestMs + everyMs))
  expect(heights.length).toBeGreaterThanOrEqual(least)
  expect(heights.length).toBeLessThanOrEqual(least + 1)
})

it('tells nothing when nobody listens, when it is no validator (any more), and after its end', () => {
  const alone = announcing(0)
  alone.announcer.finalized(chain(1, 2), SELF)
  const { announcer, heights } = announcing()
  announcer.finalized(chain(1, 2), null)
  announcer.finalized(chain(2), SELF)
  announcer.finalized(chain(2, 2), null)
  announcer.finalized(chain(2), SELF)
  announcer.stop()
  vi.advanceTimersByTime(ANNOUNCING.latestMs)
  expect([...alone.heights, ...heights]).toEqual([])
})

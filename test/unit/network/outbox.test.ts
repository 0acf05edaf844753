import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/network/outbox.ts'

const LIMITS = { messagesMax: 3, bytesMax: 100, ageMaxMs: 1_000 }

function outbox(): { box: Outbox; drops: string[] } {
  const drops: string[] = []
  return { box: new Outbox(LIMITS, (reason) => drops.push(reason)), drops }
}

const message = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill)
const fills = (messages: readonly Uint8Array[]): (number | undefined)[] => messages.map((bytes) => bytes[0])

describe('the outbox', () => {
  it('keeps order', () => {
    const { box } = outbox()
    for (const fill of [1, 2, 3]) box.push(message(1, fill), false, 0)
    expect(fills(box.take(1_000, 0))).toEqual([1, 2, 3])
    expect([box.messages, box.bytes, box.hasUrgent]).toEqual([0, 0, false])
  })

  it.each([
    [
      'the oldest lazy one first',
      [
        [1, false],
        [2, true],
        [3, true],
        [4, false],
      ],
      [1, 3, 4],
    ],
    [
      'the oldest of all when none is lazy',
      [
        [1, false],
        [2, false],
        [3, false],
        [4, false],
      ],
      [2, 3, 4],
    ],
    [
      'never the newest, though it is the only lazy one',
      [
        [1, false],
        [2, false],
        [3, false],
        [4, true],
      ],
      [2, 3, 4],
    ],
  ] as const)('drops %s when it has too many', (_name, pushes, left) => {
    const { box, drops } = outbox()
    for (const [fill, lazy] of pushes) expect(box.push(message(1, fill), lazy, 0)).toBe(true)
    expect(drops).toEqual(['queue-full'])
    expect(fills(box.take(1_000, 0))).toEqual(left)
  })

  it('drops until the bytes fit', () => {
    const { box, drops } = outbox()
    box.push(message(60, 1), false, 0)
    box.push(message(30, 2), true, 0)
    box.push(message(80, 3), false, 0)
    expect(drops).toEqual(['queue-full', 'queue-full'])
    expect(box.bytes).toBe(80)
    expect(fills(box.take(1_000, 0))).toEqual([3])
  })

  it('refuses what alone is too large', () => {
    const { box, drops } = outbox()
    expect(box.push(message(101, 1), false, 0)).toBe(false)
    expect([box.messages, drops]).toEqual([0, ['queue-full']])
  })

  it('lets old messages expire', () => {
    const { box, drops } = outbox()
    box.push(message(1, 1), false, 0)
    box.push(message(1, 2), true, 600)
    expect(fills(box.take(1_000, 1_200))).toEqual([2])
    expect(drops).toEqual(['expired'])
    expect([box.messages, box.bytes, box.hasUrgent]).toEqual([0, 0, false])
  })

  it('takes at least one, and no more than fit in a write', () => {
    const { box } = outbox()
    for (const fill of [1, 2, 3]) box.push(message(30, fill), false, 0)
    expect(fills(box.take(10, 0))).toEqual([1])
    expect(fills(box.take(60, 0))).toEqual([2, 3])
  })

  it('knows whether something urgent waits', () => {
    const { box } = outbox()
    box.push(message(1, 1), true, 0)
    expect(box.hasUrgent).toBe(false)
    box.push(message(1, 2), false, 0)
    expect(box.hasUrgent).toBe(true)
    box.clear()
    expect([box.hasUrgent, box.bytes]).toEqual([false, 0])
  })
})

/** Asking for a receipt: found, not ready, waited for within bounds, not to be had. */
import { describe, expect, it } from 'vitest'
import { decodeVerdict } from '../../../src/codec/verdict.ts'
import { ok, refuse } from '../../../src/types/errors.ts'
import type { Receipt, ReceiptStart } from '../../../src/types/receipt.ts'
import type { VerdictRecord } from '../../../src/types/verdict.ts'
import { RECEIPT_WAIT_MS_MAX, ReceiptDesk } from '../../../src/validation/receipt-desk.ts'
import { FakeClock } from '../../support/fake-network.ts'
import { receiptOf } from '../../support/receipt-fixture.ts'

const RECEIPT = receiptOf()
const decoded = decodeVerdict(RECEIPT.record)
if (!decoded.ok) throw new Error(decoded.detail)
const RECORD: VerdictRecord = decoded.value

/** A node whose state is certified when the test says so. */
function deskOf(options: { isMined?: boolean } = {}) {
  const clock = new FakeClock()
  const listeners = new Set<() => void>()
  const asked: ReceiptStart[] = []
  const state = { record: RECORD as VerdictRecord | null, isUnderWay: false, made: 'not-ready' as Made }
  const source = {
    make: async (_: VerdictRecord, start: ReceiptStart) => {
      asked.push(start)
      return state.made === 'made' ? ok<Receipt>(RECEIPT) : refuse(state.made, `it is ${state.made}`)
    },
    onAnchor: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const desk = new ReceiptDesk({
    source: options.isMined === true ? null : source,
    clock,
    recordOf: () => state.record,
    isUnderWay: () => state.isUnderWay,
  })
  const anchor = (): void => {
    for (const listener of listeners) listener()
  }
  return { desk, clock, state, asked, listeners, anchor }
}
type Made = 'made' | 'not-ready' | 'unavailable'

const GENESIS_ON = { start: { kind: 'genesis' }, waitMs: 0 } as const
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a receipt', () => {
  it('is given when it can be made, from the start that is asked for', async () => {
    const { desk, state, asked, listeners } = deskOf()
    state.made = 'made'
    const start = { kind: 'epoch', epoch: 3 as never } as const
    expect(await desk.receipt('x', { start, waitMs: 0 })).toEqual({ ok: true, value: RECEIPT })
    expect(asked).toEqual([start])
    expect(listeners.size).toBe(0)
  })

  it.each([
    ['of an unknown request', { record: null }, 'REQUEST_NOT_FOUND', 'no request with this id'],
    ['of a request under way', { record: null, isUnderWay: true }, 'RECEIPT_NOT_READY', 'no verdict yet'],
    ['that is not certified', {}, 'RECEIPT_NOT_READY', 'it is not-ready'],
    ['that cannot be made', { made: 'unavailable' as Made }, 'RECEIPT_UNAVAILABLE', 'it is unavailable'],
  ])('%s is refused', async (_, change, code, detail) => {
    const { desk, state } = deskOf()
    Object.assign(state, change)
    const refused = await desk.receipt('x', GENESIS_ON)
    expect(refused).toMatchObject({ ok: false, code, detail: expect.stringContaining(detail) as string })
  })

  it('of a mined network is refused', async () => {
    const { desk } = deskOf({ isMined: true })
    expect(await desk.receipt('x', GENESIS_ON)).toMatchObject({ ok: false, code: 'RECEIPT_UNAVAILABLE' })
  })
})

describe('waiting', () => {
  it('ends with the block that certifies, and only with that', async () => {
    const { desk, clock, state, asked, anchor, listeners } = deskOf()
    Object.assign(state, { record: null, isUnderWay: true })
    const receipt = desk.receipt('x', { ...GENESIS_ON, waitMs: 5_000 })
    await settle()
    state.record = RECORD
    anchor()
    await settle()
    expect(asked).toHaveLength(1)
    state.made = 'made'
    anchor()
    expect(await receipt).toEqual({ ok: true, value: RECEIPT })
    expect([listeners.size, clock.timers]).toEqual([0, 0])
  })

  it.each([
    [2_000, 2_000],
    [60_000, RECEIPT_WAIT_MS_MAX],
  ])('of %i ms ends after %i ms, with the last reason', async (waitMs, endMs) => {
    const { desk, clock, listeners } = deskOf()
    let isAnswered = false
    const receipt = desk.receipt('x', { ...GENESIS_ON, waitMs }).finally(() => {
      isAnswered = true
    })
    await settle()
    clock.advance(endMs - 1)
    await settle()
    expect(isAnswered).toBe(false)
    clock.advance(1)
    expect(await receipt).toMatchObject({ ok: false, code: 'RECEIPT_NOT_READY', detail: 'it is not-ready' })
    expect([listeners.size, clock.timers]).toEqual([0, 0])
  })

  it('is for so many at once; more are told to come again', async () => {
    const { desk, clock } = deskOf()
    const ask = { ...GENESIS_ON, waitMs: 5_000 }
    const waiting = Array.from({ length: 1_024 }, () => desk.receipt('x', ask))
    await settle()
    expect(await desk.receipt('x', ask)).toMatchObject({ ok: false, code: 'RECEIPT_NOT_READY' })
    clock.advance(5_000)
    expect((await Promise.all(waiting)).filter(({ ok: isMade }) => isMade)).toEqual([])
  })
})

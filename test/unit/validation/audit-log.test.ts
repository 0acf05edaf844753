/** The audit log: every change of a byte is found, nothing waits for the disk, what is lost is said, the chain goes on. */
import { describe, expect, it } from 'vitest'
import { AuditChain } from '../../../src/validation/audit-chain.ts'
import {
  AUDIT_START,
  type AuditEntry,
  type AuditHead,
  writeAuditLine,
} from '../../../src/validation/audit-line.ts'
import { type AuditEvent, AuditLog } from '../../../src/validation/audit-log.ts'
import type { AuditedCall } from '../../../src/validation/ports.ts'
import { FakeClock } from '../../support/fake-network.ts'

const CALL: AuditedCall = {
  unixMs: 1_760_000_000_123,
  carrier: 'http',
  client: '2001:db8::1',
  method: 'validate_certificate',
  requestId: 'trustchain-1-"ü".example',
  requestKey: 'ab'.repeat(32) as AuditedCall['requestKey'],
  payloadHash: 'cd'.repeat(32) as AuditedCall['payloadHash'],
  result: 'Invalid',
  failedProofs: ['stake_proof'],
  errorCode: null,
  durationUs: 21_345,
}

function linesOf(entries: readonly AuditEntry[], start: AuditHead = AUDIT_START): string {
  let head = start
  return entries
    .map((entry) => {
      const line = writeAuditLine(head, entry)
      head = line.head
      return `${line.text}\n`
    })
    .join('')
}

/** As the command checks a file: number of the line that breaks the chain, or null. */
function firstBroken(bytes: Uint8Array): number | null {
  const chain = new AuditChain()
  let number = 0
  for (let at = 0; at < bytes.length; ) {
    number += 1
    const end = bytes.indexOf(0x0a, at)
    if (end < 0 || !chain.next(bytes.subarray(at, end)).ok) return number
    at = end + 1
  }
  return null
}

describe('a line', () => {
  it('is JSON with every field of the call, the hash before it and its own', () => {
    const { text, head } = writeAuditLine({ sequence: 6, hash: 'ef'.repeat(32) }, { event: 'call', ...CALL })
    expect(JSON.parse(text)).toEqual({
      sequence: 7,
      time: '2025-10-09T08:53:20.123Z',
      event: 'call',
      carrier: 'http',
      client: '2001:db8::1',
      method: 'validate_certificate',
      request_id: 'trustchain-1-"ü".example',
      request_key: 'ab'.repeat(32),
      payload_hash: 'cd'.repeat(32),
      result: 'Invalid',
      failed_proofs: ['stake_proof'],
      error_code: null,
      duration_us: 21_345,
      previous: 'ef'.repeat(32),
      hash: head.hash,
    })
    expect(head.sequence).toBe(7)
  })
})

describe('a log of three lines', () => {
  const short: AuditEntry[] = [1, 2, 3].map((calls) => ({ event: 'lost', unixMs: CALL.unixMs, calls }))
  const long: AuditEntry[] = [CALL, { ...CALL, requestId: null }, CALL].map((call) => ({
    event: 'call',
    ...call,
  }))

  it('is in order as it was written', () => {
    expect(firstBroken(Buffer.from(linesOf(short)))).toBeNull()
    expect(firstBroken(Buffer.from(linesOf(long)))).toBeNull()
  })

  it('is not with any byte changed to any other', () => {
    const bytes = new Uint8Array(Buffer.from(linesOf(short)))
    const unnoticed: string[] = []
    for (let at = 0; at < bytes.length; at++) {
      const was = bytes[at] ?? 0
      for (let value = 0; value < 256; value++) {
        if (value === was) continue
        bytes[at] = value
        if (firstBroken(bytes) === null) unnoticed.push(`byte ${at}: ${was} became ${value}`)
      }
      bytes[at] = was
    }
    expect(unnoticed).toEqual([])
    expect(bytes.length).toBeGreaterThan(600)
  }, 120_000)

  it('names the line with the change', () => {
    const text = linesOf(long)
    const starts = [0, text.indexOf('\n') + 1, text.lastIndexOf('\n', text.length - 2) + 1]
    for (const [i, start] of starts.entries()) {
      const bytes = Buffer.from(text)
      bytes[start + 60] = (bytes[start + 60] ?? 0) ^ 1
      expect(firstBroken(bytes)).toBe(i + 1)
    }
  })

  const [first = '', second = '', third = ''] = linesOf(long).match(/.*\n/g) ?? []
  it.each([
    ['a byte missing at its end', first + second + third.slice(0, -2), 3],
    ['its end missing', first + second + third.slice(0, -1), 3],
    ['a line missing', first + third, 2],
    ['two lines swapped', first + third + second, 2],
    ['a line twice', first + first + second, 2],
    ['an empty line', `${first}\n${second}`, 2],
    ['another line forged', first + linesOf(long.slice(1, 2)), 2],
    ['its beginning replaced', linesOf(long.slice(0, 1), { sequence: 0, hash: '1'.repeat(64) }), 1],
  ])('is not with %s', (_, text, line) => {
    expect(firstBroken(Buffer.from(text))).toBe(line)
  })

  it('is still in order where older lines were deleted', () => {
    const chain = new AuditChain()
    for (const line of [second, third]) expect(chain.next(Buffer.from(line.slice(0, -1))).ok).toBe(true)
    expect([chain.first, chain.head?.sequence]).toEqual([2, 3])
  })
})

/** A disk that takes, fails or stands still as the test says. */
class FakeDisk {
  text = ''
  syncs = 0
  isClosed = false
  failure: Error | null = null
  #gate: PromiseWithResolvers<void> | null = null

  standStill(): void {
    this.#gate = Promise.withResolvers()
  }

  goOn(): void {
    this.#gate?.resolve()
    this.#gate = null
  }

  async append(lines: string): Promise<void> {
    await this.#gate?.promise
    if (this.failure !== null) throw this.failure
    this.text += lines
  }

  async sync(): Promise<void> {
    if (this.failure !== null) throw this.failure
    this.syncs += 1
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

function makeLog(onFailure: 'refuse' | 'warn' = 'warn', callsWaitingMax = 4) {
  const disk = new FakeDisk()
  const clock = new FakeClock()
  const events: AuditEvent[] = []
  const log = new AuditLog({
    disk,
    head: null,
    clock,
    onFailure,
    observe: (event) => events.push(event),
    callsWaitingMax,
  })
  return { disk, clock, events, log }
}

/** Lets everything run that waits for no clock. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the log', () => {
  it('gathers calls for one write and syncs a second later', async () => {
    const { disk, clock, events, log } = makeLog()
    for (let i = 0; i < 3; i++) log.record(CALL)
    expect(disk.text).toBe('')
    clock.advance(1_000)
    await settled()
    expect(disk.lines.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(events).toEqual([{ kind: 'written', lines: 3 }])
    expect(firstBroken(Buffer.from(disk.text))).toBeNull()
    clock.advance(1_000)
    await settled()
    expect(disk.syncs).toBeGreaterThan(0)
    expect(clock.timers).toBe(0)
    await log.close()
    expect(disk.isClosed).toBe(true)
  })

  it('takes no more than its buffer holds while the disk stands still, and says in itself what is missing', async () => {
    const { disk, clock, events, log } = makeLog()
    disk.standStill()
    log.record(CALL)
    clock.advance(20)
    await settled()
    for (let i = 0; i < 6; i++) log.record(CALL)
    // One is being written, three wait, three have no place.
    expect(log.waiting).toBe(4)
    expect(events).toEqual(Array(3).fill({ kind: 'lost', reason: 'buffer-full' }))
    expect(log.refusesBecause()).toBeNull()
    disk.goOn()
    await settled()
    clock.advance(20)
    await settled()
    expect(disk.lines.map(({ event }) => event)).toEqual(['call', 'call', 'call', 'call', 'lost'])
    expect(disk.lines[4]).toMatchObject({ sequence: 5, calls: 3 })
    expect(firstBroken(Buffer.from(disk.text))).toBeNull()
    await log.close()
  })

  it.each(['warn', 'refuse'] as const)(
    'that the disk refuses is tried again, and meanwhile the choice is: %s',
    async (choice) => {
      const { disk, clock, events, log } = makeLog(choice)
      disk.failure = new Error('ENOSPC: no space left on device')
      for (let i = 0; i < 3; i++) log.record(CALL)
      clock.advance(20)
      await settled()
      expect([log.isFailing, log.refusesBecause()]).toEqual([
        true,
        choice === 'refuse' ? 'the audit log cannot be written' : null,
      ])
      for (let i = 0; i < 3; i++) log.record(CALL)
      expect(events).toEqual([
        { kind: 'failing', error: disk.failure },
        { kind: 'lost', reason: 'write-failed' },
        { kind: 'lost', reason: 'write-failed' },
      ])
      clock.advance(1_000)
      await settled()
      expect(events).toHaveLength(3)
      disk.failure = null
      clock.advance(1_000)
      await settled()
      clock.advance(1_000)
      await settled()
      expect([log.isFailing, log.refusesBecause()]).toEqual([false, null])
      expect(events).toContainEqual({ kind: 'recovered', lostCalls: 2 })
      expect(disk.lines.map(({ event }) => event)).toEqual(['call', 'call', 'call', 'call', 'lost'])
      expect(firstBroken(Buffer.from(disk.text))).toBeNull()
      await log.close()
    },
  )

  it('refuses by choice when the disk does not keep up', async () => {
    const { disk, clock, log } = makeLog('refuse')
    disk.standStill()
    for (let i = 0; i < 4; i++) log.record(CALL)
    clock.advance(20)
    await settled()
    expect(log.refusesBecause()).toBe('the disk of the audit log does not keep up')
    disk.goOn()
    await log.close()
    expect(disk.lines).toHaveLength(4)
  })

  it('writes what waits when it is closed, and takes nothing afterwards', async () => {
    const { disk, events, log } = makeLog()
    log.record(CALL)
    log.tornLine(17)
    await log.close()
    log.record(CALL)
    await log.close()
    expect(disk.lines.map(({ event }) => event)).toEqual(['call', 'torn-line'])
    expect(disk.lines[1]).toMatchObject({ bytes: 17 })
    expect(events.at(-1)).toEqual({ kind: 'lost', reason: 'buffer-full' })
    expect(disk.syncs).toBe(1)
  })

  it('closes although the disk fails, and says what is lost', async () => {
    const { disk, events, log } = makeLog()
    disk.failure = new Error('EIO')
    log.record(CALL)
    await log.close()
    expect(disk.isClosed).toBe(true)
    expect(events).toEqual([
      { kind: 'lost', reason: 'write-failed' },
      { kind: 'failing', error: disk.failure },
    ])
  })
})

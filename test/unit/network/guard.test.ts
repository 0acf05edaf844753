import type { Connection } from '@libp2p/interface'
import { StreamCloseEvent } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { cutReason, guarded, guardStreams, normaliseError, StreamCut } from '../../../src/network/guard.ts'
import { TokenBucket } from '../../../src/network/token-bucket.ts'
import { assert, InvariantViolation } from '../../../src/types/assert.ts'
import { FakeStream } from '../../support/fake-stream.ts'
import { CountingMeter, RecordingLogger, until } from '../../support/network-node.ts'

describe('the guard', () => {
  it.each([
    ['an Error', new Error('plain'), 'plain'],
    ['an Event with an error', new StreamCloseEvent(true, new Error('inside')), 'inside'],
    ['an Event without one', new Event('close'), 'stream close event'],
    ['a string', 'words', 'words'],
    ['nothing', undefined, 'undefined'],
  ])('makes an Error of %s', (_name, thrown, message) => {
    const error = normaliseError(thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error.message).toBe(message)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('bad')
      },
    ],
    ['rejects', () => Promise.reject(new Error('bad'))],
  ])('contains a callback that %s', async (_name, run: () => void | Promise<void>) => {
    const errors: string[] = []
    guarded(run, (error) => errors.push(error.message))()
    await until(() => errors.length === 1, 'the error was told')
    expect(errors).toEqual(['bad'])
  })

  it('lets our own broken invariant end the process', () => {
    const later = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => undefined)
    try {
      guarded(
        () => assert(false, 'this cannot be'),
        () => undefined,
      )()
      expect(later).toHaveBeenCalledTimes(1)
      expect(later.mock.calls[0]?.[0]).toThrow(InvariantViolation)
    } finally {
      later.mockRestore()
    }
  })

  it('cuts the stream of a handler that fails, and counts why', async () => {
    const meter = new CountingMeter()
    const stream = new FakeStream()
    const handler = guardStreams(
      { protocol: '/x/1', meter: meter.meter, logger: new RecordingLogger() },
      () => Promise.reject(new StreamCut('rate', 'too fast')),
    )
    await handler(stream.asStream, { remotePeer: { toString: () => 'peer' } } as unknown as Connection)
    await until(() => stream.status === 'aborted', 'the stream was cut')
    expect(meter.of('stream-cut', 'rate')).toBe(1)
  })

  it('tells a reset from a failure', () => {
    const reset = new Error('x')
    reset.name = 'StreamResetError'
    expect([cutReason(reset), cutReason(new Error('x')), cutReason(new StreamCut('slow', 'x'))]).toEqual([
      'reset',
      'failed',
      'slow',
    ])
  })
})

describe('the token bucket', () => {
  it('allows a burst, then the rate', () => {
    let nowMs = 0
    const bucket = new TokenBucket(10, 3, () => nowMs)
    expect([bucket.take(1), bucket.take(2), bucket.take(1)]).toEqual([true, true, false])
    nowMs = 99
    expect(bucket.take(1)).toBe(false)
    nowMs = 100
    expect([bucket.take(1), bucket.take(1)]).toEqual([true, false])
    nowMs = 1_000_000
    expect([bucket.take(3), bucket.take(1)]).toEqual([true, false])
  })

  it('never gives more than its burst', () => {
    expect(vi.isFakeTimers()).toBe(false)
    expect(new TokenBucket(1_000, 5).take(6)).toBe(false)
  })
})

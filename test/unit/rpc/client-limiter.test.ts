/** Token buckets: who is one client, how fast, and how many are remembered. */
import { describe, expect, it } from 'vitest'
import { ClientLimiter } from '../../../src/rpc/client-limiter.ts'
import { clientKey } from '../../../src/validation/client-key.ts'

describe('one client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['peer-12D3KooW', 'peer-12D3KooW'],
  ])('%s counts as %s', (client, key) => {
    expect(clientKey(client)).toBe(key)
  })
})

describe('the limiter', () => {
  const limits = {
    remote: { perSecond: 10, burst: 3 },
    loopback: { perSecond: 100, burst: 30 },
    clientsMax: 2,
  }
  const taken = (limiter: ClientLimiter, client: string, tries: number): number =>
    Array.from({ length: tries }, () => limiter.admits(client)).filter(Boolean).length

  it('lets a burst through, then the rate', () => {
    let nowMs = 0
    const limiter = new ClientLimiter(() => nowMs, limits)
    expect(taken(limiter, '192.0.2.1', 10)).toBe(3)
    nowMs += 200
    expect(taken(limiter, '192.0.2.1', 10)).toBe(2)
    nowMs += 60_000
    expect(taken(limiter, '192.0.2.1', 10)).toBe(3)
  })

  it.each(['::1', '127.0.0.1', '127.8.8.8', '::ffff:127.0.0.1'])('lets more through for %s', (client) => {
    expect(taken(new ClientLimiter(() => 0, limits), client, 100)).toBe(30)
  })

  it('counts a /64 together and others apart', () => {
    const limiter = new ClientLimiter(() => 0, limits)
    expect(taken(limiter, '2001:db8::1', 2) + taken(limiter, '2001:db8::2', 9)).toBe(3)
    expect(taken(limiter, '2001:db8:0:1::1', 9)).toBe(3)
  })

  it('remembers no more clients than it may', () => {
    const limiter = new ClientLimiter(() => 0, limits)
    for (const client of ['a', 'b', 'c']) taken(limiter, client, 3)
    expect([taken(limiter, 'c', 1), taken(limiter, 'a', 1)]).toEqual([0, 1])
  })

  it.each([
    [1, 100],
    [3, 300],
    [9, 300],
  ])('says after how long %d more can come, and which limit it is', (count, retryAfterMs) => {
    let refused = 0
    const limiter = new ClientLimiter(
      () => 0,
      limits,
      () => refused++,
    )
    expect(limiter.take('peer-a', 3)).toEqual({ ok: true })
    expect(limiter.take('peer-a', count)).toEqual({
      ok: false,
      limit: '10 requests a second from one client, 3 at once',
      retryAfterMs,
    })
    expect(refused).toBe(1)
  })

  it('takes all of several or none', () => {
    const limiter = new ClientLimiter(() => 0, limits)
    expect([limiter.take('a', 2).ok, limiter.take('a', 2).ok, limiter.take('a', 1).ok]).toEqual([
      true,
      false,
      true,
    ])
  })
})

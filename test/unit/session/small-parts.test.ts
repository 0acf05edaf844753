/** The session layer's small parts: stream counters, the handshake limiter, addresses, the registry, refusals. */

import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { addressKey } from '../../../src/session/address-key.ts'
import { AuthenticatedPeers } from '../../../src/session/authenticated-peers.ts'
import { COUNTER_WINDOW, CounterWindow } from '../../../src/session/counter-window.ts'
import { HandshakeLimiter } from '../../../src/session/handshake-limiter.ts'
import { decodeRefusal, encodeRefusal } from '../../../src/session/handshake-messages.ts'
import { SESSION_REFUSALS, SessionError } from '../../../src/session/refusal.ts'
import { openBox, sealBox } from '../../../src/session/sealed-box.ts'
import { flip } from '../../support/session/handshake-pair.ts'

describe('CounterWindow', () => {
  test.each<[string, number[], boolean[]]>([
    ['in order', [0, 1, 2], [true, true, true]],
    ['out of order', [2, 0, 1], [true, true, true]],
    ['repeated', [0, 0, 1, 0, 1], [true, false, true, false, false]],
    ['at the edge', [COUNTER_WINDOW, 1, 0, 1], [true, true, false, false]],
    ['a jump forgets the old', [5, 5 + 10 * COUNTER_WINDOW, 5, 6], [true, true, false, false]],
    ['a jump of exactly one window', [3, 3 + COUNTER_WINDOW, 4, 3], [true, true, true, false]],
    [
      'not counters',
      [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53],
      [false, false, false, false, false],
    ],
    ['the largest', [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER], [true, false]],
  ])('%s', (_, counters, accepted) => {
    const window = new CounterWindow()
    expect(counters.map((counter) => window.accept(counter))).toEqual(accepted)
  })

  test('accepts each of many counters once, in any order within the window', () => {
    const window = new CounterWindow()
    const counters = Array.from({ length: 4_000 }, (_, index) => index ^ 0x1ff)
    expect(counters.every((counter) => window.accept(counter))).toBe(true)
    expect(counters.some((counter) => window.accept(counter))).toBe(false)
  })
})

describe('HandshakeLimiter', () => {
  const limiter = () => new HandshakeLimiter({ handshakesInFlightMax: 3, handshakesPerAddressMax: 2 })

  test('bounds an address, then all of them, and takes places back once', () => {
    const limits = limiter()
    const [first, second] = [limits.enter('a'), limits.enter('a')]
    expect(limits.enter('a')).toMatchObject({ ok: false, code: 'too-many-handshakes' })
    expect(limits.enter('b').ok).toBe(true)
    expect(limits.enter('c')).toMatchObject({ ok: false, code: 'too-many-handshakes' })
    if (!first.ok || !second.ok) throw new Error('refused')
    first.value()
    first.value()
    expect(limits.enter('a').ok).toBe(true)
    expect(limits.enter('a').ok).toBe(false)
  })
})

describe('addressKey', () => {
  test.each([
    ['/ip4/192.0.2.7/tcp/4001', '192.0.2.7'],
    ['/ip4/192.0.2.7/udp/4001/quic-v1', '192.0.2.7'],
    ['/ip6/2001:db8:1:2:3:4:5:6/tcp/1', '2001:db8:1:2::/64'],
    ['/ip6/2001:db8:1:2::1/tcp/1', '2001:db8:1:2::/64'],
    ['/ip6/2001:db8::1/tcp/1', '2001:db8:0:0::/64'],
    ['/ip6/2001:db8::ffff:1/tcp/1', '2001:db8:0:0::/64'],
    ['/ip6/::1/tcp/1', '0:0:0:0::/64'],
    ['/ip6/::ffff:192.0.2.7/tcp/1', '192.0.2.7'],
    ['/dns4/example.org/tcp/1', 'unknown'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey({ remoteAddr: multiaddr(address) })).toBe(key)
  })

  test('a stream without an address counts as unknown', () => {
    expect(addressKey({})).toBe('unknown')
  })
})

describe('AuthenticatedPeers', () => {
  const peer = (peerId: string, fill: number) => ({ peerId, mlDsaPublicKey: Buffer.alloc(1952, fill) })

  test('knows a peer from its first session to its last', () => {
    const peers = new AuthenticatedPeers()
    const [first, second] = [peers.register(peer('a', 1)), peers.register(peer('a', 1))]
    if (!first.ok || !second.ok) throw new Error('refused')
    expect(peers.identityOf({ remotePeer: { toString: () => 'a' } })).toEqual(peer('a', 1))
    first.value()
    first.value()
    expect(peers.identityOf('a')).toEqual(peer('a', 1))
    second.value()
    expect(peers.identityOf('a')).toBeUndefined()
    expect(peers.size).toBe(0)
  })

  test('one peer id has one key at a time; one key may have two peer ids', () => {
    const peers = new AuthenticatedPeers()
    const first = peers.register(peer('a', 1))
    expect(peers.register(peer('a', 2))).toMatchObject({ ok: false, code: 'identity-conflict' })
    expect(peers.register(peer('b', 1)).ok).toBe(true)
    expect(peers.peers()).toEqual([peer('a', 1), peer('b', 1)])
    if (first.ok) first.value()
    expect(peers.register(peer('a', 2)).ok).toBe(true)
  })
})

describe('refusals', () => {
  test.each(SESSION_REFUSALS)('%s travels as two bytes', (code) => {
    expect(encodeRefusal(code)).toHaveLength(2)
    expect(decodeRefusal(encodeRefusal(code))).toBe(code)
  })

  test('an unknown number is no code', () => {
    expect(decodeRefusal(Uint8Array.of(255, 200))).toBeUndefined()
    expect(decodeRefusal(Uint8Array.of(255))).toBeUndefined()
  })

  test('as an error it keeps its reason', () => {
    const error = new SessionError({ ok: false, code: 'stranger', detail: 'not a validator' })
    expect(error).toMatchObject({ code: 'E_SESSION', reason: 'stranger' })
    expect(error.message).toContain('not a validator')
  })
})

describe('sealed box', () => {
  const key = Buffer.alloc(32, 4)
  const box = sealBox(key, Buffer.from('secret'))

  test('opens under its key only, and only unaltered', () => {
    expect(Buffer.from(openBox(key, box) ?? []).toString()).toBe('secret')
    expect(openBox(Buffer.alloc(32, 5), box)).toBeUndefined()
    for (let at = 0; at < box.byteLength; at += 1)
      expect(openBox(key, flip(box, at)), `byte ${at}`).toBeUndefined()
  })

  test.each([0, 1, 15, 16])('%i bytes are no box', (bytes) => {
    expect(openBox(key, new Uint8Array(bytes))).toBeUndefined()
  })
})

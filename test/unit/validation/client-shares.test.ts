/** Shares of something bounded: who counts as one client, what loopback may have, and that what is given back is free. */
import { expect, it } from 'vitest'
import { ClientShares } from '../../../src/validation/client-shares.ts'

it('are counted for a client, for loopback apart, and for all', () => {
  const shares = new ClientShares({ perClientMax: 1, loopbackMax: 2, allMax: 4 })
  // One IPv6 /64 is one client, and so is an IPv4 address however it is written.
  expect(['2001:db8::1', '2001:db8::2'].map((client) => shares.take(client))).toEqual([null, 'client'])
  expect(['192.0.2.1', '::ffff:192.0.2.1'].map((client) => shares.take(client))).toEqual([null, 'client'])
  expect(['::1', '::1'].map((client) => shares.take(client))).toEqual([null, null])
  expect(shares.all).toBe(4)
  expect(shares.take('192.0.2.2')).toBe('node')
  shares.remove('2001:db8::2')
  expect(shares.take('::1')).toBe('client')
  expect(shares.take('192.0.2.2')).toBeNull()
  expect(shares.take('2001:db8::1')).toBe('node')
})

it('leave everything to loopback unless it has a bound of its own', () => {
  const shares = new ClientShares({ perClientMax: 1, allMax: 3 })
  expect(Array.from({ length: 4 }, () => shares.take('127.0.0.1'))).toEqual([null, null, null, 'node'])
})

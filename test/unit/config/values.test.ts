/** Listen addresses and near names: the forms accepted, the forms refused. */

import { describe, expect, it } from 'vitest'
import { nearestName } from '../../../src/config/nearest-name.ts'
import { duration, formatListenAddress, parseListenAddress, rate, size } from '../../../src/config/values.ts'

describe('a listen address', () => {
  it.each([
    ['127.0.0.1:9441', '127.0.0.1', 9_441],
    ['[::1]:8080', '::1', 8_080],
    ['[::]:0', '::', 0],
    ['localhost:1', 'localhost', 1],
    ['node-1.example:65535', 'node-1.example', 65_535],
  ])('%s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port })
    expect(formatListenAddress({ host, port })).toBe(text)
  })

  it.each([
    '',
    ':80',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:80',
    '[::1',
    '[::zz]:1',
    '1.2.3:80',
    '1.2.3.4.5:80',
    'a b:1',
    '/ip4/1.2.3.4/tcp/1',
  ])('refuses "%s"', (text) => expect(parseListenAddress(text)).toBeUndefined())
})

describe('a quantity', () => {
  it.each([
    [duration, '8s', 8_000],
    [duration, '500ms', 500],
    [duration, '1.5 min', 90_000],
    [size, '1KiB', 1_024],
    [size, '64MiB', 67_108_864],
    [rate, '50/s', 50],
  ])('%#: %s', (schema, text, expected) => expect(schema.parse(text)).toBe(expected))

  it.each([
    [duration, '8'],
    [duration, '-8s'],
    [duration, '8 weeks'],
    [duration, '1e9s'],
    [size, '64MB'],
    [rate, '50'],
    [rate, '0/s'],
  ])('%#: refuses %s', (schema, text) => expect(schema.safeParse(text).success).toBe(false))
})

describe('the nearest name', () => {
  const names = ['p2p.max-peers', 'p2p.listen', 'log.level']
  it.each([
    ['p2p.max-peer', 'p2p.max-peers'],
    ['P2P.LISTEN', 'p2p.listen'],
    ['log.levle', 'log.level'],
    ['peers.max', undefined],
    ['', undefined],
  ])('of %s is %s', (name, expected) => expect(nearestName(name, names)).toBe(expected))
})

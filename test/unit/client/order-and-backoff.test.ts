/** Whom to ask first (RFC 2782), how long to wait, and what an endpoint's address may look like: tables. */
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../../src/client/backoff.ts'
import { configuredEndpoints, schemeOf } from '../../../src/client/endpoint.ts'
import { weightedOrder } from '../../../src/client/weighted-order.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const bounds = { baseMs: 100, maxMs: 5_000 }

describe('the backoff', () => {
  it.each([
    [0, 0, 0],
    [0, 0.5, 50],
    [0, 0.999, 99.9],
    [1, 0.5, 100],
    [3, 0.5, 400],
    [5, 0.5, 1_600],
    [6, 0.5, 2_500],
    [60, 0.5, 2_500],
    [10_000, 0.999, 4_995],
  ])('of round %i with chance %f is %f ms', (round, chance, expected) => {
    expect(backoffMs(round, bounds, () => chance)).toBeCloseTo(expected)
  })
})

describe('the order', () => {
  const item = (name: string, priority: number, weight: number) => ({ name, priority, weight })
  const names = (items: readonly { name: string }[]): string => items.map(({ name }) => name).join('')

  it.each([
    [
      'priority first, whatever the weight',
      [item('b', 20, 99), item('a', 10, 1), item('c', 30, 0)],
      [0.5],
      'abc',
    ],
    ['by weight within a priority: low chance', [item('a', 1, 30), item('b', 1, 70)], [0.29], 'ab'],
    ['by weight within a priority: high chance', [item('a', 1, 30), item('b', 1, 70)], [0.31], 'ba'],
    ['weight 0 last', [item('z', 1, 0), item('a', 1, 1)], [0], 'az'],
    ['all of weight 0: as equals', [item('a', 1, 0), item('b', 1, 0), item('c', 1, 0)], [0.99], 'cba'],
    ['a negative weight as 0', [item('a', 1, -5), item('b', 1, 5)], [0], 'ba'],
    ['nothing', [], [0], ''],
  ])('is: %s', (_name, items, chances, expected) => {
    let i = 0
    expect(names(weightedOrder(items, () => chances[i++ % chances.length] ?? 0))).toBe(expected)
  })

  it('puts each first as often as its weight says', () => {
    const random = seededRandom(7)
    const items = [item('a', 1, 10), item('b', 1, 30), item('c', 1, 60)]
    const first = new Map<string, number>()
    for (let i = 0; i < 10_000; i++) {
      const name = weightedOrder(items, random)[0]?.name ?? ''
      first.set(name, (first.get(name) ?? 0) + 1)
    }
    expect((first.get('a') ?? 0) / 10_000).toBeCloseTo(0.1, 1)
    expect((first.get('b') ?? 0) / 10_000).toBeCloseTo(0.3, 1)
    expect((first.get('c') ?? 0) / 10_000).toBeCloseTo(0.6, 1)
  })

  it('takes other weights in place of the items own', () => {
    const items = [item('a', 1, 100), item('b', 1, 1)]
    expect(
      names(
        weightedOrder(
          items,
          () => 0.5,
          ({ name }) => (name === 'a' ? 0 : 1),
        ),
      ),
    ).toBe('ba')
  })
})

describe('an endpoint', () => {
  it.each([
    ['https://[::1]:8080', 'https'],
    ['https://ca.example.org/behind/a/path/', 'https'],
    ['http://127.0.0.1:8080', 'http'],
    ['stoq://[::1]:9292', 'stoq'],
    ['stoq://[::1]', 'stoq'],
    ['stoq://hypermesh.example.org:9292', 'stoq'],
    ['/ip4/127.0.0.1/tcp/4001/p2p/12D3', 'libp2p'],
  ])('%s is %s', (endpoint, scheme) => {
    expect(schemeOf(endpoint)).toBe(scheme)
  })

  it.each([
    'nonsense',
    '',
    'ftp://example.org',
    'stoq://',
    'stoq://[::1]:0',
    'stoq://[::1]:65536',
    'stoq://user@h:1',
    'https://',
    'https://user:secret@example.org',
    'https://example.org/?x=1',
    'javascript:alert(1)',
  ])('%s is none', (endpoint) => {
    expect(() => schemeOf(endpoint)).toThrow(expect.objectContaining({ code: 'E_ENDPOINT', exitCode: 64 }))
  })

  it('of a list has its rank, and is there once', () => {
    const given = configuredEndpoints(['https://b', 'https://a', 'https://b'], 'as-given')
    expect(given.map(({ endpoint, priority }) => [endpoint, priority])).toEqual([
      ['https://b', 0],
      ['https://a', 1],
    ])
    expect(configuredEndpoints(['https://b', 'https://a'], 'spread').map(({ priority }) => priority)).toEqual(
      [0, 0],
    )
  })
})

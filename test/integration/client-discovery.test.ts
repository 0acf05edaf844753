/** Discovery by SRV records, against a DNS server on a real socket: order, origin, keeping, and what happens without it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SrvDiscovery, type SrvDiscoveryOptions } from '../../src/client/node/srv-discovery.ts'
import { HTTPS_SERVICE, LIBP2P_SERVICE } from '../../src/client/node/srv-records.ts'
import { weightedOrder } from '../../src/client/weighted-order.ts'
import { peerIdOfLabel, peerLabel } from '../../src/network/peer-label.ts'
import { DnsServer } from '../support/client/dns-server.ts'
import { VirtualClock } from '../support/client/virtual-clock.ts'

const HTTPS = '_hypermesh._tcp.example.test'
const STOQ = '_stoq._udp.hypermesh.example.test'
const LIBP2P = '_p2p._tcp.hypermesh.example.test'
const PEER = '12D3KooWAF2x46aQHVAd998uzcVN7bZayGUNQiyUoFKU6kKb6Zio'
/** As libp2p's own library spells it in base36. */
const PEER_LABEL = 'k51qzi5uqu5dgc9ceul0ly4pv280v9bx569iv6kysvsujdt5rh2mxd5wogrg4g'
const signal = new AbortController().signal

let dns: DnsServer
beforeEach(async () => {
  dns = await DnsServer.start()
})
afterEach(() => dns.close())

const entry = (target: string, port: number, priority = 10, weight = 1) => ({
  target,
  port,
  priority,
  weight,
})

function discovery(options: Partial<SrvDiscoveryOptions> = {}): SrvDiscovery {
  return new SrvDiscovery({ domain: 'example.test', servers: [dns.address], ...options })
}

/** Lets time pass for what is kept; the lookups themselves are in real time. */
class StoppedClock extends VirtualClock {
  skippedMs = 0
  override nowMs(): number {
    return this.skippedMs
  }
}

describe('discovery', () => {
  it('says of every endpoint which record it is from', async () => {
    dns.records.set(HTTPS, [entry('b.example.test', 8_081, 20), entry('a.example.test.', 8_080, 10, 60)])
    dns.records.set(STOQ, [entry('q.example.test', 9_292, 5, 7)])
    const found = await discovery().discover(signal)
    expect(found.from).toBe('srv')
    expect(found.lookups.map(({ name, outcome }) => [name, outcome])).toEqual([
      [HTTPS, 'found'],
      [STOQ, 'found'],
    ])
    const summary = found.endpoints.map(({ endpoint, origin }) => ({ endpoint, origin }))
    expect(summary).toHaveLength(3)
    expect(summary).toContainEqual({
      endpoint: 'https://a.example.test:8080',
      origin: { kind: 'srv', name: HTTPS, priority: 10, weight: 60, isStale: false },
    })
    expect(summary).toContainEqual({
      endpoint: 'stoq://q.example.test:9292',
      origin: { kind: 'srv', name: STOQ, priority: 5, weight: 7, isStale: false },
    })
    // Priority by priority, one service after the other.
    expect(weightedOrder(found.endpoints, () => 0).map(({ endpoint }) => endpoint)).toEqual([
      'https://a.example.test:8080',
      'https://b.example.test:8081',
      'stoq://q.example.test:9292',
    ])
  })

  it('passes over what is no endpoint and says so', async () => {
    dns.records.set(HTTPS, [
      entry('a.example.test', 0),
      entry('bad host', 1),
      entry('.', 8_080),
      entry('c.test', 80),
    ])
    const { endpoints, lookups } = await discovery({ services: [HTTPS_SERVICE] }).discover(signal)
    expect(endpoints.map(({ endpoint }) => endpoint)).toEqual(['https://c.test:80'])
    expect(lookups[0]?.why).toContain('port 0 of a.example.test')
    expect(lookups[0]?.why).toContain('"bad host" is no host name')
    expect(lookups[0]?.why).toContain('the service is not offered')
  })

  it('takes the peer id of libp2p from the name of the target, and its address from the same server', async () => {
    expect(peerLabel(PEER)).toBe(PEER_LABEL)
    expect(peerIdOfLabel(PEER_LABEL.toUpperCase())).toBe(PEER)
    const named = (label: string): string => `${label}.example.test`
    dns.records.set(LIBP2P, [
      entry(named(PEER_LABEL.toUpperCase()), 4_001),
      entry(named('www'), 4_002),
      entry(named(PEER_LABEL.replace('k51', 'k52')), 4_003),
      entry(`${named(PEER_LABEL)}.nowhere`, 4_004),
    ])
    dns.hosts.set(named(PEER_LABEL), '192.0.2.7')
    const { endpoints, lookups } = await discovery({ services: [LIBP2P_SERVICE] }).discover(signal)
    expect(endpoints.map(({ endpoint }) => endpoint)).toEqual([`/ip4/192.0.2.7/tcp/4001/p2p/${PEER}`])
    expect(lookups[0]?.why).toContain('www.example.test does not begin with a peer id in base36')
    expect(lookups[0]?.why).toContain('k52')
    expect(lookups[0]?.why).toContain('nowhere has no address')
  })

  it('looks at a bounded number of records', async () => {
    dns.records.set(
      HTTPS,
      Array.from({ length: 40 }, (_, i) => entry('a.test', i + 1)),
    )
    const { endpoints, lookups } = await discovery({ services: [HTTPS_SERVICE] }).discover(signal)
    expect(endpoints).toHaveLength(32)
    expect(lookups[0]?.why).toBe('8 records too many')
  })

  it.each([
    ['the name does not exist', 'answering', 'absent', ''],
    ['the server fails', 'failing', 'failed', /ESERVFAIL/],
    ['the server is silent', 'silent', 'failed', 'no answer within 200 ms'],
  ] as const)('falls back to the configured list when %s', async (_name, mode, outcome, why) => {
    dns.mode = mode
    const fallback = ['https://[::1]:8080', 'https://[::1]:8081']
    const source = discovery({ fallback, services: [HTTPS_SERVICE], lookupDeadlineMs: 200 })
    const found = await source.discover(signal)
    expect(found).toMatchObject({ from: 'fallback', lookups: [{ name: HTTPS, outcome }] })
    expect(found.lookups[0]?.why).toEqual(why instanceof RegExp ? expect.stringMatching(why) : why)
    expect(found.endpoints.map(({ endpoint, origin }) => [endpoint, origin.kind])).toEqual([
      ['https://[::1]:8080', 'configured'],
      ['https://[::1]:8081', 'configured'],
    ])
  })

  it('has nothing to offer without records and without a list', async () => {
    await expect(discovery().current(signal)).rejects.toMatchObject({
      code: 'E_NO_ENDPOINT',
      advice: { why: `${HTTPS}: absent; ${STOQ}: absent` },
    })
  })

  it('keeps an answer for its time, and goes on with it when lookups fail afterwards', async () => {
    const clock = new StoppedClock()
    const source = discovery({ clock, keepMs: 60_000, services: [HTTPS_SERVICE], fallback: ['https://f:1'] })
    dns.records.set(HTTPS, [entry('a.test', 1)])
    await source.discover(signal)
    clock.skippedMs = 59_999
    await source.discover(signal)
    expect(dns.asked).toHaveLength(1)
    dns.records.set(HTTPS, [entry('b.test', 2)])
    clock.skippedMs = 60_001
    const second = await source.discover(signal)
    expect(second.endpoints.map(({ endpoint }) => endpoint)).toEqual(['https://b.test:2'])
    expect(dns.asked).toHaveLength(2)

    dns.mode = 'failing'
    clock.skippedMs = 121_000
    const third = await source.discover(signal)
    expect(third).toMatchObject({ from: 'srv', lookups: [{ outcome: 'failed' }] })
    expect(third.endpoints).toMatchObject([{ endpoint: 'https://b.test:2', origin: { isStale: true } }])
    // For an hour; then the list is better.
    clock.skippedMs = 3_700_000
    expect(await source.discover(signal)).toMatchObject({ from: 'fallback' })
  })

  it('believes a server that says that there is nothing any more', async () => {
    const clock = new StoppedClock()
    const source = discovery({ clock, services: [HTTPS_SERVICE], fallback: ['https://f:1'] })
    dns.records.set(HTTPS, [entry('a.test', 1)])
    await source.discover(signal)
    dns.records.clear()
    clock.skippedMs = 61_000
    expect(await source.discover(signal)).toMatchObject({ from: 'fallback' })
  })

  it('asks once for all who ask at the same time', async () => {
    dns.records.set(HTTPS, [entry('a.test', 1)])
    const source = discovery({ services: [HTTPS_SERVICE] })
    await Promise.all(Array.from({ length: 20 }, () => source.discover(signal)))
    expect(dns.asked).toEqual([HTTPS])
  })

  it.each([
    [{ domain: '' }, 'E_DISCOVER'],
    [{ domain: 'not a domain' }, 'E_DISCOVER'],
    [{ domain: 'x'.repeat(300) }, 'E_DISCOVER'],
    [{ domain: 'example.test', servers: ['nonsense'] }, 'E_DISCOVER'],
  ])('refuses %j', (options, code) => {
    expect(() => new SrvDiscovery(options)).toThrow(expect.objectContaining({ code, exitCode: 64 }))
  })
})

/** The catalogue of metrics: names, units and series as a scraper sees them from the first scrape. */

import { afterAll, describe, expect, it } from 'vitest'
import { MetricRegistry } from '../../../src/observability/metric-registry.ts'
import { createMetrics, statusClass } from '../../../src/observability/metrics.ts'

const metrics = createMetrics({ version: '0.1.0', commit: 'abc' })
afterAll(() => metrics.stop())

const lines = async (name: string): Promise<string[]> =>
  (await metrics.render()).split('\n').filter((line) => line.startsWith(name))

describe('the catalogue', () => {
  it('uses one prefix, base units and _total for counters', async () => {
    const text = await metrics.render()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
    }))
    expect(types.length).toBeGreaterThan(50)
    for (const { name, type } of types) {
      expect(name).toMatch(/^(?:hypermesh|process)_[a-z0-9_]+$/)
      expect(name).not.toMatch(/_(?:ms|milliseconds|kb|mb|percent|round|rounds)\b/)
      expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter')
    }
    expect(new Set(types.map(({ name }) => name)).size).toBe(types.length)
  })

  it.each([
    'hypermesh_consensus_height 0',
    'hypermesh_consensus_timeouts_total 0',
    'hypermesh_consensus_proposals_total{outcome="accepted"} 0',
    'hypermesh_consensus_finality_seconds_count 0',
    'hypermesh_validation_requests_total{kind="certificate",result="invalid"} 0',
    'hypermesh_validation_proof_failures_total{proof="space"} 0',
    'hypermesh_p2p_peers{direction="inbound",transport="quic"} 0',
    'hypermesh_http_requests_total{route="/consensus/validation/certificate",code="2xx"} 0',
    'hypermesh_ready{check="quorum"} 0',
    'hypermesh_wal_fsync_seconds_count 0',
    `hypermesh_build_info{version="0.1.0",commit="abc",node="${process.versions.node}"} 1`,
  ])('has %s from the start', async (line) => {
    expect((await metrics.render()).split('\n')).toContain(line)
  })

  it('has no label whose values are not a closed set', async () => {
    const names = [...(await metrics.render()).matchAll(/[{,]([a-z_]+)="/g)].map(([, name]) => name)
    const known = [
      'version',
      'commit',
      'node',
      'kind',
      'outcome',
      'reason',
      'scheme',
      'result',
      'proof',
      'direction',
    ]
    known.push('transport', 'verdict', 'place', 'what', 'state', 'op', 'route', 'code', 'check', 'le')
    expect(names.filter((name) => !known.includes(name ?? ''))).toEqual([])
  })
})

describe('the handles', () => {
  it('count, set and observe', async () => {
    metrics.consensus.timeouts.add(2)
    metrics.consensus.proposals.add(1, { outcome: 'refused' })
    metrics.consensus.height.set(7)
    metrics.p2p.peers.set(3, { direction: 'inbound', transport: 'tcp' })
    metrics.ledger.walFsync.observe(0.002)
    expect(await lines('hypermesh_consensus_timeouts_total')).toEqual([
      'hypermesh_consensus_timeouts_total 2',
    ])
    expect(await lines('hypermesh_consensus_proposals_total{outcome="refused"}')).toEqual([
      'hypermesh_consensus_proposals_total{outcome="refused"} 1',
    ])
    expect(await lines('hypermesh_consensus_height')).toEqual(['hypermesh_consensus_height 7'])
    expect(await lines('hypermesh_p2p_peers{direction="inbound",transport="tcp"}')).toEqual([
      'hypermesh_p2p_peers{direction="inbound",transport="tcp"} 3',
    ])
    expect(await lines('hypermesh_wal_fsync_seconds_bucket')).toContain(
      'hypermesh_wal_fsync_seconds_bucket{le="0.0025"} 1',
    )
    expect(await lines('hypermesh_wal_fsync_seconds_bucket')).toContain(
      'hypermesh_wal_fsync_seconds_bucket{le="0.001"} 0',
    )
  })

  it('do not mix with those of another registry', async () => {
    const a = new MetricRegistry()
    const b = new MetricRegistry()
    a.counter('x_total', 'x', {}).add(1)
    b.counter('x_total', 'x', {})
    expect(await b.render()).toContain('x_total 0')
  })

  it('refuse to go backwards', () => {
    expect(() => metrics.consensus.timeouts.add(-1)).toThrow()
  })

  it('are measured again at every scrape', async () => {
    const cpu = async (): Promise<number> =>
      Number((await lines('process_cpu_seconds_total'))[0]?.split(' ')[1])
    const before = await cpu()
    // By the processor's time, not the clock's: a busy machine gives less of the one in the same of the other.
    const start = process.cpuUsage()
    while (process.cpuUsage(start).user < 60_000) Math.sqrt(before)
    expect(await cpu()).toBeGreaterThan(before + 0.05)
    // The stall above is the lag of whatever waited behind it.
    expect(Number((await lines('hypermesh_event_loop_lag_seconds'))[0]?.split(' ')[1])).toBeGreaterThan(0)
  })
})

it.each([
  [200, '2xx'],
  [304, '3xx'],
  [404, '4xx'],
  [499, '4xx'],
  [503, '5xx'],
] as const)('status %i counts as %s', (code, expected) => expect(statusClass(code)).toBe(expected))

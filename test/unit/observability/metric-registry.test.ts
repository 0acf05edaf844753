/** The registry against prom-client used directly: the same text, whenever somebody scrapes. */
import fc from 'fast-check'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { MetricRegistry } from '../../../src/observability/metric-registry.ts'

const SIZES = ['s', 'm', 'l'] as const
const COLOURS = ['red', 'blue'] as const
const LABELS = { size: SIZES, colour: COLOURS }
const BUCKETS = [1, 5, 25]

const labels = fc.record({ size: fc.constantFrom(...SIZES), colour: fc.constantFrom(...COLOURS) })
const numbers = fc.oneof(fc.nat(40), fc.double({ min: 0, max: 40, noNaN: true }))
const steps = fc.array(
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({ kind: fc.constantFrom('add', 'set', 'observe'), value: numbers, labels }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('scrape'), value: fc.constant(0), labels }) },
  ),
  { maxLength: 60 },
)

function both() {
  const own = new MetricRegistry()
  const register = new Registry()
  const of = (name: string) => ({ name, help: 'h', labelNames: ['size', 'colour'], registers: [register] })
  const oracle = {
    counter: new Counter(of('c_total')),
    gauge: new Gauge(of('g')),
    histogram: new Histogram({ ...of('h'), buckets: BUCKETS }),
  }
  for (const size of SIZES) {
    for (const colour of COLOURS) {
      oracle.counter.inc({ size, colour }, 0)
      oracle.gauge.set({ size, colour }, 0)
      oracle.histogram.zero({ size, colour })
    }
  }
  return {
    own,
    counter: own.counter('c_total', 'h', LABELS),
    gauge: own.gauge('g', 'h', LABELS),
    histogram: own.histogram('h', 'h', LABELS, BUCKETS),
    register,
    oracle,
  }
}

describe('the registry', () => {
  it('shows at every scrape what prom-client shows that was told each value by itself', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (told) => {
        const { own, counter, gauge, histogram, register, oracle } = both()
        for (const { kind, value, labels } of [
          ...told,
          { kind: 'scrape', value: 0, labels: { size: 's', colour: 'red' } } as const,
        ]) {
          if (kind === 'add') {
            counter.add(value, labels)
            oracle.counter.inc(labels, value)
          } else if (kind === 'set') {
            gauge.set(value, labels)
            oracle.gauge.set(labels, value)
          } else if (kind === 'observe') {
            histogram.observe(value, labels)
            oracle.histogram.observe(labels, value)
          } else {
            expect(closeTo(await own.render())).toEqual(closeTo(await register.metrics()))
          }
        }
      }),
    )
  })

  it('keeps every observation where nobody scrapes for long', async () => {
    const registry = new MetricRegistry()
    const histogram = registry.histogram('h', 'h', { size: SIZES }, BUCKETS)
    for (let i = 0; i < 1_000; i++) histogram.observe(i % 2, { size: 'm' })
    const text = await registry.render()
    expect(text).toContain('h_count{size="m"} 1000')
    expect(text).toContain('h_sum{size="m"} 500')
    expect(text).toContain('h_count{size="s"} 0')
  })

  it('takes a value that was not declared for a series of its own, and no number that is none', async () => {
    const registry = new MetricRegistry()
    const counter = registry.counter('c_total', 'h', { size: SIZES })
    const gauge = registry.gauge('g', 'h', { size: SIZES })
    const histogram = registry.histogram('h', 'h', { size: SIZES }, BUCKETS)
    const undeclared = { size: 'xl' as (typeof SIZES)[number] }
    counter.add(2, undeclared)
    gauge.set(3, undeclared)
    histogram.observe(4, undeclared)
    const text = await registry.render()
    expect(text).toContain('c_total{size="xl"} 2')
    expect(text).toContain('g{size="xl"} 3')
    expect(text).toContain('h_count{size="xl"} 1')
    expect(() => counter.add(Number.POSITIVE_INFINITY, { size: 's' })).toThrow()
    expect(() => counter.add(-1, { size: 's' })).toThrow()
    // Whatever the types say: what is no number is refused where it is told, and spoils no scrape.
    expect(() => counter.add('1' as unknown as number, { size: 's' })).toThrow()
    expect(() => gauge.set('1' as unknown as number, { size: 's' })).toThrow()
    expect(() => histogram.observe(Number.NaN, { size: 's' })).toThrow()
    expect(await registry.render()).toContain('c_total{size="s"} 0')
  })
})

/** Lines with their numbers rounded: a sum of fractions depends on the order in which they were added. */
function closeTo(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.replace(/ [-\d.e+]+$/, (number) => ` ${Number(number).toPrecision(9)}`))
}

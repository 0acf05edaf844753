/** docs/reference/metrics.md: every series of the registry with its labels, read from what a scrape would get. */

import { createMetrics } from '../../src/observability/metrics.ts'
import { code, document, table } from './markdown.ts'

interface Metric {
  readonly name: string
  readonly kind: string
  readonly help: string
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>
}

/** The text exposition format, taken apart; every series exists from the start, so every label value is there. */
export function parseExposition(text: string): Metric[] {
  const found: { name: string; kind: string; help: string; labels: Map<string, Set<string>> }[] = []
  for (const line of text.split('\n')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line)
    if (help !== null) found.push({ name: help[1] ?? '', kind: '', help: help[2] ?? '', labels: new Map() })
    const last = found.at(-1)
    if (last === undefined) continue
    last.kind = /^# TYPE \S+ (\S+)$/.exec(line)?.[1] ?? last.kind
    if (line.startsWith('#')) continue
    for (const [, label = '', value = ''] of line.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label === 'le') continue
      last.labels.set(label, (last.labels.get(label) ?? new Set()).add(value))
    }
  }
  return found
}

function labelsOf({ name, labels }: Metric): string {
  // What runs here is another value on every machine.
  if (name.endsWith('_info')) return [...labels.keys()].map(code).join(', ')
  return [...labels].map(([label, values]) => `\`${label}\`: ${[...values].join(', ')}`).join('; ')
}

export async function metricsDocument(): Promise<string> {
  const metrics = createMetrics({ version: 'x', commit: 'x' })
  const text = await metrics.render()
  metrics.stop()
  const rows = parseExposition(text).map((metric) => [
    code(metric.name),
    metric.kind,
    metric.help,
    labelsOf(metric),
  ])
  return document([
    '# Metrics',
    'What `GET /metrics` on the metrics listener (`metrics.listen`) gives, in the text format of Prometheus. Seconds and\n' +
      'bytes throughout. Every series exists at zero from the start, and no label holds a peer, a height or a hash.',
    table(['metric', 'type', 'meaning', 'labels and their values'], rows),
  ])
}

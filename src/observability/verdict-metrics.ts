/** Metrics of what the ledger says: verdicts, and trust in those who give them. The same at every node of a network. */
import type { MetricRegistry } from './metric-registry.ts'

export function verdictMetrics(r: MetricRegistry) {
  return {
    verdicts: r.counter('hypermesh_verdicts_total', 'Verdicts in blocks that became final here.', {
      result: ['valid', 'invalid', 'expired'],
    }),
    dissents: r.counter(
      'hypermesh_verdict_dissents_total',
      'Validators that found something else, over the verdicts that became final here.',
      {},
    ),
    open: r.gauge('hypermesh_verdicts_open', 'Requests on the ledger that wait for their verdict.', {}),
    standings: r.gauge('hypermesh_trust_validators', 'Validators of the set by their standing.', {
      state: ['active', 'probation', 'excluded', 'punished'],
    }),
    own: r.gauge('hypermesh_trust_own_ratio', 'Trust in this validator, 0 to 1; 0 when it is none.', {}),
    lowest: r.gauge('hypermesh_trust_lowest_ratio', 'Trust in the least trusted of the set, 0 to 1.', {}),
  }
}

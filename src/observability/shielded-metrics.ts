/** Metrics of the proofs of shielded transactions: where they were verified, and what waits. */
import type { MetricRegistry } from './metric-registry.ts'

export function shieldedMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_shielded_${suffix}`
  return {
    proofs: r.counter(
      name('proofs_total'),
      'Verdicts on proofs of shielded transactions: by a thread of their own, on the main thread, or remembered.',
      { place: ['worker', 'inline', 'cache'], verdict: ['right', 'wrong'] },
    ),
    waiting: r.gauge(name('proofs_waiting'), 'Proofs that wait for a thread to verify them.', {}),
    threadsReplaced: r.counter(
      name('threads_replaced_total'),
      'Threads that died or hung while they verified proofs, and were replaced.',
      { reason: ['crashed', 'hung'] },
    ),
  }
}

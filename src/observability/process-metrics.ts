/** Metrics of the process, not of what the node does: its version, its event loop, its CPU and memory. */
import { LoopLag } from './loop-lag.ts'
import type { MetricRegistry } from './metric-registry.ts'

/** What runs here, for `hypermesh_build_info`. */
export interface BuildInfo {
  readonly version: string
  /** Git commit, or `unknown`. */
  readonly commit: string
}

/** Registers them; what is returned has a timer to stop. */
export function processMetrics(r: MetricRegistry, build: BuildInfo): LoopLag {
  const lag = new LoopLag()
  r.info('hypermesh_build_info', 'What runs here.', { ...build, node: process.versions.node })
  r.measured('hypermesh_event_loop_lag_seconds', 'Worst delay of the event loop since the last scrape.', () =>
    lag.take(),
  )
  // The names below are the ones every Prometheus client library uses.
  r.measuredTotal('process_cpu_seconds_total', 'User and system CPU time.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  r.measured('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  r.measured('process_heap_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed)
  const startedAt = Date.now() / 1_000 - process.uptime()
  r.measured('process_start_time_seconds', 'Unix time at which the process started.', () => startedAt)
  return lag
}

/**
 * Looks at nodes all the time and keeps what they said was final, and when. What a node once showed as final it
 * must have for ever.
 */

import type { NodeProcess } from './node-process.ts'

const LOOK_MS = 20

export interface SeenFinal {
  readonly height: number
  readonly hash: string
  /** Monotonic milliseconds. */
  readonly at: number
}

export class FinalityWatch {
  readonly #seen: Map<NodeProcess, SeenFinal[]>
  readonly #loops: Promise<void>[]
  readonly #lookMs: number
  #isStopped = false

  constructor(nodes: readonly NodeProcess[], lookMs = LOOK_MS) {
    this.#lookMs = lookMs
    this.#seen = new Map(nodes.map((node) => [node, []]))
    this.#loops = nodes.map((node) => this.#watch(node))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#loops)
  }

  /** What a node showed, each height once, in the order of time. */
  of(node: NodeProcess): readonly SeenFinal[] {
    return this.#seen.get(node) ?? []
  }

  /** Highest final height that any node has shown. */
  get highest(): number {
    return Math.max(0, ...[...this.#seen.values()].map((seen) => seen.at(-1)?.height ?? 0))
  }

  /** Longest time between two sights of something new at this node, beginning with the last before `fromMs`. */
  longestGapMs(node: NodeProcess, fromMs: number, toMs: number): number {
    const times = this.of(node).map(({ at }) => at)
    const before = times.filter((at) => at <= fromMs).at(-1) ?? fromMs
    const within = [before, ...times.filter((at) => at > fromMs && at < toMs), toMs]
    return Math.max(...within.slice(1).map((at, i) => at - (within[i] ?? at)))
  }

  async #watch(node: NodeProcess): Promise<void> {
    const seen = this.of(node) as SeenFinal[]
    while (!this.#isStopped) {
      try {
        const { final } = await node.status()
        if (final.height !== (seen.at(-1)?.height ?? 0)) {
          seen.push({ height: final.height, hash: final.hash, at: performance.now() })
        }
      } catch {
        // It is down, or on its way.
      }
      await new Promise((resolve) => setTimeout(resolve, this.#lookMs))
    }
  }
}

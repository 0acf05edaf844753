/** Final blocks that a node once showed and does not have any more. Each sight is checked once, after it was had. */

import type { FinalityWatch } from '../e2e/finality-watch.ts'
import type { NodeProcess } from '../e2e/node-process.ts'

const CALLS_AT_ONCE = 8

export class LostBlocks {
  readonly #watch: FinalityWatch
  readonly #nodes: readonly NodeProcess[]
  readonly #checked = new Map<NodeProcess, number>()

  constructor(watch: FinalityWatch, nodes: readonly NodeProcess[]) {
    this.#watch = watch
    this.#nodes = nodes
  }

  /** One line for each that was lost, of what was seen since the last call. */
  async find(): Promise<string[]> {
    const lost: string[] = []
    for (const node of this.#nodes) {
      const seen = this.#watch.of(node)
      const { length } = seen
      for (let i = this.#checked.get(node) ?? 0; i < length; i += CALLS_AT_ONCE) {
        const some = seen.slice(i, Math.min(i + CALLS_AT_ONCE, length))
        const now = await Promise.all(some.map(({ height }) => node.block(height)))
        for (const [at, { height, hash }] of some.entries()) {
          if (now[at]?.hash === hash) continue
          lost.push(`${node.name} had ${hash} final at ${height}, now ${now[at]?.hash}`)
        }
      }
      this.#checked.set(node, length)
    }
    return lost
  }
}

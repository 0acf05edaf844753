/** The chains of several nodes beside each other, as their public APIs show them. */

import type { NodeProcess } from './node-process.ts'

const CALLS_AT_ONCE = 16

export interface ChainBlock {
  readonly height: number
  readonly hash: string
  readonly stateRoot: string | null
  /** Unix milliseconds, the proposer's. */
  readonly time: number
}

/** A node's final blocks of these heights, both included. */
export async function blocksOf(node: NodeProcess, from: number, to: number): Promise<ChainBlock[]> {
  const blocks: ChainBlock[] = []
  for (let first = from; first <= to; first += CALLS_AT_ONCE) {
    const heights = Array.from({ length: Math.min(CALLS_AT_ONCE, to - first + 1) }, (_, i) => first + i)
    blocks.push(...(await Promise.all(heights.map((height) => node.block(height)))))
  }
  return blocks
}

/**
 * Where chains differ in a block or in the state after it, up to the height that all have.
 * @returns that height, and one line for each difference
 */
export async function compareChains(
  nodes: readonly NodeProcess[],
  from = 1,
): Promise<{ height: number; differences: string[] }> {
  const height = Math.min(...(await Promise.all(nodes.map((node) => node.height()))))
  const chains = await Promise.all(nodes.map((node) => blocksOf(node, from, height)))
  const [first = []] = chains
  const differences = chains.slice(1).flatMap((chain, i) =>
    chain.flatMap((block, at) => {
      const other = first[at]
      return block.hash === other?.hash && block.stateRoot !== null && block.stateRoot === other.stateRoot
        ? []
        : [
            `height ${from + at}: ${JSON.stringify(other)} and, at ${nodes[i + 1]?.name}, ${JSON.stringify(block)}`,
          ]
    }),
  )
  return { height, differences }
}

/** Milliseconds from each block to the next, by their own times. */
export function intervalsMs(blocks: readonly ChainBlock[]): number[] {
  return blocks.slice(1).map(({ time }, i) => time - (blocks[i]?.time ?? time))
}

/** What single stories in the simulator are told with. */
import { HONEST, type Misbehaviour } from './adversary.ts'
import { type Byzantine, Cluster, type ClusterOptions } from './cluster.ts'
import type { SimulatedNode } from './simulated-node.ts'

/** Four validators of equal stake: they lead in turn, the one of index view % 4 its view. */
export const FOUR: readonly bigint[] = [1n, 1n, 1n, 1n]

export function make(options: Partial<ClusterOptions> = {}): Cluster {
  return new Cluster({ seed: 1, stakes: FOUR, ...options })
}

/** One validator that misbehaves in these ways. */
export function liar(index: number, habits: Partial<Misbehaviour>): ReadonlyMap<number, Byzantine> {
  return new Map([[index, { kind: 'liar', habits: { ...HONEST, ...habits } }]])
}

export function heightsOf(nodes: readonly SimulatedNode[]): number[] {
  return nodes.map(({ height }) => height)
}

/** Runs until each node has this many more blocks than the highest has now. */
export function growsBy(
  cluster: Cluster,
  blocks: number,
  nodes: readonly SimulatedNode[] = cluster.honest,
  withinMs = 20_000,
): Promise<boolean> {
  const goal = Math.max(...heightsOf(nodes)) + blocks
  return cluster.runFor(withinMs, () => nodes.every(({ height }) => height >= goal))
}

/** Whether the node has voted in a phase of a view. */
export function hasVoted(node: SimulatedNode, phase: 'prepare' | 'pre-commit', view: number): boolean {
  return node.events.some((event) => event.kind === 'voted' && event.phase === phase && event.view === view)
}

/** Views that the node gave up. */
export function givenUp(node: SimulatedNode): number[] {
  return node.events.flatMap((event) => (event.kind === 'view-timed-out' ? [event.view] : []))
}

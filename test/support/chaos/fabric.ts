/**
 * What a network of real nodes runs on, and what can be done to its links. Two kinds: network namespaces with the
 * kernel's own tools, and TCP relays on loopback where there are none.
 */

import type { NodeLaunch } from './node-launch.ts'

/** What happens to everything that leaves a node. Absent: nothing. */
export interface Shape {
  readonly delayMs?: number
  /** Either way around the delay. */
  readonly jitterMs?: number
  readonly lossPercent?: number
  readonly bitsPerSecond?: number
}

/** What a fault may need of a fabric. */
export type FabricNeed = 'delay' | 'loss' | 'rate' | 'cut' | 'reset'

export interface Fabric {
  readonly kind: 'namespaces' | 'relays'
  /** One for each node. */
  readonly launches: readonly NodeLaunch[]
  /** Why this machine has no such thing; null when it has. */
  missing(need: FabricNeed): string | null
  /** Nothing that `from` sends reaches `to` any more. Connections are not told. */
  cut(from: number, to: number): Promise<void>
  /** In place of what was imposed on this node before. */
  shape(node: number, shape: Shape): Promise<void>
  /** Ends every connection of a node with a reset, in the middle of whatever is being said. */
  reset(node: number): Promise<void>
  /** Takes everything back. */
  heal(): Promise<void>
  close(): Promise<void>
}

/** What `/consensus/events` tells, as plain data. Times are Unix milliseconds. */

/** `event: verdict`: a request, or an operation, is decided for ever. */
export interface VerdictEventView {
  readonly requestKey: string
  /** Hash under which the ledger keeps the request's id: who has the id finds it, nobody learns it. */
  readonly requestIdHash: string
  readonly kind: 'validate-certificate' | 'validate-proofs' | 'operation'
  readonly result: 'valid' | 'invalid' | 'expired'
  readonly failedProofs: readonly string[]
  readonly height: number
  /** Of the block. */
  readonly time: number
}

/** `event: block`: a block is final, or settled where blocks are mined. */
export interface BlockEventView {
  readonly height: number
  readonly hash: string
  readonly view: number
  readonly proposer: number
  readonly time: number
  readonly transactions: number
}

/** `event: readiness`: the node became ready, or it did not any more, or for another reason. */
export interface ReadinessEventView {
  readonly ready: boolean
  /** One sentence each; empty when ready. */
  readonly notReadyBecause: readonly string[]
}

/** `event: gap`: what came after `lastEventId` is not kept any more; what follows is the oldest that is. */
export interface GapEventView {
  readonly lastEventId: string
}

/** By the names of the events. */
export interface EventViews {
  readonly verdict: VerdictEventView
  readonly block: BlockEventView
  readonly readiness: ReadinessEventView
}

export const EVENT_TOPICS = ['verdict', 'block', 'readiness'] as const satisfies readonly (keyof EventViews)[]
export type EventTopic = keyof EventViews

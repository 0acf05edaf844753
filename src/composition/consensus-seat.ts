/**
 * The consensus node as the rest of the node sees it, while a validator's duties are held back and after they are
 * taken up: a follower first, then a validator that begins where the follower stopped. Decides nothing about when.
 */

import type { ConsensusEngine } from '../runtime/consensus-engine.ts'
import type { ConsensusNode } from '../runtime/consensus-node.ts'
import type { ValidatorDuties } from '../runtime/consensus-node-options.ts'

/** What other parts ask of a consensus node. */
export type ConsensusPort = Pick<
  ConsensusNode,
  | 'electorate'
  | 'receive'
  | 'reachabilityChanged'
  | 'workArrived'
  | 'workExhausted'
  | 'announced'
  | 'take'
  | 'verifyFinality'
  | 'look'
  | 'unfinalBlock'
>

export interface ConsensusSeatOptions {
  /** Builds a node on the newest final block. */
  readonly build: (validator: ValidatorDuties | null) => ConsensusNode
  /** Null for a node that is no validator. */
  readonly duties: ValidatorDuties | null
  /** Whether to follow only, until {@link ConsensusSeat.takeUpDuties}. */
  readonly isHeld: boolean
  /** Whether requests wait for a block: the new node is told. */
  readonly hasWork: () => boolean
}

export class ConsensusSeat implements ConsensusPort, ConsensusEngine {
  readonly #options: ConsensusSeatOptions
  #node: ConsensusNode
  #isHeld: boolean
  #isStopped = false

  constructor(options: ConsensusSeatOptions) {
    this.#options = options
    this.#isHeld = options.isHeld
    this.#node = options.build(options.isHeld ? null : options.duties)
  }

  /** Whether duties are held back. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  start(): void {
    this.#node.start()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#node.stop()
  }

  /** Ends the follower when what it writes is durable, and goes on as a validator. */
  async takeUpDuties(): Promise<void> {
    await this.#node.stop()
    if (this.#isStopped) return
    this.#node = this.#options.build(this.#options.duties)
    this.#isHeld = false
    this.#node.start()
    if (this.#options.hasWork()) this.#node.workArrived([])
  }

  get electorate(): ConsensusNode['electorate'] {
    return this.#node.electorate
  }

  /** Index among the validators; null for a follower, and as long as duties are held back. */
  get self(): ConsensusNode['self'] {
    return this.#node.self
  }

  readonly receive: ConsensusPort['receive'] = (from, bytes) => this.#node.receive(from, bytes)
  readonly reachabilityChanged: ConsensusPort['reachabilityChanged'] = (id, isReachable) =>
    this.#node.reachabilityChanged(id, isReachable)
  readonly workArrived: ConsensusPort['workArrived'] = (keys) => this.#node.workArrived(keys)
  readonly workExhausted: ConsensusPort['workExhausted'] = () => this.#node.workExhausted()
  readonly announced: ConsensusPort['announced'] = (bytes) => this.#node.announced(bytes)
  readonly take: ConsensusPort['take'] = (blocks, finality) => this.#node.take(blocks, finality)
  readonly verifyFinality: ConsensusPort['verifyFinality'] = (bytes) => this.#node.verifyFinality(bytes)
  readonly look: ConsensusPort['look'] = () => this.#node.look()
  readonly unfinalBlock: ConsensusPort['unfinalBlock'] = (hash) => this.#node.unfinalBlock(hash)
}

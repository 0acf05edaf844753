/** What a node is started with, and what is known of it while it runs. */
import type { Config } from '../config/schema.ts'
import type { ModuleLogger } from '../observability/logger.ts'
import type { BallotConduct } from '../runtime/own-ballots.ts'
import type { NodeAddresses } from './node-lives.ts'

/** What a node is started with. */
export interface NodeOptions {
  readonly dataDir: string
  readonly config: Config
  readonly logger: ModuleLogger
  /** The operator's word that this validator's key has never signed; begins a missing safety record. */
  readonly hasNeverSigned?: boolean
  /** Only from tests: a validator that lies about what it finds. */
  readonly conduct?: BallotConduct
}

/** A node that is up. */
export interface RunningNode {
  readonly addresses: NodeAddresses
  stop(): Promise<void>
  /** Resolves when the node has stopped, for whatever reason. */
  readonly stopped: Promise<void>
}

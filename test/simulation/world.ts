/** What a simulated process needs of the world around it, and the network that all simulations start from. */
import { validatorId } from '../../src/codec/genesis.ts'
import type { Electorate } from '../../src/consensus/validator-set.ts'
import type { GenesisState } from '../../src/ledger/genesis-state.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { ChainParameters, Genesis, ValidationPolicy } from '../../src/types/genesis.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import { asUnixMs, type ValidatorId, type ValidatorIndex } from '../../src/types/primitives.ts'
import type { SafetyRecord } from '../../src/types/safety.ts'
import type { Checker } from './checker.ts'
import type { Random } from './random.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { toyPublicKey } from './toy-signatures.ts'

/** Simulated time 0. Requests of test/unit/ledger/fixtures.ts are valid around here. */
export const START_UNIX_MS = 1_760_000_001_000

/** What is left out around the core, to see whether the checkers notice (see mutants.ts for what is inside). */
export interface Mutation {
  /** Fields of the safety record that do not survive a restart. */
  readonly forgets?: readonly (keyof SafetyRecord)[]
}

/** How a disk behaves at one operation. */
export interface DiskOperation {
  /** How long it takes, milliseconds. */
  readonly delayMs: number
  /** It reports an error, and the process must stop. */
  readonly fails: boolean
}

export interface World {
  readonly nowMs: number
  readonly random: Random
  readonly checker: Checker
  readonly electorate: Electorate
  readonly genesis: GenesisState
  /** Whether there are clients with notes. */
  readonly hasNotes: boolean
  /** Runs at a simulated time. */
  at(atMs: number, run: () => void): void
  /** To one validator, or to all others. */
  transmit(from: SimulatedNode, to: ValidatorIndex | 'all', bytes: Uint8Array): void
  /** Nodes that this one can ask for blocks, by name. */
  peersOf(node: SimulatedNode): readonly string[]
  /** Identity of a node by its name; null for one that is no validator. */
  idOf(name: string): ValidatorId | null
  /** Asks a peer over the network; null when the question or the answer is lost, or comes too late. */
  ask<T>(
    node: SimulatedNode,
    peer: string,
    answer: (peer: SimulatedNode) => T | Promise<T>,
  ): Promise<T | null>
  /** A transaction that this node passes on. */
  gossip(node: SimulatedNode, transaction: Uint8Array): void
  /** Blocks are final and durable here. */
  finalized(node: SimulatedNode, blocks: readonly FinalizedBlock[]): void
  crash(node: SimulatedNode): void
  /** Whether the process dies now: asked before every effect. */
  diesNow(node: SimulatedNode): boolean
  /** The next write or sync of a node's disk. */
  disk(node: SimulatedNode): DiskOperation
  /** Whether the write that was under way when the power went is torn. */
  tearsLastWrite(node: SimulatedNode): boolean
  /** A promise was settled: what waits for it runs before the next event. */
  settle(): void
}

export const PARAMETERS: ChainParameters = {
  heartbeatMs: 0,
  viewTimeoutMinMs: 100,
  viewTimeoutMaxMs: 2_000,
  unreachableLeaderTimeoutMs: 40,
  clockSkewMaxMs: 5_000,
  blockBytesMax: 1_000_000,
  blockTransactionsMax: 100,
  certificateIntervalMs: 0,
  epochBlocks: 0,
  evidenceWindowBlocks: 1_000,
  evidenceWindowMs: 600_000,
  unbondingBlocks: 1_100,
  unbondingMs: 700_000,
  minimumValidatorStake: 1n,
}

const POLICY: ValidationPolicy = {
  minimumStake: 100n,
  maxTimeOffsetMs: 300_000,
  minimumStorage: 1_048_576n,
  maximumStorage: 100n * 1024n ** 5n,
  minimumCompute: 10n,
  maximumCompute: 1_000_000n,
}

/** Identity of the validator at an index. */
export function idOf(index: number): ValidatorId {
  return validatorId(toyPublicKey(index))
}

/** A network of validators with these stakes. Keys are told apart by index only (toy-signatures.ts). */
export function genesisOf(
  stakes: readonly bigint[],
  parameters: Partial<ChainParameters> = {},
  notes: Partial<Pick<Genesis, 'accounts' | 'shielded'>> = {},
): Genesis {
  return {
    network: 'simulated',
    time: asUnixMs(START_UNIX_MS - 60_000),
    parameters: { ...PARAMETERS, ...parameters },
    policy: POLICY,
    validators: stakes.map((stake, i) => ({ id: idOf(i), publicKey: toyPublicKey(i), stake })),
    accounts: [],
    ...notes,
  }
}

/** Genesis has no certificate: the replica makes its own. */
export function finalityOf(tip: {
  readonly height: number
  readonly finality: QuorumCertificate
}): QuorumCertificate | null {
  return tip.height === 0 ? null : tip.finality
}

export function unwrap<T>(result: { ok: true; value: T } | { ok: false; detail: string }): T {
  if (!result.ok) throw new Error(result.detail)
  return result.value
}

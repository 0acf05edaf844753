/**
 * What is looked at when a run is over: every honest chain replayed from genesis, what is left in the pools, and
 * how far apart the views are. The state of the replay is a plain map, not the node's.
 */
import { decodeBlock } from '../../src/codec/block.ts'
import { toHex } from '../../src/codec/hex.ts'
import { checkBlock } from '../../src/ledger/check-block.ts'
import type { GenesisState } from '../../src/ledger/genesis-state.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import type { StateAccumulators, StateChanges } from '../../src/types/ledger-state.ts'
import type { Hex32, Nullifier, RequestKey } from '../../src/types/primitives.ts'
import type { StakingState } from '../../src/types/staking.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import type { VerdictVoting } from '../../src/types/voting.ts'
import type { TakenTransaction } from './cluster.ts'
import type { SimulatedNode } from './simulated-node.ts'

/** The state after a block as maps. */
class MapState implements StateReader {
  accumulators: StateAccumulators
  staking: StakingState
  voting: VerdictVoting
  readonly #nullifiers = new Set<Nullifier>()
  readonly #verdicts = new Map<RequestKey, VerdictRecord>()
  readonly #ids = new Map<Hex32, RequestKey>()
  readonly #sequences = new Map<Hex32, bigint>()

  constructor({ accumulators, staking, voting }: Pick<StateReader, 'accumulators' | 'staking' | 'voting'>) {
    this.voting = voting
    this.accumulators = accumulators
    this.staking = staking
  }

  apply(changes: StateChanges): void {
    for (const nullifier of changes.nullifiers) this.#nullifiers.add(nullifier)
    for (const { requestKey, requestIdHash } of changes.judgements) {
      if (!this.#ids.has(requestIdHash)) this.#ids.set(requestIdHash, requestKey)
    }
    for (const verdict of changes.verdicts) {
      this.#verdicts.set(verdict.requestKey, verdict)
      if (verdict.sequence !== null) this.#sequences.set(verdict.sequence.nodeIdHash, verdict.sequence.number)
    }
    this.accumulators = changes.accumulators
    this.staking = changes.staking
    this.voting = changes.voting
  }

  hasNullifier(nullifier: Nullifier): boolean {
    return this.#nullifiers.has(nullifier)
  }
  verdict(requestKey: RequestKey): VerdictRecord | null {
    return this.#verdicts.get(requestKey) ?? null
  }
  requestKeyOfId(requestIdHash: Hex32): RequestKey | null {
    return this.#ids.get(requestIdHash) ?? null
  }
  lastSequence(nodeIdHash: Hex32): bigint {
    return this.#sequences.get(nodeIdHash) ?? 0n
  }
}

/** I9: the bytes of a chain, read and executed from genesis on, lead to the roots that the node had. */
export function replayViolations(genesis: GenesisState, node: SimulatedNode): string[] {
  const state = new MapState(genesis.state)
  let parent = { hash: genesis.block.hash, header: genesis.block.header, stateRoot: genesis.stateRoot, state }
  const transactions = new Set<string>()
  for (const [height, { bytes }] of node.finalBlocks.entries()) {
    if (height === 0) continue
    const block = decodeBlock(bytes)
    if (!block.ok) return [`I9: ${node.name} has bytes at height ${height} that are no block`]
    const executed = checkBlock(block.value, parent, genesis.rules)
    if (!executed.ok) return [`I9: ${node.name} replays height ${height}: ${executed.code}`]
    const { stateRoot, changes } = executed.value
    if (stateRoot !== node.stateRoots[height])
      return [`I9: ${node.name} replays height ${height} to another root`]
    for (const { requestKey } of block.value.transactions) {
      if (transactions.has(requestKey)) return [`I10: request ${requestKey} is twice in ${node.name}'s chain`]
      transactions.add(requestKey)
    }
    state.apply(changes)
    parent = { hash: block.value.hash, header: block.value.header, stateRoot, state }
  }
  return []
}

/** I16: the pools of those who propose are empty in the end … */
export function isEveryPoolEmpty(nodes: readonly SimulatedNode[]): boolean {
  return nodes.every((node) => node.waiting === 0)
}

/** … and what an honest validator took, and had no crash to forget, is in the chain, or cannot be there any more. */
export function lostTransactions(taken: readonly TakenTransaction[]): string[] {
  return taken
    .filter(
      ({ node, incarnation }) => node.isHonest && node.index !== null && node.incarnation === incarnation,
    )
    .filter(({ node, transaction }) =>
      node.finalBlocks.every(({ transactions }) =>
        transactions.every(({ requestKey }) => requestKey !== transaction.requestKey),
      ),
    )
    .filter(({ node, transaction }) => !isImpossible(transaction, node))
    .map(({ node, transaction }) => `I16: ${node.name} lost request ${transaction.requestKey}`)
}

/** Whether a shielded transaction has expired, or another one is in its place: of the same note, or of the same payer. */
function isImpossible({ transaction }: HashedTransaction, { finalBlocks, height }: SimulatedNode): boolean {
  if (transaction.kind !== 'shielded') return false
  const { nullifiers, mint, expiresAtHeight } = transaction
  const payer = mint === null ? null : toHex(mint.publicKey)
  const isRival = ({ transaction: other }: HashedTransaction): boolean =>
    other.kind === 'shielded' &&
    (other.nullifiers.some((nullifier) => nullifiers.includes(nullifier)) ||
      (mint !== null &&
        other.mint !== null &&
        toHex(other.mint.publicKey) === payer &&
        other.mint.sequence === mint.sequence))
  return height >= expiresAtHeight || finalBlocks.some(({ transactions }) => transactions.some(isRival))
}

/** I18: how far apart the views of those who follow the rules are. */
export function viewsApart(nodes: readonly SimulatedNode[]): number {
  const views = nodes.map((node) => node.look()?.view ?? 0)
  return Math.max(...views) - Math.min(...views)
}

/**
 * Whole consensus nodes in one process: real keys, ledger, mempool and shell; memory in place of disk and network.
 * What travels and what is written can be held up, lost or made to fail.
 */

import { accountId, validatorId } from '../../src/codec/genesis.ts'
import { ValidatorSignatures } from '../../src/composition/validator-signatures.ts'
import type { ConsensusEvent } from '../../src/consensus/event.ts'
import { NO_LEADER_RECORD } from '../../src/consensus/leader-election.ts'
import { ballotSalts } from '../../src/crypto/ballot-salt.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { Signer } from '../../src/crypto/signer.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import { Mempool } from '../../src/mempool/mempool.ts'
import { ConsensusNode } from '../../src/runtime/consensus-node.ts'
import type { IngressOutcome } from '../../src/runtime/ingress.ts'
import type { BlockProofsPort } from '../../src/runtime/ports.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { Genesis } from '../../src/types/genesis.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import {
  asEpoch,
  asMonotonicMs,
  asUnixMs,
  type RequestKey,
  type ValidatorId,
} from '../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD } from '../../src/types/safety.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { RuleFailure } from '../../src/types/verdict.ts'
import { GENESIS, PORTS } from '../unit/ledger/fixtures.ts'

const mlDsa = selectMlDsa65()
export const KEYS = [0, 1, 2, 3].map((i) => mlDsa.keyPairFromSeed(new Uint8Array(32).fill(40 + i)))

export const NETWORK_GENESIS: Genesis = {
  ...GENESIS,
  parameters: { ...GENESIS.parameters, heartbeatMs: 400, viewTimeoutMinMs: 200, viewTimeoutMaxMs: 2_000 },
  validators: KEYS.map((key) => ({
    id: validatorId(key.publicKey.raw),
    publicKey: key.publicKey.raw,
    stake: 1n,
  })),
  accounts: KEYS.map((key) => ({ id: accountId(key.publicKey.raw), balance: 10n })).sort((a, b) =>
    a.id < b.id ? -1 : 1,
  ),
}
const SET = { epoch: asEpoch(0), validators: NETWORK_GENESIS.validators }
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** A safety log whose writes the test lets through. */
export class MemoryLog {
  readonly records: Uint8Array[] = []
  #durable = 0
  failure: Error | null = null
  isHeld = false
  readonly #waiting: (() => void)[] = []
  wantsCompaction = false
  readonly snapshots: Uint8Array[] = []

  get durable(): number {
    return this.#durable
  }

  append(payload: Uint8Array): void {
    this.records.push(payload)
  }

  async flush(): Promise<void> {
    const upTo = this.records.length
    await new Promise<void>((resolve) => {
      if (this.isHeld) this.#waiting.push(resolve)
      else setImmediate(resolve)
    })
    if (this.failure !== null) throw this.failure
    this.#durable = Math.max(this.#durable, upTo)
  }

  /** Writes that wait to be let through. */
  get waiting(): number {
    return this.#waiting.length
  }

  release(): void {
    this.isHeld = false
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  compact(snapshot: Uint8Array): Promise<void> {
    this.snapshots.push(snapshot)
    this.wantsCompaction = false
    return Promise.resolve()
  }
}

export class MemoryNode {
  readonly id: ValidatorId | null
  readonly log = new MemoryLog()
  readonly chain: FinalizedBlock[] = []
  readonly certificates: QuorumCertificate[] = []
  readonly events: ConsensusEvent[] = []
  readonly outcomes: IngressOutcome[] = []
  readonly fatal: unknown[] = []
  readonly synced: number[] = []
  suspicions = 0
  readonly equivocations: object[] = []
  readonly pool: Mempool
  readonly consensus: ConsensusNode
  writeFailure: Error | null = null
  #state: StateReader
  readonly #judged = new Map<RequestKey, readonly RuleFailure[]>()

  constructor(network: MemoryNetwork, index: number | null) {
    const key = index === null ? null : (KEYS[index] ?? null)
    this.id = key === null ? null : validatorId(key.publicKey.raw)
    const clock = {
      monotonicMs: () => asMonotonicMs(performance.now()),
      // Requests of the fixtures are fresh at this time.
      unixMs: () => asUnixMs(NETWORK_GENESIS.time + 2_000 + Math.floor(performance.now())),
    }
    this.pool = new Mempool(
      {
        countMax: 1_000,
        bytesMax: 10_000_000,
        countPerSourceMax: 1_000,
        bytesPerSourceMax: 10_000_000,
        timeToLiveMs: 60_000,
      },
      {
        now: () => clock.monotonicMs(),
        isFinal: (requestKey) => this.#state.verdict(requestKey) !== null,
        refusal: () => null,
        expired: () => {},
      },
    )
    const { state } = network
    this.#state = state.state
    const live: StateReader = {
      hasNullifier: (nullifier) => this.#state.hasNullifier(nullifier),
      verdict: (requestKey) => this.#state.verdict(requestKey),
      requestKeyOfId: (id) => this.#state.requestKeyOfId(id),
      lastSequence: (node) => this.#state.lastSequence(node),
      get staking() {
        return node.#state.staking
      },
      get accumulators() {
        return node.#state.accumulators
      },
      get voting() {
        return node.#state.voting
      },
    }
    const node = this
    this.consensus = new ConsensusNode({
      rules: state.rules,
      nextSet: () => SET,
      epochEndOf: () => null,
      leaderRecord: NO_LEADER_RECORD,
      validator:
        key === null || this.id === null
          ? null
          : {
              id: this.id,
              signer: new Signer(key, {}),
              log: this.log,
              recovered: EMPTY_SAFETY_RECORD,
              ballots: { saltOf: ballotSalts(new Uint8Array(32).fill(index ?? 0), state.rules.genesisHash) },
            },
      tip: { block: state.block, stateRoot: state.stateRoot, finality: null },
      finalState: live,
      judgement: (requestKey) => this.#judged.get(requestKey) ?? null,
      ...(network.proofs === undefined ? {} : { proofs: network.proofs }),
      store: {
        commitFinalized: async (blocks) => {
          await new Promise((resolve) => setImmediate(resolve))
          if (this.writeFailure !== null) throw this.writeFailure
          for (const block of blocks) {
            const parent = this.#state
            this.chain.push(block)
            for (const { requestKey, failures } of block.changes.judgements) {
              this.#judged.set(requestKey, failures)
            }
            this.#state = StateOverlay.of(() => parent, block.changes)
          }
        },
        putCommitCertificate: async (certificate) => void this.certificates.push(certificate),
      },
      pool: this.pool,
      transport: {
        broadcast: (bytes) => network.broadcast(this, bytes),
        send: (to, bytes) => network.send(this, to, bytes),
      },
      fetcher: { fetchByHash: (hash) => network.fetch(this, hash) },
      sync: {
        request: ({ height }) => void this.synced.push(height),
        suspect: () => void this.suspicions++,
      },
      signatures: (set) => new ValidatorSignatures(mlDsa, set),
      clock,
      observe: (event) => void this.events.push(event),
      onFinal: (blocks) => network.onFinal(this, blocks),
      onEpoch: () => {},
      onEquivocation: (equivocation) => void this.equivocations.push(equivocation),
      onCommitPair: () => undefined,
      onHalt: (reason) => void this.fatal.push(reason),
      onFatal: (error) => void this.fatal.push(error),
      logger: silent,
    })
    this.pool.onChange((hasTransactions) => {
      if (!hasTransactions) this.consensus.workExhausted()
    })
  }

  offer(transaction: HashedTransaction): void {
    const admitted = this.pool.admit(transaction, null)
    if (admitted.ok && admitted.value === 'added') this.consensus.workArrived([transaction.requestKey])
  }
}

export class MemoryNetwork {
  readonly state: GenesisState = genesisState(NETWORK_GENESIS, PORTS)
  readonly nodes: MemoryNode[]
  readonly proofs: BlockProofsPort | undefined
  /** What each node said, in order. */
  readonly said: { readonly from: MemoryNode; readonly bytes: Uint8Array; readonly durable: number }[] = []
  onFinal: (node: MemoryNode, blocks: readonly FinalizedBlock[]) => void = () => {}

  constructor(validators = 4, followers = 0, proofs?: BlockProofsPort) {
    this.proofs = proofs
    this.nodes = [
      ...Array.from({ length: validators }, (_, i) => new MemoryNode(this, i)),
      ...Array.from({ length: followers }, () => new MemoryNode(this, null)),
    ]
  }

  start(): void {
    for (const { consensus } of this.nodes) consensus.start()
    for (const node of this.nodes) {
      for (const { id } of this.nodes) {
        if (id !== null && id !== node.id) node.consensus.reachabilityChanged(id, true)
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ consensus }) => consensus.stop()))
  }

  broadcast(from: MemoryNode, bytes: Uint8Array): void {
    this.said.push({ from, bytes, durable: from.log.durable })
    for (const node of this.nodes) if (node !== from && node.id !== null) this.#deliver(from, node, bytes)
  }

  send(from: MemoryNode, to: ValidatorId, bytes: Uint8Array): void {
    this.said.push({ from, bytes, durable: from.log.durable })
    const node = this.nodes.find(({ id }) => id === to)
    if (node !== undefined) this.#deliver(from, node, bytes)
  }

  async fetch(asker: MemoryNode, hash: string): Promise<Uint8Array | null> {
    for (const node of this.nodes) {
      if (node === asker) continue
      const bytes = node.consensus.unfinalBlock(hash as never)
      const final = node.chain.find(({ block }) => block.hash === hash)
      if (bytes !== null || final !== undefined) return bytes ?? final?.block.bytes ?? null
    }
    return null
  }

  #deliver(from: MemoryNode, to: MemoryNode, bytes: Uint8Array): void {
    const { id } = from
    if (id === null) return
    setImmediate(() => void to.outcomes.push(to.consensus.receive(id, bytes)))
  }
}

/**
 * One run of a node's process: the node's own assembly of the consensus shell, chain store, mempool, transaction
 * flow and range sync, over a simulated disk, network and clock. Nothing of theirs is rebuilt here.
 */
import { decodeBlock } from '../../src/codec/block.ts'
import { leaderRecordOf, nextSetOf } from '../../src/composition/epochs.ts'
import { commitPairTo, evidenceTo } from '../../src/composition/evidence-flow.ts'
import { ShieldedDoor } from '../../src/composition/shielded-door.ts'
import { signingHistoryOf } from '../../src/composition/signing-history.ts'
import { StakingAdmission } from '../../src/composition/staking-admission.ts'
import { TransactionFlow } from '../../src/composition/transaction-flow.ts'
import type { ConsensusEffect } from '../../src/consensus/effect.ts'
import { ballotSalts } from '../../src/crypto/ballot-salt.ts'
import { Signer } from '../../src/crypto/signer.ts'
import { isFiller } from '../../src/ledger/chain-rules.ts'
import { stateRoot } from '../../src/ledger/state-root.ts'
import { isOpen } from '../../src/ledger/verdicts/open-requests.ts'
import { Mempool } from '../../src/mempool/mempool.ts'
import { ConsensusNode } from '../../src/runtime/consensus-node.ts'
import type { ValidatorDuties } from '../../src/runtime/consensus-node-options.ts'
import type { TimerPort } from '../../src/runtime/ports.ts'
import { recoverSafety } from '../../src/runtime/recover-safety.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { RangeSync } from '../../src/sync/range-sync.ts'
import { epochEndHeight } from '../../src/types/epochs.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import { asMonotonicMs, asUnixMs, type Height } from '../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../src/types/safety.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { slotsOf } from './checker.ts'
import { MemoryDatabase } from './memory-database.ts'
import { poolOfForger, stateOfForger } from './notes/note-forger.ts'
import { SimulatedProofs } from './notes/open-proofs.ts'
import { Crash, type SimulatedNode } from './simulated-node.ts'
import { SimulatedSafetyLog } from './simulated-safety-log.ts'
import { toyKeyPair, toySignatureCheck } from './toy-signatures.ts'
import { finalityOf } from './world.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
/** As network/topics.ts bounds an answer. */
const RANGE_BLOCKS_MAX = 128
const RANGE_BYTES_MAX = 4 * 1024 * 1024
/** As RangeSync.start does it, which wants a real clock. */
const POLL_INTERVAL_MS = 1_000

export const POOL_LIMITS = {
  countMax: 64,
  bytesMax: 1_000_000,
  countPerSourceMax: 32,
  bytesPerSourceMax: 500_000,
  timeToLiveMs: 600_000,
} as const

export class SimulatedProcess {
  readonly chain: ChainStore
  readonly pool: Mempool
  readonly flow: TransactionFlow
  readonly consensus: ConsensusNode
  readonly sync: RangeSync
  readonly proofs: SimulatedProofs
  readonly #node: SimulatedNode
  readonly #disk: ProcessDisk
  readonly #log: SimulatedSafetyLog
  readonly #admission: StakingAdmission
  #decidedHash: string
  #polledHeight = -1
  #highestLock = 0
  #lockEpoch = 0

  static async open(node: SimulatedNode): Promise<SimulatedProcess> {
    const { genesis } = node.world
    const disk = new ProcessDisk(node)
    const chain = await ChainStore.open({
      database: MemoryDatabase.open(node.database, (apply) => disk.write(apply)),
      genesis,
      stateRootOf: (accumulators, staking, voting) =>
        stateRoot(accumulators, staking, voting, genesis.rules.fixedRoots),
      onFatal: (error) => node.fatal(error),
    })
    disk.isOpening = false
    return new SimulatedProcess(node, chain, disk)
  }

  private constructor(node: SimulatedNode, chain: ChainStore, disk: ProcessDisk) {
    this.#node = node
    this.chain = chain
    this.#disk = disk
    this.#decidedHash = chain.tip.block.hash
    const { world } = node
    this.#log = new SimulatedSafetyLog(node.safety, {
      random: world.random,
      disk: () => world.disk(node),
      later: (delayMs, run) => disk.later(delayMs, run),
      failed: (error) => node.fatal(error),
      violated: (what) => world.checker.violated(`${what}: ${node.name}`),
    })
    this.#admission = new StakingAdmission(chain, world.genesis.rules)
    this.pool = new Mempool(POOL_LIMITS, {
      now: () => asMonotonicMs(node.monotonicMs()),
      isFinal: (requestKey) =>
        chain.state.verdict(requestKey) !== null ||
        isOpen(chain.state.voting, requestKey) ||
        chain.heightOfTransaction(requestKey) !== null,
      refusal: (transaction) => this.#admission.refusal(transaction),
      expired: () => world.checker.violated(`I16: ${node.name} lets transactions expire`),
    })
    this.proofs = new SimulatedProofs({
      verify: world.genesis.rules.verifyShielded,
      random: world.random,
      later: (delayMs, run) =>
        disk.later(delayMs, () => {
          run()
          world.settle()
        }),
    })
    this.consensus = this.#makeConsensus()
    this.flow = new TransactionFlow({
      pool: this.pool,
      door: new ShieldedDoor({
        pool: this.pool,
        refusalBeforeProof: (transaction) => this.#admission.refusalBeforeProof(transaction),
        verify: (transaction) => this.proofs.verify(transaction),
        now: () => node.monotonicMs(),
      }),
      publish: (transactions) => {
        for (const bytes of transactions) world.gossip(node, bytes)
      },
      workArrived: (requestKeys) => this.consensus.workArrived(requestKeys),
      rejected: () => undefined,
    })
    this.pool.onChange((hasTransactions) => {
      if (!hasTransactions) this.consensus.workExhausted()
    })
    this.sync = this.#makeSync()
  }

  start(): void {
    this.consensus.start()
    this.#schedulePoll()
  }

  /** Whether the final state has made a transaction impossible. */
  isHopeless(transaction: HashedTransaction): boolean {
    return this.#admission.isHopeless(transaction)
  }

  /** What was being written may be on the disk, in order; nothing of this process happens any more. */
  powerLost(): void {
    const { world } = this.#node
    this.#disk.powerLost()
    this.#log.powerLost(world.tearsLastWrite(this.#node))
    void this.consensus.stop()
    this.sync.stop()
  }

  #makeConsensus(): ConsensusNode {
    const node = this.#node
    const { world, id } = node
    const { chain } = this
    const { tip } = chain
    const { rules } = world.genesis
    const { epochBlocks } = rules.parameters
    const forger = world.hasNotes ? (node.adversary?.forger ?? null) : null
    return new ConsensusNode({
      rules: forger === null ? rules : { ...rules, verifyShielded: () => true },
      nextSet: () => nextSetOf(chain),
      epochEndOf: (epoch) => epochEndHeight(epoch, epochBlocks),
      leaderRecord: leaderRecordOf(chain, world.genesis.rules.parameters),
      validator: id === null ? null : this.#duties(id),
      tip: { ...tip, finality: finalityOf(tip) },
      finalState: forger === null ? chain.state : stateOfForger(chain.state, forger),
      judgement: (requestKey) => chain.state.judgement(requestKey),
      store: {
        commitFinalized: (blocks) => this.#decided(blocks),
        putCommitCertificate: (certificate) => chain.commitCertificates.put(certificate),
      },
      pool: forger === null ? this.pool : poolOfForger(this.pool, forger),
      proofs: this.proofs,
      transport: {
        broadcast: (bytes) => world.transmit(node, 'all', bytes),
        send: (to, bytes) => {
          const index = world.electorate.indexOf(to)
          if (index !== null) world.transmit(node, index, bytes)
        },
      },
      fetcher: {
        fetchByHash: async (hash, from) => {
          const first = world.peersOf(node).filter((name) => from !== null && world.idOf(name) === from)
          for (const peer of [...first, ...world.peersOf(node)]) {
            const bytes = await world.ask(node, peer, (other) => other.blockByHash(hash))
            if (bytes !== null) return bytes
          }
          return null
        },
      },
      sync: { request: (target) => this.sync.request(target), suspect: () => this.sync.suspect() },
      signatures: toySignatureCheck,
      clock: {
        monotonicMs: () => asMonotonicMs(node.monotonicMs()),
        unixMs: () => asUnixMs(node.unixMs()),
      },
      observe: (event) => node.observe(event),
      onFinal: (blocks) => {
        node.finalized(blocks)
        this.pool.review((transaction) => this.isHopeless(transaction))
        this.sync.finalized()
      },
      onEpoch: () => undefined,
      onEquivocation: evidenceTo(() => this.flow),
      onCommitPair: commitPairTo(() => this.flow),
      onHalt: (reason) => {
        if (node.isHonest) world.checker.violated(`halt: ${node.name}: ${reason}`)
      },
      onFatal: (error) => {
        if (node.process === this) node.fatal(error)
      },
      logger: silent,
      timers: (onExpired) => this.#timerPort(onExpired),
      beforeEffect: (effect) => this.#before(effect),
    })
  }

  /** Behind the barrier: what the replica decided on votes that were lost with the power was never decided. */
  #decided(blocks: readonly FinalizedBlock[]): Promise<void> {
    const node = this.#node
    const last = blocks.at(-1)
    const hashed = blocks.map(({ block }) => block)
    const fillers = last?.fillers ?? []
    node.world.checker.decided(node, hashed, this.#decidedHash, last?.finality ?? null, fillers)
    this.#decidedHash = last?.block.hash ?? this.#decidedHash
    return this.chain.commitFinalized(blocks)
  }

  #duties(id: ValidatorDuties['id']): ValidatorDuties {
    const node = this.#node
    const fold = recoverSafety(node.safety.records)
    const forgotten = (node.mutation.forgets ?? []).map((field) => [field, EMPTY_SAFETY_RECORD[field]])
    const recovered = { ...fold, ...Object.fromEntries(forgotten) } as SafetyRecord
    const history = signingHistoryOf(recovered, node.world.genesis.rules.genesisHash)
    const seed = Uint8Array.of(node.index ?? 0)
    return {
      id,
      signer: new Signer(toyKeyPair(node.index ?? 0), history),
      log: this.#log,
      recovered,
      ballots: {
        saltOf: ballotSalts(seed, node.world.genesis.rules.genesisHash),
        ...(node.adversary === null ? {} : { conduct: node.adversary.conduct }),
      },
    }
  }

  #before(effect: ConsensusEffect): void {
    const node = this.#node
    const { world } = node
    if (world.diesNow(node)) throw new Crash()
    world.checker.effect(node, effect, world.nowMs)
    if (effect.kind === 'persist') {
      world.checker.recorded(node, effect.record)
      this.#lockSeen()
      this.#log.announce(slotsOf(effect.record))
    }
    // Both answer by promises, which run before the next event.
    world.settle()
  }

  /** I6, while the process runs. */
  #lockSeen(): void {
    const node = this.#node
    const { epoch, highQcView } = this.consensus.look()
    if (epoch === this.#lockEpoch && highQcView < this.#highestLock && node.isHonest) {
      node.world.checker.violated(`I6: ${node.name}'s lock goes back to view ${highQcView}`)
    }
    this.#lockEpoch = epoch
    this.#highestLock = highQcView
  }

  /** Each epoch's run has timers of its own, as in the node: one name may run in two of them. */
  #timerPort(
    onExpired: Parameters<NonNullable<ConstructorParameters<typeof ConsensusNode>[0]['timers']>>[0],
  ): TimerPort {
    const { drift } = this.#node
    const timers = new Map<string, number>()
    let isStopped = false
    const next = (timer: string): number => {
      const generation = (timers.get(timer) ?? 0) + 1
      timers.set(timer, generation)
      return generation
    }
    return {
      set: (timer, view, delayMs) => {
        const generation = next(timer)
        this.#disk.later(Math.ceil(delayMs) / drift, () => {
          if (!isStopped && timers.get(timer) === generation) onExpired(timer, view)
        })
      },
      cancel: (timer) => void next(timer),
      soon: (run) =>
        this.#disk.later(0, () => {
          if (!isStopped) run()
        }),
      stop: () => {
        isStopped = true
      },
    }
  }

  #makeSync(): RangeSync {
    const node = this.#node
    const { world } = node
    const { chain } = this
    const refused = { ok: false as const, code: 'no-answer', detail: 'no answer in time' }
    return new RangeSync({
      fetcher: {
        peers: () => world.peersOf(node),
        fetchRange: async (fromHeight, countMax, from) => {
          const range = await world.ask(node, from, (peer) => peer.process?.serveRange(fromHeight, countMax))
          return range === null || range === undefined ? refused : { ok: true, value: range }
        },
        fetchStatus: async (_knownHeight, from) => {
          const status = await world.ask(node, from, (peer) => peer.process?.chain.finality())
          return status === null || status === undefined ? refused : { ok: true, value: status }
        },
      },
      reader: {
        decodeBlock: (bytes) => {
          const block = decodeBlock(bytes)
          return block.ok ? block.value : null
        },
        verifyCertificate: (bytes) => this.consensus.verifyFinality(bytes),
        isFiller: ({ header }) => isFiller(header, world.genesis.rules.parameters.epochBlocks),
      },
      tip: {
        finalHeight: () => chain.tip.height,
        finalHash: () => chain.tip.block.hash,
        take: (blocks, finality) => node.guarded(() => this.consensus.take(blocks, finality)),
      },
      epochBlocks: world.genesis.rules.parameters.epochBlocks,
      now: () => node.monotonicMs(),
      // Never the process's own: what a seed does would depend on how fast the machine is.
      later: (delayMs, run) => {
        let isForgotten = false
        this.#disk.later(delayMs, () => {
          if (!isForgotten) run()
          world.settle()
        })
        return () => {
          isForgotten = true
        }
      },
      logger: silent,
    })
  }

  /** As a peer is answered; one that misbehaves answers as it likes. */
  async serveRange(fromHeight: Height, countMax: number): ReturnType<ChainStore['range']> {
    const range = await this.chain.range(fromHeight, Math.min(countMax, RANGE_BLOCKS_MAX), RANGE_BYTES_MAX)
    return this.#node.adversary?.bendRange(range) ?? range
  }

  #schedulePoll(): void {
    const { height } = this.#node
    if (height === this.#polledHeight && !this.sync.status.isSyncing) {
      void this.sync.poll()
      this.#node.world.settle()
    }
    this.#polledHeight = height
    this.#disk.later(POLL_INTERVAL_MS, () => this.#schedulePoll())
  }
}

/** The disk and the clock as one run of a process sees them: nothing happens to it after its end. */
class ProcessDisk {
  /** What is written while the process starts is on the disk when it has started. */
  isOpening = true
  readonly #node: SimulatedNode
  readonly #incarnation: number
  #underWay: (() => void)[] = []

  constructor(node: SimulatedNode) {
    this.#node = node
    this.#incarnation = node.incarnation
  }

  later(delayMs: number, run: () => void): void {
    const node = this.#node
    node.world.at(node.world.nowMs + delayMs, () => {
      if (node.incarnation === this.#incarnation) node.guarded(run)
    })
  }

  write(apply: () => void): Promise<void> {
    const { world } = this.#node
    if (this.isOpening) {
      apply()
      return Promise.resolve()
    }
    const { delayMs, fails } = world.disk(this.#node)
    this.#underWay.push(apply)
    return new Promise((resolve, reject) => {
      this.later(delayMs, () => {
        this.#underWay = this.#underWay.filter((other) => other !== apply)
        if (fails) reject(new Error('EIO: the database could not be written'))
        else {
          apply()
          resolve()
        }
        world.settle()
      })
    })
  }

  powerLost(): void {
    const { random } = this.#node.world
    for (const apply of this.#underWay.slice(0, random.below(this.#underWay.length + 1))) apply()
    this.#underWay = []
  }
}

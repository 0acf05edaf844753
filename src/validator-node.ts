/**
 * The composition root: builds every component, joins their ports, starts and stops them in order. Decides
 * nothing; TypeScript checks here that what one layer needs another gives.
 */
import { decodeBlock } from './codec/block.ts'
import { encodeFinalAnnouncement } from './codec/final-announcement.ts'
import { ApiViews, nodeNameOf } from './composition/api-views.ts'
import { fatalHandler } from './composition/fatal.ts'
import { setGauges } from './composition/gauges.ts'
import { startListeners } from './composition/listeners.ts'
import { NodeFallback } from './composition/node-fallback.ts'
import { buildNetwork } from './composition/node-network.ts'
import { openNodeStorage } from './composition/node-storage.ts'
import { startPowNode } from './composition/pow-node.ts'
import { guardProcess } from './composition/process-guard.ts'
import { type Check, readinessChecks } from './composition/readiness.ts'
import { signingHistoryOf } from './composition/signing-history.ts'
import { StopOrder } from './composition/stop-order.ts'
import { SystemClock } from './composition/system-clock.ts'
import { TransactionFlow } from './composition/transaction-flow.ts'
import { validationObserver } from './composition/validation-metrics.ts'
import { ValidatorSignatures } from './composition/validator-signatures.ts'
import { VerdictFeed } from './composition/verdict-feed.ts'
import { BUILD } from './config/build-info.ts'
import type { Config } from './config/schema.ts'
import { selectMlDsa65 } from './crypto/select.ts'
import { Signer } from './crypto/signer.ts'
import { Mempool } from './mempool/mempool.ts'
import type { Network } from './network/network.ts'
import { ConsensusObserver } from './observability/consensus-observer.ts'
import type { ModuleLogger } from './observability/logger.ts'
import { createMetrics } from './observability/metrics.ts'
import { ConsensusNode } from './runtime/consensus-node.ts'
import { ProvisionalPool } from './runtime/pow/provisional-pool.ts'
import { RangeSync } from './sync/range-sync.ts'
import type { FinalizedBlock } from './types/ledger-state.ts'
import type { MonotonicMs, ValidatorIndex } from './types/primitives.ts'
import { ValidationService } from './validation/validation-service.ts'

export interface NodeOptions {
  readonly dataDir: string
  readonly config: Config
  readonly logger: ModuleLogger
  /** The operator's word that this validator's key has never signed; begins a missing safety record. */
  readonly hasNeverSigned?: boolean
}

/** A node that is up. */
export interface RunningNode {
  readonly addresses: {
    readonly p2p: string[]
    readonly ca: string
    readonly api: string
    readonly metrics: string
  }
  stop(): Promise<void>
  /** Resolves when the node has stopped, for whatever reason. */
  readonly stopped: Promise<void>
}

/** How often waiting transactions are looked at for expiry, and gauges are set. */
const HOUSEKEEPING_MS = 1_000
const TRANSACTION_TTL_MS = 600_000

/**
 * Starts a node.
 * @throws NodeError with code, advice and exit code when something it needs is not there
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const order = new StopOrder()
  const { logger } = options
  const failed = (what: string, error: unknown): void =>
    logger.warn({ what, error }, 'a part did not stop cleanly')
  const stopped = Promise.withResolvers<void>()
  try {
    const addresses = await start(options, order)
    const stop = async (): Promise<void> => {
      await order.stop(failed)
      stopped.resolve()
    }
    return { addresses, stop, stopped: stopped.promise }
  } catch (error) {
    await order.stop(failed)
    throw error
  }
}

async function start(options: NodeOptions, order: StopOrder): Promise<RunningNode['addresses']> {
  const { config, logger, dataDir } = options
  const clock = new SystemClock()
  const onFatal = fatalHandler(logger)
  order.opened('process guard', guardProcess(logger, onFatal))
  const mlDsa = selectMlDsa65()
  const metrics = createMetrics(BUILD)
  order.opened('metrics', () => metrics.stop())
  const storage = await openNodeStorage({
    dataDir,
    mlDsa,
    hasNeverSigned: options.hasNeverSigned ?? false,
    onFatal,
  })
  order.opened('storage', () => storage.close())

  if (storage.genesis.consensus?.engine === 'pow') {
    const { mining } = storage.genesis.consensus
    return startPowNode({ options, storage, mining, metrics, clock, onFatal }, order)
  }

  const { chain, genesis, id, identity, safety, validatorSet } = storage
  const { rules } = storage.genesisState
  const { genesisHash } = rules
  const keyPair = identity.keyPair
  const startedAt = clock.monotonicMs()
  const lastFinal = { at: null as MonotonicMs | null }
  const feed = new VerdictFeed()

  const pool = new Mempool(
    {
      countMax: config.mempool.maxItems,
      bytesMax: config.mempool.maxBytes,
      countPerSourceMax: config.mempool.maxItems,
      bytesPerSourceMax: config.mempool.maxBytes,
      timeToLiveMs: TRANSACTION_TTL_MS,
    },
    {
      now: () => clock.monotonicMs(),
      isFinal: (requestKey) => chain.state.verdict(requestKey) !== null,
      expired: (transactions) =>
        metrics.ledger.mempoolRejected.add(transactions.length, { reason: 'expired' }),
    },
  )

  const fallback =
    genesis.consensus?.engine !== 'bft'
      ? null
      : new NodeFallback({
          fallback: genesis.consensus.fallback,
          rules,
          chain,
          pool,
          clock,
          mining: config.mining,
          network: () => network,
          workArrived: (requestKeys) => consensus.workArrived(requestKeys),
          logger: logger.module('consensus'),
          onFatal,
        })

  const onFinal = (blocks: readonly FinalizedBlock[]): void => {
    lastFinal.at = clock.monotonicMs()
    fallback?.finalized(blocks)
    feed.finalized(blocks)
    if (self !== null) announce(blocks, self, network)
    sync.finalized()
  }

  const consensus = new ConsensusNode({
    rules,
    validatorSet,
    validator:
      safety === null
        ? null
        : {
            id,
            signer: new Signer(keyPair, signingHistoryOf(safety.recovered, genesisHash)),
            log: safety.log,
            recovered: safety.recovered,
          },
    tip: { ...chain.tip, finality: chain.tip.height === 0 ? null : chain.tip.finality },
    finalState: chain.state,
    store: {
      commitFinalized: (blocks) => chain.commitFinalized(blocks),
      putCommitCertificate: (certificate) => chain.commitCertificates.put(certificate),
    },
    pool: fallback === null ? pool : new ProvisionalPool(pool, () => fallback.order()),
    transport: {
      broadcast: (bytes, sendOptions) => network.channel.broadcast(bytes, sendOptions),
      send: (to, bytes) => void network.channel.send(to, bytes),
    },
    fetcher: {
      fetchByHash: async (blockHash, from) => {
        const first = from === null ? undefined : network.peers.peerIdOf(from)
        const fetched = await network.blocks.fetchByHash(blockHash, first)
        return fetched.ok ? fetched.value.value : null
      },
    },
    sync: { request: (target) => sync.request(target) },
    signatures: new ValidatorSignatures(mlDsa, validatorSet),
    clock,
    observe: (event) => observer.observe(event),
    onFinal,
    onHalt: (reason, dump) => onFatal(Object.assign(new Error(`consensus stopped: ${reason}`), { dump })),
    onFatal,
    logger: logger.module('consensus'),
  })
  const { electorate } = consensus
  const self: ValidatorIndex | null = safety === null ? null : electorate.indexOf(id)
  const observer = new ConsensusObserver({
    metrics,
    logger: logger.module('consensus'),
    self,
    validatorCount: electorate.size,
    powerOf: (voters) => Number((electorate.weightOf(voters) * 10_000n) / electorate.totalStake) / 10_000,
    now: () => clock.monotonicMs() / 1_000,
    unixSeconds: () => clock.unixMs() / 1_000,
  })

  const flow = new TransactionFlow({
    pool,
    publish: (transactions) => network.gossip.publishTransactions(transactions),
    workArrived: (requestKeys) => consensus.workArrived(requestKeys),
    rejected: (reason) => metrics.ledger.mempoolRejected.add(1, { reason }),
  })
  pool.onChange((hasTransactions) => {
    if (!hasTransactions) consensus.workExhausted()
  })

  const nodeName = nodeNameOf(id, self)
  const readiness = (): Check[] =>
    readinessChecks({
      electorate,
      parameters: rules.parameters,
      self,
      look: () => consensus.look(),
      now: () => clock.monotonicMs(),
      lastFinalAt: () => lastFinal.at,
      startedAt: () => startedAt,
      peers: () => network.peers.count(),
      syncTarget: () => sync.status.targetHeight,
      storageFailure: () => null,
    })
  const service = new ValidationService({
    store: chain,
    submitter: flow,
    feed,
    readiness: { check: () => validationReadiness(readiness()) },
    clock,
    nodeName,
    version: BUILD.version,
    limits: { deadlineMs: config.ca.deadlineMs },
    observe: validationObserver(metrics),
  })
  order.opened('validation service', () => service.close())

  const network = await buildNetwork(options, storage, metrics, {
    service,
    consensus,
    onTransactions: (batch, from) => flow.received(batch, from),
    ...(fallback === null ? {} : { fallback }),
    self,
    clock,
  })
  const sync = new RangeSync({
    fetcher: {
      peers: () => network.blocks.peers(),
      fetchRange: async (fromHeight, countMax, from) =>
        unwrapFetched(await network.blocks.fetchRange(fromHeight, countMax, from)),
      fetchStatus: async (knownHeight, from) =>
        unwrapFetched(await network.blocks.fetchStatus(knownHeight, from)),
    },
    reader: {
      decodeBlock: (bytes) => {
        const block = decodeBlock(bytes)
        return block.ok ? block.value : null
      },
      verifyCertificate: (bytes) => consensus.verifyFinality(bytes),
    },
    tip: {
      finalHeight: () => chain.tip.height,
      finalHash: () => chain.tip.block.hash,
      take: (blocks, finality) => consensus.take(blocks, finality),
    },
    now: () => clock.monotonicMs(),
    logger: logger.module('sync'),
  })

  network.setValidators(validatorSet.validators.map((validator) => validator.id))
  await network.start()
  order.opened('network', () => network.stop())
  order.opened('consensus', () => consensus.stop())
  order.opened('sync', () => sync.stop())
  consensus.start()
  sync.start()
  if (fallback !== null) {
    fallback.start()
    order.opened('fallback miner', () => fallback.stop())
  }

  const views = new ApiViews({
    version: BUILD.version,
    network: genesis.network,
    genesisHash,
    nodeName,
    peerId: network.host.peerId,
    nodeId: id,
    self,
    electorate,
    chain,
    look: () => consensus.look(),
    unfinalBlock: (hash) => consensus.unfinalBlock(hash),
    ...(fallback === null ? {} : { mined: () => fallback.view() }),
    peers: () => network.peers.list(),
    reachable: () => network.channel.reachable(),
    readiness,
    syncTarget: () => sync.status.targetHeight,
    mempool: () => ({ transactions: pool.size, bytes: pool.bytes }),
    uptimeSeconds: () => Math.round((clock.monotonicMs() - startedAt) / 1_000),
    unixMs: () => clock.unixMs(),
  })
  const housekeeping = setInterval(() => {
    pool.expire()
    setGauges(metrics, pool, readiness(), network, sync)
  }, HOUSEKEEPING_MS)
  order.opened('housekeeping', () => clearInterval(housekeeping))
  const urls = await startListeners(
    { config, logger, directory: storage.directory, clock, metrics, service, views },
    order,
  )
  return { p2p: [...network.host.addresses()], ...urls }
}

function unwrapFetched<T>(
  fetched:
    | { readonly ok: true; readonly value: { readonly value: T } }
    | { readonly ok: false; readonly code: string; readonly detail: string },
) {
  return fetched.ok ? { ok: true as const, value: fetched.value.value } : fetched
}

/** The proposer of a final block tells those who follow; validators have it from consensus. */
function announce(blocks: readonly FinalizedBlock[], self: ValidatorIndex, network: Network): void {
  for (const { block, finality } of blocks) {
    if (block.header.proposer !== self || network.gossip.subscribers('blocks') === 0) continue
    network.gossip.publishBlock(encodeFinalAnnouncement({ block, finality }))
  }
}

/** A request can be judged when the chain moves and this node is on it. */
function validationReadiness(checks: readonly Check[]): { ready: true } | { ready: false; reason: string } {
  const failing = checks.find(
    ({ name, ok }) => !ok && (name === 'finality' || name === 'sync' || name === 'storage'),
  )
  return failing === undefined ? { ready: true } : { ready: false, reason: failing.reason ?? failing.name }
}

/**
 * The composition root: builds every component, joins their ports, starts and stops them in order. Decides
 * nothing; TypeScript checks here that what one layer needs another gives.
 */

import { BlockAnnouncer } from './composition/announce-blocks.ts'
import { ApiViews, nodeNameOf } from './composition/api-views.ts'
import { buildReceipts } from './composition/build-receipts.ts'
import { buildCatchingUp, trustedBlockOf } from './composition/catching-up.ts'
import { openChainUpkeep } from './composition/chain-upkeep.ts'
import { ConsensusSeat } from './composition/consensus-seat.ts'
import { DoppelgangerWait } from './composition/doppelganger-wait.ts'
import { changedSetOf, leaderRecordOf, nextSetOf } from './composition/epochs.ts'
import { commitPairTo, evidenceTo } from './composition/evidence-flow.ts'
import { fatalHandler } from './composition/fatal.ts'
import { fetchBlock } from './composition/fetch-block.ts'
import { haltHandler } from './composition/fork-evidence.ts'
import { setSyncGauges, setValidatorGauges, stakeShare } from './composition/gauges.ts'
import { keepHouse } from './composition/housekeeping.ts'
import { ledgerViews } from './composition/ledger-views.ts'
import { startListeners } from './composition/listeners.ts'
import { NodeEvents } from './composition/node-events.ts'
import { buildFallback } from './composition/node-fallback.ts'
import { buildFlow } from './composition/node-flow.ts'
import { type NodeAddresses, NodeLives } from './composition/node-lives.ts'
import { buildNetwork } from './composition/node-network.ts'
import { buildPool } from './composition/node-pool.ts'
import { buildProofs } from './composition/node-proofs.ts'
import { openNodeStorage } from './composition/node-storage.ts'
import { buildValidation } from './composition/node-validation.ts'
import { startPowNode } from './composition/pow-node.ts'
import { guardProcess } from './composition/process-guard.ts'
import {
  type Check,
  type ReadinessSources,
  readinessChecks,
  safeModeReason,
  validationReadiness,
} from './composition/readiness.ts'
import type { NodeOptions, RunningNode } from './composition/running-node.ts'
import { openSeedCheckpoints } from './composition/seed-checkpoints.ts'
import { StakingAdmission } from './composition/staking-admission.ts'
import type { StopOrder } from './composition/stop-order.ts'
import { SystemClock } from './composition/system-clock.ts'
import { setTrustGauges } from './composition/trust-gauges.ts'
import { holdDuties, listeningMs, watchedDuties } from './composition/validator-duties.ts'
import { notSigningBecause, ValidatorFollowing } from './composition/validator-following.ts'
import { ValidatorSignatures } from './composition/validator-signatures.ts'
import { VerdictFeed } from './composition/verdict-feed.ts'
import { verdictStore } from './composition/verdict-store.ts'
import { BUILD } from './config/build-info.ts'
import { useNativeHashes } from './crypto/native-hashes.ts'
import { selectMlDsa65 } from './crypto/select.ts'
import { barredRequester } from './ledger/four-proofs/requester.ts'
import { ConsensusObserver } from './observability/consensus-observer.ts'
import { createMetrics } from './observability/metrics.ts'
import { ConsensusNode } from './runtime/consensus-node.ts'
import type { ValidatorDuties } from './runtime/consensus-node-options.ts'
import { epochEndHeight } from './types/epochs.ts'
import type { FinalizedBlock } from './types/ledger-state.ts'
import type { MonotonicMs } from './types/primitives.ts'
import type { ValidationTransaction } from './types/transaction.ts'

/**
 * Starts a node.
 * @throws NodeError with code, advice and exit code when something it needs is not there
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  useNativeHashes()
  const lives = new NodeLives((order, restart) => start(options, order, restart), options.logger)
  await lives.begin()
  return {
    get addresses() {
      return lives.addresses
    },
    stop: () => lives.stop(),
    stopped: lives.stopped,
  }
}

async function start(options: NodeOptions, order: StopOrder, restart: () => void): Promise<NodeAddresses> {
  const { config, logger, dataDir } = options
  const clock = new SystemClock()
  const onFatal = fatalHandler(logger)
  order.opened('process guard', guardProcess(logger, onFatal))
  const mlDsa = selectMlDsa65()
  const metrics = createMetrics(BUILD)
  order.opened('metrics', () => metrics.stop())
  const proofs = buildProofs(metrics, logger)
  const storage = await openNodeStorage({
    dataDir,
    mlDsa,
    verifyShielded: proofs.verify,
    hasNeverSigned: options.hasNeverSigned ?? false,
    config: config.storage,
    metrics,
    onFatal,
  })
  order.opened('storage', () => storage.close())
  order.opened('proof threads', () => proofs.workers.stop())

  const { chain, genesis, id, safety } = storage
  const base = { options, storage, proofs, metrics, clock, onFatal }
  if (genesis.consensus?.engine === 'pow') return startPowNode(base, genesis.consensus.mining, order)
  const { rules } = storage.genesisState
  const { epochBlocks } = rules.parameters
  const seeds = openSeedCheckpoints(storage, config.storage.seedCheckpoints, logger.module('storage'))
  const startedAt = clock.monotonicMs()
  const lastFinal = { at: null as MonotonicMs | null }
  const feed = new VerdictFeed((requestKey) => chain.state.judgement(requestKey))
  const events = new NodeEvents(metrics)
  const admission = new StakingAdmission(chain, rules)
  if (storage.installedHeight !== null) {
    logger.info({ height: storage.installedHeight }, 'the state of a snapshot was installed')
  }
  const upkeep = await openChainUpkeep({
    storage,
    config: config.storage,
    epochBlocks,
    isValidator: () => consensus.self !== null,
    changedSet: (header) => changedSetOf(chain, header),
    metrics,
    now: () => clock.monotonicMs(),
    onFatal,
    logger: logger.module('storage'),
  })
  order.opened('chain upkeep', () => upkeep.stop())

  const pool = buildPool({ config: config.mempool, chain, admission, metrics, clock })
  const fallback = buildFallback(storage, {
    pool,
    admission,
    clock,
    proofs: proofs.blocks,
    mining: config.mining,
    network: () => network,
    workArrived: (requestKeys) => consensus.workArrived(requestKeys),
    logger: logger.module('consensus'),
    onFatal,
  })

  const announcer = new BlockAnnouncer({ gossip: () => network.gossip, nowMs: () => clock.monotonicMs() })
  const onFinal = (blocks: readonly FinalizedBlock[]): void => {
    lastFinal.at = clock.monotonicMs()
    watch?.final(blocks)
    fallback?.finalized(blocks)
    feed.finalized(blocks)
    events.finalized(blocks)
    pool.review((transaction) => admission.isHopeless(transaction))
    announcer.finalized(blocks, consensus.self)
    catchingUp.finalized(blocks)
    upkeep.finalized()
  }

  const watched =
    safety === null
      ? null
      : watchedDuties(storage, safety, () => consensus.electorate, metrics, onFatal, options.conduct)
  const watch = watched?.watch
  // Null when this node signs from the start, or not at all.
  const wait =
    safety === null || (safety.place.isHere && safety.place.refuseUpToView <= chain.tip.finality.view)
      ? null
      : new DoppelgangerWait({
          waitMs: listeningMs(config.validator.doppelgangerWaitMs, rules.parameters),
          refuseUpToView: safety.place.refuseUpToView,
          now: () => clock.monotonicMs(),
          isListening: () => network.peers.count() > 0 || consensus.electorate.size === 1,
          isCatchingUp: () => sync.status.isSyncing,
          finalView: () => chain.tip.finality.view,
        })
  const build = (validator: ValidatorDuties | null): ConsensusNode =>
    new ConsensusNode({
      rules,
      nextSet: () => nextSetOf(chain),
      epochEndOf: (epoch) => epochEndHeight(epoch, epochBlocks),
      leaderRecord: leaderRecordOf(chain, rules.parameters),
      validator,
      tip: { ...chain.tip, finality: chain.tip.height === 0 ? null : chain.tip.finality },
      finalState: chain.state,
      judgement: (requestKey) => chain.state.judgement(requestKey),
      proofs: proofs.blocks,
      store: seeds.behind(upkeep.snapshots),
      pool: fallback?.poolBefore(pool) ?? pool,
      transport: {
        broadcast: (bytes, sendOptions) => network.channel.broadcast(bytes, sendOptions),
        send: (to, bytes) => void network.channel.send(to, bytes),
      },
      fetcher: { fetchByHash: (hash, from) => fetchBlock(network, hash, from) },
      sync: { request: (target) => sync.request(target), suspect: () => sync.suspect() },
      signatures: (set) => new ValidatorSignatures(mlDsa, set),
      clock,
      observe: (event) => observer.observe(event),
      onVerified: (verified) => watch?.verified(verified),
      onFinal,
      onEpoch: (electorate) => {
        following.follow(electorate)
        seeds.follow(electorate.set)
      },
      onEquivocation: evidenceTo(() => flow),
      onCommitPair: commitPairTo(() => flow),
      onHalt: haltHandler(storage, () => consensus.electorate.set, onFatal),
      onFatal,
      logger: logger.module('consensus'),
    })
  const consensus = new ConsensusSeat({
    build,
    duties: watched?.duties ?? null,
    isHeld: wait !== null,
    hasWork: () => pool.size > 0,
  })
  const observer = new ConsensusObserver({
    metrics,
    logger: logger.module('consensus'),
    self: () => consensus.self,
    validatorCount: () => consensus.electorate.size,
    powerOf: (voters) => stakeShare(consensus.electorate, voters),
    now: () => clock.monotonicMs() / 1_000,
    unixSeconds: () => clock.unixMs() / 1_000,
  })

  const flow = buildFlow({ ...base, pool, admission, network: () => network, engine: consensus })

  const nodeName = nodeNameOf(id, consensus.electorate.indexOf(id))
  const seen: ReadinessSources = {
    electorate: () => consensus.electorate,
    parameters: rules.parameters,
    self: () => consensus.self,
    look: () => consensus.look(),
    now: () => clock.monotonicMs(),
    lastFinalAt: () => lastFinal.at,
    startedAt: () => startedAt,
    peers: () => network.peers.count(),
    syncTarget: () => sync.status.targetHeight,
    storageFailure: () => storage.diskShortage(),
    signingHeldBecause: () =>
      notSigningBecause({
        isInSet: consensus.electorate.indexOf(id) !== null,
        hasRecord: safety !== null,
        isHeld: consensus.isHeld,
        waitReason: wait?.reason(),
      }),
  }
  const readiness = (): Check[] => readinessChecks(seen)
  const check = () => validationReadiness(seen, safeModeReason(chain.tip))
  const asked = {
    store: verdictStore(chain),
    submitter: flow,
    feed,
    nodeName,
    readiness: { check },
    receipts: buildReceipts(storage, upkeep.receipts, () => network),
    barredRequester: (transaction: ValidationTransaction) => barredRequester(transaction, chain.tip),
  }
  const service = await buildValidation(base, asked, order)

  const network = await buildNetwork(options, storage, metrics, {
    service,
    consensus,
    snapshots: upkeep.snapshots,
    onTransactions: (batch, from) => flow.received(batch, from),
    ...(fallback === null ? {} : { fallback }),
    clock,
  })
  const following = new ValidatorFollowing({
    id,
    hasRecord: safety !== null,
    isHeld: () => consensus.isHeld,
    setValidators: (ids) => network.setValidators(ids),
    logger,
  })
  const catchingUp = buildCatchingUp({
    storage,
    network,
    consensus,
    mlDsa,
    epochBlocks,
    trusted: trustedBlockOf(config),
    metrics,
    onFatal,
    onReady: (height) => {
      logger.info({ height }, 'a snapshot is here; starting with it')
      restart()
    },
    now: () => clock.monotonicMs(),
    logger: logger.module('sync'),
  })
  const sync = catchingUp.ranges

  following.follow(consensus.electorate)
  await network.start()
  order.opened('network', () => network.stop())
  order.opened('consensus', () => consensus.stop())
  order.opened('sync', () => catchingUp.stop())
  order.opened('announcements', () => announcer.stop())
  consensus.start()
  if (safety !== null && wait !== null) {
    const release = async (): Promise<void> => {
      await consensus.takeUpDuties()
      following.follow(consensus.electorate)
    }
    const stopWaiting = holdDuties({ wait, safety, release, onFatal, logger: logger.module('consensus') })
    order.opened('doppelganger wait', stopWaiting)
  }
  catchingUp.start()
  fallback?.start()
  order.opened('fallback miner', () => fallback?.stop())

  const views = new ApiViews({
    rules,
    ...ledgerViews(chain, rules, pool, flow),
    version: BUILD.version,
    network: genesis.network,
    genesisHash: rules.genesisHash,
    nodeName,
    host: network.host,
    nodeId: id,
    self: () => consensus.self,
    electorate: () => consensus.electorate,
    chain,
    trustHistory: upkeep.trust,
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
  keepHouse(
    {
      ...{ metrics, pool, network, service, readiness, events, logger, clock, onFatal },
      database: storage.database,
      setGauges: () => {
        setValidatorGauges(metrics, consensus.electorate, id)
        setSyncGauges(metrics, sync, network.peers.count() === 0)
        setTrustGauges(metrics, chain.tip, id)
      },
    },
    order,
  )
  const urls = await startListeners(
    { config, logger, directory: storage.directory, clock, metrics, service, views, events: events.streams },
    order,
  )
  return { p2p: [...network.host.addresses()], ...urls }
}

/**
 * The composition root of a node whose network is mined: the parts of validator-node.ts with proof of work in
 * place of BFT. Decides nothing.
 */

import { encodeQuorumCertificate } from '../codec/certificates.ts'
import { BUILD } from '../config/build-info.ts'
import { rootOn } from '../consensus/pow/pow-engine.ts'
import { Electorate } from '../consensus/validator-set.ts'
import type { Network } from '../network/network.ts'
import type { Metrics } from '../observability/metrics.ts'
import { PowNode } from '../runtime/pow/pow-node.ts'
import { ThreadMiner } from '../runtime/pow/thread-miner.ts'
import { MinedBlocks } from '../storage/pow-store.ts'
import type { MiningParameters } from '../types/pow.ts'
import { asHeight, type BlockHash, type MonotonicMs } from '../types/primitives.ts'
import { nodeNameOf } from './api-views.ts'
import { nextSetOf } from './epochs.ts'
import { keepHouse } from './housekeeping.ts'
import { ledgerViews } from './ledger-views.ts'
import { startListeners } from './listeners.ts'
import { NodeEvents } from './node-events.ts'
import { buildFlow } from './node-flow.ts'
import type { NodeAddresses } from './node-lives.ts'
import { buildNetwork } from './node-network.ts'
import { buildPool } from './node-pool.ts'
import type { NodeProofs } from './node-proofs.ts'
import type { NodeStorage } from './node-storage.ts'
import { buildValidation } from './node-validation.ts'
import { OperationViews } from './operation-views.ts'
import { OperatorViews } from './operator-views.ts'
import { observePow } from './pow-observer.ts'
import { powReadiness } from './pow-readiness.ts'
import { PowViews } from './pow-views.ts'
import type { NodeOptions } from './running-node.ts'
import { StakingAdmission } from './staking-admission.ts'
import type { StopOrder } from './stop-order.ts'
import type { SystemClock } from './system-clock.ts'
import { VerdictFeed } from './verdict-feed.ts'
import { verdictStore } from './verdict-store.ts'

export interface PowNodeParts {
  readonly options: NodeOptions
  readonly storage: NodeStorage
  readonly proofs: NodeProofs
  readonly metrics: Metrics
  readonly clock: SystemClock
  readonly onFatal: (error: unknown) => void
}

/** Longer than it takes to settle at the slowest interval that is sensible. */
const TRANSACTION_TTL_MS = 86_400_000

/** @throws NodeError with code, advice and exit code when something it needs is not there */
export async function startPowNode(
  parts: PowNodeParts,
  mining: MiningParameters,
  order: StopOrder,
): Promise<NodeAddresses> {
  const { options, storage, metrics, clock, onFatal } = parts
  const { config, logger } = options
  const { chain, genesisState, id } = storage
  const { rules } = genesisState
  const powLogger = logger.module('consensus')
  const startedAt = clock.monotonicMs()
  const lastBlock = { at: null as MonotonicMs | null }
  const feed = new VerdictFeed((requestKey) => chain.state.judgement(requestKey))
  const events = new NodeEvents(metrics)
  const admission = new StakingAdmission(chain, rules)
  const pool = buildPool({
    config: config.mempool,
    chain,
    admission,
    metrics,
    clock,
    timeToLiveMs: TRANSACTION_TTL_MS,
  })
  const mined = new MinedBlocks(storage.database, chain, onFatal)
  const miner = config.mining.enabled
    ? new ThreadMiner({ hashesPerSecondMax: config.mining.hashesPerSecondMax, onFailure: onFatal })
    : null
  if (miner !== null) order.opened('mining thread', () => miner.close())
  const electorate = () => new Electorate(nextSetOf(chain))
  const node = new PowNode({
    rules,
    mining,
    electorate,
    root: mined.root() ?? rootOn(genesisState.block),
    stateRoot: chain.tip.stateRoot,
    settledState: chain.state,
    kept: await mined.kept(),
    notFinal: genesisState.finality,
    store: mined,
    pool,
    proofs: parts.proofs.blocks,
    network: {
      announce: (sealed) => void network.gossip.publishMined(sealed.bytes),
      fetchByHash: async (hash, from) => {
        const fetched = await network.blocks.fetchByHash(hash as string as BlockHash, from ?? undefined)
        return fetched.ok ? { bytes: fetched.value.value, from: fetched.value.from } : null
      },
      fetchRange: async (fromHeight, countMax) => {
        const [peer] = network.blocks.peers()
        if (peer === undefined) return null
        const fetched = await network.blocks.fetchRange(asHeight(fromHeight), countMax, peer)
        return fetched.ok ? { blocks: fetched.value.value.blocks, from: peer } : null
      },
    },
    miner,
    clock,
    observe: (event) => {
      if (event.kind === 'tip-changed') lastBlock.at = clock.monotonicMs()
      observePow(event, powLogger)
    },
    onSettled: (blocks) => {
      feed.finalized(blocks)
      events.finalized(blocks)
      pool.review((transaction) => admission.isHopeless(transaction))
    },
    onFatal,
  })
  const flow = buildFlow({ ...parts, pool, admission, network: () => network, engine: node })
  const nodeName = nodeNameOf(id, null)
  const readiness = () =>
    powReadiness({
      mining,
      look: () => node.look(),
      now: () => clock.monotonicMs(),
      lastBlockAt: () => lastBlock.at,
      startedAt,
      peers: () => network.peers.count(),
      storageFailure: () => storage.diskShortage(),
    })
  const check = () => {
    const failing = readiness().find(({ ok }) => !ok)
    return failing === undefined
      ? { ready: true as const }
      : { ready: false as const, reason: failing.reason ?? failing.name }
  }
  const asked = { store: verdictStore(chain), submitter: flow, feed, nodeName, readiness: { check } }
  const service = await buildValidation(parts, asked, order)

  const network: Network = await buildNetwork(options, storage, metrics, {
    service,
    // There is no BFT here: its channel has nobody to open it, and no block is announced as final.
    consensus: {
      announced: () => 'reject',
      unfinalBlock: (hash) => node.unfinalBlock(hash),
      receive: () => 'ignored',
      reachabilityChanged: () => {},
    },
    onMined: (bytes, from) => node.announced(bytes, from),
    blockSource: {
      blockByHash: (hash) => node.unfinalBlock(hash),
      range: (fromHeight, countMax, bytesMax) => ({
        blocks: node.range(fromHeight, countMax, bytesMax),
        certificate: null,
      }),
      finality: () => ({ height: asHeight(0), certificate: encodeQuorumCertificate(genesisState.finality) }),
      lowestHeight: () => chain.lowestHeight,
    },
    onTransactions: (batch, from) => flow.received(batch, from),
    clock,
  })
  network.setValidators([])
  await network.start()
  order.opened('network', () => network.stop())
  order.opened('consensus', async () => {
    await node.stop()
    await mined.written()
  })
  node.start()

  const views = new PowViews({
    version: BUILD.version,
    network: storage.genesis.network,
    genesis: genesisState,
    nodeName,
    host: network.host,
    nodeId: id,
    electorate,
    chain,
    operators: new OperatorViews(chain, genesisState.rules),
    operations: new OperationViews(chain),
    ...ledgerViews(chain, genesisState.rules, pool, flow),
    node,
    settledBlock: (name) => mined.settledBlock(name),
    peers: () => network.peers.list(),
    readiness,
    mempool: () => ({ transactions: pool.size, bytes: pool.bytes }),
    uptimeSeconds: () => Math.round((clock.monotonicMs() - startedAt) / 1_000),
    unixMs: () => clock.unixMs(),
  })
  keepHouse(
    {
      ...{ metrics, pool, network, service, readiness, events, logger, clock, onFatal },
      database: storage.database,
      setGauges: () => metrics.consensus.height.set(node.look().tip.block.header.height),
    },
    order,
  )
  const urls = await startListeners(
    { config, logger, directory: storage.directory, clock, metrics, service, views, events: events.streams },
    order,
  )
  return { p2p: [...network.host.addresses()], ...urls }
}

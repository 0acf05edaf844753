/** Catching up, by ranges of blocks or by a snapshot, joined to network, consensus and chain. */
import { decodeBlock } from '../codec/block.ts'
import type { Config } from '../config/schema.ts'
import { isFiller } from '../ledger/chain-rules.ts'
import type { Network } from '../network/network.ts'
import type { Metrics } from '../observability/metrics.ts'
import { RangeSync } from '../sync/range-sync.ts'
import type { TrustedBlock } from '../sync/trusted-set.ts'
import type { HashedBlock } from '../types/block.ts'
import type { AheadCertificate, QuorumCertificate } from '../types/certificates.ts'
import { asHeight, type BlockHash } from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'
import type { NodeStorage } from './node-storage.ts'
import { buildSnapshotSync, type SnapshotJoinOptions } from './snapshot-join.ts'
import { TrustPin } from './trust-pin.ts'

export interface CatchingUpOptions extends Omit<SnapshotJoinOptions, 'storage' | 'network'> {
  readonly storage: SnapshotJoinOptions['storage'] & Pick<NodeStorage, 'chain'>
  readonly network: Pick<Network, 'blocks' | 'snapshots'>
  readonly consensus: {
    verifyFinality(bytes: Uint8Array): Verified<QuorumCertificate> | AheadCertificate | null
    take(blocks: readonly HashedBlock[], finality: Verified<QuorumCertificate>): void
  }
  readonly metrics: Pick<Metrics, 'ledger'>
  readonly onFatal: (error: unknown) => void
}

export interface CatchingUp {
  readonly ranges: RangeSync
  /** Blocks have become final here. */
  finalized(blocks: readonly { readonly block: HashedBlock }[]): void
  start(): void
  stop(): Promise<void>
}

/** @throws TrustError `E_TRUST` (65) when the chain on this disk is not the one that the operator trusts */
export function buildCatchingUp(options: CatchingUpOptions): CatchingUp {
  const { storage, network, consensus, trusted, now, logger } = options
  const { chain } = storage
  const pin = new TrustPin(trusted, logger)
  pin.requireIn((height) => chain.hashAt(height))
  const snapshots = buildSnapshotSync(options)
  let prunedAt: number | null = null
  const ranges = new RangeSync({
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
        return block.ok && pin.admits(block.value) ? block.value : null
      },
      verifyCertificate: (bytes) => consensus.verifyFinality(bytes),
      isFiller: ({ header }) => isFiller(header, options.epochBlocks),
    },
    tip: {
      finalHeight: () => chain.tip.height,
      finalHash: () => chain.tip.block.hash,
      take: (blocks, finality) => consensus.take(blocks, finality),
    },
    epochBlocks: options.epochBlocks,
    onPruned: () => {
      const { height } = chain.tip
      if (height === 0) snapshots.request()
      // Every peer that is asked again says it again.
      else if (height !== prunedAt) {
        prunedAt = height
        logger.error({ height, ...PRUNED_ADVICE }, 'no peer has the block after ours any more')
      }
    },
    onBlocks: (result, count) => options.metrics.ledger.syncBlocks.add(count, { result }),
    now,
    logger,
  })
  return {
    ranges,
    finalized: (blocks) => {
      ranges.finalized()
      try {
        for (const { block } of blocks)
          pin.requireIn((height) => (height === block.header.height ? block.hash : null))
      } catch (error) {
        options.onFatal(error)
      }
    },
    start: () => ranges.start(),
    stop: async () => {
      ranges.stop()
      await snapshots.stop()
    },
  }
}

/** What is told when a node was away for longer than its peers keep blocks. */
const PRUNED_ADVICE = {
  why: 'all peers keep fewer blocks than this node is behind',
  fix: 'stop the node, move its db directory away and start it again: it joins by a snapshot; the keys stay',
}

function unwrapFetched<T>(
  fetched:
    | { readonly ok: true; readonly value: { readonly value: T } }
    | { readonly ok: false; readonly code: string; readonly detail: string },
) {
  return fetched.ok ? { ok: true as const, value: fetched.value.value } : fetched
}

/** The block that the operator named, if any. */
export function trustedBlockOf({ sync: { trust } }: Config): TrustedBlock | null {
  return trust === null ? null : { height: asHeight(trust.height), hash: trust.hash as BlockHash }
}

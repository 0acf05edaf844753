/** Joins fetching a snapshot to the network, the codecs, the disk and what this node trusts. */
import { decodeBlock } from '../codec/block.ts'
import { decodeChunk, decodeHandOver, decodeManifest } from '../codec/snapshot.ts'
import type { MlDsa65 } from '../crypto/ml-dsa.ts'
import { signatureVerifier } from '../crypto/verify-signature.ts'
import { quorumCheck } from '../ledger/quorum-check.ts'
import { stateRoot } from '../ledger/state-root.ts'
import type { Network } from '../network/network.ts'
import { IncomingSnapshot } from '../storage/incoming-snapshot.ts'
import { SnapshotSync } from '../sync/snapshot-sync.ts'
import type { TrustedBlock } from '../sync/trusted-set.ts'
import type { Result } from '../types/errors.ts'
import type { Logger } from '../types/logger.ts'
import type { Height } from '../types/primitives.ts'
import type { NodeStorage } from './node-storage.ts'
import { incomingPath } from './snapshot-opening.ts'

export interface SnapshotJoinOptions {
  readonly storage: Pick<NodeStorage, 'directory' | 'genesisState'>
  readonly network: Pick<Network, 'blocks' | 'snapshots'>
  readonly mlDsa: MlDsa65
  readonly epochBlocks: number
  readonly trusted: TrustedBlock | null
  readonly onReady: (height: Height) => void
  readonly now: () => number
  readonly logger: Logger
}

/** A value or null, of a remote's making. */
const readable = <T>(result: Result<T>): T | null => (result.ok ? result.value : null)

export function buildSnapshotSync(options: SnapshotJoinOptions): SnapshotSync {
  const { storage, network, mlDsa, epochBlocks, trusted, onReady, now, logger } = options
  const { genesisHash, fixedRoots } = storage.genesisState.rules
  const { staking, accumulators } = storage.genesisState.state
  return new SnapshotSync({
    fetcher: {
      peers: () => network.blocks.peers(),
      list: (peer, aboveHeight) => network.snapshots.list(peer, aboveHeight),
      manifest: (peer, height) => network.snapshots.manifest(peer, height),
      chunk: (peer, sha256) => network.snapshots.chunk(peer, sha256),
      handOver: (peer, fromEpoch) => network.snapshots.handOver(peer, fromEpoch),
      blockByHash: async (hash) => {
        const fetched = await network.blocks.fetchByHash(hash)
        return fetched.ok ? fetched.value.value : null
      },
    },
    reader: {
      manifest: (bytes) => readable(decodeManifest(bytes)),
      handOver: (bytes) => readable(decodeHandOver(bytes)),
      chunk: (bytes, count) => readable(decodeChunk(bytes, count)),
      headerOf: (bytes, hash) => {
        const block = decodeBlock(bytes)
        return block.ok && block.value.hash === hash ? block.value.header : null
      },
    },
    incoming: new IncomingSnapshot(incomingPath(storage.directory.root)),
    genesisHash,
    genesisSet: { epoch: staking.epoch, validators: staking.validators },
    epochBlocks,
    isCertified: quorumCheck(genesisHash, signatureVerifier(mlDsa)),
    stateRootOf: (of, state, voting) => stateRoot(of, state, voting, fixedRoots),
    genesisShielded: accumulators.shielded,
    trusted,
    onReady,
    now,
    logger,
  })
}

/** What the public API shows of a network that is mined. Plain data out, no decisions; nothing but genesis is final. */
import type { Electorate } from '../consensus/validator-set.ts'
import type { GenesisState } from '../ledger/genesis-state.ts'
import type { NetworkHost } from '../network/host.ts'
import type { PeerEntry } from '../network/peers.ts'
import type {
  ApiPorts,
  BlockReference,
  BlockView,
  PeerView,
  ReadinessCheck,
  StatusView,
  ValidatorView,
} from '../rpc/http/api-ports.ts'
import type { OperationPorts } from '../rpc/http/operation-ports.ts'
import type { OperatorPorts } from '../rpc/http/operator-ports.ts'
import type { ShieldedPorts } from '../rpc/http/shielded-ports.ts'
import type { StakingPorts } from '../rpc/http/staking-ports.ts'
import type { PowNode } from '../runtime/pow/pow-node.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { HashedBlock } from '../types/block.ts'
import { epochEndHeight, epochOf } from '../types/epochs.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { SealedBlock, SealHash } from '../types/pow.ts'
import { type BlockHash, type Height, nextHeight, type ValidatorId } from '../types/primitives.ts'
import { blockView, peerView } from './shared-views.ts'

export interface PowViewSources {
  readonly version: string
  readonly network: string
  readonly genesis: GenesisState
  readonly nodeName: string
  readonly host: Pick<NetworkHost, 'peerId' | 'addresses'>
  readonly nodeId: ValidatorId
  /** Those who would decide next, if anybody did. */
  readonly electorate: () => Electorate
  readonly chain: ChainStore
  readonly staking: StakingPorts
  readonly shielded: ShieldedPorts
  readonly operators: OperatorPorts
  readonly operations: OperationPorts
  readonly node: PowNode
  settledBlock(name: SealHash): SealedBlock | null
  peers(): readonly PeerEntry[]
  readiness(): readonly ReadinessCheck[]
  mempool(): { readonly transactions: number; readonly bytes: number }
  uptimeSeconds(): number
  unixMs(): number
}

export class PowViews implements ApiPorts {
  readonly #sources: PowViewSources

  constructor(sources: PowViewSources) {
    this.#sources = sources
  }

  get shielded(): ShieldedPorts {
    return this.#sources.shielded
  }

  get staking(): StakingPorts {
    return this.#sources.staking
  }

  get operations(): OperationPorts {
    return this.#sources.operations
  }

  get operators(): OperatorPorts {
    return this.#sources.operators
  }

  lowestHeight(): number {
    return this.#sources.chain.lowestHeight
  }

  status(): StatusView {
    const { version, network, genesis, nodeName, host, node, electorate, chain } = this.#sources
    const { rules } = genesis
    const failing = this.readiness().filter(({ ok }) => !ok)
    const { tip, root, isMining } = node.look()
    const { header } = tip.block
    const { epochBlocks } = rules.parameters
    const epoch = epochOf(nextHeight(header.height), epochBlocks)
    return {
      version,
      network,
      genesisHash: rules.genesisHash,
      node: {
        name: nodeName,
        peerId: host.peerId,
        addresses: host.addresses(),
        role: 'follower',
        validatorId: null,
        validatorIndex: null,
        seat: null,
        uptimeSeconds: this.#sources.uptimeSeconds(),
      },
      ready: failing.length === 0,
      notReadyBecause: failing.map(({ name, reason }) => `${name}: ${reason}`),
      epoch,
      epochEndHeight: epochEndHeight(epoch, epochBlocks),
      view: 0,
      leader: null,
      mined: {
        height: header.height,
        hash: tip.block.hash,
        time: header.timestamp,
        work: `${tip.work}`,
        bits: node.sealedAt(header.height)?.seal.bits ?? null,
        settledHeight: root.block.header.height,
        isMining,
      },
      final: {
        height: 0,
        hash: genesis.block.hash,
        view: 0,
        time: genesis.block.header.timestamp,
        stateRoot: genesis.stateRoot,
        voters: [],
      },
      certifiedHeight: null,
      lowestHeight: chain.lowestHeight,
      targetHeight: null,
      validators: electorate().size,
      validatorsConnected: 0,
      peers: new Set(this.#sources.peers().map((peer) => peer.peerId)).size,
      slashes: { recent: chain.tip.staking.slashes.length, burnt: chain.tip.staking.burnt },
      mempool: this.#sources.mempool(),
    }
  }

  peers(): PeerView[] {
    const now = this.#sources.unixMs()
    return this.#sources.peers().map((peer) => peerView(peer, now, null))
  }

  /** Nobody validates: the keys in genesis are only named. */
  validators(): ValidatorView[] {
    return []
  }

  /** Verdicts come with their requests, so nobody is trusted with them. */
  trustHistory(): null {
    return null
  }

  block(reference: BlockReference): BlockView | null {
    const { node, genesis } = this.#sources
    switch (reference.kind) {
      case 'final':
        return this.#view(genesis.block)
      case 'head':
        return this.#view(node.look().tip.block)
      case 'height': {
        if (reference.height === 0) return this.#view(genesis.block)
        const sealed = node.sealedAt(reference.height)
        return sealed === null ? null : this.#view(sealed.block)
      }
      case 'hash':
        return this.#byHash(reference.hash as BlockHash)
    }
  }

  readiness(): readonly ReadinessCheck[] {
    return this.#sources.readiness()
  }

  /** By the block's own hash, settled or executed here. */
  #byHash(hash: BlockHash): BlockView | null {
    const { chain, node } = this.#sources
    const height = chain.heightOf(hash)
    const block = height === null ? node.executed(hash)?.block : chain.blockAt(height)
    return block === undefined || block === null ? null : this.#view(block)
  }

  #view(block: HashedBlock): BlockView {
    const { stateRoot, verdicts } = this.#after(block)
    return blockView(block, { stateRoot, isFinal: block.header.height === 0, voters: [], verdicts })
  }

  #after({ hash, header }: HashedBlock): {
    stateRoot: string | null
    verdicts: readonly Pick<StoredVerdict, 'record' | 'failures'>[]
  } {
    const { chain, node } = this.#sources
    const executed = node.executed(hash)
    if (executed !== null) {
      const { verdicts, judgements } = executed.changes
      const failures = new Map(judgements.map((judgement) => [judgement.requestKey, judgement.failures]))
      return {
        stateRoot: executed.stateRoot,
        verdicts: verdicts.map((record) => ({ record, failures: failures.get(record.requestKey) ?? null })),
      }
    }
    const height: Height = header.height
    return {
      stateRoot: chain.stateRootAt(height),
      verdicts: chain.verdictsAt(height) ?? [],
    }
  }
}

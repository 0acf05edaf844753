/** What the public API shows, gathered from the layers. Plain data out, no decisions. */

import { decodeBlock } from '../codec/block.ts'
import type { ReplicaView } from '../consensus/replica.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import { nextValidators } from '../ledger/staking/end-epoch.ts'
import { ownerOfKey } from '../ledger/staking/validator-keys.ts'
import type { NetworkHost } from '../network/host.ts'
import type { PeerEntry } from '../network/peers.ts'
import type {
  ApiPorts,
  BlockReference,
  BlockView,
  PeerView,
  ReadinessCheck,
  StatusView,
  TrustHistoryView,
  TrustView,
  ValidatorView,
} from '../rpc/http/api-ports.ts'
import type { OperationPorts } from '../rpc/http/operation-ports.ts'
import type { OperatorPorts } from '../rpc/http/operator-ports.ts'
import type { ShieldedPorts } from '../rpc/http/shielded-ports.ts'
import type { StakingPorts } from '../rpc/http/staking-ports.ts'
import type { ChainTip } from '../storage/chain-opening.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { TrustHistory } from '../storage/trust-history.ts'
import type { HashedBlock } from '../types/block.ts'
import { epochEndHeight } from '../types/epochs.ts'
import {
  type AccountId,
  asHeight,
  type BlockHash,
  type GenesisHash,
  type ValidatorId,
  type ValidatorIndex,
} from '../types/primitives.ts'
import { TRUST_MAX, type ValidatorTrust } from '../types/voting.ts'
import { OperationViews } from './operation-views.ts'
import { OperatorViews } from './operator-views.ts'
import { blockView, peerView } from './shared-views.ts'

export interface ApiSources {
  readonly version: string
  readonly network: string
  readonly genesisHash: GenesisHash
  readonly nodeName: string
  readonly host: Pick<NetworkHost, 'peerId' | 'addresses'>
  readonly nodeId: ValidatorId
  /** Of the epoch that is going on. */
  self(): ValidatorIndex | null
  electorate(): Electorate
  readonly chain: ChainStore
  readonly trustHistory: Pick<TrustHistory, 'of'>
  readonly rules: Pick<ChainRules, 'parameters' | 'policy'>
  readonly staking: StakingPorts
  readonly shielded: ShieldedPorts
  look(): ReplicaView
  unfinalBlock(hash: BlockHash): Uint8Array | null
  /** What is mined beside BFT; absent where nothing ever is. */
  readonly mined?: () => StatusView['mined'] & object
  peers(): readonly PeerEntry[]
  reachable(): ReadonlySet<ValidatorId>
  readiness(): readonly ReadinessCheck[]
  syncTarget(): number
  mempool(): { readonly transactions: number; readonly bytes: number }
  uptimeSeconds(): number
  unixMs(): number
}

export class ApiViews implements ApiPorts {
  readonly operators: OperatorPorts
  readonly operations: OperationPorts
  readonly #sources: ApiSources

  constructor(sources: ApiSources) {
    this.#sources = sources
    this.operators = new OperatorViews(sources.chain, sources.rules)
    this.operations = new OperationViews(sources.chain)
  }

  get shielded(): ShieldedPorts {
    return this.#sources.shielded
  }

  get staking(): StakingPorts {
    return this.#sources.staking
  }

  lowestHeight(): number {
    return this.#sources.chain.lowestHeight
  }

  status(): StatusView {
    const { version, network, genesisHash, nodeName, host, nodeId, chain } = this.#sources
    const self = this.#sources.self()
    const electorate = this.#sources.electorate()
    const look = this.#sources.look()
    const { tip } = chain
    const failing = this.readiness().filter(({ ok }) => !ok)
    const target = this.#sources.syncTarget()
    const reachable = this.#sources.reachable()
    // A node without a place among the validators has no channels to them.
    const connected = new Set(this.#sources.peers().flatMap((peer) => peer.validatorId ?? []))
    return {
      version,
      network,
      genesisHash,
      node: {
        name: nodeName,
        peerId: host.peerId,
        addresses: host.addresses(),
        role: self === null ? 'follower' : 'validator',
        validatorId: self === null ? null : nodeId,
        validatorIndex: self,
        seat: electorate.indexOf(nodeId),
        uptimeSeconds: this.#sources.uptimeSeconds(),
      },
      ready: failing.length === 0,
      notReadyBecause: failing.map(({ name, reason }) => `${name}: ${reason}`),
      epoch: electorate.set.epoch,
      epochEndHeight: epochEndHeight(electorate.set.epoch, this.#sources.rules.parameters.epochBlocks),
      view: look.view,
      leader: {
        validatorIndex: look.leader,
        validatorId: electorate.at(look.leader)?.id ?? '',
        isThisNode: look.leader === self,
      },
      ...(this.#sources.mined === undefined ? {} : { mined: this.#sources.mined() }),
      final: {
        height: tip.height,
        hash: tip.block.hash,
        view: tip.block.header.view,
        time: tip.block.header.timestamp,
        stateRoot: tip.stateRoot,
        voters: tip.finality.signatures.map(({ voter }) => voter),
      },
      certifiedHeight: chain.commitCertificates.latest?.height ?? null,
      lowestHeight: chain.lowestHeight,
      targetHeight: target > 0 ? target : null,
      validators: electorate.size,
      validatorsConnected: electorate.set.validators.filter(
        ({ id }) => reachable.has(id) || connected.has(id),
      ).length,
      peers: new Set(this.#sources.peers().map((peer) => peer.peerId)).size,
      slashes: { recent: tip.staking.slashes.length, burnt: tip.staking.burnt },
      mempool: this.#sources.mempool(),
    }
  }

  peers(): PeerView[] {
    const electorate = this.#sources.electorate()
    const now = this.#sources.unixMs()
    return this.#sources.peers().map((peer) => peerView(peer, now, electorate))
  }

  validators(): ValidatorView[] {
    const self = this.#sources.self()
    const electorate = this.#sources.electorate()
    const { chain, rules, nodeId } = this.#sources
    const reachable = this.#sources.reachable()
    const next = new Map(
      nextValidators(chain.tip.staking, rules.parameters.minimumValidatorStake).map(({ id, stake }) => [
        id,
        stake,
      ]),
    )
    const trustOf = (id: ValidatorId): TrustView | null => {
      const trust = trustIn(id, chain.tip)
      return trust === null ? null : trustView(trust)
    }
    const members = electorate.set.validators.map(({ id, stake }, index) => ({
      index,
      validatorId: id,
      stake,
      nextStake: next.get(id) ?? 0n,
      isThisNode: index === self,
      isConnected: index === self || reachable.has(id),
      trust: trustOf(id),
    }))
    const newcomers = [...next].filter(([id]) => electorate.indexOf(id) === null)
    return [
      ...members,
      ...newcomers.map(([id, stake]) => ({
        index: null,
        validatorId: id,
        stake: 0n,
        nextStake: stake,
        isThisNode: id === nodeId,
        isConnected: id === nodeId || reachable.has(id),
        trust: trustOf(id),
      })),
    ]
  }

  trustHistory(id: string): TrustHistoryView | null {
    const { chain, trustHistory } = this.#sources
    const trust = chain.tip.voting.trust.get(id as AccountId) ?? trustIn(id as ValidatorId, chain.tip)
    if (trust === null) return null
    return {
      account: trust.account,
      now: trustView(trust),
      changes: trustHistory.of(trust.account).toReversed(),
    }
  }

  block(reference: BlockReference): BlockView | null {
    const { chain } = this.#sources
    switch (reference.kind) {
      case 'final':
      case 'head':
        return this.#view(chain.tip.block, true)
      case 'height':
        return this.#viewOrNull(chain.blockAt(asHeight(reference.height)), true)
      case 'hash': {
        const hash = reference.hash as BlockHash
        const height = chain.heightOf(hash)
        if (height !== null) return this.#viewOrNull(chain.blockAt(height), true)
        const bytes = this.#sources.unfinalBlock(hash)
        const decoded = bytes === null ? null : decodeBlock(bytes)
        return decoded?.ok === true ? this.#view(decoded.value, false) : null
      }
    }
  }

  readiness(): readonly ReadinessCheck[] {
    return this.#sources.readiness()
  }

  #viewOrNull(block: HashedBlock | null, isFinal: boolean): BlockView | null {
    return block === null ? null : this.#view(block, isFinal)
  }

  #view(block: HashedBlock, isFinal: boolean): BlockView {
    const { chain } = this.#sources
    const { header } = block
    const isTip = block.hash === chain.tip.block.hash
    return blockView(block, {
      stateRoot: isFinal ? chain.stateRootAt(header.height) : null,
      isFinal,
      voters: isTip ? chain.tip.finality.signatures.map(({ voter }) => voter) : [],
      verdicts: isFinal ? (chain.verdictsAt(header.height) ?? []) : [],
    })
  }
}

/** A node's name in its answers: short, stable, and the same as in logs. */
export function nodeNameOf(id: ValidatorId, self: ValidatorIndex | null): string {
  return self === null ? `node-${id.slice(0, 12)}` : `validator-${self}-${id.slice(0, 12)}`
}

function trustIn(
  id: ValidatorId,
  { staking, voting }: Pick<ChainTip, 'staking' | 'voting'>,
): ValidatorTrust | null {
  const owner = ownerOfKey(id, staking.accounts)
  return (owner === null ? undefined : voting.trust.get(owner.account.id)) ?? null
}

function trustView(trust: ValidatorTrust): TrustView {
  return {
    score: trust.ppm / TRUST_MAX,
    ppm: trust.ppm,
    status: trust.status,
    exclusions: trust.exclusions,
    excludedUntilPeriod: trust.status === 'excluded' ? trust.untilPeriod : null,
    cleanPeriods: trust.cleanStreak,
    slots: trust.opportunities,
    agreed: trust.agreed,
    dissented: trust.dissented,
    withheld: trust.withheld,
    absent: trust.absent,
  }
}

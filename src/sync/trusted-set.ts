/**
 * The validator set of an epoch, from what this node trusts: genesis, and a block that the operator named, if any.
 * Follows hand-over proofs that peers give; believes none of them further than its signatures.
 */
import { followHandOver, type HandOverContext, setInEpoch } from '../ledger/hand-over.ts'
import { validatorSetRoot } from '../ledger/staking/staking-root.ts'
import { epochOf } from '../types/epochs.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { asHeight, type BlockHash, type Epoch, type Height } from '../types/primitives.ts'
import type { SnapshotManifest } from '../types/snapshot.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { SnapshotFetcher, SnapshotReader } from './snapshot-ports.ts'

/** A block that the operator says is final. */
export interface TrustedBlock {
  readonly height: Height
  readonly hash: BlockHash
}

export interface TrustOptions extends HandOverContext {
  readonly fetcher: Pick<SnapshotFetcher, 'handOver' | 'blockByHash'>
  readonly reader: Pick<SnapshotReader, 'handOver' | 'headerOf'>
  readonly genesisSet: ValidatorSet
  readonly trusted: TrustedBlock | null
}

/** A set, and the proofs that led to it: to be kept and served, as they were served to us. */
export interface ProvenSet {
  readonly set: ValidatorSet
  readonly proofs: readonly { readonly epoch: Epoch; readonly bytes: Uint8Array }[]
}

export type TrustRefusal = 'wrong-hand-over' | 'not-trusted' | 'trusted-block-missing'

/**
 * The set that signed a manifest's block, when the way to it from what is trusted holds.
 * A trusted block above the manifest's says nothing here; range sync meets it on its way.
 */
export async function provenSet(
  manifest: SnapshotManifest,
  peer: string,
  blockHash: BlockHash,
  options: TrustOptions,
): Promise<Result<ProvenSet, TrustRefusal>> {
  const { trusted, genesisSet } = options
  const { height, epoch } = manifest.header
  if (trusted !== null && trusted.height === height && trusted.hash !== blockHash) {
    return refuse('not-trusted', `block ${height} is ${blockHash}, you trust ${trusted.hash}`)
  }
  const sets: ValidatorSet[] = [genesisSet]
  const proofs: { epoch: Epoch; bytes: Uint8Array }[] = []
  let set = genesisSet
  while (set.epoch < epoch) {
    const answer = await options.fetcher.handOver(peer, set.epoch)
    // The set did not change again.
    if (!answer.ok) break
    const handOver = options.reader.handOver(answer.value)
    if (handOver === null) return refuse('wrong-hand-over', `${peer} gave no hand-over proof`)
    if (handOver.header.epoch >= epoch) break
    const next = followHandOver(set, handOver, options)
    if (!next.ok) return next
    proofs.push({ epoch: handOver.header.epoch, bytes: answer.value })
    set = next.value
    sets.push(set)
  }
  const there = setInEpoch(set, epoch)
  if (there === null) return refuse('wrong-hand-over', `no set of epoch ${epoch}`)
  const refusal = await crossTrusted(sets, height, options)
  return refusal ?? ok({ set: there, proofs })
}

/** The sets on the way must be the ones that the trusted block names, where it lies on the way. */
async function crossTrusted(
  sets: readonly ValidatorSet[],
  height: Height,
  { trusted, fetcher, reader, epochBlocks }: TrustOptions,
): Promise<Result<never, TrustRefusal> | null> {
  if (trusted === null || trusted.height >= height) return null
  const bytes = await fetcher.blockByHash(trusted.hash)
  const header = bytes === null ? null : reader.headerOf(bytes, trusted.hash)
  if (header === null) return refuse('trusted-block-missing', `no peer has block ${trusted.hash}`)
  if (header.height !== trusted.height) {
    return refuse('not-trusted', `block ${trusted.hash} has height ${header.height}, not ${trusted.height}`)
  }
  const epoch = epochOf(asHeight(header.height + 1), epochBlocks)
  const set = sets.findLast((candidate) => candidate.epoch <= epoch)
  const isSame = set !== undefined && validatorSetRoot(set.validators) === header.validatorSetRoot
  return isSame
    ? null
    : refuse('not-trusted', `the set of epoch ${epoch} is not the one of the trusted block`)
}

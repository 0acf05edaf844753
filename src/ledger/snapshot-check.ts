/**
 * What makes a snapshot's manifest true: a quorum's certificate over the state root of its block. Trusts nobody who
 * served it. Signatures are checked through a port; the entries are for snapshot-replay.ts.
 */
import { blockHash } from '../codec/block.ts'
import { CHUNK_BYTES_MAX } from '../codec/snapshot.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { BlockHash, GenesisHash, StateRoot } from '../types/primitives.ts'
import { SNAPSHOT_PARTS, type SnapshotManifest } from '../types/snapshot.ts'
import type { ValidatorSet } from '../types/validator-set.ts'

/** Hash of the block that a manifest's header is of. */
export function snapshotBlockHash({ header }: Pick<SnapshotManifest, 'header'>): BlockHash {
  return blockHash(header)
}

/** Whether a certificate is a quorum's of this set, every signature checked. */
export type CertificateCheck = (certificate: QuorumCertificate, set: ValidatorSet) => boolean

export type SnapshotRefusal =
  | 'wrong-network'
  | 'wrong-certificate'
  | 'wrong-chunks'
  | 'wrong-entry'
  | 'wrong-root'

/** What a manifest is checked against. */
export interface ManifestContext {
  readonly genesisHash: GenesisHash
  /** The set of the epoch of the manifest's block, from genesis and the hand-over proofs (hand-over.ts). */
  readonly set: ValidatorSet
  readonly isCertified: CertificateCheck
}

/** The manifest's certificates hold and speak of its header; its chunks follow each other. */
export function checkManifest(
  manifest: SnapshotManifest,
  { genesisHash, set, isCertified }: ManifestContext,
): Result<{ readonly blockHash: BlockHash; readonly stateRoot: StateRoot }, SnapshotRefusal> {
  const { header, certificate, finality } = manifest
  if (header.genesisHash !== genesisHash) return refuse('wrong-network', `genesis ${header.genesisHash}`)
  const hash = blockHash(header)
  const isOfBlock = (of: QuorumCertificate): boolean =>
    of.blockHash === hash && of.height === header.height && of.epoch === header.epoch
  if (certificate.kind !== 'commit' || certificate.stateRoot === null || !isOfBlock(certificate)) {
    return refuse('wrong-certificate', `the commit certificate is not of block ${hash}`)
  }
  if (header.epoch !== set.epoch || !isCertified(certificate, set)) {
    return refuse('wrong-certificate', `the commit certificate of height ${header.height} does not hold`)
  }
  if (finality !== null) {
    if (finality.kind !== 'pre-commit' || !isOfBlock(finality) || !isCertified(finality, set)) {
      return refuse('wrong-certificate', 'the pre-commit certificate does not hold')
    }
  }
  const chunks = checkChunks(manifest)
  return chunks.ok ? ok({ blockHash: hash, stateRoot: certificate.stateRoot }) : chunks
}

function checkChunks({ chunks }: SnapshotManifest): Result<null, SnapshotRefusal> {
  let part = 0
  let position = 0
  for (const [i, chunk] of chunks.entries()) {
    const next = SNAPSHOT_PARTS.indexOf(chunk.part)
    if (next > part) position = 0
    const follows = next >= part && chunk.first === position
    if (!follows || chunk.count === 0 || chunk.bytes > CHUNK_BYTES_MAX || chunk.bytes < 4 * chunk.count) {
      return refuse('wrong-chunks', `chunk ${i} (${chunk.part} from ${chunk.first}) does not follow`)
    }
    part = next
    position += chunk.count
  }
  const [first, second] = chunks
  return first?.part === 'block' && first.count === 1 && second?.part !== 'block'
    ? ok(null)
    : refuse('wrong-chunks', 'it does not begin with one block')
}

/**
 * What makes a snapshot true: a quorum's certificate over the state root of its block, and entries that add up to
 * exactly that root. Trusts nobody who served it. Signatures are checked through a port; fetches and stores nothing.
 */
import { blockHash, decodeBlock } from '../codec/block.ts'
import { toHex } from '../codec/hex.ts'
import { decodeOperator } from '../codec/operator.ts'
import { EMPTY_RECENT_BLOCKS, recentBlocksOf, recentCount } from '../codec/recent-blocks.ts'
import { CHUNK_BYTES_MAX } from '../codec/snapshot.ts'
import { decodeAccount, decodeStakingRest, type StakingRest } from '../codec/staking.ts'
import { decodeVerdict, verdictLeaf } from '../codec/verdict.ts'
import { RECENT_BLOCKS } from '../types/attestation.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { StateAccumulators } from '../types/ledger-state.ts'
import type { Operator } from '../types/operator.ts'
import type { AccountId, BlockHash, GenesisHash, Hex32, Nullifier, StateRoot } from '../types/primitives.ts'
import { SNAPSHOT_PARTS, type SnapshotManifest, type SnapshotPart } from '../types/snapshot.ts'
import { ACCOUNTS_MAX, type Account, type StakingState } from '../types/staking.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import { appendLeaves, EMPTY_FRONTIER } from './frontier.ts'

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

/** What a snapshot was found to be. */
export interface FinishedReplay {
  readonly block: HashedBlock
  readonly accumulators: StateAccumulators
  readonly staking: StakingState
}

/** One entry as what it stands for. */
export type SnapshotEntry =
  | { readonly part: 'block'; readonly block: HashedBlock }
  | { readonly part: 'nullifiers'; readonly nullifier: Nullifier }
  | { readonly part: 'note-commitments'; readonly commitment: Hex32 }
  | { readonly part: 'verdicts'; readonly record: VerdictRecord }
  | { readonly part: 'staking' }
  | { readonly part: 'accounts'; readonly account: Account }
  | { readonly part: 'operators'; readonly operator: Operator }
  | { readonly part: 'recent-blocks'; readonly hash: BlockHash }

/** Takes a snapshot's entries in their order, and says at the end whether they were the certified state. */
export class SnapshotReplay {
  readonly #certified: { readonly blockHash: BlockHash; readonly stateRoot: StateRoot }
  readonly #stateRootOf: (accumulators: StateAccumulators, staking: StakingState) => StateRoot
  #accumulators: StateAccumulators = {
    recentBlocks: EMPTY_RECENT_BLOCKS,
    nullifiers: EMPTY_FRONTIER,
    noteCommitments: EMPTY_FRONTIER,
    verdicts: EMPTY_FRONTIER,
  }
  #block: HashedBlock | null = null
  #staking: StakingRest | null = null
  readonly #accounts = new Map<AccountId, Account>()
  readonly #operators = new Map<AccountId, Operator>()
  readonly #recent: BlockHash[] = []

  /**
   * @param certified what {@link checkManifest} gave
   * @param stateRootOf root of the state over these (state-root.ts)
   */
  constructor(
    certified: { readonly blockHash: BlockHash; readonly stateRoot: StateRoot },
    stateRootOf: (accumulators: StateAccumulators, staking: StakingState) => StateRoot,
  ) {
    this.#certified = certified
    this.#stateRootOf = stateRootOf
  }

  /** After the entries so far. */
  get accumulators(): StateAccumulators {
    return this.#accumulators
  }

  /** Takes the next entries of a part. Costs some 5 µs per nullifier and 50 per verdict: give a few hundred. */
  add(part: SnapshotPart, entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    switch (part) {
      case 'block':
        return this.#addBlock(entries)
      case 'nullifiers': {
        const leaves = hashesOf(entries)
        if (!leaves.ok) return leaves
        const nullifiers = appendLeaves(this.#accumulators.nullifiers, leaves.value)
        this.#accumulators = { ...this.#accumulators, nullifiers }
        return ok(leaves.value.map((leaf) => ({ part, nullifier: leaf as string as Nullifier })))
      }
      case 'note-commitments': {
        const leaves = hashesOf(entries)
        if (!leaves.ok) return leaves
        const noteCommitments = appendLeaves(this.#accumulators.noteCommitments, leaves.value)
        this.#accumulators = { ...this.#accumulators, noteCommitments }
        return ok(leaves.value.map((commitment) => ({ part, commitment })))
      }
      case 'verdicts':
        return this.#addVerdicts(entries)
      case 'staking':
        return this.#addStaking(entries)
      case 'accounts':
        return this.#addAccounts(entries)
      case 'operators':
        return this.#addOperators(entries)
      case 'recent-blocks':
        return this.#addRecentBlocks(entries)
    }
  }

  /** The block and the state after it, when all that was added is what was certified. */
  finish(): Result<FinishedReplay, SnapshotRefusal> {
    if (this.#staking === null) return refuse('wrong-entry', 'no staking state')
    if (this.#block === null) return refuse('wrong-entry', 'no block')
    const { height } = this.#block.header
    // The state after a block names its ancestors.
    if (this.#recent.length !== recentCount(height)) {
      return refuse('wrong-entry', `${this.#recent.length} recent blocks below height ${height}`)
    }
    const accumulators = { ...this.#accumulators, recentBlocks: recentBlocksOf(height, this.#recent) }
    const staking: StakingState = {
      ...this.#staking,
      accounts: this.#accounts,
      operators: this.#operators,
    }
    const root = this.#stateRootOf(accumulators, staking)
    if (root !== this.#certified.stateRoot) {
      return refuse(
        'wrong-root',
        `the entries have state root ${root}, certified is ${this.#certified.stateRoot}`,
      )
    }
    return ok({ block: this.#block, accumulators, staking })
  }

  #addBlock(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const [bytes] = entries
    // A copy: the entry is a part of its chunk.
    const block = bytes === undefined ? null : decodeBlock(new Uint8Array(bytes))
    if (
      block === null ||
      !block.ok ||
      block.value.hash !== this.#certified.blockHash ||
      this.#block !== null
    ) {
      return refuse('wrong-entry', `it is not block ${this.#certified.blockHash}`)
    }
    this.#block = block.value
    return ok([{ part: 'block', block: block.value }])
  }

  #addStaking([bytes, ...more]: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const rest = bytes === undefined || more.length > 0 ? null : decodeStakingRest(new Uint8Array(bytes))
    if (rest === null || this.#staking !== null) return refuse('wrong-entry', 'not one staking state')
    if (!rest.ok) return refuse('wrong-entry', `the staking state: ${rest.detail}`)
    this.#staking = rest.value
    return ok([{ part: 'staking' }])
  }

  #addAccounts(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      // A copy: the entry is a part of its chunk, and keys would keep it alive.
      const account = decodeAccount(new Uint8Array(bytes))
      if (!account.ok) return refuse('wrong-entry', `an account: ${account.detail}`)
      if (this.#accounts.size >= ACCOUNTS_MAX) return refuse('wrong-entry', 'more accounts than there can be')
      this.#accounts.set(account.value.id, account.value)
      taken.push({ part: 'accounts', account: account.value })
    }
    return ok(taken)
  }

  #addOperators(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      // A copy, as for accounts.
      const operator = decodeOperator(new Uint8Array(bytes))
      if (!operator.ok) return refuse('wrong-entry', `an operator: ${operator.detail}`)
      if (this.#operators.size >= ACCOUNTS_MAX) return refuse('wrong-entry', 'more operators than accounts')
      this.#operators.set(operator.value.account, operator.value)
      taken.push({ part: 'operators', operator: operator.value })
    }
    return ok(taken)
  }

  #addRecentBlocks(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const hashes = hashesOf(entries)
    if (!hashes.ok) return hashes
    if (this.#recent.length + hashes.value.length > RECENT_BLOCKS) {
      return refuse('wrong-entry', 'more recent blocks than the state names')
    }
    const blocks = hashes.value as readonly string[] as readonly BlockHash[]
    this.#recent.push(...blocks)
    return ok(blocks.map((hash) => ({ part: 'recent-blocks', hash })))
  }

  #addVerdicts(entries: readonly Uint8Array[]): Result<SnapshotEntry[], SnapshotRefusal> {
    const leaves: Hex32[] = []
    const taken: SnapshotEntry[] = []
    for (const bytes of entries) {
      const record = decodeVerdict(bytes)
      if (!record.ok) return refuse('wrong-entry', `a verdict: ${record.detail}`)
      leaves.push(verdictLeaf(bytes))
      taken.push({ part: 'verdicts', record: record.value })
    }
    const verdicts = appendLeaves(this.#accumulators.verdicts, leaves)
    this.#accumulators = { ...this.#accumulators, verdicts }
    return ok(taken)
  }
}

function hashesOf(entries: readonly Uint8Array[]): Result<Hex32[], SnapshotRefusal> {
  const wrong = entries.find((entry) => entry.length !== 32)
  return wrong === undefined
    ? ok(entries.map((entry) => toHex(entry) as Hex32))
    : refuse('wrong-entry', `a leaf of ${wrong.length} bytes`)
}

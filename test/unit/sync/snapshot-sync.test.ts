/** Fetching a snapshot from peers of every kind: who is believed, what is thrown away, and what is not fetched twice. */

import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { recentBlockHashes } from '../../../src/codec/recent-blocks.ts'
import { encodeShieldedRest } from '../../../src/codec/shielded.ts'
import {
  ChunkWriter,
  decodeChunk,
  decodeHandOver,
  decodeManifest,
  encodeManifest,
} from '../../../src/codec/snapshot.ts'
import { encodeAccount, encodeStakingRest, sortedAccounts } from '../../../src/codec/staking.ts'
import { encodeVerdict } from '../../../src/codec/verdict.ts'
import { encodeBatch, encodeElectors, encodeTrust, sortedTrust } from '../../../src/codec/voting.ts'
import { NO_NOTES } from '../../../src/ledger/shielded/genesis-shielded.ts'
import type { IncomingChunks } from '../../../src/sync/snapshot-ports.ts'
import { SnapshotSync } from '../../../src/sync/snapshot-sync.ts'
import type { TrustedBlock } from '../../../src/sync/trusted-set.ts'
import { ok, refuse } from '../../../src/types/errors.ts'
import type { FinalizedBlock } from '../../../src/types/ledger-state.ts'
import { asHeight, type BlockHash, type Hex32 } from '../../../src/types/primitives.ts'
import type { ChunkReference, SnapshotManifest, SnapshotPart } from '../../../src/types/snapshot.ts'
import {
  certificate,
  FinalChain,
  GENESIS_PARENT,
  GENESIS_STATE,
  stateRootOf,
} from '../../support/final-chain.ts'
import { RecordingLogger } from '../../support/session/recording-logger.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const sha256 = (bytes: Uint8Array): Hex32 => createHash('sha256').update(bytes).digest('hex') as Hex32

/** One block whose requests have their verdicts, and one with a request that waits for its own. */
const [, , verdicts, final] = ((): FinalizedBlock[] => {
  const chain = new FinalChain(GENESIS_PARENT, 'tallied')
  return [
    chain.next([1, 2, 3].map(numberedTransaction)),
    ...chain.empty(2),
    chain.next([numberedTransaction(4)]),
  ]
})() as [FinalizedBlock, FinalizedBlock, FinalizedBlock, FinalizedBlock]
const { block, stateRoot, changes } = final
const HEIGHT = block.header.height
const CHUNKS = new Map<Hex32, Uint8Array>()
const references: ChunkReference[] = []
const add = (part: SnapshotPart, entries: readonly Uint8Array[]): void => {
  const writer = new ChunkWriter()
  for (const entry of entries) writer.add(entry)
  const bytes = writer.take()
  CHUNKS.set(sha256(bytes), bytes)
  references.push({ part, first: 0, count: entries.length, bytes: bytes.length, sha256: sha256(bytes) })
}
add('block', [block.bytes])
add(
  'nullifiers',
  verdicts.changes.nullifiers.map((nullifier) => Buffer.from(nullifier, 'hex')),
)
add('verdicts', verdicts.changes.verdicts.map(encodeVerdict))
add('staking', [encodeStakingRest(changes.staking)])
add('accounts', sortedAccounts(changes.staking.accounts).map(encodeAccount))
add('electors', [encodeElectors(changes.voting.electors)])
add('batches', changes.voting.batches.map(encodeBatch))
add('trust', sortedTrust(changes.voting.trust).map(encodeTrust))
add(
  'recent-blocks',
  recentBlockHashes(changes.accumulators.recentBlocks).map((hash) => Buffer.from(hash, 'hex')),
)
add('shielded', [encodeShieldedRest(changes.accumulators.shielded)])

const MANIFEST: SnapshotManifest = {
  header: block.header,
  certificate: { ...certificate(block, 'commit'), stateRoot },
  finality: certificate(block),
  chunks: references,
}

interface Peer {
  readonly manifest?: SnapshotManifest
  readonly chunk?: (sha: Hex32) => Uint8Array | null
}
const HONEST: Peer = {}

/** Chunks in memory. */
class Memory implements IncomingChunks {
  readonly chunks = new Map<Hex32, Uint8Array>()
  finished: SnapshotManifest | null = null
  async prepare(wanted: readonly ChunkReference[]) {
    const hashes = new Set(wanted.map((chunk) => chunk.sha256))
    for (const hash of this.chunks.keys()) if (!hashes.has(hash)) this.chunks.delete(hash)
    return new Set(this.chunks.keys())
  }
  async put(reference: ChunkReference, bytes: Uint8Array) {
    if (sha256(bytes) !== reference.sha256) return false
    this.chunks.set(reference.sha256, bytes)
    return true
  }
  async chunk(reference: ChunkReference) {
    return this.chunks.get(reference.sha256) ?? null
  }
  async putHandOver() {}
  async finish(manifest: SnapshotManifest) {
    this.finished = manifest
  }
  async discard() {
    this.chunks.clear()
  }
}

class Bench {
  readonly logger = new RecordingLogger()
  readonly incoming = new Memory()
  readonly asked: { readonly peer: string; readonly sha: Hex32 }[] = []
  readonly ready: number[] = []
  isCertified = true
  blockOfTrust: Uint8Array | null = null
  nowMs = 0
  readonly sync: SnapshotSync

  constructor(peers: Record<string, Peer>, trusted: TrustedBlock | null = null) {
    const manifestOf = (peer: string): SnapshotManifest => peers[peer]?.manifest ?? MANIFEST
    this.sync = new SnapshotSync({
      fetcher: {
        peers: () => Object.keys(peers),
        list: async (peer) => {
          const { header } = manifestOf(peer)
          return ok([{ height: header.height, blockHash: block.hash as string as Hex32 }])
        },
        manifest: async (peer) => ok(encodeManifest(manifestOf(peer))),
        chunk: async (peer, sha) => {
          this.asked.push({ peer, sha })
          const bytes = (peers[peer]?.chunk ?? ((hash) => CHUNKS.get(hash) ?? null))(sha)
          return bytes === null ? refuse('not-found', '') : ok(bytes)
        },
        handOver: async () => refuse('not-found', ''),
        blockByHash: async () => this.blockOfTrust,
      },
      reader: {
        manifest: (bytes) => unwrap(decodeManifest(bytes)),
        handOver: (bytes) => unwrap(decodeHandOver(bytes)),
        chunk: (bytes, count) => unwrap(decodeChunk(bytes, count)),
        headerOf: () => null,
      },
      incoming: this.incoming,
      genesisHash: GENESIS_STATE.rules.genesisHash,
      genesisSet: { epoch: block.header.epoch, validators: changes.staking.validators },
      epochBlocks: 0,
      isCertified: () => this.isCertified,
      stateRootOf,
      genesisShielded: NO_NOTES,
      trusted,
      onReady: (height) => void this.ready.push(height),
      now: () => this.nowMs,
      logger: this.logger,
    })
  }

  /** One attempt. */
  async attempt(): Promise<void> {
    this.nowMs += 3_600_000
    this.sync.request()
    await this.sync.idle()
  }
}

const unwrap = <T>(result: { ok: true; value: T } | { ok: false }): T | null =>
  result.ok ? result.value : null

let bench: Bench
beforeEach(() => {
  bench = new Bench({ a: HONEST, b: HONEST, c: HONEST })
})

describe('a snapshot', () => {
  it('is fetched from several peers, each chunk once, checked, and told of once', async () => {
    await bench.attempt()
    expect(bench.ready).toEqual([HEIGHT])
    expect(bench.incoming.finished).toEqual(MANIFEST)
    expect(bench.asked.map(({ sha }) => sha).sort()).toEqual([...CHUNKS.keys()].sort())
    expect(new Set(bench.asked.map(({ peer }) => peer)).size).toBeGreaterThan(1)
    await bench.attempt()
    expect(bench.ready).toEqual([HEIGHT])
  })

  it('goes on with what is there', async () => {
    for (const reference of references.slice(0, 3)) {
      bench.incoming.chunks.set(reference.sha256, CHUNKS.get(reference.sha256) as Uint8Array)
    }
    await bench.attempt()
    expect(bench.ready).toEqual([HEIGHT])
    expect(bench.asked.map(({ sha }) => sha).sort()).toEqual(
      references
        .slice(3)
        .map((chunk) => chunk.sha256)
        .sort(),
    )
  })

  it('is not taken when nobody certified it', async () => {
    bench.isCertified = false
    await bench.attempt()
    expect([bench.ready, bench.asked]).toEqual([[], []])
  })

  it.each<[string, Partial<SnapshotManifest>]>([
    ['another state root', { certificate: { ...MANIFEST.certificate, stateRoot: '11'.repeat(32) as never } }],
    [
      'the certificate of another block',
      { certificate: { ...MANIFEST.certificate, blockHash: '22'.repeat(32) as BlockHash } },
    ],
    [
      'a pre-commit certificate for it',
      { certificate: { ...MANIFEST.certificate, kind: 'pre-commit', stateRoot: null } },
    ],
    ['chunks out of order', { chunks: references.toReversed() }],
    ['no verdicts', { chunks: references.filter(({ part }) => part !== 'verdicts') }],
    ['no electors', { chunks: references.filter(({ part }) => part !== 'electors') }],
    ['no open batches', { chunks: references.filter(({ part }) => part !== 'batches') }],
    ['no trust', { chunks: references.filter(({ part }) => part !== 'trust') }],
    ['no block', { chunks: references.slice(1) }],
  ])('with %s is not taken from one peer, and the true one from the next', async (_, change) => {
    const liar: Peer = { manifest: { ...MANIFEST, ...change } }
    const alone = new Bench({ liar })
    await alone.attempt()
    expect(alone.ready).toEqual([])
    const both = new Bench({ liar, honest: HONEST })
    await both.attempt()
    expect(both.ready).toEqual([HEIGHT])
    expect(both.incoming.finished).toEqual(MANIFEST)
  })
})

describe('a peer', () => {
  it('that sends other bytes is left alone, and others are asked', async () => {
    const liar: Peer = { chunk: () => Uint8Array.of(1, 2, 3) }
    bench = new Bench({ liar, honest: HONEST })
    await bench.attempt()
    expect(bench.ready).toEqual([HEIGHT])
    // Requests that were under way at once, and none after its lie was seen.
    expect(bench.asked.filter(({ peer }) => peer === 'liar').length).toBeLessThanOrEqual(4)
  })

  it('that has nothing leaves what was fetched for the next attempt', async () => {
    let isOpen = false
    const shy: Peer = {
      chunk: (sha) => (isOpen || sha === references[0]?.sha256 ? (CHUNKS.get(sha) ?? null) : null),
    }
    bench = new Bench({ shy })
    await bench.attempt()
    expect(bench.ready).toEqual([])
    isOpen = true
    await bench.attempt()
    expect(bench.ready).toEqual([HEIGHT])
  })
})

describe('a block that the operator trusts', () => {
  it('at the height of the snapshot must be its block', async () => {
    const other = new Bench({ a: HONEST }, { height: HEIGHT, hash: '33'.repeat(32) as BlockHash })
    await other.attempt()
    expect([other.ready, other.asked]).toEqual([[], []])
    const same = new Bench({ a: HONEST }, { height: HEIGHT, hash: block.hash })
    await same.attempt()
    expect(same.ready).toEqual([HEIGHT])
  })

  it('above it is for range sync to meet', async () => {
    const above = new Bench({ a: HONEST }, { height: asHeight(9), hash: '33'.repeat(32) as BlockHash })
    await above.attempt()
    expect(above.ready).toEqual([HEIGHT])
  })
})

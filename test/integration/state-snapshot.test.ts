/** A snapshot from one database into another: the same state, and nothing of it may be changed on the way. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeChunk, decodeManifest, encodeManifest } from '../../src/codec/snapshot.ts'
import { incomingPath, openSnapshots, snapshotsPath } from '../../src/composition/snapshot-opening.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { signatureVerifier } from '../../src/crypto/verify-signature.ts'
import { checkBlock } from '../../src/ledger/check-block.ts'
import type { ParentBlock } from '../../src/ledger/executed-block.ts'
import { quorumCheck } from '../../src/ledger/quorum-check.ts'
import { NO_NOTES } from '../../src/ledger/shielded/genesis-shielded.ts'
import { checkManifest } from '../../src/ledger/snapshot-check.ts'
import { SnapshotReplay } from '../../src/ledger/snapshot-replay.ts'
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import { META } from '../../src/storage/buckets.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { IncomingSnapshot } from '../../src/storage/incoming-snapshot.ts'
import { SnapshotFiles } from '../../src/storage/snapshot-files.ts'
import { isHalfInstalled } from '../../src/storage/snapshot-install.ts'
import { asHeight } from '../../src/types/primitives.ts'
import type { SnapshotManifest } from '../../src/types/snapshot.ts'
import { seededRandom } from '../support/seeded-random.ts'
import {
  SignedChain,
  signedDirectory,
  signedGenesis,
  signedState,
  signedStateRootOf,
} from '../support/signed-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const EPOCH = 100
const STATE = signedState(EPOCH)
const STATE_ROOT_OF = signedStateRootOf(STATE)
const { genesisHash } = STATE.rules
const CONTEXT = {
  genesisHash,
  validators: signedGenesis(EPOCH).validators,
  isCertified: quorumCheck(genesisHash, signatureVerifier(selectMlDsa65())),
}

/** The set of the manifest's epoch: it never changes here. */
const contextOf = ({ header: { epoch } }: SnapshotManifest) => ({
  genesisHash: CONTEXT.genesisHash,
  isCertified: CONTEXT.isCertified,
  set: { epoch, validators: CONTEXT.validators },
})

/** Whether a manifest and its chunks are the state that the four keys certified. */
function isTrue(manifest: SnapshotManifest, chunks: readonly Uint8Array[]): boolean {
  const certified = checkManifest(manifest, contextOf(manifest))
  if (!certified.ok) return false
  const replay = new SnapshotReplay(certified.value, STATE_ROOT_OF, NO_NOTES)
  for (const [i, reference] of manifest.chunks.entries()) {
    const entries = decodeChunk(chunks[i] ?? new Uint8Array(), reference.count)
    if (!entries.ok || !replay.add(reference.part, entries.value).ok) return false
  }
  return replay.finish().ok
}

async function served(): Promise<{ chain: SignedChain; root: string; files: SnapshotFiles }> {
  const path = join(temporaryDirectory(), 'node')
  const directory = await signedDirectory(path, EPOCH)
  const chain = await SignedChain.open({ path, epochBlocks: EPOCH, requestEvery: 1 }, directory)
  onTestFinished(() => chain.close())
  await chain.grow(250)
  await chain.upkeep.settled()
  return { chain, root: directory.root, files: await SnapshotFiles.open(snapshotsPath(directory.root)) }
}

/** Puts a snapshot where one lies that was fetched. */
async function fetched(files: SnapshotFiles, manifest: SnapshotManifest, root: string): Promise<void> {
  const incoming = new IncomingSnapshot(incomingPath(root))
  await incoming.prepare(manifest.chunks)
  for (const reference of manifest.chunks) {
    const chunk = await files.chunk(reference.sha256)
    expect(chunk !== null && (await incoming.put(reference, chunk))).toBe(true)
  }
  await incoming.finish(manifest)
}

async function opened(
  root: string,
): Promise<{ database: Database; chain: ChainStore; installed: number | null }> {
  const network = { network: 'signed', genesisHash }
  const database = await Database.open({ path: join(root, 'db'), network })
  onTestFinished(() => database.close())
  const installed = await openSnapshots({
    database,
    root,
    genesisState: STATE,
    stateRootOf: STATE_ROOT_OF,
  })
  const chain = await ChainStore.open({
    database,
    genesis: STATE,
    stateRootOf: STATE_ROOT_OF,
    onFatal: (error) => {
      throw error
    },
  })
  return { database, chain, installed }
}

describe('a snapshot', () => {
  it('is taken at the ends of epochs, shares what stays the same, and keeps to its count', async () => {
    const { chain, root, files } = await served()
    expect(files.manifests().map(({ header }) => header.height)).toEqual([200, 100])
    await chain.grow(310)
    await chain.upkeep.settled()
    expect(readdirSync(snapshotsPath(root)).sort()).toEqual(['200', '300'])
    for (const manifest of (await SnapshotFiles.open(snapshotsPath(root))).manifests()) {
      const chunks = await Promise.all(
        manifest.chunks.map(({ sha256 }) => chain.upkeep.snapshots.source.chunk(sha256)),
      )
      expect(isTrue(manifest, chunks as Uint8Array[])).toBe(true)
    }
  })

  it('installed is the same state, and the chain goes on from it', async () => {
    const { chain, files } = await served()
    const [manifest] = files.manifests() as [SnapshotManifest]
    const root = temporaryDirectory()
    await fetched(files, manifest, root)
    const joiner = await opened(root)
    expect(joiner.installed).toBe(200)
    expect(joiner.chain.tip).toMatchObject({ height: 200, stateRoot: manifest.certificate.stateRoot })
    expect(joiner.chain.lowestHeight).toBe(200)
    expect(joiner.chain.tip.block).toEqual(chain.chain.blockAt(asHeight(200)))
    for (let height = 1; height <= 197; height++) {
      const stored = chain.chain.verdictsAt(asHeight(height))?.[0]
      expect(stored).toBeDefined()
      if (stored === undefined) continue
      const { requestKey, requestIdHash } = stored.record
      expect(joiner.chain.verdict(requestKey)?.record).toEqual(stored.record)
      expect(joiner.chain.state.requestKeyOfId(requestIdHash)).toBe(requestKey)
    }
    expect(joiner.chain.state.accumulators.nullifiers.size).toBe(198)
    // What waits for its verdict waits here, too, with the ballots so far; what was found about it is not known.
    const { batches, trust, electors } = joiner.chain.state.voting
    expect(batches.map(({ height }) => height)).toEqual([199, 200])
    expect(batches.map(({ ballots }) => ballots.filter(({ opening }) => opening === null).length)).toEqual([
      4, 0,
    ])
    expect([trust.size, electors.at(-1)?.members.length]).toEqual([4, 4])
    for (const { requestKey, requestIdHash } of batches.flatMap(({ requests }) => requests)) {
      expect(joiner.chain.state.requestKeyOfId(requestIdHash)).toBe(requestKey)
      expect(joiner.chain.state.judgement(requestKey)).toBeNull()
    }
    expect(await new IncomingSnapshot(incomingPath(root)).ready()).toBe(null)
    // What follows has the same state roots: the lists go on where they were.
    let parent: ParentBlock = { ...asTip(joiner.chain), state: joiner.chain.state }
    for (let height = 201; height <= 206; height++) {
      const block = chain.chain.blockAt(asHeight(height))
      const checked = block === null ? null : checkBlock(block, parent, STATE.rules)
      if (checked?.ok !== true) throw new Error(`block ${height}: ${checked?.detail}`)
      const { executed, below } = { executed: checked.value, below: parent.state }
      expect(executed.stateRoot).toBe(chain.chain.stateRootAt(asHeight(height)))
      const state = StateOverlay.of(() => below, executed.changes)
      parent = {
        hash: executed.block.hash,
        header: executed.block.header,
        stateRoot: executed.stateRoot,
        state,
      }
    }
  })

  describe('with one bit flipped', () => {
    let manifest: SnapshotManifest
    let chunks: Uint8Array[]
    const load = async (): Promise<void> => {
      const { files } = await served()
      manifest = files.manifests()[0] as SnapshotManifest
      chunks = (await Promise.all(manifest.chunks.map(({ sha256 }) => files.chunk(sha256)))) as Uint8Array[]
    }
    const random = seededRandom(7)

    it('in any chunk is refused by its hash and, without it, by the state root', async () => {
      await load()
      expect(isTrue(manifest, chunks)).toBe(true)
      const incoming = new IncomingSnapshot(join(temporaryDirectory(), 'incoming'))
      await incoming.prepare(manifest.chunks)
      for (const [i, reference] of manifest.chunks.entries()) {
        for (let round = 0; round < 20; round++) {
          const flipped = flip(chunks[i] as Uint8Array, random)
          expect(await incoming.put(reference, flipped)).toBe(false)
          expect(isTrue(manifest, chunks.with(i, flipped))).toBe(false)
        }
      }
    })

    it('in the manifest is refused', async () => {
      await load()
      const bytes = encodeManifest(manifest)
      for (let round = 0; round < 150; round++) {
        const flipped = decodeManifest(flip(bytes, random))
        if (!flipped.ok) continue
        const isSound = isTrue(flipped.value, chunks)
        // A flip in a chunk's hash or size changes which bytes are asked for, not what the entries add up to.
        const isOfBytes = JSON.stringify(flipped.value.chunks) !== JSON.stringify(manifest.chunks)
        if (isSound) expect(isOfBytes).toBe(true)
      }
    })

    it('in every signature of its certificates is refused', async () => {
      await load()
      for (const kind of ['certificate', 'finality'] as const) {
        const certificate = manifest[kind]
        if (certificate === null) continue
        for (const [i, { voter, signature }] of certificate.signatures.entries()) {
          const signatures = certificate.signatures.with(i, {
            voter,
            signature: flip(signature, random),
            commits: null,
          })
          expect(
            checkManifest({ ...manifest, [kind]: { ...certificate, signatures } }, contextOf(manifest)).ok,
          ).toBe(false)
        }
      }
    })
  })
})

describe('a database', () => {
  it('that was half installed is emptied, and filled anew', async () => {
    const { files } = await served()
    const [manifest] = files.manifests() as [SnapshotManifest]
    const root = temporaryDirectory()
    const before = await opened(root)
    await before.database.write([
      { type: 'put', key: META.installing, value: Uint8Array.of(1) },
      { type: 'put', key: Uint8Array.of(0x06, ...new Uint8Array(32).fill(9)), value: new Uint8Array() },
    ])
    await before.database.close()
    await fetched(files, manifest, root)
    const after = await opened(root)
    expect(after.installed).toBe(200)
    expect(isHalfInstalled(after.database)).toBe(false)
    expect(after.database.get(Uint8Array.of(0x06, ...new Uint8Array(32).fill(9)))).toBe(null)
    expect(after.chain.tip.stateRoot).toBe(manifest.certificate.stateRoot)
  })

  it('takes no snapshot that has changed on the disk, and begins with genesis', async () => {
    const { files } = await served()
    const [manifest] = files.manifests() as [SnapshotManifest]
    const root = temporaryDirectory()
    await fetched(files, manifest, root)
    const path = join(incomingPath(root), manifest.chunks.at(-1)?.sha256 ?? '')
    writeFileSync(path, flip(readFileSync(path), seededRandom(3)))
    const { chain, installed, database } = await opened(root)
    expect([installed, chain.tip.height, isHalfInstalled(database)]).toEqual([null, 0, false])
  })

  it('that has a chain is left as it is', async () => {
    const { files, root } = await served()
    const [manifest] = files.manifests() as [SnapshotManifest]
    const other = await served()
    await fetched(files, manifest, other.root)
    expect(root).not.toBe(other.root)
    await other.chain.database.close()
    const { chain, installed } = await opened(other.root)
    expect([installed, chain.tip.height]).toEqual([null, 250])
  })
})

it('what was left of a snapshot in the making is deleted', async () => {
  const directory = join(temporaryDirectory(), 'snapshots')
  mkdirSync(join(directory, '100.unfinished'), { recursive: true })
  mkdirSync(join(directory, '200'))
  await SnapshotFiles.open(directory)
  expect(readdirSync(directory)).toEqual([])
})

const asTip = ({ tip: { block, stateRoot } }: ChainStore) => ({
  hash: block.hash,
  header: block.header,
  stateRoot,
})

function flip(bytes: Uint8Array, random: () => number): Uint8Array {
  const flipped = new Uint8Array(bytes)
  const bit = Math.floor(random() * bytes.length * 8)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

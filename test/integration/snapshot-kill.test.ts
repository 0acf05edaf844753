/** kill -9 while snapshots are written, blocks are pruned, and a snapshot is installed: nothing half-done is used. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { openSnapshots, snapshotsPath } from '../../src/composition/snapshot-opening.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { IncomingSnapshot } from '../../src/storage/incoming-snapshot.ts'
import { chunkHash } from '../../src/storage/snapshot-export.ts'
import { SnapshotFiles } from '../../src/storage/snapshot-files.ts'
import { asHeight } from '../../src/types/primitives.ts'
import { seededRandom } from '../support/seeded-random.ts'
import {
  makeSignedChain,
  SignedChain,
  signedDirectory,
  signedState,
  signedStateRootOf,
} from '../support/signed-chain.ts'
import { EPOCH_BLOCKS, makerOptions, WINDOW_BLOCKS } from '../support/snapshots-forever.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SCRIPT = join(import.meta.dirname, '../support/snapshots-forever.ts')

/** Runs until a line says so, kills it after a while, and returns the last line. */
async function runAndKill(
  what: string,
  directory: string,
  isTime: (line: string) => boolean,
  afterMs: number,
) {
  const child = spawn(process.execPath, [SCRIPT, what, directory, String(LARGE)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  let last = ''
  let isEnding = false
  onTestFinished(() => void child.kill('SIGKILL'))
  for await (const line of createInterface(child.stdout)) {
    if (!isEnding && isTime(line)) setTimeout(() => child.kill('SIGKILL'), afterMs)
    isEnding ||= isTime(line)
    last = line
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(errors).toBe('')
  return last
}

const random = seededRandom(11)

/** Blocks, and verdicts, of the snapshot that is installed. */
const LARGE = 600
const STATE = signedState(LARGE)
const STATE_ROOT_OF = signedStateRootOf(STATE)

it('leaves whole snapshots and a whole window of blocks', { timeout: 120_000 }, async () => {
  const path = join(temporaryDirectory(), 'node')
  const directory = await signedDirectory(path, EPOCH_BLOCKS)
  let target = 600
  for (let round = 0; round < 3; round++) {
    await runAndKill(
      'make',
      path,
      (line) => Number(line.slice('block '.length)) >= target,
      Math.floor(random() * 60),
    )
    const files = await SnapshotFiles.open(snapshotsPath(path))
    for (const manifest of files.manifests()) {
      for (const { sha256 } of manifest.chunks) {
        const chunk = await files.chunk(sha256)
        expect(chunk !== null && chunkHash(chunk)).toBe(sha256)
      }
    }
    const { chain, close } = await reopened(path, directory)
    const { lowestHeight, tip } = chain
    expect(tip.height).toBeGreaterThanOrEqual(target)
    expect(lowestHeight).toBeLessThanOrEqual(tip.height - WINDOW_BLOCKS + 1)
    for (let height = Math.max(1, lowestHeight); height <= tip.height; height++) {
      expect(chain.blockAt(asHeight(height))?.header.height).toBe(height)
    }
    expect(files.manifests().every(({ header }) => header.height % EPOCH_BLOCKS === 0)).toBe(true)
    target = Math.ceil(tip.height / 64) * 64 + 320
    await close()
  }
})

async function reopened(path: string, directory: Parameters<typeof SignedChain.open>[1]) {
  const signed = await SignedChain.open(makerOptions(path), directory)
  return { chain: signed.chain, close: () => signed.close() }
}

it('installs a snapshot in whole, whenever the last attempt was cut off', { timeout: 120_000 }, async () => {
  const home = temporaryDirectory()
  const served = await makeSignedChain(
    { path: join(home, 'served'), epochBlocks: LARGE, storage: {}, requestEvery: 1 },
    LARGE,
  )
  const files = await SnapshotFiles.open(snapshotsPath(served.root))
  const [manifest] = files.manifests()
  if (manifest === undefined) throw new Error('no snapshot')
  const incoming = new IncomingSnapshot(join(home, 'incoming'))
  await incoming.prepare(manifest.chunks)
  for (const reference of manifest.chunks) {
    await incoming.put(reference, (await files.chunk(reference.sha256)) ?? new Uint8Array())
  }
  await incoming.finish(manifest)
  let cutOff = 0
  for (let round = 0; round < 4; round++) {
    const root = join(home, `joiner-${round}`)
    cpSync(join(home, 'incoming'), join(root, 'snapshots', 'incoming'), { recursive: true })
    const last = await runAndKill('install', root, (line) => line === 'installing', 20 + random() * 250)
    if (last === 'installing') cutOff++
    const network = { network: 'signed', genesisHash: STATE.rules.genesisHash }
    const database = await Database.open({ path: join(root, 'db'), network })
    const parts = { database, genesis: STATE, stateRootOf: STATE_ROOT_OF }
    await openSnapshots({ database, root, genesisState: STATE, stateRootOf: STATE_ROOT_OF })
    const chain = await ChainStore.open({
      ...parts,
      onFatal: (error) => {
        throw error
      },
    })
    expect(chain.tip).toMatchObject({ height: LARGE, stateRoot: manifest.certificate.stateRoot })
    // The requests of the last two blocks wait for their verdicts.
    expect(chain.state.accumulators.verdicts.size).toBe(LARGE - 2)
    expect(chain.tip.voting.batches).toHaveLength(2)
    await database.close()
  }
  expect(cutOff).toBeGreaterThan(0)
})

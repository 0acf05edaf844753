/**
 * A process that works on snapshots until somebody kills it. `make DIR`: grows a chain, takes a snapshot every 64
 * blocks, prunes to 256, and prints `block H`. `install DIR E`: opens a database that a fetched snapshot waits for, and
 * prints `installing` before and `installed` after. Started by tests only.
 */
import { join } from 'node:path'
import { openSnapshots } from '../../src/composition/snapshot-opening.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { Database } from '../../src/storage/database.ts'
import { SignedChain, signedState, signedStateRootOf } from './signed-chain.ts'

export const EPOCH_BLOCKS = 64
export const WINDOW_BLOCKS = 256

export const makerOptions = (path: string) => ({
  path,
  epochBlocks: EPOCH_BLOCKS,
  storage: { pruneBlocks: WINDOW_BLOCKS },
  requestEvery: 2,
})

async function make(path: string): Promise<void> {
  const chain = await SignedChain.open(makerOptions(path), dataDirectoryAt(path))
  await chain.grow(Number.MAX_SAFE_INTEGER, (height) => void process.stdout.write(`block ${height}\n`))
}

async function install(root: string, epochBlocks: number): Promise<void> {
  const genesisState = signedState(epochBlocks)
  const network = { network: 'signed', genesisHash: genesisState.rules.genesisHash }
  const database = await Database.open({ path: join(root, 'db'), network })
  process.stdout.write('installing\n')
  await openSnapshots({ database, root, genesisState, stateRootOf: signedStateRootOf(genesisState) })
  process.stdout.write('installed\n')
}

const [, , what, directory, epochBlocks] = process.argv
if (import.meta.main && directory !== undefined) {
  if (what === 'make') await make(directory)
  else await install(directory, Number(epochBlocks))
}

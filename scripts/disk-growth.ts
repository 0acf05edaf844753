/**
 * `node scripts/disk-growth.ts [BLOCKS [REQUEST_EVERY]]`: bytes on disk of a node that prunes to 1,000 blocks, at every 5,000 of 50,000
 * blocks, as one JSON object. Blocks, certificates and requests are real and signed by four keys in this process;
 * snapshots are taken every 1,000 blocks and two are kept. Takes about three minutes on an idle core. Without
 * requests the figures stay flat. With one in every REQUEST_EVERY blocks they grow by what is kept for ever: verdicts
 * and nullifiers, and the same in the snapshots.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignedChain, signedDirectory } from '../test/support/signed-chain.ts'

const SETTINGS = {
  blocks: Number(process.argv[2] ?? 50_000),
  step: 5_000,
  windowBlocks: 1_000,
  epochBlocks: 1_000,
  requestEveryBlocks: Number(process.argv[3] ?? 0),
}

/** Files of a directory and below, each inode once: chunks that snapshots share are linked. */
function bytesIn(path: string, seen = new Set<number>()): number {
  return readdirSync(path, { withFileTypes: true, recursive: false }).reduce((sum, entry) => {
    const at = join(path, entry.name)
    if (entry.isDirectory()) return sum + bytesIn(at, seen)
    const { ino, size } = statSync(at)
    if (seen.has(ino)) return sum
    seen.add(ino)
    return sum + size
  }, 0)
}

const home = mkdtempSync(join(tmpdir(), 'hypermesh-disk-'))
try {
  const startedAt = performance.now()
  const directory = await signedDirectory(join(home, 'node'), SETTINGS.epochBlocks)
  const chain = await SignedChain.open(
    {
      path: directory.root,
      epochBlocks: SETTINGS.epochBlocks,
      storage: { pruneBlocks: SETTINGS.windowBlocks },
      requestEvery: SETTINGS.requestEveryBlocks,
    },
    directory,
  )
  const heights = []
  for (let height = SETTINGS.step; height <= SETTINGS.blocks; height += SETTINGS.step) {
    await chain.grow(height, async () => {
      // The chain here grows a hundred times faster than a real one; pruning is given its turn.
      if (chain.upkeep.excessBlocks() > 512) await chain.upkeep.settled()
    })
    await chain.upkeep.settled()
    heights.push({
      height,
      lowestBlock: chain.chain.lowestHeight,
      databaseBytes: bytesIn(directory.database),
      // What LevelDB writes about itself until it is opened the next time.
      levelDbLogBytes: readdirSync(directory.database)
        .filter((name) => name === 'LOG' || name.startsWith('MANIFEST'))
        .reduce((sum, name) => sum + statSync(join(directory.database, name)).size, 0),
      snapshotBytes: bytesIn(join(directory.root, 'snapshots')),
      verdicts: chain.chain.tip.accumulators.verdicts.size,
      longestPruneSliceMs: Math.round(chain.upkeep.longestSliceMs() * 10) / 10,
      seconds: Math.round((performance.now() - startedAt) / 1_000),
    })
    process.stderr.write(`${JSON.stringify(heights.at(-1))}\n`)
  }
  await chain.close()
  process.stdout.write(`${JSON.stringify({ ...SETTINGS, heights }, null, 2)}\n`)
} finally {
  rmSync(home, { recursive: true, force: true })
}

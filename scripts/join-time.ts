/**
 * `node scripts/join-time.ts [HEIGHT]`: how long a node takes from nothing to the tip of a pruned network, as one JSON
 * object. Two nodes that prune to 1,000 blocks serve over real sockets; the joiner is this program's own node. The
 * chain of 20,300 blocks is made first, which takes about a minute and is not counted.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningNode } from '../src/composition/running-node.ts'
import { configSchema } from '../src/config/schema.ts'
import { createLogger } from '../src/observability/logger.ts'
import { startNode } from '../src/validator-node.ts'
import { makeSignedChain, signedDirectory } from '../test/support/signed-chain.ts'

const SETTINGS = {
  height: Number(process.argv[2] ?? 20_300),
  windowBlocks: 1_000,
  epochBlocks: 1_000,
  requestEveryBlocks: 10,
}
const ANY = '127.0.0.1:0'

async function started(dataDir: string, bootstrap: readonly string[]): Promise<RunningNode> {
  const config = configSchema.parse({
    p2p: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap },
    ca: { listen: ANY, scheme: 'http' },
    api: { listen: ANY },
    metrics: { listen: ANY },
    stoq: { listen: ANY },
  })
  return await startNode({ dataDir, config, logger: createLogger({ level: 'warn', format: 'human' }) })
}

interface Final {
  readonly height: number
  readonly hash: string
  readonly stateRoot: string
}

/** Null while it is being started anew. */
async function finalOf(node: RunningNode): Promise<Final | null> {
  const answer = await fetch(`${node.addresses.api}/v1/status`).catch(() => null)
  return answer === null ? null : ((await answer.json()) as { final: Final }).final
}

const home = mkdtempSync(join(tmpdir(), 'hypermesh-join-'))
const nodes: RunningNode[] = []
try {
  const { height, windowBlocks, epochBlocks, requestEveryBlocks } = SETTINGS
  const makingAt = performance.now()
  const first = await makeSignedChain(
    {
      path: join(home, 'a'),
      epochBlocks,
      storage: { pruneBlocks: windowBlocks },
      requestEvery: requestEveryBlocks,
    },
    height,
  )
  const making = performance.now() - makingAt
  const second = await signedDirectory(join(home, 'b'), epochBlocks)
  for (const folder of ['db', 'snapshots']) {
    cpSync(join(first.root, folder), join(second.root, folder), { recursive: true })
  }
  nodes.push(await started(first.root, []))
  const bootstrap = nodes[0]?.addresses.p2p ?? []
  nodes.push(await started(second.root, bootstrap))
  const all = nodes.flatMap(({ addresses }) => addresses.p2p)
  const served = await finalOf(nodes[0] as RunningNode)

  const directory = await signedDirectory(join(home, 'joiner'), epochBlocks)
  const startedAt = performance.now()
  const joiner = await started(directory.root, all)
  nodes.push(joiner)
  let final = await finalOf(joiner)
  while (final === null || final.height < height) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    final = await finalOf(joiner)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  const isSame = final.hash === served?.hash && final.stateRoot === served.stateRoot
  const report = {
    ...SETTINGS,
    makingSeconds: Math.round(making / 1_000),
    joinSeconds: Math.round(seconds * 10) / 10,
    height: final.height,
    sameStateRoot: isSame,
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  if (!isSame) process.exitCode = 1
} finally {
  for (const node of nodes.toReversed()) await node.stop()
  rmSync(home, { recursive: true, force: true })
}

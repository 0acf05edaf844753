/** A joiner of a pruned network over real sockets and real databases: through a snapshot to the tip, with the same state. */
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { RunningNode } from '../../src/composition/running-node.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createLogger } from '../../src/observability/logger.ts'
import { startNode } from '../../src/validator-node.ts'
import { makeSignedChain, signedDirectory } from '../support/signed-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ANY = '127.0.0.1:0'

async function started(
  dataDir: string,
  settings: object,
  bootstrap: readonly string[],
): Promise<RunningNode> {
  const config = configSchema.parse({
    p2p: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap },
    ca: { listen: ANY, scheme: 'http' },
    api: { listen: ANY },
    metrics: { listen: ANY },
    stoq: { listen: ANY },
    ...settings,
  })
  const logger = createLogger({ level: process.env['LEVEL'] ?? 'silent', format: 'human' })
  const node = await startNode({ dataDir, config, logger })
  onTestFinished(() => node.stop())
  return node
}

interface Status {
  readonly final: { readonly height: number; readonly hash: string; readonly stateRoot: string }
  readonly lowestHeight: number
}

async function statusOf(node: RunningNode): Promise<Status | null> {
  const answer = await fetch(`${node.addresses.api}/v1/status`).catch(() => null)
  return answer === null ? null : ((await answer.json()) as Status)
}

async function atHeight(node: RunningNode, height: number): Promise<Status> {
  for (;;) {
    const status = await statusOf(node)
    if (status !== null && status.final.height >= height) return status
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

it('is at the tip through a snapshot, with the same state root', { timeout: 120_000 }, async () => {
  const home = temporaryDirectory()
  const options = { epochBlocks: 1_000, storage: { pruneBlocks: 256, snapshotsKept: 1 }, requestEvery: 3 }
  const tip = 3_300
  const first = await makeSignedChain({ ...options, path: join(home, 'a') }, tip)
  const second = await makeSignedChain({ ...options, path: join(home, 'b') }, tip)
  const a = await started(first.root, {}, [])
  const b = await started(second.root, {}, a.addresses.p2p)
  const served = await atHeight(a, tip)
  expect(served.lowestHeight).toBe(3_001)

  const directory = await signedDirectory(join(home, 'joiner'), options.epochBlocks)
  const joiner = await started(directory.root, {}, [...a.addresses.p2p, ...b.addresses.p2p])
  const status = await atHeight(joiner, tip)
  expect(status.final).toEqual(served.final)
  expect(status.lowestHeight).toBe(3_000)
})

/** That the figures of two whole nodes move: a network of one validator, and a follower that catches up with it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeAll, describe, expect, it } from 'vitest'
import { createNetwork } from '../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../src/cli/local-network/node-ports.ts'
import { takeNodeKeys } from '../../src/cli/node-keys.ts'
import { genesisHash } from '../../src/codec/genesis.ts'
import type { RunningNode } from '../../src/composition/running-node.ts'
import { createDataDirectory, dataDirectoryAt, sealDataDirectory } from '../../src/config/data-directory.ts'
import { parseGenesis } from '../../src/config/genesis-file.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createLogger } from '../../src/observability/logger.ts'
import { startNode } from '../../src/validator-node.ts'
import { until } from '../support/e2e/until.ts'
import { plainNode } from '../support/session/session-node.ts'

const ANY = '127.0.0.1:0'
/** For a hang; a busy machine takes a part of it. */
const LONG_MS = 60_000

async function started(dataDir: string, bootstrap: readonly string[]): Promise<RunningNode> {
  const config = configSchema.parse({
    p2p: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap },
    ca: { listen: ANY, scheme: 'http' },
    api: { listen: ANY },
    metrics: { listen: ANY },
    stoq: { enabled: false },
  })
  return await startNode({ dataDir, config, logger: createLogger({ level: 'silent', format: 'human' }) })
}

/** A node of the same network with keys of its own and no vote. */
async function followerOf(genesisFile: string, folder: string): Promise<string> {
  const text = readFileSync(genesisFile, 'utf8')
  const genesis = parseGenesis(text, genesisFile)
  const directory = createDataDirectory(folder)
  await takeNodeKeys(directory.root, 'node')
  writeFileSync(directory.genesis, text)
  sealDataDirectory(directory, genesis.network, genesisHash(genesis))
  return directory.root
}

/** The value of one series as a scraper has it. */
async function figure(node: RunningNode, series: string): Promise<number> {
  const lines = (await (await fetch(`${node.addresses.metrics}/metrics`)).text()).split('\n')
  const line = lines.find((each) => each.startsWith(`${series} `))
  if (line === undefined) throw new Error(`no series ${series}`)
  return Number(line.slice(series.length + 1))
}

const above = (node: RunningNode, series: string, floor: number): Promise<number> =>
  until(
    async () => {
      const value = await figure(node, series)
      return value > floor ? value : null
    },
    LONG_MS,
    `${series} above ${floor}`,
  )

let validator: RunningNode
let follower: RunningNode

beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), 'hypermesh-metrics-'))
  const [folder = ''] = await createNetwork({
    folder: join(home, 'net'),
    nodeName: (i) => `node-${i}`,
    network: 'metrics',
    // What it listens on is said at the start.
    ports: [nodePorts(0, 0)],
    parameters: { heartbeatMs: 0 },
  })
  validator = await started(folder, [])
  // More than comes by itself while the follower connects.
  await above(validator, 'hypermesh_consensus_height', 100)
  const { genesis } = dataDirectoryAt(folder)
  follower = await started(await followerOf(genesis, join(home, 'follower')), validator.addresses.p2p)
  return async () => {
    await follower.stop()
    await validator.stop()
    rmSync(home, { recursive: true, force: true })
  }
}, 2 * LONG_MS)

describe('a validator', { timeout: 2 * LONG_MS }, () => {
  it.each([
    'hypermesh_validator_sign_duration_seconds_count{scheme="ml-dsa-65"}',
    'hypermesh_validator_sign_duration_seconds_sum{scheme="ml-dsa-65"}',
    'hypermesh_wal_fsync_seconds_count',
    'hypermesh_wal_fsync_seconds_sum',
    'hypermesh_db_op_duration_seconds_count{op="commit"}',
    'hypermesh_db_op_duration_seconds_sum{op="commit"}',
  ])('moves %s as it signs and commits', async (series) => {
    const before = await above(validator, series, 0)
    await above(validator, series, before)
  })

  it('times a sample of the reads that its API makes', async () => {
    const series = 'hypermesh_db_op_duration_seconds_count{op="read"}'
    const before = await figure(validator, series)
    await until(
      async () => {
        for (let height = 1; height < 50; height++) {
          expect((await fetch(`${validator.addresses.api}/v1/blocks/${height}`)).status).toBe(200)
        }
        return (await figure(validator, series)) > before
      },
      LONG_MS,
      'a read was timed',
    )
  })

  it('has all the stake of its network', async () => {
    await above(validator, 'hypermesh_validator_is_active', 0)
    expect(await figure(validator, 'hypermesh_validator_is_active')).toBe(1)
    expect(await figure(validator, 'hypermesh_validator_power_ratio')).toBe(1)
  })

  it('tells how large its database has become', async () => {
    await above(validator, 'hypermesh_db_size_bytes', 100_000)
  })

  it('counts the peer that came, by direction and carrier', async () => {
    await above(validator, 'hypermesh_p2p_peers{direction="inbound",transport="tcp"}', 0)
    expect(await figure(validator, 'hypermesh_p2p_peers{direction="outbound",transport="tcp"}')).toBe(0)
    expect(await figure(validator, 'hypermesh_p2p_peers{direction="inbound",transport="quic"}')).toBe(0)
  })

  it('counts handshakes by how they ended', async () => {
    await above(validator, 'hypermesh_p2p_handshakes_total{result="completed"}', 0)
    const refused = 'hypermesh_p2p_handshakes_total{result="refused"}'
    const before = await figure(validator, refused)
    const plain = await plainNode('tcp')
    try {
      await plain.dial(validator.addresses.p2p.map((address) => multiaddr(address))).catch(() => undefined)
      await above(validator, refused, before)
    } finally {
      await plain.stop()
    }
  })
})

describe('a follower', { timeout: 2 * LONG_MS }, () => {
  it('counts the blocks that it fetched to catch up, and none of them as refused', async () => {
    await above(follower, 'hypermesh_sync_blocks_total{result="taken"}', 50)
    expect(await figure(follower, 'hypermesh_sync_blocks_total{result="refused"}')).toBe(0)
  })

  it('is connected to its bootstrap peer, and has no stake', async () => {
    await above(follower, 'hypermesh_p2p_bootstrap_peers', 0)
    expect(await figure(follower, 'hypermesh_p2p_bootstrap_peers')).toBe(1)
    expect(await figure(follower, 'hypermesh_validator_is_active')).toBe(0)
    expect(await figure(follower, 'hypermesh_validator_power_ratio')).toBe(0)
    expect(await figure(follower, 'hypermesh_wal_fsync_seconds_count')).toBe(0)
  })
})

/** How a node ends, and what it refuses to begin with: exit codes as a supervisor sees them. */

import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { safetyLogPath } from '../../src/composition/node-storage.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { Database } from '../../src/storage/database.ts'
import { endAll, run } from '../support/cli/processes.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'

let network: LocalNetwork
let other: LocalNetwork

beforeAll(async () => {
  network = await LocalNetwork.start({ validators: 1 })
  other = await LocalNetwork.create({ validators: 1 })
})

afterAll(async () => {
  endAll()
  await network?.destroy()
  await other?.destroy()
})

/** Starts the node for it to refuse. */
async function refusal(node: NodeProcess): Promise<{ code: number | null; said: string }> {
  node.start()
  const { code } = await node.ended
  return { code, said: node.log() }
}

describe('a node', { timeout: 90_000 }, () => {
  it('stops on SIGTERM with 0, without a warning, and goes on from where it was', async () => {
    const node = network.node(0)
    const { text } = await ask(node.ca, 'certificate', certificateBody(certificate()))
    expect(JSON.parse(text).result).toBe('Valid')
    const height = await node.height()
    expect(await node.terminate()).toEqual({ code: 0, signal: null })
    expect(node.log()).toContain('"msg":"node stopped"')
    expect(node.log()).not.toMatch(/"level":"(?:warn|error)"/)
    expect(existsSync(dataDirectoryAt(node.folder).run)).toBe(false)
    node.start()
    await node.ready()
    expect(await node.height()).toBeGreaterThanOrEqual(height)
  })

  it('loads what the one before compiled, and writes none of it again', async () => {
    const node = network.node(0)
    await node.terminate()
    node.environment = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }
    node.start()
    await node.ready()
    const { text } = await ask(node.ca, 'certificate', certificateBody(certificate()))
    expect(JSON.parse(text).result).toBe('Valid')
    expect(await node.terminate()).toEqual({ code: 0, signal: null })
    const [accepted, rejected, written] = [' was accepted', ' was rejected', 'writing cache'].map(
      (what) =>
        node
          .log()
          .split('\n')
          .filter((line) => line.includes(what)).length,
    )
    expect(accepted).toBeGreaterThan(1_000)
    expect({ rejected, written }).toEqual({ rejected: 0, written: 0 })
    node.environment = {}
    node.start()
    await node.ready()
  })

  it('lets no second one run in its data directory (73), and is not disturbed', async () => {
    const node = network.node(0)
    const { code, stderr } = await run([...HYPERMESH, 'start', '--data', node.folder]).ended
    expect(code).toBe(73)
    expect(stderr).toContain('E_DATA_DIR_IN_USE')
    expect(stderr).toContain(`pid ${node.pid}`)
    const { text } = await ask(node.ca, 'certificate', certificateBody(certificate()))
    expect(JSON.parse(text).result).toBe('Valid')
  })
})

describe('a node that is stopped', { timeout: 90_000 }, () => {
  let node: NodeProcess
  let files: ReturnType<typeof dataDirectoryAt>

  beforeAll(async () => {
    node = network.node(0)
    files = dataDirectoryAt(node.folder)
    await node.terminate()
  })

  it('refuses the genesis of another network (65)', async () => {
    const kept = readFileSync(files.genesis)
    writeFileSync(files.genesis, readFileSync(other.genesisFile))
    const { code, said } = await refusal(node)
    writeFileSync(files.genesis, kept)
    expect(code).toBe(65)
    expect(said).toMatch(/^E_GENESIS_CHANGED: .*\n.*fix: put the original genesis\.json back/m)
  })

  it('refuses the database of another network (65)', async () => {
    renameSync(files.database, `${files.database}-kept`)
    const { genesisHash } = other
    const foreign = await Database.open({ path: files.database, network: { network: 'e2e', genesisHash } })
    await foreign.close()
    const { code, said } = await refusal(node)
    rmSync(files.database, { recursive: true })
    renameSync(`${files.database}-kept`, files.database)
    expect(code).toBe(65)
    expect(said).toMatch(/^E_DB_FOREIGN: .*network/m)
  })

  it('refuses to sign without the record of what it signed (77), and does not begin a new one', async () => {
    const path = safetyLogPath(files)
    renameSync(path, `${path}-kept`)
    const { code, said } = await refusal(node)
    expect(existsSync(path)).toBe(false)
    renameSync(`${path}-kept`, path)
    expect(code).toBe(77)
    expect(said).toMatch(/^E_SAFETY_RECORD_MISSING: /m)
  })

  it("refuses another key's record (77)", async () => {
    const path = safetyLogPath(files)
    renameSync(path, `${path}-kept`)
    cpSync(safetyLogPath(dataDirectoryAt(other.node(0).folder)), path)
    const { code, said } = await refusal(node)
    renameSync(`${path}-kept`, path)
    expect(code).toBe(77)
    expect(said).toMatch(/^E_SAFETY_RECORD_FOREIGN: /m)
  })

  it('refuses a port that somebody else has (69), and leaves nothing behind', async () => {
    const { ca } = network.ports[0] ?? { ca: 0 }
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(ca, '::1', resolve))
    const { code, said } = await refusal(node)
    await new Promise((resolve) => taken.close(resolve))
    expect(code).toBe(69)
    expect(said).toContain(String(ca))
    expect(existsSync(files.run)).toBe(false)
  })

  it('and then starts as if nothing had been', async () => {
    node.start()
    await node.ready()
    const { text } = await ask(node.ca, 'certificate', certificateBody(certificate()))
    expect(JSON.parse(text).result).toBe('Valid')
  })
})

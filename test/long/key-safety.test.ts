/**
 * A validator's key in two places, with real processes: a copied data directory does not sign, a key moves with its
 * record, and what must not be signed with is refused by name.
 */

import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NodePorts } from '../../src/cli/local-network/node-ports.ts'
import { nodePorts } from '../../src/cli/local-network/node-ports.ts'
import { safetyLogPath } from '../../src/composition/node-storage.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { endAll, run } from '../support/cli/processes.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { freeBasePort, LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, NodeProcess } from '../support/e2e/node-process.ts'
import { contradictionsOf, SafetyWitness } from '../support/e2e/safety-witness.ts'
import { until } from '../support/e2e/until.ts'

/** Its blocks come by themselves and often: the listener hears something within its wait. */
const PARAMETERS = { heartbeatMs: 300 }
const WAIT = ['--validator.doppelganger-wait', '5s']
const MOVED = 3

let network: LocalNetwork
/** Where the key lives after it has moved. */
let moved: NodeProcess

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: PARAMETERS })
}, 120_000)

afterAll(async () => {
  endAll()
  await network?.destroy()
})

/** The same data directory elsewhere, on ports of its own. */
async function copyOf(source: NodeProcess, name: string): Promise<NodeProcess> {
  const folder = join(network.home, name)
  cpSync(source.folder, folder, {
    recursive: true,
    filter: (path) => !path.endsWith('.log') || path.includes('safety'),
  })
  return atPorts(folder, name)
}

async function atPorts(folder: string, name: string): Promise<NodeProcess> {
  const ports: NodePorts = nodePorts(await freeBasePort(1), 0)
  return new NodeProcess({
    name,
    folder,
    api: `http://127.0.0.1:${ports.api}`,
    ca: `https://[::1]:${ports.ca}`,
    args: [
      ...['--p2p.listen', `/ip4/127.0.0.1/tcp/${ports.p2p}`],
      ...['--api.listen', `127.0.0.1:${ports.api}`],
      ...['--metrics.listen', `127.0.0.1:${ports.metrics}`],
      ...['--ca.listen', `[::1]:${ports.ca}`],
      ...['--stoq.listen', `[::1]:${ports.stoq}`],
      ...WAIT,
    ],
  })
}

/** Everything that one key signed, in whichever of these directories. */
async function signedByOneKey(
  witnesses: readonly SafetyWitness[],
): Promise<ReturnType<typeof contradictionsOf>> {
  const all = await Promise.all(witnesses.map((witness) => witness.signed()))
  return contradictionsOf(all.flat().map((signed) => ({ ...signed, node: MOVED })))
}

function watchKey(...folders: string[]): SafetyWitness[] {
  return folders.map((folder, i) => {
    const witness = new SafetyWitness([folder], join(network.home, `key-witness-${Date.now()}-${i}`))
    witness.start()
    return witness
  })
}

async function safety(...args: string[]) {
  return await run([...HYPERMESH, 'safety', ...args]).ended
}

describe('a data directory that was copied', () => {
  it('does not sign beside the original: the second one hears the first and stops with 77', {
    timeout: 90_000,
  }, async () => {
    const original = network.node(MOVED)
    await original.terminate()
    const copy = await copyOf(original, 'copy')
    const witnesses = watchKey(original.folder, copy.folder)
    original.start()
    await original.ready()
    copy.start()
    const { code } = await copy.ended
    expect(copy.log()).toContain('E_DOPPELGANGER')
    expect(code).toBe(77)
    expect(copy.log()).toContain('listening before signing')
    expect(copy.log()).not.toContain('signing from here on')
    const { slots, contradictions } = await signedByOneKey(witnesses)
    for (const witness of witnesses) witness.stop()
    expect(slots).toBeGreaterThan(0)
    expect(contradictions).toEqual([])
    expect((await network.witness.testify()).contradictions).toEqual([])
    expect(original.isRunning).toBe(true)
    const height = await original.height()
    await until(async () => (await original.height()) > height, 20_000, 'the chain goes on')
  })
})

/** Of the final blocks from a height on. */
async function proposersFrom(height: number): Promise<number[]> {
  const node = network.node(0)
  const heights = Array.from({ length: (await node.height()) - height }, (_, i) => height + 1 + i)
  return (await Promise.all(heights.map((at) => node.block(at)))).map(({ proposer }) => proposer)
}

describe('a key that moves', () => {
  let file: string

  it('is not exported while it is in use (73)', async () => {
    const { code, stderr } = await safety('export', '--data', network.node(MOVED).folder)
    expect(code).toBe(73)
    expect(stderr).toContain('E_DATA_DIR_IN_USE')
  })

  it('takes its record along, listens, and then signs', { timeout: 90_000 }, async () => {
    const old = network.node(MOVED)
    await old.terminate()
    file = join(network.home, 'safety.json')
    const exported = await safety('export', '--data', old.folder, '--out', file)
    expect(exported.stderr).toBe('')
    expect(exported.code).toBe(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await safety('export', '--data', old.folder, '--out', file)
    expect([again.code, again.stderr]).toEqual([73, expect.stringContaining('E_OUT')])

    const folder = join(network.home, 'moved')
    for (const name of ['identity.json', 'network.json']) {
      cpSync(join(dataDirectoryAt(old.folder).keys, name), join(dataDirectoryAt(folder).keys, name))
    }
    const init = run([
      ...HYPERMESH,
      ...['init', '--data', folder, '--genesis', network.genesisFile],
      ...['--bootstrap', ...[0, 1, 2].map((i) => network.address(i, 'tcp'))],
    ])
    expect((await init.ended).code).toBe(0)
    moved = await atPorts(folder, 'moved')

    moved.start()
    expect((await moved.ended).code).toBe(77)
    expect(moved.log()).toContain('E_SAFETY_RECORD_MISSING')

    const imported = await safety('import', file, '--data', folder)
    expect([imported.code, imported.stderr]).toEqual([0, ''])
    const witnesses = watchKey(old.folder, folder)
    moved.start()
    await until(
      async () => (await moved.readiness()).checks.some(({ name, ok }) => name === 'signing' && !ok),
      20_000,
      'it says that it listens',
    )
    await moved.ready(60_000)
    expect(moved.log()).toContain('signing from here on')
    await until(
      async () => (await network.node(0).block('final')).voters.includes(MOVED),
      20_000,
      'its vote counts again',
    )
    // What every node keeps: a vote is only in the certificates of a while, and may be in none of those that are kept.
    const signedFrom = await network.node(0).height()
    await until(
      async () => (await proposersFrom(signedFrom)).includes(MOVED),
      30_000,
      'a block of it is final',
    )
    const { slots, contradictions } = await signedByOneKey(witnesses)
    for (const witness of witnesses) witness.stop()
    expect(slots).toBeGreaterThan(0)
    expect(contradictions).toEqual([])

    await moved.terminate()
    moved.start()
    await moved.ready()
    expect(moved.log()).not.toContain('listening before signing')
  })

  it('cannot go back to where its record has become old (77)', { timeout: 60_000 }, async () => {
    const old = network.node(MOVED)
    await moved.terminate()
    old.start()
    const { code } = await old.ended
    expect(old.log()).toContain('E_DOPPELGANGER')
    expect(code).toBe(77)
    moved.start()
    await moved.ready()
  })

  it.each<[string, (text: string) => string, string, number]>([
    [
      'of another network',
      (text) => text.replace(/("genesis_hash": )"\w+"/, `$1"${'ab'.repeat(32)}"`),
      'E_SAFETY_FILE_NETWORK',
      65,
    ],
    [
      'of another version',
      (text) => text.replace('"interchange_format_version": "2"', '"interchange_format_version": "3"'),
      'E_SAFETY_FILE_VERSION',
      65,
    ],
    [
      'of another key',
      (text) => text.replace(/("validator_id": )"\w+"/, `$1"${'cd'.repeat(32)}"`),
      'E_SAFETY_FILE_KEY',
      77,
    ],
    [
      'with a number for a string',
      (text) => text.replace(/"view": "(\d+)"/, '"view": $1'),
      'E_SAFETY_FILE',
      65,
    ],
    ['with another view', (text) => text.replace(/"view": "\d+"/, '"view": "7"'), 'E_SAFETY_FILE', 65],
    ['that is no record', () => '[]', 'E_SAFETY_FILE', 65],
  ])('refuses a file %s by name', async (_, change, name, exitCode) => {
    const folder = network.node(MOVED).folder
    const changed = join(network.home, 'changed.json')
    writeFileSync(changed, change(readFileSync(file, 'utf8')))
    const before = readFileSync(safetyLogPath(dataDirectoryAt(folder)))
    const { code, stderr } = await safety('import', changed, '--data', folder)
    expect(stderr).toContain(`${name}: `)
    expect(code).toBe(exitCode)
    expect(readFileSync(safetyLogPath(dataDirectoryAt(folder))).equals(before)).toBe(true)
  })

  it('refuses an import while the node runs (73)', async () => {
    const { code, stderr } = await safety('import', file, '--data', moved.folder)
    expect([code, stderr]).toEqual([73, expect.stringContaining('E_DATA_DIR_IN_USE')])
  })
})

describe('two copies that start together, both in a new place', () => {
  it('do not go on together: at least one stops with 77, and the chain is one', {
    timeout: 120_000,
  }, async () => {
    await moved.terminate()
    const copies = [await copyOf(moved, 'twin-0'), await copyOf(moved, 'twin-1')]
    for (const copy of copies) copy.start()
    const first = await Promise.race(copies.map((copy) => copy.ended))
    expect(first.code).toBe(77)
    const others = [0, 1, 2].map((i) => network.node(i))
    const height = await network.node(0).height()
    await until(async () => (await network.node(0).height()) > height + 3, 20_000, 'the chain goes on')
    expect((await compareChains(others)).differences).toEqual([])
    await Promise.all(copies.filter(({ isRunning }) => isRunning).map((copy) => copy.kill()))
  })
})

describe('a safety record', () => {
  it('stays, whatever command runs over it', async () => {
    const node = network.node(MOVED)
    const log = safetyLogPath(dataDirectoryAt(node.folder))
    const before = readFileSync(log)
    const init = ['init', '--data', node.folder, '--genesis', network.genesisFile]
    for (const [args, code] of [
      [['keys', 'new', '--data', node.folder], 77],
      [[...init, '--bootstrap', network.address(0, 'tcp')], 73],
      [['start', '--data', node.folder, '--i-have-never-signed'], 77],
      [['safety', 'show', '--data', node.folder], 0],
    ] as const) {
      expect((await run([...HYPERMESH, ...args]).ended).code, args.join(' ')).toBe(code)
      expect(existsSync(log)).toBe(true)
      expect(readFileSync(log).equals(before), args.join(' ')).toBe(true)
    }
  })
})

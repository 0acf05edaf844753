/** Folders of a network: complete, each node knowing the others, and never half there. */

import { createSocket } from 'node:dgram'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNetwork, moveNetwork, nodeFolders } from '../../../src/cli/local-network/network-folder.ts'
import { nodePorts, requireFreePorts, takenPorts } from '../../../src/cli/local-network/node-ports.ts'
import { readPublicKeys } from '../../../src/cli/node-keys.ts'
import { genesisHash } from '../../../src/codec/genesis.ts'
import { safetyLogPath } from '../../../src/composition/node-storage.ts'
import { checkNetwork, openDataDirectory } from '../../../src/config/data-directory.ts'
import { parseGenesis } from '../../../src/config/genesis-file.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { freePort } from '../../support/cli/processes.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const nodeName = (index: number): string => `node-${index}`
const plan = (count: number, basePort = 20_000) => ({
  folder: join(folder, 'net'),
  nodeName,
  network: 'testnet',
  ports: Array.from({ length: count }, (_, i) => nodePorts(basePort, i)),
})

describe('a network folder', () => {
  it('holds nodes that agree on the genesis and know each other', async () => {
    const folders = await createNetwork(plan(3))
    expect(folders).toEqual(nodeFolders(plan(3)))
    const keys = await Promise.all(folders.map(readPublicKeys))
    const genesis = parseGenesis(readFileSync(join(folder, 'net', 'genesis.json'), 'utf8'))
    expect(genesis.validators.map(({ id }) => id)).toEqual(keys.map(({ id }) => id))
    expect(new Set(keys.map(({ id }) => id)).size).toBe(3)
    for (const [i, path] of folders.entries()) {
      const { directory, version } = openDataDirectory(path)
      checkNetwork(
        directory,
        version,
        'testnet',
        genesisHash(parseGenesis(readFileSync(directory.genesis, 'utf8'))),
      )
      expect(readFileSync(directory.genesis, 'utf8')).toBe(
        readFileSync(join(folder, 'net', 'genesis.json'), 'utf8'),
      )
      expect(keys[i]?.role).toBe('validator')
      expect(existsSync(safetyLogPath(directory))).toBe(true)
      const { config } = loadConfig(directory.config, {})
      const first = 20_000 + i * 10
      expect(config.p2p.listen).toEqual([
        `/ip4/127.0.0.1/tcp/${first}`,
        `/ip4/127.0.0.1/udp/${first}/quic-v1`,
      ])
      expect(config.api.listen.port).toBe(first + 1)
      expect(config.metrics.listen.port).toBe(first + 2)
      expect(config.ca.listen).toEqual({ host: '::1', port: first + 3 })
      expect(config.stoq.listen).toEqual({ host: '::1', port: first + 4 })
      const others = keys.flatMap(({ peerId }, j) =>
        j === i ? [] : [`/ip4/127.0.0.1/tcp/${20_000 + j * 10}/p2p/${peerId}`],
      )
      expect(config.p2p.bootstrap).toEqual(others)
      for (const name of ['identity.json', 'network.json']) {
        expect(statSync(join(directory.keys, name)).mode & 0o777).toBe(0o600)
      }
    }
  })

  it('can be given other ports, the keys staying', async () => {
    const folders = await createNetwork(plan(2))
    const before = await readPublicKeys(folders[0] ?? '')
    await moveNetwork(folders, plan(2, 30_000).ports)
    expect((await readPublicKeys(folders[0] ?? '')).peerId).toBe(before.peerId)
    const { config } = loadConfig(join(folders[1] ?? '', 'config.toml'), {})
    expect(config.api.listen.port).toBe(30_011)
    expect(config.p2p.bootstrap).toEqual([`/ip4/127.0.0.1/tcp/30000/p2p/${before.peerId}`])
  })

  it('is not made over something else', async () => {
    mkdirSync(join(folder, 'net'))
    writeFileSync(join(folder, 'net', 'mine'), '')
    await expect(createNetwork(plan(1))).rejects.toMatchObject({ code: 'E_FOLDER_NOT_EMPTY', exitCode: 73 })
    expect(readdirSync(folder)).toEqual(['net'])
  })

  it('removes what a process left that was ended while it made one, and not what another is making', async () => {
    const [gone, busy] = ['.999999999-new-network', `.${process.ppid}-new-network`]
    for (const name of [gone, busy]) mkdirSync(join(folder, name))
    await createNetwork(plan(1))
    expect(readdirSync(folder).sort()).toEqual([busy, 'net'])
  })

  it('is made in an empty folder', async () => {
    mkdirSync(join(folder, 'net'))
    expect(await createNetwork(plan(1))).toHaveLength(1)
  })

  it('leaves nothing behind when it cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(createNetwork({ ...plan(1), folder: join(folder, 'file', 'net') })).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(['file'])
  })
})

describe('ports', () => {
  it('of two nodes never meet', () => {
    for (const [caPort, stoqPort] of [[], [8_080, 9_292]]) {
      const all = Array.from({ length: 32 }, (_, i) =>
        Object.values(nodePorts(9_600, i, caPort, stoqPort)),
      ).flat()
      expect(new Set(all).size).toBe(all.length)
    }
  })

  it('keep clear of the ports of a node with default settings', () => {
    const { config } = loadConfig(join(folder, 'none.toml'), {})
    const all = Array.from({ length: 32 }, (_, i) => Object.values(nodePorts(9_600, i))).flat()
    const { ca, api, metrics, stoq } = config
    for (const { port } of [ca, api, metrics, stoq]
      .map(({ listen }) => listen)
      .concat({ host: '', port: 4_001 })) {
      expect(all).not.toContain(port)
    }
  })

  it('that are taken are named, TCP and UDP', async () => {
    const ports = {
      p2p: await freePort(),
      api: await freePort(),
      metrics: await freePort(),
      ca: await freePort(),
      stoq: await freePort(),
    }
    expect(await takenPorts([ports])).toEqual([])
    const tcp = createServer().listen(ports.api, '127.0.0.1')
    const udp = createSocket('udp4').bind(ports.p2p, '127.0.0.1')
    const stoq = createSocket('udp6').bind(ports.stoq, '::1')
    try {
      await Promise.all([
        new Promise((done) => tcp.once('listening', done)),
        new Promise((done) => udp.once('listening', done)),
        new Promise((done) => stoq.once('listening', done)),
      ])
      expect(await takenPorts([ports])).toEqual([
        `tcp ${ports.api}`,
        `udp ${ports.p2p}`,
        `udp [::1]:${ports.stoq}`,
      ])
      await expect(requireFreePorts([ports], 'use others')).rejects.toMatchObject({
        code: 'E_PORT_IN_USE',
        exitCode: 69,
        message: `in use: tcp ${ports.api}, udp ${ports.p2p}, udp [::1]:${ports.stoq}`,
        advice: { fix: 'use others' },
      })
    } finally {
      tcp.close()
      udp.close()
      stoq.close()
    }
  })
})

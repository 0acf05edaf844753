/** Validators of one network on free ports of this machine, in a folder that goes with them. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNetwork } from '../../../src/cli/local-network/network-folder.ts'
import { type NodePorts, nodePorts, takenPorts } from '../../../src/cli/local-network/node-ports.ts'
import { readPublicKeys } from '../../../src/cli/node-keys.ts'
import { genesisHash } from '../../../src/codec/genesis.ts'
import { dataDirectoryAt } from '../../../src/config/data-directory.ts'
import { parseGenesis } from '../../../src/config/genesis-file.ts'
import type { ChainParameters } from '../../../src/types/genesis.ts'
import type { GenesisHash } from '../../../src/types/primitives.ts'
import { endAllNodes, NodeProcess } from './node-process.ts'
import { SafetyWitness } from './safety-witness.ts'

/** Where the system takes its own ports from begins above. */
const BASE_PORT_MIN = 10_000
const BASE_PORT_COUNT = 200
/** Test files that run beside each other have ports of their own: what is free for one may be taken by another. */
const POOLS = 4
const POOL = Number(process.env['VITEST_POOL_ID'] ?? 0) % POOLS

const FOLDER = 'net'

const ENSURE = join(import.meta.dirname, '..', '..', '..', 'scripts', 'ensure.mjs')

/** Whose nodes may not listen yet, or may listen again. */
const given = new Set<number>()

/** A base port with the ports of so many nodes free behind it; another one at every call, as long as there are. */
export async function freeBasePort(nodes: number): Promise<number> {
  for (;;) {
    if (given.size >= BASE_PORT_COUNT / POOLS) given.clear()
    const base = BASE_PORT_MIN + 100 * (POOL + POOLS * Math.floor((Math.random() * BASE_PORT_COUNT) / POOLS))
    if (given.has(base)) continue
    given.add(base)
    const all = Array.from({ length: nodes }, (_, i) => nodePorts(base, i))
    if ((await takenPorts(all)).length === 0) return base
  }
}

export interface LocalNetworkOptions {
  readonly validators?: number
  readonly parameters?: Partial<ChainParameters>
  /** What notes of genesis are worth, whose wallet lies in the folder of the network; default: there are none. */
  readonly walletNotes?: readonly bigint[]
  /** Level of the nodes' logs. */
  readonly logLevel?: string
  /** Address on which TrustChain asks, by HTTPS and by STOQ; default `[::1]`. */
  readonly doorHost?: string
  /** Makes the node folders in `out` instead, as a person would with the command line. */
  readonly make?: (out: string, basePort: number) => Promise<readonly string[]>
}

export class LocalNetwork {
  /** Holds the network, and may hold more nodes of it. */
  readonly home: string
  /** With the folders of the validators. */
  readonly folder: string
  readonly nodes: readonly NodeProcess[]
  readonly ports: readonly NodePorts[]
  readonly genesisFile: string
  readonly genesisHash: GenesisHash
  /** Keeps everything that the validators ever wrote into their safety records. */
  readonly witness: SafetyWitness
  readonly #peerIds: readonly string[]

  private constructor(
    home: string,
    folders: readonly string[],
    ports: readonly NodePorts[],
    peerIds: readonly string[],
    logLevel: string,
    doorHost: string,
  ) {
    this.home = home
    this.folder = join(home, FOLDER)
    this.ports = ports
    this.#peerIds = peerIds
    this.nodes = folders.map((folder, i) => {
      const { api, ca, stoq } = ports[i] ?? { api: 0, ca: 0, stoq: 0 }
      return new NodeProcess({
        name: `node-${i}`,
        folder,
        api: `http://127.0.0.1:${api}`,
        ca: `https://${doorHost}:${ca}`,
        args: [
          ...['--log.level', logLevel],
          ...['--ca.listen', `${doorHost}:${ca}`, '--stoq.listen', `${doorHost}:${stoq}`],
        ],
      })
    })
    const { genesis } = dataDirectoryAt(folders[0] ?? '')
    this.genesisFile = genesis
    this.genesisHash = genesisHash(parseGenesis(readFileSync(genesis, 'utf8'), genesis))
    this.witness = new SafetyWitness(folders, join(home, 'witness'))
  }

  /** Makes a network; nothing runs yet. */
  static async create(options: LocalNetworkOptions = {}): Promise<LocalNetwork> {
    const { validators = 4, parameters = {}, walletNotes, logLevel = 'info' } = options
    const { doorHost = '[::1]', make } = options
    // The processes run what is built: that must be what is here.
    execFileSync(process.execPath, [ENSURE], { stdio: ['ignore', 'ignore', 'inherit'] })
    const home = mkdtempSync(join(tmpdir(), 'hypermesh-e2e-'))
    const basePort = await freeBasePort(validators)
    const ports = Array.from({ length: validators }, (_, i) => nodePorts(basePort, i))
    const out = join(home, FOLDER)
    const folders =
      make === undefined
        ? await createNetwork({
            folder: out,
            nodeName: (i) => `node-${i}`,
            network: 'e2e',
            ports,
            parameters,
            ...(walletNotes === undefined ? {} : { walletNotes }),
          })
        : await make(out, basePort)
    const peerIds: string[] = []
    for (const folder of folders) peerIds.push((await readPublicKeys(folder)).peerId)
    return new LocalNetwork(home, folders, ports, peerIds, logLevel, doorHost)
  }

  /** Makes a network, starts it, and waits until every node is ready. */
  static async start(options: LocalNetworkOptions = {}): Promise<LocalNetwork> {
    const network = await LocalNetwork.create(options)
    await network.startAll()
    return network
  }

  /** Starts those that do not run, and waits until all are ready. */
  async startAll(deadlineMs = 60_000): Promise<void> {
    this.witness.start()
    for (const node of this.nodes) if (!node.isRunning) node.start()
    await Promise.all(this.nodes.map((node) => node.ready(deadlineMs)))
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`no node ${index}`)
    return node
  }

  /** Where others dial a node, with its peer id. */
  address(index: number, transport: 'tcp' | 'quic'): string {
    const port = this.ports[index]?.p2p
    const carrier = transport === 'tcp' ? `tcp/${port}` : `udp/${port}/quic-v1`
    return `/ip4/127.0.0.1/${carrier}/p2p/${this.#peerIds[index]}`
  }

  /** Ends everything by force; the folder stays. */
  async end(): Promise<void> {
    this.witness.stop()
    await endAllNodes()
  }

  /** Ends everything by force and removes the folder. */
  async destroy(): Promise<void> {
    await this.end()
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10 })
  }
}

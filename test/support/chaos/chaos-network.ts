/**
 * Validators on a fabric, with what is needed to hurt them and to look at them from outside: the witness of what they
 * sign, a watch of what they show as final, a trickle of requests, and what they complain of in their logs.
 */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNetwork } from '../../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../../src/cli/local-network/node-ports.ts'
import { readPublicKeys } from '../../../src/cli/node-keys.ts'
import { FinalityWatch } from '../e2e/finality-watch.ts'
import { freeBasePort } from '../e2e/local-network.ts'
import { HYPERMESH, NodeProcess } from '../e2e/node-process.ts'
import { SafetyWitness } from '../e2e/safety-witness.ts'
import { Trickle } from '../e2e/trickle.ts'
import type { Habit } from '../maverick/habits.ts'
import { maverickCommand } from '../maverick/start-maverick.ts'
import { seededRandom } from '../seeded-random.ts'
import type { Fabric } from './fabric.ts'
import { FakeClock, findFaketime } from './fake-clock.ts'
import { RelayFabric } from './relay-fabric.ts'
import { SmallDisk } from './small-disk.ts'

const ENSURE = join(import.meta.dirname, '..', '..', '..', 'scripts', 'ensure.mjs')
/** A slow look and a slow trickle: the nodes shall have the machine. */
const LOOK_MS = 100
const REQUEST_PAUSE_MS = 400
/** For a hang, on a machine that others use as well. */
const START_DEADLINE_MS = 170_000

export interface ChaosNetworkOptions {
  readonly validators: number
  readonly heartbeatMs: number
  /** Blocks of an epoch; default: as `testnet init` has it. */
  readonly epochBlocks?: number
  /** Repeats whom the faults hurt, what is asked, and what is lost on the way; not when. */
  readonly seed: number
  /** For a fabric other than relays. */
  readonly fabric?: (peerIds: readonly string[]) => Fabric
  /** The last validator is a maverick with these. */
  readonly maverick?: readonly Habit[]
  /** The last validator's data directory on a small disk, if the machine permits. */
  readonly withSmallDisk?: boolean
}

/** Those that were made and have not ended, also while they start. */
const made = new Set<ChaosNetwork>()

/** For whoever is told to stop: ends them, and takes back what was imposed. */
export async function destroyChaosNetworks(): Promise<void> {
  await Promise.all([...made].map((network) => network.destroy()))
}

export class ChaosNetwork {
  readonly home: string
  readonly fabric: Fabric
  readonly nodes: readonly NodeProcess[]
  /** Those who keep the rules. */
  readonly honest: readonly NodeProcess[]
  readonly hasMaverick: boolean
  readonly witness: SafetyWitness
  /** For choosing victims. */
  readonly random: () => number
  /** Of the last validator; or why it has none. */
  readonly disk: SmallDisk | string
  /** For any one validator; or why there is none. */
  readonly clock: FakeClock | string
  readonly watch: FinalityWatch
  readonly trickle: Trickle

  private constructor(
    home: string,
    folders: readonly string[],
    fabric: Fabric,
    disk: SmallDisk | string,
    { maverick, seed }: ChaosNetworkOptions,
  ) {
    this.home = home
    this.fabric = fabric
    this.disk = disk
    this.random = seededRandom(seed)
    const last = folders.length - 1
    this.hasMaverick = maverick !== undefined
    const logs = join(home, 'logs')
    this.nodes = folders.map((folder, i) => {
      const { prefix, args, api, ca } = fabric.launches[i] ?? { prefix: [], args: [], api: '', ca: '' }
      const isMaverick = maverick !== undefined && i === last
      const command = isMaverick ? maverickCommand(maverick) : [...HYPERMESH, 'start']
      const logFolder = join(logs, `${i}`)
      mkdirSync(logFolder, { recursive: true })
      return new NodeProcess({
        name: isMaverick ? 'maverick' : `node-${i}`,
        folder,
        api,
        ca,
        command: [...prefix, ...command],
        args: ['--log.level', isMaverick ? 'info,maverick=debug' : 'info', ...args],
        logFolder,
      })
    })
    this.honest = this.hasMaverick ? this.nodes.slice(0, last) : this.nodes
    const watched = this.hasMaverick ? folders.slice(0, last) : folders
    this.witness = new SafetyWitness(
      watched,
      watched.map((folder) => join(folder, 'witness')),
    )
    const library = findFaketime()
    this.clock =
      library === null
        ? 'libfaketime is not installed (apt-get install libfaketime)'
        : new FakeClock(library, join(home, 'clock'))
    this.watch = new FinalityWatch(this.honest, LOOK_MS)
    this.trickle = new Trickle(this.honest, seededRandom(seed + 1), REQUEST_PAUSE_MS)
  }

  /** Makes a network, starts it, and waits until every honest node is ready. */
  static async start(options: ChaosNetworkOptions): Promise<ChaosNetwork> {
    // The processes run what is built: that must be what is here.
    execFileSync(process.execPath, [ENSURE], { stdio: ['ignore', 'ignore', 'inherit'] })
    const { validators, heartbeatMs, seed } = options
    const home = mkdtempSync(join(tmpdir(), 'hypermesh-chaos-'))
    const basePort = await freeBasePort(validators)
    const ports = Array.from({ length: validators }, (_, i) => nodePorts(basePort, i))
    const folders = await createNetwork({
      folder: join(home, 'net'),
      nodeName: (i) => `node-${i}`,
      network: 'chaos',
      ports,
      // A state is voted over, and lied about, with every block.
      parameters: {
        heartbeatMs,
        certificateIntervalMs: 0,
        ...(options.epochBlocks === undefined ? {} : { epochBlocks: options.epochBlocks }),
      },
    })
    const peerIds: string[] = []
    for (const folder of folders) peerIds.push((await readPublicKeys(folder)).peerId)
    const fabric =
      options.fabric?.(peerIds) ?? (await RelayFabric.create(ports, peerIds, seededRandom(seed + 2)))
    const disk =
      options.withSmallDisk === true ? SmallDisk.under(folders.at(-1) ?? '') : 'no disk was asked for'
    const network = new ChaosNetwork(home, folders, fabric, disk, options)
    made.add(network)
    try {
      network.witness.start()
      for (const node of network.nodes) node.start()
      await Promise.all(network.honest.map((node) => node.ready(START_DEADLINE_MS)))
      return network
    } catch (error) {
      await network.end()
      throw error
    }
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`no node ${index}`)
    return node
  }

  /** Ends every process by force, and what was imposed. The folder stays, but for what was on the small disk. */
  async end(): Promise<void> {
    if (!made.delete(this)) return
    this.witness.stop()
    for (const node of this.nodes) node.resume()
    await Promise.all(this.nodes.map((node) => node.kill()))
    await Promise.all([this.watch.stop(), this.trickle.stop()])
    await this.fabric.close()
    if (this.disk instanceof SmallDisk) this.disk.remove()
  }

  async destroy(): Promise<void> {
    await this.end()
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** Lines of a node's logs that a person would have to be woken for; those read before are not told again. */
export class ComplaintReader {
  readonly #read = new Map<string, number>()

  of(node: NodeProcess): string[] {
    const { logFile } = node
    const lines = readFileSync(logFile, 'utf8').split('\n')
    const from = this.#read.get(logFile) ?? 0
    this.#read.set(logFile, lines.length - 1)
    return lines
      .slice(from)
      .filter((line) => line.includes('"level":"error"') || /^E_[A-Z_]+: /.test(line))
      .map((line) => `${node.name}: ${line}`)
  }
}

/** Real validator processes on this machine for a benchmark: made, started, measured from /proc, stopped by pid. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNetwork } from '../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../src/cli/local-network/node-ports.ts'
import type { ChainParameters } from '../../src/types/genesis.ts'

const ENTRY = join(import.meta.dirname, '..', '..', 'dist', 'node.js')
/** Linux counts CPU time in hundredths of a second (USER_HZ). */
const TICK_MS = 10
/** For a hang: on a machine that others use as well a start takes its time. */
const READY_TIMEOUT_MS = 120_000

export interface Usage {
  /** User and system CPU time since the start of the process, milliseconds. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** Caused to be written to the disk since the start of the process, bytes. */
  readonly writtenBytes: number
}

export interface BlockFigures {
  /** Unix milliseconds, as the proposer gave it. */
  readonly time: number
  readonly view: number
}

export class BenchNetwork {
  readonly #folder: string
  readonly #processes: ChildProcess[]
  readonly #folders: readonly string[]
  readonly apis: readonly string[]
  readonly cas: readonly string[]

  private constructor(folder: string, folders: readonly string[], basePort: number) {
    this.#folder = folder
    this.#folders = folders
    const ports = folders.map((_, i) => nodePorts(basePort, i))
    this.apis = ports.map(({ api }) => `http://127.0.0.1:${api}`)
    this.cas = ports.map(({ ca }) => `https://[::1]:${ca}`)
    this.#processes = folders.map((data) =>
      spawn(process.execPath, [ENTRY, 'start', '--data', data, '--log.level', 'warn'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    )
  }

  /** Starts validators with fresh keys and waits until their first block is final. */
  static async start(
    validators: number,
    basePort: number,
    parameters: Partial<ChainParameters>,
  ): Promise<BenchNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'hypermesh-bench-'))
    const folders = await createNetwork({
      folder: join(folder, 'net'),
      nodeName: (i) => `node-${i}`,
      network: 'bench',
      ports: Array.from({ length: validators }, (_, i) => nodePorts(basePort, i)),
      parameters,
    })
    const network = new BenchNetwork(folder, folders, basePort)
    await network.#untilReady()
    return network
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS
    for (;;) {
      const ready = await Promise.all(
        this.apis.map((api) =>
          fetch(`${api}/readyz`)
            .then((r) => r.ok)
            .catch(() => false),
        ),
      )
      if (ready.every(Boolean)) return
      if (performance.now() > deadline) {
        await this.stop()
        throw new Error('the validators were not ready in time')
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Height of the last final block at the first node. */
  async height(): Promise<number> {
    const status = (await (await fetch(`${this.apis[0]}/v1/status`)).json()) as { final: { height: number } }
    return status.final.height
  }

  /** The blocks from `from` to `to`, both included. */
  async blocks(from: number, to: number): Promise<BlockFigures[]> {
    const blocks: BlockFigures[] = []
    for (let height = from; height <= to; height++) {
      blocks.push((await (await fetch(`${this.apis[0]}/v1/blocks/${height}`)).json()) as BlockFigures)
    }
    return blocks
  }

  /** Of each process now, or of the first so many. */
  usage(count = this.#processes.length): Usage[] {
    return this.#processes.slice(0, count).map(({ pid }) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
      const written = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? '0'
      return {
        cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
        rssBytes: Number(rss) * 1_024,
        writtenBytes: Number(written),
      }
    })
  }

  /** The first node's database, LevelDB's own folder. */
  get databaseFolder(): string {
    return join(this.#folders[0] ?? '', 'db')
  }

  /** Ends one as a power cut would. */
  async kill(index: number): Promise<void> {
    await this.#end(this.#processes.slice(index, index + 1), 'SIGKILL')
  }

  /** Stops every process; what they wrote stays. */
  async stopProcesses(): Promise<void> {
    await this.#end(this.#processes, 'SIGTERM')
  }

  /** Stops every process and removes what it wrote. */
  async stop(): Promise<void> {
    await this.stopProcesses()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(processes: readonly ChildProcess[], signal: NodeJS.Signals): Promise<void> {
    await Promise.all(
      processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill(signal)
        await ended
      }),
    )
  }
}

/**
 * Links between network namespaces, made bad with `ip` and `tc`. Runs inside the hub, from where the nodes can be
 * asked. A pair is cut, one way, by a neighbour entry with an address that nobody has: packets leave and reach
 * nobody, and no connection hears of it.
 */

import type { Fabric, FabricNeed, Shape } from './fabric.ts'
import { type Kernel, lossBytecode, run } from './kernel.ts'
import { controlAddress, dataAddress, inNamespace, type Namespaces } from './namespaces.ts'
import { launchOf, type NodeLaunch } from './node-launch.ts'

/** Locally administered (IEEE 802), and given to no interface. */
const NOBODY = '02:00:00:00:00:01'
const PORT = 4_001

export class NamespaceFabric implements Fabric {
  readonly kind = 'namespaces'
  readonly launches: readonly NodeLaunch[]
  readonly #names: readonly string[]
  readonly #kernel: Kernel
  readonly #cuts = new Map<string, readonly [from: number, to: number]>()
  readonly #shaped = new Set<number>()

  /** @param peerIds of the nodes, in order */
  constructor(namespaces: Namespaces, kernel: Kernel, peerIds: readonly string[]) {
    this.#names = namespaces.nodes
    this.#kernel = kernel
    this.launches = namespaces.nodes.map((name, i) =>
      launchOf(inNamespace(name), {
        tellsAddresses: true,
        p2p: [`/ip4/${dataAddress(i)}/tcp/${PORT}`, `/ip4/${dataAddress(i)}/udp/${PORT}/quic-v1`],
        bootstrap: peerIds
          .map((peerId, other) => `/ip4/${dataAddress(other)}/tcp/${PORT}/p2p/${peerId}`)
          .filter((_, other) => other !== i),
        api: `${controlAddress(i)}:9441`,
        metrics: `${controlAddress(i)}:9442`,
        ca: `${controlAddress(i)}:8080`,
        stoq: `${controlAddress(i)}:9292`,
      }),
    )
  }

  missing(need: FabricNeed): string | null {
    const { netem, randomFilter, tokenBucket } = this.#kernel
    switch (need) {
      case 'cut':
        return null
      case 'reset':
        return 'resets are made by the relays on loopback'
      case 'delay':
        return netem
      case 'loss':
        return netem === null ? null : randomFilter
      case 'rate':
        return netem === null ? null : tokenBucket
    }
  }

  async cut(from: number, to: number): Promise<void> {
    this.#ip(from, 'neigh', 'replace', dataAddress(to), 'lladdr', NOBODY, 'dev', 'data', 'nud', 'permanent')
    this.#cuts.set(`${from} ${to}`, [from, to])
  }

  async shape(node: number, shape: Shape): Promise<void> {
    this.#unshape(node)
    this.#shaped.add(node)
    const { delayMs = 0, jitterMs = 0, lossPercent = 0, bitsPerSecond = 0 } = shape
    const root = (...args: readonly string[]): void =>
      this.#tc(node, 'qdisc', 'replace', 'dev', 'data', 'root', ...args)
    const rate = bitsPerSecond === 0 ? [] : ['rate', `${bitsPerSecond}bit`]
    if (this.#kernel.netem === null) {
      const delay = delayMs === 0 ? [] : ['delay', `${delayMs}ms`, `${jitterMs}ms`]
      const loss = lossPercent === 0 ? [] : ['loss', `${lossPercent}%`]
      root('netem', ...delay, ...loss, ...rate)
      return
    }
    if (rate.length > 0) root('tbf', ...rate, 'burst', '32kb', 'latency', '400ms')
    if (lossPercent === 0) return
    this.#tc(node, 'qdisc', 'add', 'dev', 'data', 'clsact')
    const program = ['bpf', 'da', 'bytecode', lossBytecode(lossPercent)]
    this.#tc(node, 'filter', 'add', 'dev', 'data', 'egress', ...program)
  }

  async reset(): Promise<void> {
    throw new Error(this.missing('reset') ?? '')
  }

  async heal(): Promise<void> {
    for (const [from, to] of this.#cuts.values()) {
      this.#ip(from, 'neigh', 'del', dataAddress(to), 'dev', 'data')
    }
    this.#cuts.clear()
    for (const node of this.#shaped) this.#unshape(node)
    this.#shaped.clear()
  }

  /** Whoever made the namespaces removes them. */
  async close(): Promise<void> {
    await this.heal()
  }

  #unshape(node: number): void {
    const present = run('tc', '-n', this.#name(node), 'qdisc', 'show', 'dev', 'data')
    if (/^qdisc (?:netem|tbf) /m.test(present)) this.#tc(node, 'qdisc', 'del', 'dev', 'data', 'root')
    if (/^qdisc clsact /m.test(present)) this.#tc(node, 'qdisc', 'del', 'dev', 'data', 'clsact')
  }

  #name(node: number): string {
    return this.#names[node] ?? ''
  }

  #ip(node: number, ...args: readonly string[]): void {
    run('ip', '-n', this.#name(node), ...args)
  }

  #tc(node: number, ...args: readonly string[]): void {
    run('tc', '-n', this.#name(node), ...args)
  }
}

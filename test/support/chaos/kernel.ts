/**
 * What this machine permits and has: root, iproute2, network namespaces, the qdiscs and filters that make a link
 * bad. Found out by trying it in a namespace that is removed at once; nothing is installed.
 */

import { execFileSync } from 'node:child_process'

/** Drops nothing at the threshold 2^32 - 1; see {@link lossBytecode}. */
const RANDOM_MAX = 2 ** 32 - 1

/** What there is to impose a shape with; a text says why not. */
export interface Kernel {
  readonly netem: string | null
  readonly randomFilter: string | null
  readonly tokenBucket: string | null
}

/** Runs a command and returns what it wrote. @throws Error with what it complained about */
export function run(command: string, ...args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: string }
    const why = code === 'ENOENT' ? 'not installed' : (stderr ?? String(error)).trim().split('\n')[0]
    throw new Error(`${command} ${args.slice(0, 6).join(' ')}: ${why}`, { cause: error })
  }
}

/** What went wrong, or null. */
export function failureOf(attempt: () => unknown): string | null {
  try {
    attempt()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * A classic BPF program that drops a share of all packets, for kernels without netem: load a random word
 * (SKF_AD_OFF + SKF_AD_RANDOM), compare, return TC_ACT_SHOT (2) or TC_ACT_UNSPEC (-1: go on).
 */
export function lossBytecode(lossPercent: number): string {
  const threshold = Math.round(RANDOM_MAX * (1 - lossPercent / 100))
  return `4,32 0 0 4294963256,53 0 1 ${threshold},6 0 0 2,6 0 0 4294967295`
}

/**
 * @param name of a namespace to try things in, removed again
 * @returns what there is, or a sentence why there are no namespaces
 */
export function lookAtKernel(name: string): Kernel | string {
  if (process.platform !== 'linux') return `network namespaces are Linux's, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const missing =
    failureOf(() => run('nsenter', '--version')) ??
    failureOf(() => run('tc', '-V')) ??
    failureOf(() => run('ip', 'netns', 'add', name))
  if (missing !== null) return missing
  try {
    const inside = (...args: readonly string[]): string => run('ip', '-n', name, ...args)
    const tc = (...args: readonly string[]): string => run('tc', '-n', name, ...args)
    const links = failureOf(() => {
      inside('link', 'add', 'hub', 'type', 'bridge')
      inside('link', 'add', 'leg', 'type', 'veth', 'peer', 'name', 'end')
    })
    if (links !== null) return links
    const root = (...args: readonly string[]): string | null =>
      failureOf(() => {
        tc('qdisc', 'replace', 'dev', 'leg', 'root', ...args)
        tc('qdisc', 'del', 'dev', 'leg', 'root')
      })
    return {
      netem: root('netem', 'delay', '1ms'),
      tokenBucket: root('tbf', 'rate', '1mbit', 'burst', '32kb', 'latency', '400ms'),
      randomFilter: failureOf(() => {
        tc('qdisc', 'add', 'dev', 'leg', 'clsact')
        tc('filter', 'add', 'dev', 'leg', 'egress', 'bpf', 'da', 'bytecode', lossBytecode(50))
      }),
    }
  } finally {
    run('ip', 'netns', 'del', name)
  }
}

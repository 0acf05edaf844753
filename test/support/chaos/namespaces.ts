/**
 * The namespaces of one run: a hub with two bridges, and one namespace for each node with a leg on both. Validators
 * talk over the first, which is made bad; the second is for asking them. All addresses lie inside; the machine's own
 * network is not touched. Names begin with a prefix and the pid, so that what a killed run left is found and removed.
 */

import { run } from './kernel.ts'

const PREFIX = 'hmchaos'
/** RFC 1918, and nobody's: these addresses exist inside the namespaces alone. */
const DATA = '10.213.0'
const CONTROL = '10.213.1'
const HUB_HOST = 254

export const dataAddress = (node: number): string => `${DATA}.${node + 1}`
export const controlAddress = (node: number): string => `${CONTROL}.${node + 1}`

/** Names of one run. */
export interface Namespaces {
  readonly hub: string
  readonly nodes: readonly string[]
}

export function namespaceNames(pid: number, nodes: number): Namespaces {
  const name = (part: string | number): string => `${PREFIX}-${pid}-${part}`
  return { hub: name('hub'), nodes: Array.from({ length: nodes }, (_, i) => name(i)) }
}

export function trialName(pid: number): string {
  return `${PREFIX}-${pid}-try`
}

/** Makes them. @throws Error naming the command that failed; what was made then is for {@link removeNamespaces} */
export function makeNamespaces({ hub, nodes }: Namespaces): void {
  const inHub = (...args: readonly string[]): string => run('ip', '-n', hub, ...args)
  run('ip', 'netns', 'add', hub)
  inHub('link', 'set', 'lo', 'up')
  for (const bridge of ['data', 'control']) {
    inHub('link', 'add', bridge, 'type', 'bridge')
    inHub('link', 'set', bridge, 'up')
  }
  inHub('addr', 'add', `${CONTROL}.${HUB_HOST}/24`, 'dev', 'control')
  for (const [i, node] of nodes.entries()) {
    run('ip', 'netns', 'add', node)
    run('ip', '-n', node, 'link', 'set', 'lo', 'up')
    for (const [leg, address] of [
      ['data', dataAddress(i)],
      ['control', controlAddress(i)],
    ] as const) {
      const port = `${leg}${i}`
      inHub('link', 'add', port, 'type', 'veth', 'peer', 'name', leg, 'netns', node)
      inHub('link', 'set', port, 'master', leg, 'up')
      run('ip', '-n', node, 'addr', 'add', `${address}/24`, 'dev', leg)
      run('ip', '-n', node, 'link', 'set', leg, 'up')
    }
  }
}

/** Removes every namespace of the run with this pid, and those of runs that are no more. */
export function removeNamespaces(pid: number): void {
  for (const line of run('ip', 'netns', 'list').split('\n')) {
    const name = line.split(' ')[0] ?? ''
    const owner = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1]
    if (owner === undefined) continue
    if (Number(owner) === pid || !isAlive(Number(owner))) run('ip', 'netns', 'del', name)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What puts a program into a namespace; it takes the pid that was started. */
export function inNamespace(name: string): string[] {
  return ['nsenter', `--net=/run/netns/${name}`]
}

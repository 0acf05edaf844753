/**
 * T27: what an onlooker sees of a request that is Valid and of one that is not, up to the first opening: who sends what
 * kind of message to whom, when, and how long it is; what the nodes report of themselves; what they answer about the
 * request. Two runs of one seed that differ in nothing but the request's stake.
 */
import { decodeMessage } from '../../../src/codec/messages.ts'
import { certificateTransaction } from '../../unit/ledger/fixtures.ts'
import { make } from '../scenario.ts'

/** Long enough for a verdict, in a network without faults. */
const RUN_MS = 1_500

interface Seen {
  /** In order; each with its time. */
  readonly lines: readonly string[]
  readonly hasVerdict: boolean
}

async function seen(seed: number, stakeAmount: bigint): Promise<Seen> {
  const cluster = make({ seed, parameters: { heartbeatMs: 200 } })
  const request = certificateTransaction({ stake: { stakeAmount } })
  const lines: string[] = []
  let isOpened = false
  const note = (line: string): void => {
    if (!isOpened) lines.push(`${cluster.nowMs.toFixed(3)} ${line}`)
  }
  const transmit = cluster.transmit.bind(cluster)
  cluster.transmit = (from, to, bytes) => {
    const message = decodeMessage(bytes)
    const kind = message.ok ? message.value.kind : 'nothing'
    const openings = message.ok && 'ballots' in message.value ? message.value.ballots.openings : []
    isOpened ||= openings.length > 0
    note(`${from.name} to ${to}: ${kind} of ${bytes.length} bytes`)
    transmit(from, to, bytes)
  }
  const gossip = cluster.gossip.bind(cluster)
  cluster.gossip = (from, bytes) => {
    note(`${from.name} passes ${bytes.length} bytes on`)
    gossip(from, bytes)
  }
  for (const node of cluster.nodes) {
    const observe = node.observe.bind(node)
    node.observe = (event) => {
      note(`${node.name} reports ${event.kind}`)
      observe(event)
    }
  }
  cluster.at(500, () => note(`v1 takes it: ${cluster.offer(request, cluster.node('v1'))}`))
  const state = cluster.node('v2').process?.chain.state
  const hasVerdict = (): boolean =>
    cluster.nodes.every((node) => node.process?.chain.state.verdict(request.requestKey) != null)
  for (let atMs = 510; atMs < RUN_MS; atMs += 10) {
    cluster.at(atMs, () => note(`v2 answers: ${state?.verdict(request.requestKey)?.status ?? 'pending'}`))
  }
  await cluster.runUntil(RUN_MS, hasVerdict)
  if (cluster.violations.length > 0) throw new Error(cluster.violations.join())
  return { lines, hasVerdict: hasVerdict() }
}

/** The first thing that tells one from the other, if there is any. */
export async function sideChannels(seed: number): Promise<string[]> {
  const valid = await seen(seed, 1_000n)
  const invalid = await seen(seed, 1n)
  if (!valid.hasVerdict || !invalid.hasVerdict) return ['T27: no verdict']
  const at = valid.lines.findIndex((line, i) => line !== invalid.lines[i])
  if (at < 0 && valid.lines.length === invalid.lines.length) return []
  return [`T27: Valid shows "${valid.lines[at]}", Invalid "${invalid.lines[at]}"`]
}

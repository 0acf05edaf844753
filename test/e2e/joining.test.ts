/**
 * A fifth node with the genesis file and one address, over TCP; over QUIC with the long tests. It catches up, follows
 * the tip, answers validation calls itself, and goes on after kill -9.
 */

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { readRunInfo } from '../../src/config/run-file.ts'
import { run } from '../support/cli/processes.ts'
import { ask, askStatus, verdictOf } from '../support/e2e/ca-client.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { FinalityWatch } from '../support/e2e/finality-watch.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'
import { rustCertificateRequest } from '../support/e2e/rust-request.ts'
import { serdeProblems } from '../support/e2e/serde-answer.ts'
import { until } from '../support/e2e/until.ts'

/** Built back to back before anybody joins. */
const BLOCKS = 600
const CATCH_UP_PER_SECOND_MIN = 200
/** A block that a validator shows is shown by a follower so much later at most, five nodes on two cores. */
const BEHIND_MS_MAX = 1_000

let network: LocalNetwork
/** A verdict from before anybody joined. */
let old: { readonly body: string; readonly text: string; readonly requestId: string }

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: { heartbeatMs: 0 } })
  const { json, requestId } = rustCertificateRequest()
  old = { body: json, text: (await ask(network.node(0).ca, 'certificate', json)).text, requestId }
  await until(async () => (await network.node(0).height()) >= BLOCKS, 120_000, `${BLOCKS} blocks`)
}, 180_000)

afterAll(async () => {
  await network?.destroy()
})

/** Blocks per second from the first sight of blocks to the sight of `height`. */
function catchUpRate(watch: FinalityWatch, node: NodeProcess, height: number): number {
  const seen = watch.of(node)
  const [first] = seen
  const last = seen.find((final) => final.height >= height)
  if (first === undefined || last === undefined) throw new Error('nothing was seen')
  // All at the first sight, as it were: then it took less than the time from one look to the next.
  if (first === last) return Number.POSITIVE_INFINITY
  return ((last.height - first.height) * 1_000) / (last.at - first.at)
}

describe.each(inject('transports'))('a node that joins over %s', (transport) => {
  let node: NodeProcess
  const index = transport === 'tcp' ? 0 : 3

  it('catches up at 200 blocks per second or more, while the chain goes on', {
    timeout: 60_000,
  }, async () => {
    node = await joiningNode({
      home: network.home,
      name: `joins-by-${transport}`,
      genesisFile: network.genesisFile,
      bootstrap: network.address(index, transport),
      transport,
    })
    const target = await network.node(0).height()
    const watch = new FinalityWatch([node])
    node.start()
    // By the watch's own eyes: it is its sightings that are measured.
    await until(() => watch.of(node).some(({ height }) => height >= target), 40_000, 'it has caught up')
    await watch.stop()
    expect(catchUpRate(watch, node, target)).toBeGreaterThanOrEqual(CATCH_UP_PER_SECOND_MIN)
    await node.ready()
    const status = await node.status()
    expect(status.node).toMatchObject({ role: 'follower', validatorIndex: null })
    const peers = await node.peers()
    expect(peers.map((peer) => peer.transport)).toContain(transport)
    expect(peers.some(({ validatorIndex }) => validatorIndex === index)).toBe(true)
  })

  it('follows the tip', async () => {
    const validator = network.node(1)
    const watch = new FinalityWatch([validator, node])
    const from = await validator.height()
    await until(() => watch.of(validator).some(({ height }) => height > from + 100), 30_000, 'blocks go on')
    await until(() => (watch.of(node).at(-1)?.height ?? 0) > from + 100, 10_000, 'it has them too')
    await watch.stop()
    const seen = watch.of(validator).filter(({ height }) => height <= from + 100)
    const lags = seen.map(({ height, at }) => {
      const there = watch.of(node).find((final) => final.height >= height)
      return (there?.at ?? Number.POSITIVE_INFINITY) - at
    })
    expect(lags.length).toBeGreaterThan(20)
    expect(Math.max(...lags)).toBeLessThan(BEHIND_MS_MAX)
  })

  it('answers validation calls itself, and knows what was judged before it came', async () => {
    const body = certificateBody(certificate())
    const first = await ask(node.ca, 'certificate', body)
    expect(serdeProblems(first.text)).toEqual([])
    const answer = JSON.parse(first.text)
    expect(answer.result).toBe('Valid')
    expect(answer.validator_id).toMatch(/^node-/)
    expect(answer.metrics.validator_nodes).toBeGreaterThanOrEqual(3)
    expect(await ask(node.ca, 'certificate', body)).toEqual(first)
    for (const validator of network.nodes) {
      const there = await ask(validator.ca, 'certificate', body)
      expect(verdictOf(there.text)).toEqual(verdictOf(first.text))
    }

    const bad = await ask(node.ca, 'certificate', certificateBody(certificate({ bad: 'space' })))
    expect(JSON.parse(bad.text).result.Invalid.failed_proofs).toEqual(['space_proof'])

    expect(verdictOf((await ask(node.ca, 'certificate', old.body)).text)).toEqual(verdictOf(old.text))
    expect(verdictOf((await askStatus(node.ca, old.requestId)).text)).toEqual(verdictOf(old.text))
    const replay = { ...certificate(), requestId: old.requestId }
    const { result } = JSON.parse((await ask(node.ca, 'certificate', certificateBody(replay))).text)
    expect(result.Invalid.reason).toMatch(/^request_id reused: /)
  })

  it('answers by its own multiaddr', async () => {
    const [address] = readRunInfo(dataDirectoryAt(node.folder))?.addresses.p2p ?? []
    const { stdout: made } = await run([...HYPERMESH, 'request', 'certificate']).ended
    const args = ['validate', '-', '--to', address ?? '', '--genesis', network.genesisFile]
    const { code, stdout, stderr } = await run([...HYPERMESH, ...args], { input: made }).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Valid\n/)
  })

  it('goes on after kill -9 with all it had', { timeout: 60_000 }, async () => {
    const before = await node.height()
    await node.kill()
    node.start()
    await node.ready()
    expect(await node.height()).toBeGreaterThanOrEqual(before)
    const target = await network.node(0).height()
    await until(async () => (await node.height()) >= target, 20_000, 'it follows again')
    const { differences } = await compareChains([network.node(1), node], Math.max(1, before - 50))
    expect(differences).toEqual([])
    expect(node.log()).not.toContain('"level":"error"')
    await node.terminate()
  })
})

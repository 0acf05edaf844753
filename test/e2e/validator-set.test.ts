/**
 * The validator set changes under way: a fifth validator bonds, joins at an epoch's edge and votes; one of the
 * founders leaves; and one of the old set is killed just before an edge. Real processes, stake by the command line.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPublicKeys } from '../../src/cli/node-keys.ts'
import { run } from '../support/cli/processes.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'

const EPOCH = 16
let network: LocalNetwork
let fifth: NodeProcess

interface ValidatorJson {
  readonly validatorId: string
  readonly index: number | null
  readonly stake: string
}

async function validatorsAt(node: NodeProcess): Promise<ValidatorJson[]> {
  const answer = await fetch(`${node.api}/v1/validators`)
  return ((await answer.json()) as ValidatorJson[]).filter(({ index }) => index !== null)
}

/** A `stake` command with the keys of one node, sent to that node; it waits until the change is final. */
async function stake(node: NodeProcess, ...args: string[]): Promise<void> {
  const { code, stderr } = await run([
    ...HYPERMESH,
    'stake',
    ...args,
    '--data',
    node.folder,
    '--api',
    node.api,
  ]).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

async function indexIn(node: NodeProcess, id: string): Promise<number | null> {
  return (await validatorsAt(node)).find(({ validatorId }) => validatorId === id)?.index ?? null
}

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: { epochBlocks: EPOCH, heartbeatMs: 200 } })
  fifth = await joiningNode({
    home: network.home,
    name: 'fifth',
    genesisFile: network.genesisFile,
    bootstrap: network.address(0, 'tcp'),
    transport: 'tcp',
    isValidator: true,
  })
  fifth.start()
  await fifth.ready()
})

afterAll(async () => {
  await network?.destroy()
})

describe('a fifth validator', () => {
  it('bonds what it was given, joins at the edge of an epoch, and votes', { timeout: 180_000 }, async () => {
    const { id } = await readPublicKeys(fifth.folder)
    await stake(network.node(0), 'transfer', '--to', id, '--amount', '2000')
    // It follows: what is final with node 0 is with it a moment later.
    const knowsItself = async () => (await fetch(`${fifth.api}/v1/accounts/${id}`)).ok
    await until(knowsItself, 5_000, 'the fifth has the block with the transfer')
    await stake(fifth, 'bond', '--amount', '1000')
    await stake(fifth, 'join')
    await until(async () => (await indexIn(network.node(0), id)) !== null, 60_000, 'the fifth is in the set')
    expect(await validatorsAt(network.node(0))).toHaveLength(5)
    await until(
      async () => (await fifth.status()).node.role === 'validator',
      60_000,
      'the fifth knows that it is a validator',
    )
    const index = await indexIn(fifth, id)
    await until(
      async () => (await network.node(0).status()).final.voters.includes(index ?? -1),
      60_000,
      'a vote of the fifth is in a certificate',
    )
  })
})

describe('a founder', () => {
  it('leaves at the edge of an epoch, while another one is dead', { timeout: 180_000 }, async () => {
    const leaver = network.node(1)
    const { id } = await readPublicKeys(leaver.folder)
    await stake(leaver, 'leave')
    // Four of the five old ones are a quorum, and so will be three of the four new ones.
    await network.node(2).kill()
    await until(async () => (await indexIn(network.node(0), id)) === null, 90_000, 'the founder is gone')
    const { epoch, final } = await network.node(0).status()
    await until(
      async () => (await network.node(0).status()).epoch >= epoch + 2,
      120_000,
      'two more epochs end without the dead one',
    )
    expect((await leaver.status()).node.role).toBe('follower')
    network.node(2).start()
    await until(
      async () => (await network.node(2).height()) > final.height + EPOCH,
      60_000,
      'the dead one has come back and caught up over the edges',
    )
  })

  it('leaves equal chains behind, and no two signatures for one slot', { timeout: 60_000 }, async () => {
    const { differences } = await compareChains([...network.nodes, fifth])
    expect(differences).toEqual([])
    expect((await network.witness.testify()).contradictions).toEqual([])
  })
})

/**
 * Operations on four real validators, by the command line and by a program's client: critical ones that all decide, with
 * effect at the end of the period; standard ones by a certificate, and one that is escalated; ones that would be decided
 * more easily than they may (T24 of spec/commit-reveal.md section 8); safe mode (5.8); bad input. Four to six minutes on
 * two busy cores, most of them waiting for blocks.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityKeyFile, readPublicKeys } from '../../src/cli/node-keys.ts'
import { readSignatures, signAction } from '../../src/cli/operations-client.ts'
import { openSigner, sendToFinality } from '../../src/cli/stake-client.ts'
import type { OperationSigner } from '../../src/client/operation-bytes.ts'
import { OperationsClient } from '../../src/client/operations-client.ts'
import { accountId } from '../../src/codec/genesis.ts'
import { operationForm, readForm } from '../../src/codec/operation-json.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { loadIdentity } from '../../src/crypto/keystore.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import type { OperationResultView, OperationsView } from '../../src/rpc/http/operation-ports.ts'
import { asHeight } from '../../src/types/primitives.ts'
import { run } from '../support/cli/processes.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'
import { trustAt, trustHistoryAt } from '../support/e2e/trust.ts'
import { until } from '../support/e2e/until.ts'

/** Blocks of a period: short, so that the test sees effects. */
const EPOCH = 24
/** Of an idle chain: sixteen blocks, in which one can escalate, are time enough for three commands. */
const HEARTBEAT_MS = 1_000
/** Blocks in which four operators say what they think, each with a command. */
const OPENS_AFTER = '10'
const WAIT_S = '90'
/** From an operation's effect to the last block in which its batch can be accounted for: a window of 16, and some. */
const SLOT_BLOCKS = 20
/** A test waits for its conditions, never for this. */
const TIMEOUT_MS = 300_000
/** Class O of spec/commit-reveal.md 5.5. */
const priceOfAnotherOpinion = (ppm: number): number => ppm - Math.ceil(ppm / 20)

let network: LocalNetwork
let accounts: readonly string[]
const ALL = [0, 1, 2, 3] as const
type Index = (typeof ALL)[number]

const at = (i: Index): string[] => ['--data', network.node(i).folder, '--api', network.node(i).api]
const file = (name: string): string => join(network.home, 'operations', name)

async function operation(...args: string[]) {
  const { code, stdout, stderr } = await run([...HYPERMESH, 'operation', ...args]).ended
  return { code, stdout, stderr }
}

/** A command that must succeed, with JSON for an answer. */
async function done(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await operation(...args, '--json')
  expect({ args, code, stderr }).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

async function proposed(by: Index, json: object, ...options: string[]): Promise<string> {
  const view = await done(
    'propose',
    JSON.stringify(json),
    ...at(by),
    '--opens-after',
    OPENS_AFTER,
    ...options,
  )
  return (view as { key: string }).key
}

/** As {@link proposed}, by a program of one's own: the command line would not sign what nobody can approve. */
async function proposedUnasked(
  by: Index,
  json: object,
  signatures: readonly string[],
  opensAfter = Number(OPENS_AFTER),
): Promise<string> {
  const { folder: data, api } = network.node(by)
  const read = readForm(operationForm, json)
  if (!read.ok) throw new Error(read.detail)
  const transaction = await signAction({ data, api }, await openSigner({ data }), (final) => ({
    kind: 'propose',
    operation: read.value,
    opensAt: asHeight(opensAfter === 0 ? 0 : final + opensAfter),
    authority: readSignatures(signatures),
  }))
  return (await sendToFinality({ data, api }, transaction)).key
}

/** Four operators say what they think, each to its own validator; null is nothing. */
async function say(id: string, said: readonly ('approve' | 'reject' | null)[]): Promise<void> {
  await Promise.all(
    ALL.map(async (i) => {
      const vote = said[i] ?? null
      if (vote !== null) await done(vote, id, ...at(i))
    }),
  )
}

async function shown(i: Index, id: string): Promise<OperationResultView> {
  return (await done('show', id, ...at(i), '--wait', WAIT_S)) as OperationResultView
}

async function listed(i: Index): Promise<OperationsView> {
  return (await done('list', ...at(i))) as OperationsView
}

/** What a node shows once an operation is decided there; the same everywhere, but for what openings that come later add. */
async function decidedEverywhere(id: string): Promise<OperationResultView> {
  const [first, ...others] = await Promise.all(ALL.map((i) => shown(i, id)))
  if (first === undefined) throw new Error('no node')
  for (const { trustAdjustments: _adjustments, participatingNodes: _nodes, ...other } of others)
    expect(first).toMatchObject(other)
  return first
}

async function policyAt({ api }: NodeProcess): Promise<Record<string, unknown>> {
  return (await (await fetch(`${api}/v1/policy`)).json()) as Record<string, unknown>
}

/** Signatures of some validators for a certificate, each made by its own command, in files. */
async function certified(name: string, by: readonly Index[], ...what: string[]): Promise<string[]> {
  return Promise.all(
    by.map(async (i) => {
      const path = file(`${name}-${i}.json`)
      writeFileSync(path, JSON.stringify(await done('certify', ...what, ...at(i))))
      return path
    }),
  )
}

/** Orders a standard operation by the certificate of half of the stake. */
async function ordered(name: string, json: object): Promise<string> {
  const signatures = await certified(name, [1, 2], JSON.stringify(json))
  return proposed(0, json, '--signatures', ...signatures)
}

/** Escalates an operation. False when sixteen blocks went by before: a busy machine is no fault of the network. */
async function isEscalated(name: string, id: string): Promise<boolean> {
  const signatures = await certified(`${name}-escalation`, [2, 3], '--escalate', id)
  const options = ['--opens-after', OPENS_AFTER, '--signatures', ...signatures]
  const { code, stderr } = await operation('escalate', id, ...at(3), ...options)
  if (code !== 0) expect(stderr).toContain('operation-not-recent')
  return code === 0
}

const task = (key: string, value: string, version: number) => ({
  kind: 'service-deployment',
  key,
  value,
  version,
})

beforeAll(async () => {
  network = await LocalNetwork.start({ parameters: { epochBlocks: EPOCH, heartbeatMs: HEARTBEAT_MS } })
  mkdirSync(file(''))
  accounts = await Promise.all(
    network.nodes.map(async ({ folder }) => {
      const { keys } = dataDirectoryAt(folder)
      const { keyPair } = await loadIdentity(identityKeyFile(keys), selectMlDsa65())
      return accountId(keyPair.publicKey.raw)
    }),
  )
}, 180_000)

afterAll(async () => {
  await network?.destroy()
})

describe('a critical operation', { timeout: TIMEOUT_MS }, () => {
  it('that operators oppose is rejected, and changes nothing', async () => {
    const before = await policyAt(network.node(0))
    const id = await proposed(1, {
      kind: 'network-configuration',
      key: 'policy.minimumStake',
      value: '900',
      version: 1,
    })
    await say(id, ['reject', 'approve', 'reject', 'reject'])
    const view = await decidedEverywhere(id)
    expect(view).toMatchObject({ outcome: 'Rejected', state: 'rejected', route: 'full-bft' })
    // Decided with the third opening: the fourth may come later.
    expect(view.tally).toMatchObject({ status: 'invalid', agreeing: { validators: 3 } })
    for (const node of network.nodes) expect(await policyAt(node)).toEqual(before)
  })

  it('that a quorum approves is in force after the period, everywhere, and who was of another mind pays a twentieth', async () => {
    const good = certificate()
    const { text } = await ask(network.node(0).ca, 'certificate', certificateBody(good))
    expect(JSON.parse(text).result).toBe('Valid')
    const value = String(good.certificateRequest.consensusProof.stakeProof.stakeAmount + 1n)

    const { keys } = dataDirectoryAt(network.node(2).folder)
    const { keyPair } = await loadIdentity(identityKeyFile(keys), selectMlDsa65())
    const signer: OperationSigner = {
      publicKey: keyPair.publicKey.raw,
      sign: (payload, context) => keyPair.sign(payload, context),
    }
    const client = new OperationsClient({ apis: network.nodes.map(({ api }) => api) })
    // One whose commit comes too late takes no part, and then there is nothing to pay: it is decided once more.
    const result = await until(
      async () => {
        const id = await client.proposeOperation(
          { kind: 'network-configuration', key: 'policy.minimumStake', value, version: 1 },
          { network: network.genesisHash, signer, opensAfterBlocks: Number(OPENS_AFTER) },
        )
        await say(id, ['approve', 'approve', 'approve', 'reject'])
        const decided = await client.awaitResult(id, { deadlineMs: 90_000 })
        expect(decided).toMatchObject({ id, outcome: 'Approved', route: 'full-bft' })
        const end = decided.height + SLOT_BLOCKS
        await until(async () => (await network.node(0).height()) >= end, 60_000, 'its batch is accounted for')
        const accounted = await client.awaitResult(id)
        return accounted.participatingNodes.length === ALL.length ? accounted : null
      },
      TIMEOUT_MS,
      'all four take part',
    )
    // At the end of the period, not before.
    expect(result.height % EPOCH).toBe(0)
    expect([...result.participatingNodes].sort()).toEqual([...accounts].sort())
    expect(await decidedEverywhere(result.id)).toMatchObject({
      state: 'done',
      height: result.height,
      tally: { status: 'valid' },
    })

    const [adjustment, ...others] = result.trustAdjustments
    expect(others).toEqual([])
    expect(adjustment?.account).toBe(accounts[3])
    expect(adjustment?.after).toBe(priceOfAnotherOpinion(adjustment?.before ?? 0))
    const { changes } = await trustHistoryAt(network.node(1), accounts[3] ?? '')
    expect(changes.map(({ from, ppm }) => [from, ppm])).toContainEqual([
      adjustment?.before,
      adjustment?.after,
    ])
    for (const account of accounts) {
      await until(
        async () => {
          const { now } = await trustHistoryAt(network.node(0), account)
          return (await client.getTrustScore(account)) === now.ppm / 1_000_000
        },
        20_000,
        'trust is what the API shows',
      )
    }

    for (const node of network.nodes) {
      await until(async () => (await policyAt(node))['minimumStake'] === value, 30_000, `${node.name} has it`)
      // What was enough is a unit too little now.
      const answer = await ask(node.ca, 'certificate', certificateBody(certificate()))
      expect(JSON.parse(answer.text).result.Invalid?.failed_proofs).toEqual(['stake_proof'])
    }
  })

  it('on which no operator says anything ends without a decision', async () => {
    const id = await proposed(0, {
      kind: 'network-configuration',
      key: 'policy.minimumStake',
      value: '1',
      version: 1,
    })
    const view = await decidedEverywhere(id)
    expect(view).toMatchObject({
      outcome: 'Timeout',
      state: 'timeout',
      tally: { status: 'expired' },
      trustAdjustments: [],
    })
  })
})

describe('a standard operation', { timeout: TIMEOUT_MS }, () => {
  let first: string

  it('is ordered by a certificate of more than a third, and listed with what it wrote', async () => {
    const json = task('service/checkout', 'v1', 1)
    const alone = await certified('alone', [1], JSON.stringify(json))
    const refused = await operation('propose', JSON.stringify(json), ...at(0), '--signatures', ...alone)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/E_API.*operation-authority/s)

    first = await ordered('checkout', json)
    const view = await decidedEverywhere(first)
    expect(view).toMatchObject({ outcome: 'Approved', route: 'authority', state: 'done', tally: null })
    for (const i of ALL) {
      const { entries, decided } = await listed(i)
      expect(entries).toEqual([
        { key: 'service/checkout', value: 'v1', version: 1, id: first, height: view.height },
      ])
      expect(decided.at(-1)).toMatchObject({ id: first, kind: 'service-deployment', route: 'authority' })
    }
    const { stdout } = await operation('list', ...at(3))
    expect(stdout).toContain('service/checkout = "v1" (version 1)')
  })

  it.each([
    ['approve', 'Approved', 'v1'],
    ['reject', 'Rejected', ''],
  ] as const)('is suspended by a third, and written only if all %s it', async (vote, outcome, value) => {
    let tried = 0
    const { id, key } = await until(
      async () => {
        const name = `${vote}-${++tried}`
        const order = await ordered(name, task(`service/${name}`, 'v1', 1))
        return (await isEscalated(name, order)) ? { id: order, key: `service/${name}` } : null
      },
      TIMEOUT_MS,
      'one is escalated in time',
    )
    const suspended = await listed(0)
    expect(suspended.open).toMatchObject([{ id, state: expect.stringMatching(/^(waiting|voting)$/) }])
    expect(suspended.entries.map((entry) => entry.key)).not.toContain(key)
    await say(id, [vote, vote, vote, vote])
    const view = await decidedEverywhere(id)
    expect(view).toMatchObject({ outcome, route: 'full-bft', tally: { dissenting: 0 } })
    for (const i of ALL) {
      const { entries } = await listed(i)
      expect(entries.find((entry) => entry.key === key)).toMatchObject({ value, version: 1 })
    }
  })

  it('is not escalated after sixteen blocks', async () => {
    const { height } = await shown(0, first)
    await until(async () => (await network.node(0).height()) > (height ?? 0) + 16, 60_000, 'sixteen blocks')
    const signatures = await certified('late', [2, 3], '--escalate', first)
    const refused = await operation('escalate', first, ...at(3), '--signatures', ...signatures)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/operation-not-recent/)
  })
})

describe('an operation is decided by what it is (T24)', { timeout: TIMEOUT_MS }, () => {
  it.each([
    ['an unknown one', { kind: 'other', name: 'open-all-doors', payload: '00' }, 'Timeout'],
    [
      'one of a key without a row',
      { kind: 'network-configuration', key: 'impact.low', value: 'yes', version: 1 },
      'Rejected',
    ],
  ] as const)('%s is voted on by all, whatever certificate it has', async (_, json, outcome) => {
    const signatures = await certified(json.kind, ALL, JSON.stringify(json))
    const id = await proposedUnasked(0, json, signatures)
    const { open } = await listed(0)
    expect(open).toMatchObject([
      { id, route: 'full-bft', state: expect.stringMatching(/^(waiting|voting)$/) },
    ])
    const view = await decidedEverywhere(id)
    expect(view).toMatchObject({ outcome, route: 'full-bft' })
    expect((await listed(0)).entries.every(({ key }) => key.startsWith('service/'))).toBe(true)
  })

  it('a critical key is out of the reach of a standard one', async () => {
    const json = { kind: 'maintenance-task', key: 'policy.minimumStake', value: '1', version: 1 }
    const refused = await operation('propose', JSON.stringify(json), ...at(0))
    expect(refused.code).toBe(65)
    expect(refused.stderr).toMatch(/E_OPERATION.*is no key of maintenance-task/s)
    // Whoever sends it by other means is told by the network, whatever certificate comes with it.
    const allowed = JSON.stringify({ ...json, key: 'maintenance/reach' })
    const signatures = await certified('reach', ALL, allowed)
    await expect(proposedUnasked(0, json, signatures, 0)).rejects.toThrow(/operation-key/)
  })

  it('nobody can say how much hangs on it', async () => {
    const json = {
      kind: 'network-configuration',
      key: 'policy.minimumStake',
      value: '1',
      version: 1,
      impact: 'low',
    }
    const refused = await operation('propose', JSON.stringify(json), ...at(0))
    expect(refused.code).toBe(65)
    expect(refused.stderr).toMatch(/E_OPERATION.*impact is no field of it/s)
  })
})

describe('a newcomer with more than half of the stake that there was', { timeout: TIMEOUT_MS }, () => {
  let fifth: NodeProcess
  const stake = async (node: NodeProcess, ...args: string[]): Promise<void> => {
    const { code, stderr } = await run([
      ...[...HYPERMESH, 'stake', ...args],
      ...['--data', node.folder, '--api', node.api],
    ]).ended
    expect({ args, code, stderr }).toMatchObject({ code: 0 })
  }

  it('puts the network into safe mode: no requests are judged, and everybody says why at once', async () => {
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
    const { id } = await readPublicKeys(fifth.folder)
    await stake(network.node(0), 'transfer', '--to', id, '--amount', '4000')
    await until(async () => (await fetch(`${fifth.api}/v1/accounts/${id}`)).ok, 30_000, 'the fifth has it')
    await stake(fifth, 'bond', '--amount', '2001')
    await stake(fifth, 'join')
    for (const node of network.nodes) {
      const { text, status } = await until(
        async () => {
          const answer = await ask(node.ca, 'certificate', certificateBody(certificate()))
          return answer.status === 503 ? answer : null
        },
        120_000,
        `${node.name} judges nothing`,
      )
      const { error_code: code, message } = JSON.parse(text).result.Error
      expect({ status, code, message }).toEqual({
        status: 503,
        code: 'CONSENSUS_NOT_INITIALIZED',
        message: expect.stringMatching(/^safe mode: validators with stake 4000 of 6001 weigh/),
      })
    }
  })

  it('and operations need more than three quarters', async () => {
    const json = { kind: 'network-configuration', key: 'policy.minimumStake', value: '2', version: 1 }
    const three = await proposed(1, json)
    await say(three, ['approve', 'approve', 'approve', null])
    expect(await decidedEverywhere(three)).toMatchObject({ outcome: 'Timeout' })
    const four = await proposed(1, json)
    await say(four, ['approve', 'approve', 'approve', 'approve'])
    expect(await decidedEverywhere(four)).toMatchObject({ outcome: 'Approved' })
  })

  it('which ends when it leaves', async () => {
    await stake(fifth, 'leave')
    for (const node of network.nodes) {
      await until(
        async () => (await ask(node.ca, 'certificate', certificateBody(certificate()))).status === 200,
        120_000,
        `${node.name} judges again`,
      )
    }
  })
})

describe('bad input', { timeout: TIMEOUT_MS }, () => {
  it.each([
    ['no JSON', 65, /E_OPERATION/, ['propose', '{"kind":']],
    ['no kind of operation', 65, /E_OPERATION/, ['propose', '{"kind":"nonsense"}']],
    ['a field too few', 65, /E_OPERATION/, ['propose', '{"kind":"node-admission"}']],
    ['no file', 65, /E_FILE/, ['propose', 'nowhere.json']],
    ['a vote on the next block', 64, /opens-after/, ['propose', '{}', '--opens-after', '1']],
    ['no id', 64, /64 lower-case hex digits/, ['show', 'AB']],
    ['an id of nothing', 1, /E_NOT_FOUND/, ['show', '00'.repeat(32)]],
    ['nothing to sign', 64, /--escalate/, ['certify']],
    ['a vote on an operation that is not there', 1, /E_NO_OPERATION/, ['approve', '00'.repeat(32)]],
    ['a vote on no id', 64, /64 lower-case hex digits/, ['approve', 'x']],
  ] as const)('%s ends with %i and says what is wrong', async (_, code, what, args) => {
    const refused = await operation(...args, ...at(0))
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: '' })
    expect(refused.stderr).toMatch(what)
  })

  it('signatures that are none, and a rule that is broken', async () => {
    writeFileSync(file('none.json'), '[{"account":"ab"}]')
    const none = await operation(
      'propose',
      JSON.stringify(task('service/x', 'v', 1)),
      ...at(0),
      '--signatures',
      file('none.json'),
    )
    expect(none.code).toBe(65)
    expect(none.stderr).toMatch(/E_SIGNATURES/)
    const json = task('service/checkout', 'v3', 3)
    const signatures = await certified('skipped', [1, 2], JSON.stringify(json))
    const skipped = await operation('propose', JSON.stringify(json), ...at(0), '--signatures', ...signatures)
    expect(skipped.code).toBe(1)
    expect(skipped.stderr).toMatch(/operation-version/)
  })
})

it('leaves the same chain and the same state on all nodes', { timeout: TIMEOUT_MS }, async () => {
  const { height, differences } = await compareChains(network.nodes)
  expect(differences).toEqual([])
  expect(height).toBeGreaterThan(2 * EPOCH)
  const [first, ...others] = await Promise.all(ALL.map((i) => listed(i)))
  for (const other of others) expect(other).toEqual(first)
  // Everybody was honest: but for other opinions nobody lost, and nobody is excluded.
  expect((await trustAt(network.node(0))).map(({ status }) => status)).toEqual(ALL.map(() => 'active'))
})

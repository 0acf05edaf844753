/**
 * A network whose genesis asks for attested requests: an operator registers, makes a space, and has requests judged
 * Valid, all by the command line against real processes. What is not attested, or another's, is refused.
 */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../support/cli/processes.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH } from '../support/e2e/node-process.ts'

let network: LocalNetwork

async function hypermesh(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await run([...HYPERMESH, ...args]).ended
  return { code, stdout, stderr }
}

/** A command that must succeed. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await hypermesh(...args)
  expect({ args, code, stderr }).toMatchObject({ code: 0 })
  return stdout
}

const file = (name: string): string => join(network.home, name)
const at = (i: number): string[] => ['--data', network.node(i).folder, '--api', network.node(i).api]

async function requestFile(name: string, ...args: string[]): Promise<string> {
  const text = await done('request', ...args, '--stake', '1000', '--storage', '1048576')
  writeFileSync(file(name), text)
  return file(name)
}

async function attestedFile(name: string, request: string, i: number, space: string): Promise<string> {
  writeFileSync(file(name), await done('attest', request, '--space', file(space), ...at(i)))
  return file(name)
}

/** What a node answers. */
async function verdictOn(request: string, i = 0): Promise<{ result: unknown }> {
  const { stdout } = await hypermesh('validate', request, '--to', network.node(i).ca, '--json')
  return JSON.parse(stdout) as { result: unknown }
}

beforeAll(async () => {
  network = await LocalNetwork.start({
    make: async (out, basePort) => {
      const size = ['--validators', '4', '--out', out, '--base-port', String(basePort)]
      await done('testnet', 'init', ...size, '--assurance', 'attested')
      return [0, 1, 2, 3].map((i) => join(out, `node-${i}`))
    },
  })
})

afterAll(async () => {
  await network?.destroy()
})

describe('a network that asks for attested requests', { timeout: 180_000 }, () => {
  it("refuses TrustChain's test requests and names what is missing", async () => {
    writeFileSync(file('test.json'), await done('request', 'certificate'))
    expect((await verdictOn(file('test.json'))).result).toMatchObject({
      Invalid: {
        failed_proofs: ['space_proof', 'stake_proof', 'work_proof', 'time_proof'],
        reason: expect.stringMatching(/of TrustChain's test data.*hypermesh.attestation is missing/s),
      },
    })
  })

  it('registers operators with keys of both schemes and their spaces', async () => {
    await Promise.all(
      ['space-0', 'space-1'].map((name) => done('space', 'init', '--bytes', '1MiB', '--out', file(name))),
    )
    const claims = ['--bond', '2000', '--authority', '100']
    await done('operator', 'register', '--id', 'acme', '--alias', 'acme-b', 'acme-a', ...claims, ...at(0))
    await done('operator', 'update', '--space', file('space-0'), ...at(0))
    const falcon = ['--scheme', 'falcon-1024', '--space', file('space-1')]
    await done('operator', 'register', '--id', 'bravo', ...claims, ...falcon, ...at(1))
    const shown = await done('operator', 'show', '--id', 'acme-a', '--json', ...at(0))
    expect(JSON.parse(shown)).toMatchObject({
      operatorId: 'acme',
      aliases: ['acme-a', 'acme-b'],
      bondedStake: '2000',
      space: { bytes: '1048576', leafSize: 1_024 },
    })
    for (const i of [0, 1]) {
      expect(statSync(join(network.node(i).folder, 'keys', 'operator.json')).mode & 0o777).toBe(0o600)
    }
    const taken = await hypermesh('operator', 'register', '--id', 'acme', ...claims, ...at(2))
    expect(taken.code).toBe(1)
    expect(taken.stderr).toMatch(/operator-name-taken/)
  })

  it('finds attested requests Valid, certificates and four-proof sets, of both schemes', async () => {
    const root = await requestFile(
      'root.json',
      'certificate',
      '--node',
      'acme-a',
      '--certificate-type',
      'RootCA',
    )
    const attested = await attestedFile('root-attested.json', root, 0, 'space-0')
    expect((await verdictOn(attested)).result).toBe('Valid')
    // Sent again to another node, as a client does after a lost connection: the same answer.
    expect((await verdictOn(attested, 3)).result).toBe('Valid')
    const set = await requestFile('set.json', 'four-proof', '--node', 'bravo', '--difficulty', '8')
    expect((await verdictOn(await attestedFile('set-attested.json', set, 1, 'space-1'), 2)).result).toBe(
      'Valid',
    )
  })

  it('refuses what is not attested, and what another operator attested', async () => {
    const request = await requestFile('plain.json', 'certificate', '--node', 'acme')
    expect((await verdictOn(request)).result).toMatchObject({
      Invalid: { reason: expect.stringMatching(/hypermesh.attestation is missing/) },
    })
    const foreign = await requestFile('foreign.json', 'certificate', '--node', 'acme')
    const byBravo = await attestedFile('foreign-attested.json', foreign, 1, 'space-1')
    expect((await verdictOn(byBravo)).result).toMatchObject({
      Invalid: {
        failed_proofs: expect.arrayContaining(['stake_proof']),
        reason: expect.stringMatching(/is by operator "bravo", the request is by "acme"/),
      },
    })
    const wrongSpace = await hypermesh('attest', foreign, '--space', file('space-1'), ...at(0))
    expect(wrongSpace.code).toBe(65)
    expect(wrongSpace.stderr).toMatch(/^E_SPACE_NOT_REGISTERED/)
  })

  it('keeps it all over a restart, and every node has the same chain', async () => {
    const node = network.node(2)
    await node.terminate()
    node.start()
    await node.ready()
    expect(JSON.parse(await done('operator', 'show', '--id', 'bravo', '--json', ...at(2)))).toMatchObject({
      keyScheme: 'falcon-1024',
    })
    const request = await requestFile('last.json', 'certificate', '--node', 'bravo')
    expect((await verdictOn(await attestedFile('last-attested.json', request, 1, 'space-1'), 2)).result).toBe(
      'Valid',
    )
    await done('operator', 'retire', ...at(0))
    expect((await compareChains(network.nodes)).differences).toEqual([])
  })
})

/**
 * The example certificate authority against four validators: it issues real certificates that carry the hash of their
 * evidence, survives the loss of a node in the middle of a request, and issues nothing without a Valid verdict.
 */

import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../examples/certificate-authority/authority.ts'
import { confirmByAgreement } from '../../examples/certificate-authority/evidence.ts'
import { issue } from '../../examples/certificate-authority/issue.ts'
import { makeSigningRequest } from '../../examples/certificate-authority/names.ts'
import type { Attempt } from '../../src/client/client-error.ts'
import { configuredEndpoints } from '../../src/client/endpoint.ts'
import { nodeClient } from '../../src/client/node/node-client.ts'
import { run } from '../support/cli/processes.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'examples', 'certificate-authority', 'main.ts')

let network: LocalNetwork
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-ca-'))
  network = await LocalNetwork.start()
})
afterAll(async () => {
  await network?.destroy()
  rmSync(folder, { recursive: true, force: true })
})

const issuedFiles = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.evidence.json'))

/** The example as a process of its own, with the built package under its own name. */
async function runMain(...args: readonly string[]) {
  const nodes = network.nodes.flatMap(({ ca }) => ['--to', ca])
  return run([process.execPath, MAIN, '--ca', folder, ...nodes, ...args]).ended
}

function readCertificate(stdout: string): { certificate: X509Certificate; evidence: Buffer } {
  const path = /^issued (.+\.pem)\n$/.exec(stdout)?.[1] ?? ''
  const certificate = new X509Certificate(readFileSync(path))
  return { certificate, evidence: readFileSync(path.replace(/pem$/, 'evidence.json')) }
}

describe('the example CA', () => {
  it('issues a certificate that checks out, with the hash of two agreeing answers in it', async () => {
    const { csr, key } = await makeSigningRequest('www.example.test')
    const file = join(folder, 'www.csr')
    writeFileSync(file, csr)
    const { code, stdout, stderr } = await runMain('--csr', file)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^(https:\S+: answered\n){2}$/),
    })
    const { certificate, evidence } = readCertificate(stdout)
    const authority = new X509Certificate(readFileSync(join(folder, 'ca.pem')))
    expect(certificate.verify(authority.publicKey)).toBe(true)
    expect(certificate.checkIssued(authority)).toBe(true)
    expect(certificate.checkHost('www.example.test')).toBe('www.example.test')
    expect(certificate.checkHost('other.example.test')).toBeUndefined()
    expect(certificate.ca).toBe(false)
    expect(key).toContain('BEGIN PRIVATE KEY')

    const answers = JSON.parse(evidence.toString()) as { result: string; validator_id: string }[]
    expect(answers.map(({ result }) => result)).toEqual(['Valid', 'Valid'])
    expect(new Set(answers.map(({ validator_id }) => validator_id)).size).toBe(2)
    // OID 1.3.6.1.4.1.32473.4.2, then an OCTET STRING that holds an OCTET STRING of 32 bytes.
    const hash = createHash('sha256').update(evidence).digest('hex')
    expect(certificate.raw.toString('hex')).toContain(`060a2b0601040181fd590402${'0422'}${'0420'}${hash}`)
  })

  it('issues nothing against an Invalid verdict', async () => {
    const before = issuedFiles()
    const { code, stdout, stderr } = await runMain('--name', 'poor.example.test', '--stake', '5')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('nothing issued (invalid): stake_amount 5 is below the minimum 100')
    expect(issuedFiles()).toEqual(before)
  })

  it('issues when the node that it asked is lost in the middle of the request', async () => {
    const attempts: Attempt[] = []
    const client = nodeClient({
      endpoints: configuredEndpoints(
        network.nodes.map(({ ca }) => ca),
        'as-given',
      ),
      onAttempt: (attempt) => attempts.push(attempt),
    })
    try {
      // A connection that is open already, to a node that takes the request and does not get to answer it.
      await client.health()
      attempts.length = 0
      const authority = await Authority.open(folder, 'unused')
      const { csr } = await makeSigningRequest('survivor.example.test')
      network.node(0).pause()
      const identity = { nodeId: 'ca', stakeHolder: 'ca', stakeHolderId: 'ca-1', stakeAmount: 10_000n }
      const confirm = confirmByAgreement(client)
      const issuing = issue(csr, { authority, identity, confirm, folder })
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(attempts).toEqual([])
      await network.node(0).kill()
      expect(await issuing).toMatchObject({ ok: true })
      const summary = attempts.map(({ endpoint, outcome }) => [endpoint, outcome])
      expect(summary[0]).toEqual([network.node(0).ca, 'unreachable'])
      expect(summary.filter(([, outcome]) => outcome === 'answered')).toHaveLength(2)
    } finally {
      await client.close()
    }
  })

  it('issues nothing when there is no quorum to give a verdict', async () => {
    await network.node(1).kill()
    const before = issuedFiles()
    const { code, stdout, stderr } = await runMain('--name', 'lonely.example.test', '--timeout', '3')
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
    expect(stderr).toContain('nothing issued (no-verdict)')
    expect(issuedFiles()).toEqual(before)
  })
})

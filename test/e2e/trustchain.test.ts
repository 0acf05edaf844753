/**
 * What TrustChain's own tests of this service intend (spec/stoq.md 5), against four real validators and by STOQ, each
 * under the name that it has there; those about speed are in test/long. `test/trustchain-intentions.test.ts` counts them.
 */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../examples/certificate-authority/authority.ts'
import { confirmByReceipt } from '../../examples/certificate-authority/evidence.ts'
import { issue } from '../../examples/certificate-authority/issue.ts'
import { makeSigningRequest } from '../../examples/certificate-authority/names.ts'
import type { ClientError } from '../../src/client/client-error.ts'
import type { HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { nodeClient } from '../../src/client/node/node-client.ts'
import { parseGenesis } from '../../src/config/genesis-file.ts'
import { genesisTrust } from '../../src/ledger/receipt/genesis-trust.ts'
import { ask, askMetrics } from '../support/e2e/ca-client.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { rustCertificateRequest } from '../support/e2e/rust-request.ts'
import { testRequest, testSet } from '../support/e2e/trustchain-requests.ts'

let network: LocalNetwork
/** Over one STOQ connection to the first node, as TrustChain has it. */
let client: HypermeshClient

const stoqOf = (i: number): string => `stoq://[::1]:${network.ports[i]?.stoq}`

beforeAll(async () => {
  network = await LocalNetwork.start()
  client = nodeClient({ endpoints: [stoqOf(0)], deadlineMs: 60_000, attemptDeadlineMs: 20_000 })
})

afterAll(async () => {
  await client?.close()
  await network?.destroy()
})

/** A port of loopback where nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '::1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const FLAGS = { spaceProofValid: true, stakeProofValid: true, workProofValid: true, timeProofValid: true }
const codeOf = (error: unknown): string => (error as ClientError).code

describe('hypermesh_integration_tests.rs', { timeout: 60_000 }, () => {
  it('test_certificate_issuance_with_consensus: the bytes of new_for_testing are Valid, all four proofs', async () => {
    const { isValid, answer } = await client.validateCertificate(Buffer.from(rustCertificateRequest().json))
    expect(isValid).toBe(true)
    expect(answer.metrics.validationTimeUs).toBeGreaterThan(0n)
    expect(answer.details.proofResults).toEqual(FLAGS)
    expect(answer.validatorId).toMatch(/^validator-0-/)
  })

  it('test_four_proof_validation: its set is Valid, all four proofs', async () => {
    const { isValid, answer } = await client.validateProofs(testSet())
    expect(isValid).toBe(true)
    expect(answer.details.proofResults).toEqual(FLAGS)
  })

  it('test_invalid_proof_rejection: a zeroed set is Invalid, with all four proofs named', async () => {
    const none = new Uint8Array()
    const { result, answer } = await client.validateProofs(
      testSet(() => ({
        spaceProof: { storageCommitment: 0n, networkPosition: '', allocationProof: none },
        stakeProof: { stakeAmount: 0n, authorityLevel: 0n, accessPermissions: [] },
        workProof: { computationalProof: none, difficultyTarget: 0, operationSignature: '' },
        timeProof: { blockTimestamp: 0n, sequenceNumber: 0n, temporalProof: none },
      })),
    )
    expect(result).toMatchObject({
      kind: 'invalid',
      failedProofs: ['space_proof', 'stake_proof', 'work_proof', 'time_proof'],
    })
    expect(Object.values(answer.details.proofResults)).toEqual([false, false, false, false])
    expect(answer.proofHash).toBe(null)
  })

  it('test_byzantine_node_detection: its worthless set is Invalid, and the network tolerates what there is', async () => {
    const { result, answer } = await client.validateProofs({
      ...testSet((set) => ({
        ...set,
        spaceProof: { ...set.spaceProof, storageCommitment: 1_024n },
        stakeProof: { ...set.stakeProof, stakeAmount: 100n },
        workProof: { ...set.workProof, difficultyTarget: 10 },
        timeProof: { ...set.timeProof, blockTimestamp: 1_000n },
      })),
      nodeId: 'byzantine_node_666',
    })
    expect(result).toMatchObject({ kind: 'invalid', failedProofs: ['space_proof', 'time_proof'] })
    // Nobody is Byzantine by a name: who is counted here are validators that found something else.
    expect(answer.details.bftStatus).toMatchObject({
      byzantineNodesDetected: 0,
      faultToleranceMaintained: true,
    })
  })

  it('test_timeout_handling: where nobody listens the call ends with an error, at its deadline', async () => {
    const dead = nodeClient({ endpoints: [`stoq://[::1]:${await deadPort()}`], deadlineMs: 1_500 })
    const startedMs = performance.now()
    expect(codeOf(await dead.validateCertificate(testRequest()).catch((error) => error))).toBe('E_NO_ANSWER')
    const tookMs = performance.now() - startedMs
    expect(tookMs).toBeGreaterThan(100)
    expect(tookMs).toBeLessThan(10_000)
    await dead.close()
  })

  it('test_retry_logic: it tries again, with waits between, and says how often', async () => {
    const dead = nodeClient({ endpoints: [`https://[::1]:${await deadPort()}`], passesMax: 4 })
    const error = (await dead.validateCertificate(testRequest()).catch((thrown) => thrown)) as ClientError
    expect({ code: error.code, attempts: error.attempts.length }).toEqual({
      code: 'E_NO_ANSWER',
      attempts: 4,
    })
    await dead.close()
  })

  it('test_concurrent_validations: ten at once are all Valid', async () => {
    const verdicts = await Promise.all(
      Array.from({ length: 10 }, () => client.validateCertificate(testRequest())),
    )
    expect(verdicts.every(({ isValid }) => isValid)).toBe(true)
  })

  it('test_health_check: healthy, and of which service', async () => {
    expect(await client.health()).toMatchObject([
      { isReady: true, health: { status: 'healthy', service: 'hypermesh-consensus' } },
    ])
  })

  it('test_metrics_tracking: one call more is one more in the counts, with a latency', async () => {
    const before = await askMetrics(network.node(0).ca)
    await client.validateCertificate(testRequest())
    const after = await askMetrics(network.node(0).ca)
    for (const name of ['total_requests', 'successful_validations']) {
      expect({ name, more: (after[name] ?? 0) - (before[name] ?? 0) }).toEqual({ name, more: 1 })
    }
    expect(after['avg_validation_time_us']).toBeGreaterThan(0)
  })

  it('test_end_to_end_certificate_flow: a CA issues a certificate that can be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hypermesh-ca-'))
    const trust = genesisTrust(parseGenesis(readFileSync(network.genesisFile, 'utf8'), network.genesisFile))
    const authority = await Authority.open(folder, 'Flow CA')
    const { csr } = await makeSigningRequest('flow.example.test')
    const identity = { nodeId: 'ca', stakeHolder: 'ca', stakeHolderId: 'ca-1', stakeAmount: 10_000n }
    const issued = await issue(csr, { authority, identity, confirm: confirmByReceipt(client, trust), folder })
    if (!issued.ok) throw new Error(issued.detail)
    expect(new X509Certificate(issued.value.pem).subject).toBe('CN=flow.example.test')
    rmSync(folder, { recursive: true, force: true })
  })
})

describe('consensus_failure_tests.rs', { timeout: 90_000 }, () => {
  it('server unavailable: another node is asked, and answers', async () => {
    const two = nodeClient({ endpoints: [`https://[::1]:${await deadPort()}`, network.node(1).ca] })
    expect((await two.validateCertificate(testRequest())).isValid).toBe(true)
    await two.close()
  })

  it('a timeout of 50 ms: the call is back within two seconds, whatever it has', async () => {
    const startedMs = performance.now()
    await client
      .validateCertificate(testRequest(), { deadlineMs: 50 })
      .catch((error) => expect(codeOf(error)).toMatch(/^E_NO_/))
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  it('empty names and ids: Invalid, each named', async () => {
    const request = testRequest((proofs) => ({
      ...proofs,
      spaceProof: { ...proofs.spaceProof, nodeId: '' },
      stakeProof: { ...proofs.stakeProof, stakeHolderId: '' },
      workProof: { ...proofs.workProof, ownerId: '' },
    }))
    const { result } = await client.validateCertificate({
      ...request,
      certificateRequest: { ...request.certificateRequest, commonName: '', nodeId: '' },
    })
    expect(result).toMatchObject({
      kind: 'invalid',
      failedProofs: ['space_proof', 'stake_proof', 'work_proof'],
    })
    const reason = result.kind === 'invalid' ? result.reason : ''
    for (const field of [
      'node_id',
      'stake_holder_id',
      'owner_id',
      'common_name',
      'certificate_request.node_id',
    ]) {
      expect(reason).toContain(field)
    }
  })

  it('500 concurrent certificate requests: none hangs, every one is Valid, by its own proofs', async () => {
    const requests = Array.from({ length: 500 }, () => testRequest())
    const verdicts = await Promise.all(requests.map((request) => client.validateCertificate(request)))
    expect(verdicts.filter(({ isValid }) => isValid)).toHaveLength(500)
    const hashes = verdicts.map(({ answer }) => Buffer.from(answer.proofHash ?? []).toString('hex'))
    expect(new Set(hashes).size).toBe(500)
  })

  it('a corrupted proof: Invalid, and only the proof that is', async () => {
    const { result } = await client.validateCertificate(
      testRequest((proofs) => ({
        ...proofs,
        timeProof: { ...proofs.timeProof, proofHash: proofs.timeProof.proofHash.map((byte) => byte ^ 1) },
      })),
    )
    expect(result).toMatchObject({ kind: 'invalid', failedProofs: ['time_proof'] })
  })

  it('five retries: six attempts, then an error that tells of each', async () => {
    const dead = nodeClient({
      endpoints: [`https://[::1]:${await deadPort()}`],
      passesMax: 6,
      backoff: { maxMs: 200 },
    })
    const error = (await dead.validateCertificate(testRequest()).catch((thrown) => thrown)) as ClientError
    expect(error.attempts.map(({ outcome }) => outcome)).toEqual(Array(6).fill('unreachable'))
    await dead.close()
  })

  it('requirements that nobody meets: Invalid, with the figures of the caller', async () => {
    const { result } = await client.validateCertificate({
      ...testRequest(),
      consensusRequirements: {
        minimumStake: 1_000_000_000n,
        maxTimeOffset: { secs: 0n, nanos: 1_000_000 },
        minimumStorage: 2n ** 40n,
        minimumCompute: 1_000_000n,
        byzantineTolerance: 0,
      },
    })
    expect(result).toMatchObject({ kind: 'invalid' })
    const reason = result.kind === 'invalid' ? result.reason : ''
    expect(reason).toContain('below the minimum 1000000000 (consensus_requirements)')
    expect(reason).toContain(`below the minimum ${2n ** 40n} (consensus_requirements)`)
  })

  it('50 concurrent at every node at once: all complete, and the nodes go on', async () => {
    const all = nodeClient({ endpoints: [0, 1, 2, 3].map(stoqOf), deadlineMs: 60_000 })
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, () => all.validateCertificate(testRequest())),
    )
    expect(verdicts.every(({ isValid }) => isValid)).toBe(true)
    expect((await all.health()).every(({ isReady }) => isReady)).toBe(true)
    await all.close()
  })

  it('metrics under failure: what is Invalid is counted as that, and what cannot be read as neither', async () => {
    const { ca } = network.node(2)
    const before = await askMetrics(ca)
    await ask(ca, 'certificate', certificateBody(certificate({ bad: 'stake' })))
    await ask(ca, 'certificate', 'hello')
    const after = await askMetrics(ca)
    expect((after['failed_validations'] ?? 0) - (before['failed_validations'] ?? 0)).toBe(1)
    expect(after['successful_validations']).toBe(before['successful_validations'])
  })

  it('degradation: three of four go on; two give no verdict rather than a wrong one', async () => {
    await network.node(3).kill()
    expect((await client.validateCertificate(testRequest())).isValid).toBe(true)
    await network.node(2).kill()
    const error = await client
      .validateCertificate(testRequest(), { deadlineMs: 10_000 })
      .catch((thrown) => thrown)
    expect(codeOf(error)).toBe('E_NO_VERDICT')
  })
})

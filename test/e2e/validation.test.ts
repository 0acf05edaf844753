/**
 * What TrustChain asks of a running network of four processes: verdicts with reasons, the same answer to the same
 * question, replay refused, at every node and over every carrier, in the very bytes of the Rust client.
 */

import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CertificateValidationRequest } from '../../src/types/validation-request.ts'
import { PROOF_NAMES } from '../../src/types/verdict.ts'
import { run } from '../support/cli/processes.ts'
import { ask, askStatus, verdictOf } from '../support/e2e/ca-client.ts'
import { certificate, certificateBody, fourProofBody, fourProofs } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH } from '../support/e2e/node-process.ts'
import { rustCertificateRequest, rustFourProofRequest } from '../support/e2e/rust-request.ts'
import { serdeProblems } from '../support/e2e/serde-answer.ts'
import { until } from '../support/e2e/until.ts'
import { callConsensus } from '../support/libp2p-call.ts'
import { vector } from '../support/requests.ts'

let network: LocalNetwork
const ca = (index: number): string => network.node(index).ca

beforeAll(async () => {
  network = await LocalNetwork.start()
})

afterAll(async () => {
  await network?.destroy()
})

const KINDS = ['certificate', 'four-proof'] as const

function body(kind: (typeof KINDS)[number], change: Parameters<typeof certificate>[0] = {}): string {
  return kind === 'certificate' ? certificateBody(certificate(change)) : fourProofBody(fourProofs(change))
}

/** What of each proof a reason must name: the field, the value seen, the value required. */
const FIGURES = {
  certificate: {
    space: /^total_storage 1024 is below the minimum 1048576 \(/,
    stake: /^stake_amount 5 is below the minimum 100 \(/,
    work: /^computational_power 1 is below the minimum 10 \(/,
    time: /^time_verification_timestamp is 36\d\d(\.\d+)? s behind the block time, the maximum is 300 s$/,
  },
  'four-proof': {
    space: /^storage_commitment 1024 is below the minimum 1048576 \(/,
    stake: /^stake_amount is 0, it must be above$/,
    work: /^difficulty_target 0 is not in 1 to 256$/,
    time: /^block_timestamp is 36\d\d(\.\d+)? s behind the block time, the maximum is 300 s$/,
  },
} as const

describe.each(KINDS)('a %s request', (kind) => {
  it('is Valid by the votes of a quorum', async () => {
    const { status, text } = await ask(ca(0), kind, body(kind))
    expect(serdeProblems(text)).toEqual([])
    expect(status).toBe(200)
    const answer = JSON.parse(text)
    expect(answer.result).toBe('Valid')
    expect(answer.proof_hash).toHaveLength(32)
    expect(answer.validator_id).toMatch(/^validator-0-/)
    expect(answer.metrics.validator_nodes).toBeGreaterThanOrEqual(3)
    expect(answer.metrics.confidence_level).toBe(answer.metrics.validator_nodes / 4)
    expect(answer.details.bft_status.fault_tolerance_maintained).toBe(true)
    expect(Object.values(answer.details.proof_results)).toEqual([true, true, true, true])
  })

  it.each(PROOF_NAMES)('with a bad %s proof is Invalid for that proof alone, with figures', async (bad) => {
    const { status, text } = await ask(ca(1), kind, body(kind, { bad }))
    expect(serdeProblems(text)).toEqual([])
    expect(status).toBe(200)
    const { result, proof_hash, details } = JSON.parse(text)
    expect(result.Invalid.failed_proofs).toEqual([`${bad}_proof`])
    expect(result.Invalid.reason).toMatch(FIGURES[kind][bad])
    expect(proof_hash).toBeNull()
    const isValid = Object.fromEntries(PROOF_NAMES.map((name) => [`${name}_proof_valid`, name !== bad]))
    expect(details.proof_results).toEqual(isValid)
  })

  it('gets the same bytes again, and the same verdict from every node', async () => {
    for (const text of [body(kind), body(kind, { bad: 'stake' })]) {
      const first = await ask(ca(0), kind, text)
      expect(await ask(ca(0), kind, text)).toEqual(first)
      for (const i of [1, 2, 3]) {
        const there = await ask(ca(i), kind, text)
        expect(verdictOf(there.text)).toEqual(verdictOf(first.text))
        expect(await ask(ca(i), kind, text)).toEqual(there)
      }
    }
  })

  it('asked at all nodes at once is judged once', async () => {
    const text = body(kind)
    const answers = await Promise.all([0, 1, 2, 3, 0, 1, 2, 3].map((i) => ask(ca(i), kind, text)))
    const [first] = answers
    for (const answer of answers) expect(verdictOf(answer.text)).toEqual(verdictOf(first?.text ?? ''))
    expect(JSON.parse(first?.text ?? '').result).toBe('Valid')
  })
})

describe('replay', () => {
  const invalid = (text: string): { failed_proofs: string[]; reason: string } =>
    JSON.parse(text).result.Invalid

  it('of a nonce in another request is refused, at any node', async () => {
    const nonce = 18_446_744_073_709_551_000n
    const first = await ask(ca(0), 'certificate', certificateBody(certificate({ nonce })))
    expect(JSON.parse(first.text).result).toBe('Valid')
    for (const i of [0, 2]) {
      const { status, text } = await ask(ca(i), 'certificate', certificateBody(certificate({ nonce })))
      expect(status).toBe(200)
      expect(invalid(text).failed_proofs).toEqual(['time_proof'])
      expect(invalid(text).reason).toContain(`nonce ${nonce} of node "test_node_001" is replayed`)
    }
  })

  it('of a request id with another payload is refused', async () => {
    const request = certificate()
    const first = await ask(ca(0), 'certificate', certificateBody(request))
    expect(JSON.parse(first.text).result).toBe('Valid')
    const other: CertificateValidationRequest = { ...certificate(), requestId: request.requestId }
    const { text } = await ask(ca(3), 'certificate', certificateBody(other))
    expect(invalid(text).failed_proofs).toEqual([])
    expect(invalid(text).reason).toMatch(/^request_id reused: /)
    // The first verdict stands.
    expect(await ask(ca(0), 'certificate', certificateBody(request))).toEqual(first)
  })

  it('of a sequence number by the same node is refused', async () => {
    const request = fourProofs()
    const first = await ask(ca(0), 'four-proof', fourProofBody(request))
    expect(JSON.parse(first.text).result).toBe('Valid')
    const { sequenceNumber } = request.proofSet.timeProof
    const { text } = await ask(ca(1), 'four-proof', fourProofBody({ ...request, assetId: 'another-asset' }))
    expect(invalid(text).failed_proofs).toEqual(['time_proof'])
    expect(invalid(text).reason).toContain(`sequence_number ${sequenceNumber} of node`)
    expect(invalid(text).reason).toContain('replayed')
  })

  it('of one nonce in two requests at once: exactly one is Valid', async () => {
    const nonce = 77_777n
    const answers = await Promise.all(
      [0, 1, 2, 3].map((i) => ask(ca(i), 'certificate', certificateBody(certificate({ nonce })))),
    )
    const results = answers.map(({ text }) => JSON.parse(text).result)
    expect(results.filter((result) => result === 'Valid')).toHaveLength(1)
    for (const result of results.filter((entry) => entry !== 'Valid'))
      expect(result.Invalid.failed_proofs).toEqual(['time_proof'])
  })
})

describe('the bytes of the Rust client', () => {
  it('are Valid over HTTPS', async () => {
    const { json, requestId } = rustCertificateRequest()
    const { status, text } = await ask(ca(0), 'certificate', json)
    expect(serdeProblems(text)).toEqual([])
    expect({ status, result: JSON.parse(text).result }).toEqual({ status: 200, result: 'Valid' })
    // Another node may hear of the last block a moment later.
    const later = await until(
      async () => {
        const answer = await askStatus(ca(2), requestId)
        return answer.status === 200 && !answer.text.includes('"Pending"') ? answer : null
      },
      5_000,
      'the verdict is final at another node too',
    )
    expect(serdeProblems(later.text)).toEqual([])
    expect(verdictOf(later.text)).toEqual(verdictOf(text))
    const set = await ask(ca(1), 'four-proof', rustFourProofRequest())
    expect(serdeProblems(set.text)).toEqual([])
    expect(JSON.parse(set.text).result).toBe('Valid')
  })

  it.each(['tcp', 'quic'] as const)('are Valid over libp2p on %s', async (transport) => {
    const target = multiaddr(network.address(3, transport))
    const { json } = rustCertificateRequest()
    const set = rustFourProofRequest()
    for (const [kind, payload] of [
      ['certificate', json],
      ['four-proof', set],
    ] as const) {
      const call = () => callConsensus(target, network.genesisHash, kind, Buffer.from(payload), 15_000)
      const first = await call()
      expect(first).toMatchObject({ success: true, error: null })
      const text = Buffer.from(first.payload).toString()
      expect(serdeProblems(text)).toEqual([])
      expect(JSON.parse(text).result).toBe('Valid')
      expect(Buffer.from((await call()).payload).toString()).toBe(text)
      // The carrier makes no difference to the answer of one node.
      expect((await ask(ca(3), kind, payload)).text).toBe(text)
    }
  })

  it('as they are in the vectors, long out of date, are Invalid and say by how much', async () => {
    const { text } = await ask(ca(0), 'certificate', vector('certreq_json'))
    expect(serdeProblems(text)).toEqual([])
    const { Invalid } = JSON.parse(text).result
    expect(Invalid.failed_proofs).toEqual(['space_proof', 'stake_proof', 'work_proof', 'time_proof'])
    expect(Invalid.reason).toMatch(/proof_timestamp is \d+(\.\d+)? s old, the maximum is 3600 s/)
  })

  it.each([
    ['no JSON', 'hello'],
    ['another shape', '{"certificate_request":{}}'],
    ['a nonce as text', vector('certreq_json').replace(/"nonce":(\d+)/, '"nonce":"$1"')],
    ['a nonce beyond 64 bits', vector('certreq_json').replace(/"nonce":\d+/, '"nonce":18446744073709551616')],
  ])('that are %s are refused in a full answer', async (_what, text) => {
    const answer = await ask(ca(0), 'certificate', text)
    expect(answer.status).toBe(400)
    expect(serdeProblems(answer.text)).toEqual([])
    expect(JSON.parse(answer.text).result.Error.error_code).toBe('INVALID_PROOF_FORMAT')
  })
})

const hypermesh = (args: readonly string[], input = '') => run([...HYPERMESH, ...args], { input }).ended

describe('a batch', () => {
  it('has the verdict of the network on each, and of what cannot be read the place', async () => {
    const good = body('certificate')
    const items = [`{"certificate":${good}}`, `{"four_proof":${body('four-proof', { bad: 'stake' })}}`, '{}']
    const { status, text } = await ask(ca(2), 'batch', `[${items.join(',')}]`)
    expect(status).toBe(200)
    const answers = JSON.parse(text) as {
      result: Record<string, { failed_proofs: string[]; message: string }>
    }[]
    for (const answer of answers) expect(serdeProblems(JSON.stringify(answer))).toEqual([])
    expect(answers.map(({ result }) => result)).toEqual([
      'Valid',
      { Invalid: { failed_proofs: ['stake_proof'], reason: expect.stringContaining('stake_amount is 0') } },
      { Error: { error_code: 'INVALID_PROOF_FORMAT', message: expect.stringMatching(/^\[2\]: expected/) } },
    ])
    const alone = await ask(ca(1), 'certificate', good)
    expect(verdictOf(JSON.stringify(answers[0]))).toEqual(verdictOf(alone.text))
  })
})

describe('the command line', () => {
  it('makes a request that every node finds Valid, over HTTPS, STOQ, TCP and QUIC', {
    timeout: 120_000,
  }, async () => {
    const { stdout: made } = await hypermesh(['request', 'certificate', '--common-name', 'cli.example.org'])
    const verdicts: object[] = []
    for (const [i] of network.nodes.entries()) {
      const stoq = `stoq://[::1]:${network.ports[i]?.stoq}`
      for (const to of [ca(i), stoq, network.address(i, 'tcp'), network.address(i, 'quic')]) {
        const args = ['validate', '-', '--to', to, '--json', '--genesis', network.genesisFile]
        const { code, stdout, stderr } = await hypermesh(args, made)
        expect({ to, code, stderr }).toEqual({ to, code: 0, stderr: '' })
        verdicts.push(verdictOf(stdout))
      }
    }
    expect(verdicts).toHaveLength(16)
    for (const verdict of verdicts) expect(verdict).toEqual(verdicts[0])
  })

  it('names the bad proof and why', async () => {
    const { stdout: made } = await hypermesh(['request', 'certificate', '--bad', 'stake'])
    const { code, stdout } = await hypermesh(['validate', '-', '--to', ca(2)], made)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^Invalid: stake_proof\n {2}reason +stake_amount 5 is below the minimum 100/)
  })
})

it('keeps its answers when a node is stopped, and when it is killed', async () => {
  const bodies = [body('certificate'), body('certificate', { bad: 'work' })]
  const before: string[] = []
  for (const text of bodies) before.push((await ask(ca(1), 'certificate', text)).text)
  const node = network.node(1)
  for (const end of [() => node.terminate(), () => node.kill()]) {
    await end()
    node.start()
    await node.ready()
    for (const [i, text] of bodies.entries())
      expect((await ask(ca(1), 'certificate', text)).text).toBe(before[i])
  }
  // Over both restarts, each with its calls: the log is one chain.
  const logged = async (): Promise<boolean> => {
    const args = ['audit', 'verify', '--data', node.folder, '--json']
    return (JSON.parse((await hypermesh(args)).stdout) as { lines: number; broken: null }).lines >= 6
  }
  await until(logged, 20_000, 'the audit log is in order and has every call')
  expect((await hypermesh(['audit', 'verify', '--data', node.folder])).stdout).toMatch(/^in order: /)
})

/** What the example CA refuses: nodes that disagree or are one, other proofs, requests that nobody should sign. */
import 'reflect-metadata'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Authority } from '../../examples/certificate-authority/authority.ts'
import { type Confirm, confirmByAgreement } from '../../examples/certificate-authority/evidence.ts'
import { issue } from '../../examples/certificate-authority/issue.ts'
import { makeSigningRequest, readSigningRequest } from '../../examples/certificate-authority/names.ts'
import type { Carrier } from '../../src/client/carrier.ts'
import { configuredEndpoints } from '../../src/client/endpoint.ts'
import { HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { consensusProofBincode } from '../../src/codec/proofs.ts'
import { readJson, writeJson } from '../../src/rpc/json-shape.ts'
import { certificateValidationRequest } from '../../src/rpc/trustchain-json-request.ts'
import { validationAnswer } from '../../src/rpc/trustchain-json-response.ts'
import { answerOf } from '../support/client/scripted-carrier.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-ca-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What one node says of the request that it is sent. */
interface Says {
  readonly as: string
  readonly kind: 'valid' | 'invalid'
  readonly proofs?: 'of another request'
  readonly atSecs?: bigint
}

/** A node that judges whatever it gets as it is told to, and knows which proofs it was sent. */
function nodeThatSays({ as, kind, proofs, atSecs = 7n }: Says): Carrier {
  return {
    call: async (_method, payload) => {
      const request = readJson(certificateValidationRequest, payload)
      if (!request.ok) throw new Error(request.detail)
      const { consensusProof } = request.value.certificateRequest
      const hash = createHash('sha256').update(consensusProofBincode(consensusProof)).digest()
      const result =
        kind === 'valid' ? { kind } : { kind, failedProofs: ['space_proof'], reason: 'total_storage is 1' }
      const answer = {
        ...answerOf(result, as),
        proofHash:
          kind === 'invalid' ? null : proofs === undefined ? new Uint8Array(hash) : new Uint8Array(32),
        validatedAt: { secs: atSecs, nanos: 0 },
      }
      const json = Buffer.from(writeJson(validationAnswer, answer))
      return { payload: json, standing: 'success', note: '', retryAfterMs: null }
    },
    close: async () => {},
  }
}

function confirmBy(nodes: readonly Says[]): Confirm {
  const endpoints = nodes.map((_, i) => `https://node-${i}`)
  const carriers = { https: (endpoint: string) => nodeThatSays(nodes[Number(endpoint.slice(-1))] as Says) }
  return confirmByAgreement(
    new HypermeshClient({ endpoints: configuredEndpoints(endpoints, 'as-given'), carriers, passesMax: 1 }),
  )
}

async function issued(confirm: Confirm, csr?: string) {
  const authority = await Authority.open(folder, 'Test CA')
  const identity = { nodeId: 'ca', stakeHolder: 'ca', stakeHolderId: 'ca-1', stakeAmount: 10_000n }
  const request = csr ?? (await makeSigningRequest('a.example.test')).csr
  const result = await issue(request, { authority, identity, confirm, folder })
  const files = readdirSync(folder).filter((name) => name !== 'ca.pem' && name !== 'ca.key')
  return { result, files }
}

describe('the example CA', () => {
  it('issues when two nodes agree', async () => {
    const { result, files } = await issued(
      confirmBy([
        { as: 'a', kind: 'valid' },
        { as: 'b', kind: 'valid' },
      ]),
    )
    expect(result).toMatchObject({ ok: true })
    expect(files).toHaveLength(2)
  })

  it.each<[string, Says[], code: string, detail: string]>([
    ['the first says Invalid', [{ as: 'a', kind: 'invalid' }], 'invalid', 'total_storage is 1'],
    [
      'the second says Invalid',
      [
        { as: 'a', kind: 'valid' },
        { as: 'b', kind: 'invalid' },
      ],
      'disagreement',
      'https://node-0 said Valid, https://node-1 Invalid',
    ],
    [
      'both are one node',
      [
        { as: 'a', kind: 'valid' },
        { as: 'a', kind: 'valid' },
      ],
      'disagreement',
      'are one node, a',
    ],
    [
      'they speak of two verdicts',
      [
        { as: 'a', kind: 'valid' },
        { as: 'b', kind: 'valid', atSecs: 8n },
      ],
      'disagreement',
      'speak of two verdicts',
    ],
    [
      'one speaks of other proofs',
      [
        { as: 'a', kind: 'valid' },
        { as: 'b', kind: 'valid', proofs: 'of another request' },
      ],
      'disagreement',
      'other proofs than those that were sent',
    ],
    ['there is only one', [{ as: 'a', kind: 'valid' }], 'no-verdict', 'no answer from any endpoint'],
  ])('issues nothing when %s', async (_name, nodes, code, detail) => {
    const { result, files } = await issued(confirmBy(nodes))
    expect(result).toMatchObject({ ok: false, code, detail: expect.stringContaining(detail) })
    expect(files).toEqual([])
  })

  it('asks nobody about a request that it would not sign', async () => {
    const asked: Confirm = async () => {
      throw new Error('it asked')
    }
    const { csr } = await makeSigningRequest('a.example.test')
    const bytes = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    for (const [text, detail] of [
      ['nonsense', 'no PKCS#10 request'],
      [forged, 'signature'],
      ['x'.repeat(70_000), 'more than 65536 bytes'],
    ] as const) {
      const { result } = await issued(asked, text)
      expect(result).toMatchObject({
        ok: false,
        code: 'bad-request',
        detail: expect.stringContaining(detail),
      })
    }
  })

  it('refuses a request without a name, and a short RSA key', async () => {
    const rsa = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 1_024,
      publicExponent: Uint8Array.of(1, 0, 1),
    }
    const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    for (const [algorithm, name, detail] of [
      [rsa, 'CN=a.example.test', 'an RSA key of 1024 bits'],
      [ec, 'O=Nobody', 'no common name and no DNS name'],
    ] as const) {
      const keys = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as never
      const made = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })
      expect(await readSigningRequest(made.toString('pem'))).toMatchObject({
        ok: false,
        detail: expect.stringContaining(detail),
      })
    }
  })

  it('keeps its key', async () => {
    const first = await Authority.open(folder, 'Test CA')
    const again = await Authority.open(folder, 'Another name')
    expect(again.certificate.toString('pem')).toBe(first.certificate.toString('pem'))
  })
})

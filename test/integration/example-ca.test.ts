/** What the example CA takes for proof, and what it refuses: forged and foreign receipts, requests that nobody should sign. */
import 'reflect-metadata'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pkcs10CertificateRequestGenerator, X509Certificate } from '@peculiar/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Authority, RECEIPT_OID } from '../../examples/certificate-authority/authority.ts'
import { type Confirm, confirmByReceipt } from '../../examples/certificate-authority/evidence.ts'
import { issue } from '../../examples/certificate-authority/issue.ts'
import { makeSigningRequest, readSigningRequest } from '../../examples/certificate-authority/names.ts'
import type { Carrier, CarrierReply } from '../../src/client/carrier.ts'
import { configuredEndpoints } from '../../src/client/endpoint.ts'
import { HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { verifyReceiptOf } from '../../src/client/offline-receipt.ts'
import { receiptJson } from '../../src/codec/receipt-json.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'
import type { Receipt, ReceiptTrust } from '../../src/types/receipt.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { answerBytes } from '../support/client/scripted-carrier.ts'
import { altered, TRUST } from '../support/receipt-fixture.ts'
import { receiptOn } from '../support/receipt-on-request.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-ca-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What one node does with a request for a verdict, and for the receipt of it. */
interface Conduct {
  readonly says?: 'valid' | 'invalid' | 'nothing'
  /** What the network's verdict is, in place of Valid on the very request. */
  readonly record?: (record: VerdictRecord) => VerdictRecord
  /** What it makes of the receipt before it hands it out. */
  readonly forges?: (receipt: Receipt) => Receipt | 'none' | 'lost'
}

const INVALID = { kind: 'invalid', failedProofs: ['space_proof'], reason: 'total_storage is 1' } as const
const NOT_READY = { kind: 'error', errorCode: 'RECEIPT_NOT_READY', message: 'not yet' } as const

const reply = (payload: Uint8Array, standing: CarrierReply['standing'] = 'success'): CarrierReply => ({
  payload,
  standing,
  note: '',
  retryAfterMs: null,
})

/** The request that the CA sent last, to whichever node. */
let sent: Uint8Array = new Uint8Array()

function nodeThat({ says = 'valid', record, forges = (same) => same }: Conduct): Carrier {
  return {
    call: async (method, payload) => {
      if (method === 'validate_certificate') {
        sent = payload
        if (says === 'nothing') throw new Error('connect ECONNREFUSED')
        return reply(answerBytes(says === 'valid' ? { kind: 'valid' } : INVALID))
      }
      if (method !== 'receipt') throw new Error(`asked for ${method}`)
      const receipt = forges(receiptOn(sent, record))
      if (receipt === 'lost') throw new Error('read ECONNRESET')
      return receipt === 'none'
        ? reply(answerBytes(NOT_READY), 'try-again')
        : reply(Buffer.from(receiptJson(receipt)))
    },
    close: async () => {},
  }
}

function confirmBy(nodes: readonly Conduct[], trust: ReceiptTrust = TRUST): Confirm {
  const endpoints = nodes.map((_, i) => `https://node-${i}`)
  const carriers = { https: (endpoint: string) => nodeThat(nodes[Number(endpoint.slice(-1))] as Conduct) }
  return confirmByReceipt(
    new HypermeshClient({ endpoints: configuredEndpoints(endpoints, 'as-given'), carriers, passesMax: 1 }),
    trust,
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

const invalidVerdict = (record: VerdictRecord): VerdictRecord => ({
  ...record,
  status: 'invalid',
  findings: 0b10,
})
const withSignature = (receipt: Receipt, change: (signature: Uint8Array) => Uint8Array): Receipt => {
  const [first, ...rest] = receipt.certificate.signatures
  if (first === undefined) throw new Error('nobody signed')
  const signatures = [{ ...first, signature: change(Uint8Array.from(first.signature)) }, ...rest]
  return { ...receipt, certificate: { ...receipt.certificate, signatures } }
}
const withRecord = (receipt: Receipt, from: Receipt): Receipt => ({ ...receipt, record: from.record })

describe('the example CA', () => {
  it('issues on a receipt, names its hash in the certificate, and keeps what checks it', async () => {
    const { result, files } = await issued(confirmBy([{}]))
    if (!result.ok) throw new Error(result.detail)
    const { serialNumber, pem } = result.value
    expect(files.sort()).toEqual(
      ['pem', 'receipt.json', 'request.json'].map((end) => `${serialNumber}.${end}`),
    )
    const [receipt, request] = ['receipt', 'request'].map((kind) =>
      readFileSync(join(folder, `${serialNumber}.${kind}.json`)),
    ) as [Buffer, Buffer]
    const extension = new X509Certificate(pem).getExtension(RECEIPT_OID)
    expect(extension?.critical).toBe(false)
    const hash = createHash('sha256').update(receipt).digest('hex')
    expect(Buffer.from(extension?.value ?? new ArrayBuffer()).toString('hex')).toBe(`0420${hash}`)
    expect(await verifyReceiptOf(receipt, request, TRUST)).toMatchObject({
      ok: true,
      value: { isValid: true },
    })
    expect(await verifyReceiptOf(receipt, 'another request', TRUST)).toMatchObject({ code: 'other-request' })
    expect(await verifyReceiptOf(receipt, Buffer.from('{}'), TRUST)).toMatchObject({
      code: 'malformed-request',
    })
  })

  it.each<[string, Conduct[]]>([
    ['the first does not answer', [{ says: 'nothing', forges: () => 'lost' }, {}]],
    ['the first is lost between the verdict and its receipt', [{ forges: () => 'lost' }, {}]],
    [
      'the first forges the receipt',
      [{ forges: (receipt) => withSignature(receipt, (of) => of.fill(0)) }, {}],
    ],
    [
      'the first has the receipt of another request',
      [{ record: (of) => ({ ...of, requestKey: altered(of.requestKey) }) }, {}],
    ],
  ])('issues by the second node when %s', async (_what, nodes) => {
    const { result, files } = await issued(confirmBy(nodes))
    expect(result).toMatchObject({ ok: true })
    expect(files).toHaveLength(3)
  })

  const elsewhere: ReceiptTrust = { ...TRUST, genesisHash: 'ab'.repeat(32) as GenesisHash }
  const others: ReceiptTrust = {
    ...TRUST,
    validators: TRUST.validators.map((of) => ({ ...of, publicKey: of.publicKey.toReversed() })),
  }
  it.each<[string, Conduct[], code: string, detail: string, trust?: ReceiptTrust]>([
    ['the node says Invalid', [{ says: 'invalid' }], 'invalid', 'total_storage is 1'],
    [
      'the receipt is of an Invalid verdict',
      [{ record: invalidVerdict }],
      'invalid',
      'though a node said Valid',
    ],
    [
      'a signature is another',
      [{ forges: (receipt) => withSignature(receipt, (of) => of.fill(1, 100, 101)) }],
      'no-proof',
      'wrong-signature',
    ],
    [
      'a signature is missing',
      [
        {
          forges: (of) => ({
            ...of,
            certificate: { ...of.certificate, signatures: of.certificate.signatures.slice(1) },
          }),
        },
      ],
      'no-proof',
      'too-little-stake',
    ],
    [
      'the record of a Valid verdict is put in place of an Invalid one',
      [{ record: invalidVerdict, forges: (receipt) => withRecord(receipt, receiptOn(sent)) }],
      'no-proof',
      'wrong-path',
    ],
    [
      'it is on another request',
      [{ record: (of) => ({ ...of, requestKey: altered(of.requestKey) }) }],
      'no-proof',
      'other-request',
    ],
    [
      'it is on other proofs',
      [{ record: (of) => ({ ...of, proofHash: altered(of.proofHash) }) }],
      'no-proof',
      'other proofs than those that were sent',
    ],
    ['it is of another network', [{}], 'no-proof', 'wrong-network', elsewhere],
    ['it is signed by others than those who are trusted', [{}], 'no-proof', 'wrong-signature', others],
    ['there is none', [{ forges: () => 'none' }], 'no-verdict', 'RECEIPT_NOT_READY'],
    ['nobody answers', [{ says: 'nothing' }], 'no-verdict', 'no answer from https://node-0'],
  ])('issues nothing when %s', async (_name, nodes, code, detail, trust = TRUST) => {
    const { result, files } = await issued(confirmBy(nodes, trust))
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

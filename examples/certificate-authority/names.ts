/** The names that a certificate is asked for: read from a signing request (PKCS#10), or made with a new key. */
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import {
  type JsonGeneralName,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509'
import { ok, type Result, refuse } from 'hypermesh-node/client'

/** What is to be certified. */
export interface Applicant {
  readonly request: Pkcs10CertificateRequest
  readonly commonName: string
  /** DNS names and IP addresses, the common name among them. */
  readonly names: readonly string[]
  readonly ipv6Addresses: readonly string[]
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const PEM_BYTES_MAX = 64 * 1024
const NAMES_MAX = 100
const RSA_BITS_MIN = 2_048

/** Reads a signing request and refuses what no CA should sign: a bad signature, a weak key, no name. */
export async function readSigningRequest(pem: string): Promise<Result<Applicant, 'bad-request'>> {
  if (pem.length > PEM_BYTES_MAX) return refuse('bad-request', `more than ${PEM_BYTES_MAX} bytes`)
  let request: Pkcs10CertificateRequest
  try {
    request = new Pkcs10CertificateRequest(pem)
    // Whoever asks must have the private key.
    if (!(await request.verify())) return refuse('bad-request', 'its signature does not fit its key')
  } catch (error) {
    return refuse(
      'bad-request',
      `no PKCS#10 request: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  const algorithm = request.publicKey.algorithm as { name: string; modulusLength?: number }
  if (algorithm.modulusLength !== undefined && algorithm.modulusLength < RSA_BITS_MIN) {
    return refuse(
      'bad-request',
      `an RSA key of ${algorithm.modulusLength} bits, the minimum is ${RSA_BITS_MIN}`,
    )
  }
  return namesOf(request)
}

function namesOf(request: Pkcs10CertificateRequest): Result<Applicant, 'bad-request'> {
  const extension = request.getExtension(SUBJECT_ALTERNATIVE_NAME)
  const listed =
    extension === null ? [] : new SubjectAlternativeNameExtension(extension.rawData).names.toJSON()
  const other = listed.find(({ type }) => type !== 'dns' && type !== 'ip')
  if (other !== undefined)
    return refuse('bad-request', `a name of type ${other.type}; DNS names and addresses only`)
  const [commonName = listed.find(({ type }) => type === 'dns')?.value] = request.subjectName.getField('CN')
  if (commonName === undefined) return refuse('bad-request', 'it has no common name and no DNS name')
  const names = [...new Set([commonName, ...listed.map(({ value }) => value)])]
  if (names.length > NAMES_MAX)
    return refuse('bad-request', `${names.length} names, the maximum is ${NAMES_MAX}`)
  const ipv6Addresses = listed.filter(({ type, value }) => type === 'ip' && value.includes(':'))
  return ok({ request, commonName, names, ipv6Addresses: ipv6Addresses.map(({ value }) => value) })
}

/** A new key and a signing request over it, for somebody who has none. @returns both as PEM */
export async function makeSigningRequest(commonName: string): Promise<{ csr: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const names: JsonGeneralName[] = [{ type: 'dns', value: commonName }]
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names)],
  })
  return { csr: request.toString('pem'), key: await privateKeyPem(keys.privateKey) }
}

/** PKCS#8. */
export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
}

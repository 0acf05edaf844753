/** The CA itself: its key, its certificate, and the certificates that it signs over evidence. */
import 'reflect-metadata'
import { createHash, randomBytes, type webcrypto } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { Evidence } from './evidence.ts'
import { type Applicant, privateKeyPem } from './names.ts'

/**
 * The extension that names the receipt: the DER of an OCTET STRING with the SHA-256 of its text. 32473 is the enterprise
 * number that RFC 5612 sets aside for examples; a CA in earnest puts its own there.
 */
export const RECEIPT_OID = '1.3.6.1.4.1.32473.4.1'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const CA_DAYS = 3_650
const LEAF_DAYS = 90
/** The clocks of those who check may be behind. */
const BACKDATED_MS = 300_000

/** An issued certificate. */
export interface Issued {
  /** Hex. */
  readonly serialNumber: string
  readonly pem: string
}

export class Authority {
  readonly certificate: X509Certificate
  readonly #key: webcrypto.CryptoKey

  private constructor(certificate: X509Certificate, key: webcrypto.CryptoKey) {
    this.certificate = certificate
    this.#key = key
  }

  /** The CA of a folder (`ca.pem`, `ca.key`), made when there is none. The key is not encrypted: guard the folder. */
  static async open(folder: string, name: string): Promise<Authority> {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const certificatePath = join(folder, 'ca.pem')
    const keyPath = join(folder, 'ca.key')
    if (!existsSync(certificatePath)) await makeAuthority(certificatePath, keyPath, name)
    const pkcs8 = Buffer.from(readFileSync(keyPath, 'utf8').replace(/-----[^-]+-----|\s/g, ''), 'base64')
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign'])
    return new Authority(new X509Certificate(readFileSync(certificatePath, 'utf8')), key)
  }

  /** Signs a certificate for a server. That there is a receipt is all that it asks; see issue.ts. */
  async sign(applicant: Applicant, evidence: Evidence): Promise<Issued> {
    const { request, commonName, names } = applicant
    const nowMs = Date.now()
    const serialNumber = positiveSerial()
    const certificate = await X509CertificateGenerator.create({
      serialNumber,
      subject: [{ CN: [commonName] }],
      issuer: this.certificate.subjectName,
      notBefore: new Date(nowMs - BACKDATED_MS),
      notAfter: new Date(Math.min(nowMs + LEAF_DAYS * DAY_MS, this.certificate.notAfter.getTime())),
      publicKey: request.publicKey,
      signingKey: this.#key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        await SubjectKeyIdentifierExtension.create(request.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.certificate),
        receiptExtension(evidence.receipt),
      ],
    })
    return { serialNumber, pem: certificate.toString('pem') }
  }
}

/** Not critical: who does not know it loses nothing. */
function receiptExtension(receipt: Uint8Array): Extension {
  const hash = createHash('sha256').update(receipt).digest()
  return new Extension(RECEIPT_OID, false, Buffer.concat([Buffer.from([0x04, hash.length]), hash]))
}

/** 16 bytes, positive and without a leading zero (RFC 5280, 4.1.2.2). */
function positiveSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function makeAuthority(certificatePath: string, keyPath: string, name: string): Promise<void> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const nowMs = Date.now()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: positiveSerial(),
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + CA_DAYS * DAY_MS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  // The certificate comes last: where it is, the key is.
  writeFileSync(keyPath, await privateKeyPem(keys.privateKey), { mode: 0o600 })
  writeFileSync(`${certificatePath}.new`, certificate.toString('pem'))
  renameSync(`${certificatePath}.new`, certificatePath)
}

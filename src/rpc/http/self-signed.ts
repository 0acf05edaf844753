/**
 * TLS for the CA endpoint where nobody configured any: a self-signed P-256 certificate for this machine's loopback
 * names, made once and kept in the data directory. It proves nothing to a stranger; the verdicts' receipts do.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { makeFolders } from '../../files/make-folders.ts'
import { bits, integer, octets, oid, sequence, set, time, tlv, utf8 } from './der.ts'
import { HttpError } from './errors.ts'

/** PEM texts for `node:https`. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
}

/** Names under which a client on this machine reaches the endpoint. */
const LOOPBACK_NAMES: readonly string[] = ['localhost', '::1', '127.0.0.1']
const DAY_MS = 86_400_000
/** Renewed by deleting the files; long, because nothing trusts it by its date. */
const VALID_DAYS = 3_650

/**
 * The certificate in `directory` (`rpc.crt`, `rpc.key`), made when absent or expired.
 * @throws HttpError `E_TLS_FILES` when the directory cannot be written or the files do not fit together
 */
export async function loadOrMakeSelfSigned(directory: string, nowUnixMs: number): Promise<TlsMaterial> {
  const certPath = join(directory, 'rpc.crt')
  const keyPath = join(directory, 'rpc.key')
  try {
    const kept = await readKept(certPath, keyPath)
    if (kept !== null && Date.parse(new X509Certificate(kept.cert).validTo) > nowUnixMs) return kept
    const made = makeSelfSigned(LOOPBACK_NAMES, nowUnixMs)
    makeFolders(directory)
    await writeWhole(keyPath, made.key, 0o600)
    await writeWhole(certPath, made.cert, 0o644)
    return made
  } catch (cause) {
    throw new HttpError('E_TLS_FILES', `the TLS files in ${directory} cannot be used`, {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: `make ${directory} writable; deleting rpc.crt and rpc.key there makes new ones`,
      exitCode: 73,
      cause,
    })
  }
}

/** Configured PEM files. @throws HttpError `E_TLS_FILES` when one cannot be read */
export async function loadTlsFiles(certPath: string, keyPath: string): Promise<TlsMaterial> {
  try {
    return { cert: await readFile(certPath, 'utf8'), key: await readFile(keyPath, 'utf8') }
  } catch (cause) {
    throw new HttpError('E_TLS_FILES', `cannot read the configured TLS files ${certPath} and ${keyPath}`, {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'name two PEM files that this user can read',
      exitCode: 78,
      cause,
    })
  }
}

async function readKept(certPath: string, keyPath: string): Promise<TlsMaterial | null> {
  try {
    return { cert: await readFile(certPath, 'utf8'), key: await readFile(keyPath, 'utf8') }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** A file is there whole or not at all, and never readable by others for a moment. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const partial = `${path}.new`
  await writeFile(partial, text, { mode })
  await rename(partial, path)
}

/**
 * Makes a key pair and a certificate over it (RFC 5280, ECDSA with SHA-256).
 * @param names DNS names and IP addresses for the subject alternative name
 */
export function makeSelfSigned(names: readonly string[], nowUnixMs: number): TlsMaterial {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaSha256 = sequence(oid('1.2.840.10045.4.3.2'))
  const tbs = tbsCertificate(ecdsaSha256, publicKey, names, nowUnixMs)
  const der = sequence(tbs, ecdsaSha256, bits(sign('sha256', tbs, privateKey)))
  return {
    cert: pem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function tbsCertificate(
  algorithm: Uint8Array,
  publicKey: KeyObject,
  names: readonly string[],
  nowUnixMs: number,
): Uint8Array {
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8('hypermesh node'))))
  const extensions = sequence(
    // Not a certificate authority; signs handshakes; serves TLS.
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', bits(Uint8Array.of(0x80), 7), true),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...names.map(generalName))),
  )
  return sequence(
    tlv(0xa0, integer(Uint8Array.of(2))),
    integer(serialNumber()),
    algorithm,
    name,
    // A day back: the client's clock may be behind.
    sequence(time(nowUnixMs - DAY_MS), time(nowUnixMs + VALID_DAYS * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  )
}

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [tlv(0x01, Uint8Array.of(0xff))] : []
  return sequence(oid(id), ...critical, octets(value))
}

/** 16 random bytes, positive and without a leading zero. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

function generalName(name: string): Uint8Array {
  switch (isIP(name)) {
    case 4:
      return tlv(0x87, Uint8Array.from(name.split('.').map(Number)))
    case 6:
      return tlv(0x87, ipv6Bytes(name))
    default:
      return tlv(0x82, Buffer.from(name))
  }
}

/** The 16 bytes of an IPv6 address without an IPv4 tail. */
function ipv6Bytes(address: string): Uint8Array {
  const [front = '', back] = address.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const head = groups(front)
  const tail = groups(back ?? '')
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

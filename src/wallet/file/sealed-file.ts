/**
 * A wallet's content under a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM seals. The file says in the open how
 * the key is made and of which network it is, and vouches for both. What the content is, it does not know.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { z } from 'zod'
import { WalletError } from '../wallet-error.ts'

/** Cost of making a key out of a passphrase (RFC 7914 §2). */
export interface KdfCost {
  /** A power of two. */
  readonly N: number
  readonly r: number
  readonly p: number
}

/** 128 MiB and half a second: what OWASP's password storage cheat sheet asks of scrypt. */
export const DEFAULT_KDF_COST: KdfCost = { N: 2 ** 17, r: 8, p: 1 }
/** Of a file that somebody hands us: no more than a GiB of memory, and not for minutes. */
const MEMORY_BYTES_MAX = 2 ** 30
const N_MIN = 2 ** 10
const P_MAX = 4

const FORMAT = 'hypermesh-wallet'
const VERSION = 1
const SALT_BYTES = 16
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Contents are filled up to a multiple of this, so that their length does not count a wallet's notes. */
const BLOCK_BYTES = 4_096
/** Half a million notes and more; what is written is held to it as well. */
export const SEALED_FILE_BYTES_MAX = 256 * 2 ** 20

const ALGORITHM = 'aes-256-gcm'

/** What stands in the open. */
export interface OpenPart {
  /** Hex. */
  readonly network: string
  readonly kdf: KdfCost & { readonly salt: string }
}

/** A key for one wallet file, as long as it is open. */
export interface SealingKey {
  readonly open: OpenPart
  readonly key: Uint8Array
}

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  network: z.string().regex(/^[0-9a-f]{64}$/),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    N: z.int().min(N_MIN),
    r: z.int().min(1),
    p: z.int().min(1).max(P_MAX),
    salt: z.string().regex(/^[0-9a-f]{32}$/),
  }),
  cipher: z.literal(ALGORITHM),
  nonce: z.string().regex(/^[0-9a-f]{24}$/),
  content: z.string(),
  /** SHA-256 of all of it: tells a damaged file from a wrong passphrase, and protects from nobody. */
  checksum: z.string(),
})

type WalletFile = z.output<typeof fileSchema>

function scryptKey(passphrase: string, { N, r, p, salt }: OpenPart['kdf']): Promise<Uint8Array> {
  // What RFC 7914 §5 and §6 need, and room for OpenSSL's own.
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 2) + 2 ** 20 }
  return new Promise((resolve, reject) => {
    // One spelling of what people see as one text.
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'hex'), KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function checksumOf(open: OpenPart, nonce: Uint8Array, sealed: Uint8Array): string {
  return hash('sha256', Buffer.concat([openBytes(open), nonce, sealed]), 'hex')
}

/** A key for a new file. @param passphrase anything but the empty text */
export async function newSealingKey(network: string, passphrase: string, cost: KdfCost): Promise<SealingKey> {
  const { N, r, p } = cost
  const open = { network, kdf: { N, r, p, salt: randomBytes(SALT_BYTES).toString('hex') } }
  return { open, key: await scryptKey(passphrase, open.kdf) }
}

/** Everything in the open, in one spelling: it is authenticated with the content. */
function openBytes({ network, kdf }: OpenPart): Uint8Array {
  const { N, r, p, salt } = kdf
  return Buffer.from(JSON.stringify([FORMAT, VERSION, network, 'scrypt', N, r, p, salt, ALGORITHM]))
}

/**
 * The text of a file.
 * @param content any bytes; a nonce of their own is drawn every time
 */
export function sealFile({ open, key }: SealingKey, content: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES)
  const padded = Buffer.alloc(Math.ceil((4 + content.length) / BLOCK_BYTES) * BLOCK_BYTES)
  padded.writeUInt32LE(content.length)
  padded.set(content, 4)
  const cipher = createCipheriv(ALGORITHM, key, nonce)
  cipher.setAAD(openBytes(open))
  const sealed = Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()])
  const { N, r, p, salt } = open.kdf
  const file: WalletFile = {
    format: FORMAT,
    version: VERSION,
    network: open.network,
    kdf: { name: 'scrypt', N, r, p, salt },
    cipher: ALGORITHM,
    nonce: nonce.toString('hex'),
    content: sealed.toString('base64'),
    checksum: checksumOf(open, nonce, sealed),
  }
  return `${JSON.stringify(file)}\n`
}

/** What anybody can read of a file. */
export type ReadFile = { readonly open: OpenPart; readonly nonce: Uint8Array; readonly sealed: Uint8Array }

function damaged(path: string, why: string): WalletError {
  return new WalletError('E_WALLET_DAMAGED', `${path} is no wallet, or a damaged one`, {
    why,
    fix: 'check the path, or take the file from your backup',
  })
}

/**
 * Reads what stands in the open.
 * @throws WalletError `E_WALLET_DAMAGED`, `E_WALLET_VERSION`
 */
export function readSealedFile(path: string, text: string): ReadFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw damaged(path, 'it is not JSON')
  }
  const version = z.looseObject({ format: z.literal(FORMAT), version: z.int() }).safeParse(json)
  if (version.success && version.data.version !== VERSION) {
    throw new WalletError('E_WALLET_VERSION', `${path} is a wallet of version ${version.data.version}`, {
      why: `this program reads version ${VERSION}`,
      fix: 'use the version of hypermesh that made it',
    })
  }
  const file = fileSchema.safeParse(json)
  if (!file.success) {
    const [issue] = file.error.issues
    throw damaged(path, `${issue?.path.join('.') ?? 'it'}: ${issue?.message ?? 'malformed'}`)
  }
  const { network, kdf, nonce, content, checksum } = file.data
  const { N, r, p, salt } = kdf
  if (!Number.isInteger(Math.log2(N)) || 128 * N * r > MEMORY_BYTES_MAX) {
    throw damaged(path, `its key would take ${128 * N * r} bytes of memory to make, or is not of scrypt`)
  }
  const read = {
    open: { network, kdf: { N, r, p, salt } },
    nonce: Buffer.from(nonce, 'hex'),
    sealed: Buffer.from(content, 'base64'),
  }
  const isWhole = read.sealed.length >= TAG_BYTES + BLOCK_BYTES
  if (!isWhole || checksumOf(read.open, read.nonce, read.sealed) !== checksum) {
    throw damaged(path, 'its checksum does not fit: a part of it was changed or is missing')
  }
  return read
}

/**
 * Opens a file with its passphrase.
 * @returns the content, and the key under which it can be sealed again
 * @throws WalletError `E_WALLET_PASSPHRASE`; `E_WALLET_DAMAGED` for what no wallet has sealed
 */
export async function openSealedFile(
  path: string,
  { open, nonce, sealed }: ReadFile,
  passphrase: string,
): Promise<{ readonly key: SealingKey; readonly content: Uint8Array }> {
  const key = await scryptKey(passphrase, open.kdf)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(openBytes(open))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const padded = decipher.update(sealed.subarray(0, -TAG_BYTES))
  try {
    decipher.final()
  } catch {
    throw new WalletError('E_WALLET_PASSPHRASE', `the passphrase does not open ${path}`, {
      why: 'it is another one, or somebody has changed the file on purpose',
      fix: 'try again; nobody can open it without the passphrase',
    })
  }
  const length = padded.readUInt32LE()
  if (4 + length > padded.length) throw damaged(path, 'its content is longer than the file')
  return { key: { open, key }, content: new Uint8Array(padded.subarray(4, 4 + length)) }
}

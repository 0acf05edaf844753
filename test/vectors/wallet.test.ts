/**
 * A wallet of version 1, kept: what it wrote is read for ever. Beside the code under test the formats are typed again from
 * src/wallet/README.md, with the libraries alone.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, scryptSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'
import { decodeAddress, encodeAddress } from '../../src/wallet/address.ts'
import { walletKeys } from '../../src/wallet/keys.ts'
import { openNote } from '../../src/wallet/notes/note-cipher.ts'
import { Wallet } from '../../src/wallet/wallet.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import vectors from './wallet.json' with { type: 'json' }

const network = vectors.network as GenesisHash
const seed = fromHex(vectors.seed)
const keys = walletKeys(seed)

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** H of the text. */
function tagged(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.concat([Buffer.of(tag.length), Buffer.from(tag), u32(parts.length)])
  const framed = parts.flatMap((part) => [u32(part.length), part])
  return createHash('sha256')
    .update(Buffer.concat([head, ...framed]))
    .digest()
}

const half = (i: number): Buffer => tagged('hypermesh/wallet/ml-kem-seed/v1', seed, Buffer.of(i))
const kem = ml_kem768.keygen(Buffer.concat([half(0), half(1)]))

describe('a wallet of version 1', () => {
  it('has the address of the text', () => {
    const content = Buffer.concat([
      Buffer.of(1),
      fromHex(network).subarray(0, 4),
      fromHex(vectors.owner),
      kem.publicKey,
    ])
    const checksum = tagged('hypermesh/wallet/address-checksum/v1', content).subarray(0, 4)
    expect(`hm1${Buffer.concat([content, checksum]).toString('base64url')}`).toBe(vectors.address)
    expect(toHex(keys.spendingKey)).toBe(vectors.spendingKey)
    expect(toHex(keys.owner)).toBe(vectors.owner)
    expect(encodeAddress({ owner: keys.owner, kemPublicKey: keys.kem.publicKey }, network)).toBe(
      vectors.address,
    )
    expect(decodeAddress(vectors.address, network).ok).toBe(true)
  })

  it('opens the notes of the text', () => {
    const bytes = Buffer.from(vectors.ciphertext, 'base64')
    const secret = ml_kem768.decapsulate(bytes.subarray(0, 1_088), kem.secretKey)
    const info = Buffer.concat([
      Buffer.from('hypermesh/wallet/note-key/v1'),
      fromHex(vectors.note.commitment),
    ])
    const key = Buffer.from(hkdfSync('sha256', secret, '', info, 32))
    const plaintext = Buffer.concat([Buffer.of(1), Buffer.alloc(8), fromHex(vectors.note.randomness)])
    plaintext.writeBigUInt64LE(BigInt(vectors.note.value), 1)
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12))
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    expect(sealed.equals(bytes.subarray(1_088))).toBe(true)
    const note = openNote(fromHex(vectors.note.commitment), new Uint8Array(bytes), keys)
    expect(note?.value).toBe(BigInt(vectors.note.value))
  })

  it('has the file of the text', () => {
    const { file } = vectors
    const { N, r, p, salt } = file.kdf
    const key = scryptSync(vectors.passphrase.normalize('NFC'), Buffer.from(salt, 'hex'), 32, { N, r, p })
    const list = [file.format, file.version, file.network, file.kdf.name, N, r, p, salt, file.cipher]
    const open = Buffer.from(JSON.stringify(list))
    const content = Buffer.from(file.content, 'base64')
    const nonce = Buffer.from(file.nonce, 'hex')
    const decipher = createDecipheriv('aes-256-gcm', key, nonce)
    decipher.setAAD(open)
    decipher.setAuthTag(content.subarray(-16))
    const padded = Buffer.concat([decipher.update(content.subarray(0, -16)), decipher.final()])
    expect(padded.length % 4_096).toBe(0)
    const length = padded.readUInt32LE()
    expect(padded.subarray(4 + length).every((byte) => byte === 0)).toBe(true)
    expect(JSON.parse(padded.subarray(4, 4 + length).toString('utf8'))).toMatchObject({
      seed: Buffer.from(seed).toString('base64url'),
      genesisHash: network,
    })
    expect(
      createHash('sha256')
        .update(Buffer.concat([open, nonce, content]))
        .digest('hex'),
    ).toBe(file.checksum)
  })

  it('is opened, with what was in it', async () => {
    const path = join(temporaryDirectory(), 'wallet')
    writeFileSync(path, JSON.stringify(vectors.file), { mode: 0o600 })
    writeFileSync(`${path}.tree`, Buffer.from(vectors.tree, 'hex'), { mode: 0o600 })
    const wallet = await Wallet.open(path, vectors.passphrase)
    onTestFinished(() => wallet.close())
    expect(wallet.address).toBe(vectors.address)
    expect(wallet.balance().spendable).toBe(BigInt(vectors.note.value))
  })
})

/** Keys on disk: private, whole, never overwritten, and refused with what to do when anything is off. */

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeystoreError } from '../../../src/crypto/key-file.ts'
import {
  createIdentity,
  createNetworkKey,
  loadIdentity,
  loadNetworkKey,
  networkKeyFromSeed,
} from '../../../src/crypto/keystore.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'

const mlDsa = selectMlDsa65()
let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keystore-'))
  path = join(directory, 'keys', 'identity.json')
})

afterEach(() => rm(directory, { recursive: true, force: true }))

async function failure(action: Promise<unknown>): Promise<KeystoreError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(KeystoreError)
  return error as KeystoreError
}

/** Writes the file anew with one field changed, or deleted when the value is undefined. */
async function edit(field: string, value: unknown): Promise<void> {
  const file = { ...JSON.parse(await readFile(path, 'utf8')), [field]: value }
  await writeFile(path, JSON.stringify(file))
}

describe('an identity', () => {
  test.each(['validator', 'node'] as const)('comes back as it was made: %s', async (role) => {
    const made = await createIdentity(path, role, mlDsa)
    const loaded = await loadIdentity(path, mlDsa)
    expect(loaded.role).toBe(role)
    expect(loaded.keyPair.publicKey.raw).toEqual(made.keyPair.publicKey.raw)
    const [message, context] = [Buffer.from('m'), Buffer.from('c')]
    expect(made.keyPair.publicKey.verify(message, loaded.keyPair.sign(message, context), context)).toBe(true)
  })

  test('is 0600 in a directory of 0700, holds a seed and no expanded key, and leaves nothing beside it', async () => {
    await createIdentity(path, 'validator', mlDsa)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(directory, 'keys'))).mode & 0o777).toBe(0o700)
    expect(await readdir(join(directory, 'keys'))).toEqual(['identity.json'])
    const file = JSON.parse(await readFile(path, 'utf8'))
    expect(Object.keys(file)).toEqual(['version', 'scheme', 'role', 'publicKey', 'seed'])
    expect(file).toMatchObject({ version: 1, scheme: 'ml-dsa-65', role: 'validator' })
    expect(file.seed).toMatch(/^[0-9a-f]{64}$/)
  })

  test('is never overwritten, and a failed attempt leaves no trace', async () => {
    await createIdentity(path, 'validator', mlDsa)
    const before = await readFile(path, 'utf8')
    expect(await failure(createIdentity(path, 'validator', mlDsa))).toMatchObject({
      code: 'E_KEY_EXISTS',
      exitCode: 77,
    })
    expect(await readFile(path, 'utf8')).toBe(before)
    expect(await readdir(join(directory, 'keys'))).toEqual(['identity.json'])
  })

  test.each([0o640, 0o604, 0o660, 0o644])('is refused when its mode is %o', async (mode) => {
    await createIdentity(path, 'validator', mlDsa)
    await chmod(path, mode)
    const error = await failure(loadIdentity(path, mlDsa))
    expect(error).toMatchObject({ code: 'E_KEY_PERMISSIONS', exitCode: 77 })
    expect(error.advice.why).toContain(mode.toString(8))
    expect(error.advice.fix).toContain('chmod 600')
  })

  test.each<[string, unknown, string]>([
    ['version', 2, 'E_KEY_MALFORMED'],
    ['scheme', 'ed25519', 'E_KEY_MALFORMED'],
    ['role', 'king', 'E_KEY_MALFORMED'],
    ['role', undefined, 'E_KEY_MALFORMED'],
    ['seed', 'ab', 'E_KEY_MALFORMED'],
    ['seed', 'AB'.repeat(32), 'E_KEY_MALFORMED'],
    ['seed', 7, 'E_KEY_MALFORMED'],
    ['seed', undefined, 'E_KEY_MALFORMED'],
    ['publicKey', 'ab', 'E_KEY_MALFORMED'],
    ['seed', 'ab'.repeat(32), 'E_KEY_MISMATCH'],
    ['publicKey', 'ab'.repeat(1952), 'E_KEY_MISMATCH'],
  ])('is refused when its %s is %s', async (field, value, code) => {
    await createIdentity(path, 'validator', mlDsa)
    await edit(field, value)
    expect(await failure(loadIdentity(path, mlDsa))).toMatchObject({ code, exitCode: 77 })
  })

  test.each(['', '{', 'null', '[]', '7', '"x"', 'x'.repeat(70_000)])(
    'is refused when the file is %.10s',
    async (text) => {
      await createIdentity(path, 'validator', mlDsa)
      await writeFile(path, text)
      expect((await failure(loadIdentity(path, mlDsa))).code).toBe('E_KEY_MALFORMED')
    },
  )

  test('an error never quotes the secret', async () => {
    await createIdentity(path, 'validator', mlDsa)
    const { seed } = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, `{"seed": "${seed}"`)
    const error = await failure(loadIdentity(path, mlDsa))
    expect(JSON.stringify([error.message, error.advice, String(error.cause)])).not.toContain(seed.slice(0, 8))
  })

  test('that is missing or unreadable says what to do', async () => {
    expect(await failure(loadIdentity(path, mlDsa))).toMatchObject({
      code: 'E_KEY_MISSING',
      exitCode: 77,
      advice: { why: expect.any(String), fix: expect.any(String) },
    })
    expect((await failure(loadIdentity(directory, mlDsa))).code).toMatch(/^E_KEY_(IO|PERMISSIONS)$/)
    await writeFile(join(directory, 'file'), '')
    const below = join(directory, 'file', 'identity.json')
    expect((await failure(createIdentity(below, 'node', mlDsa))).code).toBe('E_KEY_IO')
  })
})

describe('a network key', () => {
  test('comes back as it was made and is the key that libp2p makes of the seed', async () => {
    const made = await createNetworkKey(path)
    const loaded = await loadNetworkKey(path)
    expect(loaded).toEqual({ seed: new Uint8Array(made.seed), publicKey: made.publicKey })
    const libp2pKey = await generateKeyPairFromSeed('Ed25519', made.seed)
    expect(Buffer.from(libp2pKey.publicKey.raw).toString('hex')).toBe(
      Buffer.from(made.publicKey).toString('hex'),
    )
  })

  test('RFC 8032 §7.1 test 1', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    expect(Buffer.from(networkKeyFromSeed(seed).publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
  })

  test('is not taken for an identity, nor the reverse', async () => {
    await createNetworkKey(path)
    expect((await failure(loadIdentity(path, mlDsa))).code).toBe('E_KEY_MALFORMED')
    const other = join(directory, 'other.json')
    await createIdentity(other, 'node', mlDsa)
    expect((await failure(loadNetworkKey(other))).code).toBe('E_KEY_MALFORMED')
  })

  test('whose public key was changed is refused', async () => {
    await createNetworkKey(path)
    await edit('publicKey', '00'.repeat(32))
    expect((await failure(loadNetworkKey(path))).code).toBe('E_KEY_MISMATCH')
  })
})

/** The signer of a data directory's key: whose it is, and that the network would take what it signs. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { keyFileSigner } from '../../../src/client/node/key-file-signer.ts'
import { accountId } from '../../../src/codec/genesis.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { createIdentity } from '../../../src/crypto/keystore.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

it('signs with the key of the file, for its account', async () => {
  const path = join(temporaryDirectory(), 'identity.json')
  const { keyPair } = await createIdentity(path, 'validator', selectMlDsa65())
  const { account, publicKey, sign } = await keyFileSigner(path)
  expect(account).toBe(accountId(keyPair.publicKey.raw))
  expect(publicKey).toEqual(keyPair.publicKey.raw)
  const payload = Uint8Array.of(1, 2, 3)
  const signature = await sign(payload, SIGNATURE_CONTEXTS.operation)
  expect(keyPair.publicKey.verify(payload, signature, SIGNATURE_CONTEXTS.operation)).toBe(true)
})

it('says what is wrong with a file that is none', async () => {
  const path = join(temporaryDirectory(), 'identity.json')
  await expect(keyFileSigner(path)).rejects.toMatchObject({
    code: 'E_KEY_MISSING',
    advice: { fix: expect.any(String) },
  })
})

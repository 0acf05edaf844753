/** An operator's key on disk: both schemes, closed to others, and refused when it contradicts itself. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createOperatorKey, loadOperatorKey } from '../../../src/crypto/operator-key.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { signatureVerifier } from '../../../src/crypto/verify-signature.ts'
import { KEY_SCHEMES, OPERATOR_KEY_BYTES } from '../../../src/types/operator.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const mlDsa = selectMlDsa65()
const verify = signatureVerifier(mlDsa)
const message = new Uint8Array(40).fill(1)

describe.each(KEY_SCHEMES)('a key of %s', (scheme) => {
  it('is made, kept for its owner only, and loaded again', async () => {
    const path = join(temporaryDirectory(), 'keys', 'operator.json')
    const made = await createOperatorKey(path, scheme, mlDsa)
    expect(made.publicKey).toHaveLength(OPERATOR_KEY_BYTES[scheme])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const loaded = await loadOperatorKey(path, mlDsa)
    expect(loaded.publicKey).toEqual(made.publicKey)
    const signature = loaded.sign(message, 'stake-attestation')
    expect(verify(made.publicKey, message, signature, 'stake-attestation', scheme)).toBe(true)
    expect(verify(made.publicKey, message, signature, 'operator-key', scheme)).toBe(false)
    await expect(createOperatorKey(path, scheme, mlDsa)).rejects.toMatchObject({ code: 'E_KEY_EXISTS' })
  })

  it('is refused when it is open to others, or not what it was', async () => {
    const path = join(temporaryDirectory(), 'operator.json')
    await createOperatorKey(path, scheme, mlDsa)
    const text = readFileSync(path, 'utf8')
    const { seed } = JSON.parse(text) as { seed: string }
    const refused = async (content: string, code: string): Promise<void> => {
      writeFileSync(path, content)
      await expect(loadOperatorKey(path, mlDsa)).rejects.toMatchObject({ code })
    }
    await refused(text.replace(seed, 'ab'.repeat(seed.length / 2)), 'E_KEY_MISMATCH')
    await refused(text.replace(scheme, 'ed25519'), 'E_KEY_MALFORMED')
    await refused(text.replace('"version": 1', '"version": 2'), 'E_KEY_MALFORMED')
    await refused(text.replace(seed, seed.slice(2)), 'E_KEY_MALFORMED')
    await refused('not JSON', 'E_KEY_MALFORMED')
    writeFileSync(path, text)
    chmodSync(path, 0o644)
    await expect(loadOperatorKey(path, mlDsa)).rejects.toMatchObject({ code: 'E_KEY_PERMISSIONS' })
  })
})

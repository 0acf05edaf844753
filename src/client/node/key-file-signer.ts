/** Signs operations with the identity key of a data directory, as `hypermesh operation` does. */
import { accountId } from '../../codec/genesis.ts'
import type { OperationSigner } from '../operation-bytes.ts'

/** A signer, and whose it is. */
export interface KeyFileSigner extends OperationSigner {
  /** Account of the key, 64 hex digits. */
  readonly account: string
}

/**
 * The signer of an identity key. The key stays in it. Needs the Node that the program runs with (24.7 or later), whose ML-DSA
 * it is; it is loaded with the first key, so that all else of the client does with an older one.
 * @param path of `keys/identity.json` in a data directory
 * @throws NodeError `E_KEY_MISSING`, `E_KEY_PERMISSIONS`, `E_KEY_MALFORMED`, `E_KEY_MISMATCH`, `E_KEY_IO`
 */
export async function keyFileSigner(path: string): Promise<KeyFileSigner> {
  const { loadIdentity } = await import('../../crypto/keystore.ts')
  const { selectMlDsa65 } = await import('../../crypto/select.ts')
  const { keyPair } = await loadIdentity(path, selectMlDsa65())
  const publicKey = keyPair.publicKey.raw
  return {
    account: accountId(publicKey),
    publicKey,
    sign: (payload, context) => keyPair.sign(payload, context),
  }
}

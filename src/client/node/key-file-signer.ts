/** Signs operations with the identity key of a data directory, as `hypermesh operation` does. */
import { accountId } from '../../codec/genesis.ts'
import { loadIdentity } from '../../crypto/keystore.ts'
import { selectMlDsa65 } from '../../crypto/select.ts'
import type { OperationSigner } from '../operation-bytes.ts'

/** A signer, and whose it is. */
export interface KeyFileSigner extends OperationSigner {
  /** Account of the key, 64 hex digits. */
  readonly account: string
}

/**
 * The signer of an identity key. The key stays in it.
 * @param path of `keys/identity.json` in a data directory
 * @throws NodeError `E_KEY_MISSING`, `E_KEY_PERMISSIONS`, `E_KEY_MALFORMED`, `E_KEY_MISMATCH`, `E_KEY_IO`
 */
export async function keyFileSigner(path: string): Promise<KeyFileSigner> {
  const { keyPair } = await loadIdentity(path, selectMlDsa65())
  const publicKey = keyPair.publicKey.raw
  return {
    account: accountId(publicKey),
    publicKey,
    sign: (payload, context) => keyPair.sign(payload, context),
  }
}

/** Checks a certificate against any validator set: of an epoch long gone, or of one that this node is not in yet. */
import { Electorate } from '../consensus/validator-set.ts'
import type { MlDsa65 } from '../crypto/ml-dsa.ts'
import type { CertificateCheck } from '../ledger/snapshot-check.ts'
import { MessageVerifier } from '../runtime/message-verifier.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { ValidatorSignatures } from './validator-signatures.ts'

/** A quorum's distinct voters, every signature, network and epoch. */
export function certificateCheck(genesisHash: GenesisHash, mlDsa: MlDsa65): CertificateCheck {
  return (certificate, set) => {
    // A set that a peer made up may hold keys of no use; it is no set then.
    if (set.validators.some(({ publicKey }) => mlDsa.publicKey(publicKey) === undefined)) return false
    if (set.validators.length === 0 || set.validators.some(({ stake }) => stake <= 0n)) return false
    const signatures = new ValidatorSignatures(mlDsa, set)
    const verifier = new MessageVerifier(genesisHash, new Electorate(set), signatures, () => null, null)
    return verifier.verifyCertificate(certificate) !== null
  }
}

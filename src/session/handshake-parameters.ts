/** What either side of a handshake is given: who talks, with which key, and by which algorithms. */

import type { MlDsa65, MlDsaKeyPair } from '../crypto/ml-dsa.ts'
import type { MlKem768 } from '../crypto/ml-kem.ts'
import type { SessionParties } from './transcript.ts'

export interface HandshakeParameters {
  readonly parties: SessionParties
  /** Our identity key. */
  readonly keyPair: MlDsaKeyPair
  readonly mlDsa: MlDsa65
  readonly mlKem: MlKem768
}

/**
 * Answers plain libp2p peers. Without it libp2p finds no common encrypter and drops them without a word;
 * with it the refusal is in our log like every other, and the peer is gone before Noise has run.
 */

import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'
import { refuse } from '../types/errors.ts'
import { addressKey } from './address-key.ts'
import type { SessionDirection } from './session-options.ts'
import type { Sessions } from './sessions.ts'

/** For `connectionEncrypters` of `createLibp2p`, after `postQuantumEncrypter`: secures nothing, ever. */
export function refusePlainNoise(sessions: Sessions): () => ConnectionEncrypter {
  const refused = (direction: SessionDirection, connection: MessageStream): Promise<SecuredConnection> => {
    const refusal = refuse('no-session-layer', 'the remote offers plain Noise only')
    const error = sessions.refused(refusal, direction, addressKey(connection))
    connection.abort(error)
    return Promise.reject(error)
  }
  return () => ({
    protocol: '/noise',
    secureOutbound: (connection) => refused('outbound', connection),
    secureInbound: (connection) => refused('inbound', connection),
  })
}

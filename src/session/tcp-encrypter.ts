/** The session layer on TCP: Noise, then the post-quantum handshake inside it, then sealed frames. */

import type { ConnectionEncrypter } from '@libp2p/interface'
import type { NoiseComponents, NoiseInit } from '@libp2p/noise'
import { unreachable } from '../types/assert.ts'
import type { Sessions } from './sessions.ts'

/** For `connectionEncrypters` of `createLibp2p`, where it is the only entry besides `refusePlainNoise`. */
export function postQuantumEncrypter(
  _sessions: Sessions,
  _noise?: NoiseInit,
): (components: NoiseComponents) => ConnectionEncrypter {
  return () => unreachable(undefined as never)
}

/** For `connectionEncrypters`, after `postQuantumEncrypter`: refuses plain Noise peers with a reason in our log. */
export function refusePlainNoise(_sessions: Sessions): () => ConnectionEncrypter {
  return () => unreachable(undefined as never)
}

/**
 * What a validator of this node may do and when: its signer, the watch for signatures of its key from elsewhere, and
 * the wait before it signs in a new place. Joins the parts; the rules are theirs.
 */

import { readOperationVote } from '../config/operation-votes.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import type { MlDsaKeyPair } from '../crypto/ml-dsa.ts'
import { Signer } from '../crypto/signer.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ValidatorDuties } from '../runtime/consensus-node-options.ts'
import { DoppelgangerWatch } from '../runtime/doppelganger-watch.ts'
import type { BallotConduct } from '../runtime/own-ballots.ts'
import type { ChainParameters } from '../types/genesis.ts'
import type { Logger } from '../types/logger.ts'
import type { RequestKey } from '../types/primitives.ts'
import { type DoppelgangerWait, doppelgangerSeen } from './doppelganger-wait.ts'
import type { NodeStorage, SafetyMemory } from './node-storage.ts'
import { signingHistoryOf } from './signing-history.ts'

/** How often the wait is looked at. */
const LOOK_MS = 200

export interface WatchedDuties {
  readonly duties: ValidatorDuties
  readonly watch: DoppelgangerWatch
}

/**
 * @param electorate of the epoch that is going on
 * @param conduct only from tests: a validator that lies about what it finds
 * @param onFatal called with E_DOPPELGANGER (exit 77) when somebody else signs with our key
 */
export function watchedDuties(
  { identity, id, genesisState, directory }: NodeStorage,
  safety: SafetyMemory,
  electorate: () => Electorate,
  metrics: Pick<Metrics, 'validator'>,
  onFatal: (error: unknown) => void,
  conduct?: BallotConduct,
): WatchedDuties {
  const { genesisHash } = genesisState.rules
  const signer = new Signer(timed(identity.keyPair, metrics), signingHistoryOf(safety.recovered, genesisHash))
  const watch = new DoppelgangerWatch({
    genesisHash,
    indexIn: (epoch) => (epoch === electorate().set.epoch ? electorate().indexOf(id) : null),
    // A record forgets what was signed in earlier epochs.
    recognises: (slot, payload) => slot.epoch < safety.recovered.epoch || signer.recognises(slot, payload),
    onForeign: (signature) => onFatal(doppelgangerSeen(signature)),
  })
  const ballots = {
    saltOf: identity.ballotSalts(genesisHash),
    vote: (operation: RequestKey) => readOperationVote(directory.operationVotes, operation),
    ...(conduct === undefined ? {} : { conduct }),
  }
  return { duties: { id, signer, log: safety.log, recovered: safety.recovered, ballots }, watch }
}

/** The key pair, its signatures timed. */
function timed(keyPair: MlDsaKeyPair, { validator }: Pick<Metrics, 'validator'>): MlDsaKeyPair {
  return {
    publicKey: keyPair.publicKey,
    sign: (message, context) => {
      const startedAt = performance.now()
      const signature = keyPair.sign(message, context)
      validator.signDuration.observe((performance.now() - startedAt) / 1_000, { scheme: 'ml-dsa-65' })
      return signature
    },
  }
}

/**
 * How long to listen before signing in a new place, milliseconds: at least the operator's word and three heartbeats.
 * Not the same for two copies that start in one moment: the later one then hears the earlier one sign.
 */
export function listeningMs(doppelgangerWaitMs: number, { heartbeatMs }: ChainParameters): number {
  return Math.max(doppelgangerWaitMs, 3 * heartbeatMs) * (1 + Math.random())
}

/**
 * Waits, and then writes down that the key signs here before it lets it.
 * @param release takes up the duties
 * @returns the way to stop waiting
 */
export function holdDuties(of: {
  readonly wait: DoppelgangerWait
  readonly safety: SafetyMemory
  readonly release: () => Promise<void>
  readonly onFatal: (error: unknown) => void
  readonly logger: Logger
}): () => void {
  const { wait, safety, release, onFatal, logger } = of
  logger.info({ because: wait.reason() }, 'listening before signing')
  const timer = setInterval(() => {
    if (!wait.tick()) return
    clearInterval(timer)
    try {
      safety.signsHere()
    } catch (error) {
      onFatal(error)
      return
    }
    logger.info({}, 'nobody else was heard signing with this key; signing from here on')
    release().catch(onFatal)
  }, LOOK_MS)
  return () => clearInterval(timer)
}

/**
 * Certificates over the state (kind commit). The latest ones are in memory; on disk they stay at checkpoints, the
 * anchors of light clients and snapshots. One lost in a crash is gathered again from the votes, so writing them
 * holds nothing up.
 */
import { decodeQuorumCertificate, encodeQuorumCertificate } from '../codec/certificates.ts'
import { assert } from '../types/assert.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { Height } from '../types/primitives.ts'
import { commitOperation } from './block-batch.ts'
import { commitKey, decodeHeight, heightRange } from './buckets.ts'
import { CHECKPOINT_HEIGHTS } from './checkpoints.ts'
import type { Database } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/** Certificates kept in memory: as many heights as lie between two on disk. */
const RECENT_MAX = CHECKPOINT_HEIGHTS

export class CommitCertificates {
  readonly #database: Database
  readonly #recent = new Map<Height, QuorumCertificate>()
  #latest: QuorumCertificate | null
  #lastKept: number

  private constructor(database: Database, latest: QuorumCertificate | null) {
    this.#database = database
    this.#latest = latest
    this.#lastKept = latest?.height ?? 0
  }

  /** @param tip nothing above it is looked at */
  static async open(database: Database, tip: Height): Promise<CommitCertificates> {
    const [key] = await database.keys(heightRange('commits', 0, tip), { reverse: true, limit: 1 })
    const latest = key === undefined ? null : read(database, decodeHeight(key))
    return new CommitCertificates(database, latest)
  }

  /** The one of the greatest height, or null before the first. */
  get latest(): QuorumCertificate | null {
    return this.#latest
  }

  /** The certificate of this height, if it is recent or was kept. */
  at(height: Height): QuorumCertificate | null {
    return this.#recent.get(height) ?? read(this.#database, height)
  }

  /**
   * Takes a verified certificate; resolves when it is written, where it is written at all.
   * @throws StorageError E_DB_WRITE
   */
  async put(certificate: QuorumCertificate): Promise<void> {
    assert(certificate.kind === 'commit', `a ${certificate.kind} certificate among the commit certificates`)
    const { height } = certificate
    this.#recent.set(height, certificate)
    for (const old of this.#recent.keys()) {
      if (this.#recent.size <= RECENT_MAX) break
      this.#recent.delete(old)
    }
    if (this.#latest === null || height > this.#latest.height) this.#latest = certificate
    if (Math.floor(height / CHECKPOINT_HEIGHTS) <= Math.floor(this.#lastKept / CHECKPOINT_HEIGHTS)) return
    this.#lastKept = height
    const operation = commitOperation({ height, certificate: encodeQuorumCertificate(certificate) })
    await this.#database.writeRelaxed([operation])
  }
}

function read(database: Database, height: Height): QuorumCertificate | null {
  const bytes = database.get(commitKey(height))
  if (bytes === null) return null
  const certificate = decodeQuorumCertificate(bytes)
  if (!certificate.ok) {
    throw damagedDatabase(database.path, `the commit certificate of height ${height}: ${certificate.detail}`)
  }
  return certificate.value
}

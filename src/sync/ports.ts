/** What catching up needs of the other layers. Implementations do not import this file. */
import type { HashedBlock } from '../types/block.ts'
import type { AheadCertificate, QuorumCertificate } from '../types/certificates.ts'
import type { Result } from '../types/errors.ts'
import type { Height } from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'

/** Final blocks of a peer. `from` names a peer; without it any will do. */
export interface RangeFetcher {
  peers(): readonly string[]
  fetchRange(
    fromHeight: Height,
    countMax: number,
    from: string,
  ): Promise<Result<{ readonly blocks: readonly Uint8Array[]; readonly certificate: Uint8Array | null }>>
  /** The peer's final height is a claim; the certificate is what counts. */
  fetchStatus(knownHeight: Height, from: string): Promise<Result<{ readonly certificate: Uint8Array | null }>>
}

/** Reads and checks what came; a remote's fault gives null. */
export interface BlockReader {
  decodeBlock(bytes: Uint8Array): HashedBlock | null
  verifyCertificate(bytes: Uint8Array): Verified<QuorumCertificate> | AheadCertificate | null
  /** Whether a block follows its epoch's last one: no part of the chain, it only leads to a certificate. */
  isFiller(block: HashedBlock): boolean
}

/** Where the chain stands here, and where verified blocks go. */
export interface ChainTip {
  finalHeight(): Height
  finalHash(): string
  /** Takes blocks that link to the final block and the certificate of the last; becomes final soon after. */
  take(blocks: readonly HashedBlock[], finality: Verified<QuorumCertificate>): void
}

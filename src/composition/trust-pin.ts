/**
 * The block that the operator says is final. His word is above any certificate: another block at that height is not
 * this chain, whether it is on this disk, comes from a peer, or becomes final here.
 */
import type { TrustedBlock } from '../sync/trusted-set.ts'
import type { HashedBlock } from '../types/block.ts'
import { NodeError } from '../types/errors.ts'
import type { Logger } from '../types/logger.ts'
import type { BlockHash, Height } from '../types/primitives.ts'

/** `E_TRUST`: the chain leads past the trusted block. */
export class TrustError extends NodeError {}

const ADVICE = {
  why: '--trust or sync.trust names another block at that height',
  fix:
    'ask somebody you trust for "hypermesh block HEIGHT"; if the name was mistyped, mend it; ' +
    'if it is right, this chain is another: move the db directory away and choose other bootstrap peers',
}

export class TrustPin {
  readonly #trusted: TrustedBlock | null
  readonly #logger: Logger
  #isTold = false

  constructor(trusted: TrustedBlock | null, logger: Logger) {
    this.#trusted = trusted
    this.#logger = logger
  }

  /** Whether a block that came from elsewhere may be of this chain; the first that may not is told. */
  admits(block: Pick<HashedBlock, 'header' | 'hash'>): boolean {
    const other = this.#otherAt(block.header.height, block.hash)
    if (other === null) return true
    if (!this.#isTold) this.#logger.error({ ...ADVICE, code: 'E_TRUST' }, other)
    this.#isTold = true
    return false
  }

  /**
   * @param hashAt the final block at the trusted height, as this node has it; null when it has none
   * @throws TrustError `E_TRUST` (65)
   */
  requireIn(hashAt: (height: Height) => BlockHash | null): void {
    if (this.#trusted === null) return
    const { height } = this.#trusted
    const other = this.#otherAt(height, hashAt(height))
    if (other !== null) throw new TrustError('E_TRUST', other, { ...ADVICE, exitCode: 65 })
  }

  #otherAt(height: Height, hash: BlockHash | null): string | null {
    const trusted = this.#trusted
    if (trusted === null || hash === null || height !== trusted.height || hash === trusted.hash) return null
    return `the block at height ${height} is ${hash}, the trusted one is ${trusted.hash}`
  }
}

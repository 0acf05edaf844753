/** One proof-of-work engine under a test's hand, and whatever blocks others could mine on it. */
import { hashBlock, headerSchema, transactionsRoot } from '../../../../src/codec/block.ts'
import { sealBlock } from '../../../../src/codec/pow.ts'
import type { PowEffect } from '../../../../src/consensus/pow/effect.ts'
import type { PowEvent } from '../../../../src/consensus/pow/event.ts'
import type { PowInput } from '../../../../src/consensus/pow/input.ts'
import { PowEngine, type PowEngineOptions, rootOn } from '../../../../src/consensus/pow/pow-engine.ts'
import { type Mark, nextBits } from '../../../../src/consensus/pow/retarget.ts'
import { minedFields } from '../../../../src/consensus/pow/seal-rules.ts'
import type { BlockHeader, HashedBlock } from '../../../../src/types/block.ts'
import type { MiningParameters, SealedBlock, SealHash } from '../../../../src/types/pow.ts'
import { asHeight, asMonotonicMs, asUnixMs } from '../../../../src/types/primitives.ts'
import { findNonce } from '../../../support/mining.ts'

export const START_MS = 1_760_000_000_000

export const MINING: MiningParameters = {
  targetIntervalMs: 1_000,
  initialBits: 0x203fffff,
  limitBits: 0x207fffff,
  retargetWindow: 10,
  maturityBlocks: 6,
}

const emptyHeader = {
  ...headerSchema.fromRaw(headerSchema.ssz.defaultValue()),
  transactionsRoot: transactionsRoot([]),
}

export const GENESIS: HashedBlock = hashBlock({
  header: { ...emptyHeader, timestamp: asUnixMs(START_MS) },
  transactions: [],
})

/** A block that others build on, with what its successors are judged by. */
export interface Place {
  readonly sealHash: SealHash
  readonly block: HashedBlock
  readonly trail: readonly Mark[]
}

export const ROOT: Place = rootOn(GENESIS)

interface Fields {
  readonly afterMs?: number
  readonly bits?: number
  readonly header?: Partial<BlockHeader>
  /** 0 unless told. */
  readonly epochBlocks?: number
  /** Another seal of the same block. */
  readonly isSecondSeal?: boolean
}

/** Mines on a place. */
export function mineOn(parent: Place, fields: Fields = {}): Place & { readonly sealed: SealedBlock } {
  const { afterMs = 1_000, header, isSecondSeal = false } = fields
  const bits = fields.bits ?? nextBits(parent.trail, MINING)
  const timestamp = asUnixMs(parent.block.header.timestamp + afterMs)
  const block = hashBlock({
    header: {
      ...emptyHeader,
      ...minedFields(
        { sealHash: parent.sealHash, height: parent.block.header.height },
        fields.epochBlocks ?? 0,
      ),
      height: asHeight(parent.block.header.height + 1),
      parentHash: parent.block.hash,
      timestamp,
      ...header,
    },
    transactions: [],
  })
  const first = findNonce(block, bits)
  const nonce = isSecondSeal ? findNonce(block, bits, Number(first) + 1) : first
  const sealed = sealBlock(block, { bits, nonce })
  return { sealHash: sealed.sealHash, block, trail: [...parent.trail, { timestamp, bits }], sealed }
}

/** So many blocks, each on the one before. */
export function chainOn(
  parent: Place,
  count: number,
  fields: Fields = {},
): (Place & { sealed: SealedBlock })[] {
  const chain: (Place & { sealed: SealedBlock })[] = []
  for (let i = 0; i < count; i++) chain.push(mineOn(chain.at(-1) ?? parent, fields))
  return chain
}

export class Harness {
  readonly engine: PowEngine
  readonly effects: PowEffect[] = []
  readonly events: PowEvent[] = []
  /** Blocks that the ledger is to refuse, by seal. */
  readonly illegal = new Set<SealHash>()
  unixMs = START_MS + 1_000_000

  constructor(options: Partial<PowEngineOptions> = {}) {
    this.engine = new PowEngine({
      mining: MINING,
      root: rootOn(GENESIS),
      clockSkewMaxMs: 5_000,
      epochBlocks: 0,
      depth: 'settle',
      ...options,
    })
  }

  /** Gives an input, answers every check at once, and returns what the engine asked for apart from those. */
  input(first: PowInput): PowEffect[] {
    const asked: PowEffect[] = []
    const queue = [first]
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      const now = { monotonicMs: asMonotonicMs(0), unixMs: asUnixMs(this.unixMs) }
      const { effects, events } = this.engine.step(input, now)
      this.events.push(...events)
      for (const effect of effects) {
        this.effects.push(effect)
        if (effect.kind !== 'check-block') {
          asked.push(effect)
          continue
        }
        const { sealHash } = effect.sealed
        const outcome = this.illegal.has(sealHash)
          ? ({ ok: false, code: 'nullifier-root' } as const)
          : ({ ok: true } as const)
        queue.push({ kind: 'block-checked', sealHash, outcome })
      }
    }
    return asked
  }

  receive(...places: readonly { readonly sealed: SealedBlock }[]): PowEffect[] {
    return places.flatMap(({ sealed }) => this.input({ kind: 'block-received', sealed, from: 'a-peer' }))
  }

  get tip(): SealHash {
    return this.engine.look().tip.sealHash
  }

  get lastEvent(): PowEvent | undefined {
    return this.events.at(-1)
  }
}

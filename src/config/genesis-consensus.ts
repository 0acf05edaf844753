/** The section `consensus` of a genesis file: which engine orders the blocks, and the rules of mining. */
import { z } from 'zod'
import { targetOfBits } from '../types/compact-target.ts'
import type { ConsensusChoice, MiningParameters } from '../types/pow.ts'

const bits = z
  .string()
  .regex(/^0x[0-9a-f]{8}$/, 'compact bits are written as 0x and 8 lower-case hex digits')
  .transform((digits) => Number(digits))
  .superRefine((value, context) => {
    const target = targetOfBits(value)
    if (!target.ok) context.addIssue({ code: 'custom', message: target.detail })
  })

/** The easiest target that a network may allow: every second hash. Easier ones are no work at all. */
const EASIEST_BITS = 0x207f_ffff

const mining = z
  .strictObject({
    targetIntervalMs: z.int().min(100).max(86_400_000),
    initialBits: bits,
    limitBits: bits,
    retargetWindow: z.int().min(8).max(2_016),
    maturityBlocks: z.int().min(6).max(4_096),
  })
  .refine(
    (m) => easiness(m.limitBits) <= easiness(EASIEST_BITS),
    `limitBits is easier than ${hex(EASIEST_BITS)}`,
  )
  .refine((m) => easiness(m.initialBits) <= easiness(m.limitBits), 'initialBits is easier than limitBits')

export const consensusSchema = z.discriminatedUnion('engine', [
  z.strictObject({ engine: z.literal('pow'), mining }),
  z.strictObject({
    engine: z.literal('bft'),
    fallback: z.strictObject({ afterMs: z.int().min(1_000).max(86_400_000), mining }),
  }),
])

/** The section as {@link consensusSchema} reads it. */
export function formatConsensus(choice: ConsensusChoice): object {
  return choice.engine === 'pow'
    ? { engine: 'pow', mining: formatMining(choice.mining) }
    : {
        engine: 'bft',
        fallback: { afterMs: choice.fallback.afterMs, mining: formatMining(choice.fallback.mining) },
      }
}

function formatMining(parameters: MiningParameters): object {
  const { targetIntervalMs, initialBits, limitBits, retargetWindow, maturityBlocks } = parameters
  return {
    targetIntervalMs,
    initialBits: hex(initialBits),
    limitBits: hex(limitBits),
    retargetWindow,
    maturityBlocks,
  }
}

/** 0 for bits that are refused already. */
function easiness(value: number): bigint {
  const target = targetOfBits(value)
  return target.ok ? target.value : 0n
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

/** The section `policy.assurance` of a genesis file: how far claims must be backed. It may be absent: declared, all. */
import { z } from 'zod'
import { AUTHORITY_STEPS_MAX, OPERATION_LEVELS_MAX } from '../codec/limits.ts'
import { RECENT_BLOCKS } from '../types/attestation.ts'
import { ASSURANCE_LEVELS, type AssurancePolicy } from '../types/genesis.ts'

const level = z.enum(ASSURANCE_LEVELS)
const u64 = z
  .string()
  .regex(/^\d{1,20}$/, 'an amount is written as a string of decimal digits')
  .transform((digits) => BigInt(digits))
  .refine((value) => value < 2n ** 64n, 'above 2^64 - 1')

/** More is out of reach of whoever attests; the caller may ask for more all the same. */
const WORK_BITS_MAX = 64

export const assuranceSchema = z.strictObject({
  certificates: z.strictObject({
    TLS: level,
    CodeSigning: level,
    ClientAuth: level,
    RootCA: level,
    IntermediateCA: level,
  }),
  operations: z
    .array(z.strictObject({ operation: z.string().min(1).max(512), level }))
    .max(OPERATION_LEVELS_MAX)
    .refine(
      (rows) => rows.every(({ operation }, i) => i === 0 || operation > (rows[i - 1]?.operation ?? '')),
      'operations are in ascending order, all different',
    ),
  otherOperations: level,
  anchorAgeBlocksMax: z.int().min(1).max(RECENT_BLOCKS),
  minimumWorkBits: z.int().min(0).max(WORK_BITS_MAX),
  authority: z
    .array(z.strictObject({ level: u64, bondedStake: u64 }))
    .max(AUTHORITY_STEPS_MAX)
    .refine(
      (steps) =>
        steps.every(({ level: step, bondedStake }, i) => {
          const below = steps[i - 1]
          return below === undefined || (step > below.level && bondedStake > below.bondedStake)
        }),
      'steps of authority ascend in level and in bondedStake',
    ),
})

/** The section as {@link assuranceSchema} reads it. */
export function formatAssurance(assurance: AssurancePolicy): object {
  return {
    ...assurance,
    authority: assurance.authority.map(({ level: step, bondedStake }) => ({
      level: `${step}`,
      bondedStake: `${bondedStake}`,
    })),
  }
}

/** Amounts in a genesis file: strings, so that no tool rounds them. */
import { z } from 'zod'

export const U64_MAX = 2n ** 64n - 1n

export const amount = z
  .string()
  .regex(/^\d{1,20}$/, 'an amount is written as a string of decimal digits')
  .transform((digits) => BigInt(digits))
  .refine((value) => value <= U64_MAX, 'above 2^64 - 1')

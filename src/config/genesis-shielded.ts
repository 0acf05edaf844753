/** The section `shielded` of a genesis file: notes that the network starts with, and the reward of a block. */
import { z } from 'zod'
import { fromHex, isHex, toHex } from '../codec/hex.ts'
import { decodeElements } from '../shielded/notes/digest-bytes.ts'
import { NOTE_RANDOMNESS_BYTES } from '../shielded/notes/keys.ts'
import { GENESIS_NOTES_MAX, type ShieldedGenesis } from '../types/shielded.ts'
import { amount } from './genesis-amount.ts'

/** Field elements in hex, four bytes each, little endian, each below the field's prime. */
function elements(bytes: number, what: string): z.ZodType<Uint8Array, string> {
  return z
    .string()
    .refine((hex) => isHex(hex, bytes), `${what} is ${2 * bytes} lower-case hex digits`)
    .transform((hex) => fromHex(hex))
    .refine((raw) => decodeElements(raw, bytes / 4) !== null, `${what} is not of canonical field elements`)
}

export const shieldedSchema: z.ZodType<ShieldedGenesis> = z.strictObject({
  notes: z
    .array(
      z.strictObject({
        owner: elements(32, 'an owner'),
        value: amount.refine((value) => value > 0n, 'a note is worth something'),
        randomness: elements(NOTE_RANDOMNESS_BYTES, "a note's randomness"),
      }),
    )
    .max(GENESIS_NOTES_MAX),
  blockReward: amount,
  minimumFee: amount,
})

/** The section as {@link shieldedSchema} reads it. */
export function formatShielded({ notes, blockReward, minimumFee }: ShieldedGenesis): object {
  return {
    notes: notes.map(({ owner, value, randomness }) => ({
      owner: toHex(owner),
      value: `${value}`,
      randomness: toHex(randomness),
    })),
    blockReward: `${blockReward}`,
    minimumFee: `${minimumFee}`,
  }
}

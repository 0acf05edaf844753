/** Random hashes, counters and integers, of which every other random value is made. Test material only. */
import fc, { type Arbitrary } from 'fast-check'
import { COUNTER_MAX } from '../../src/types/primitives.ts'

// The brands exist in types only, so that one arbitrary serves for every hash and every counter.
export const hex = <T extends string>(length = 32): Arbitrary<T> =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes).toString('hex') as T)
export const counter = <T extends number>(): Arbitrary<T> =>
  fc
    .oneof(
      fc.nat(1_000),
      fc.maxSafeNat().map((n) => n % (COUNTER_MAX + 1)),
      fc.constant(COUNTER_MAX),
    )
    .map((n) => n as T)
export const index = <T extends number>(): Arbitrary<T> => fc.nat(65_535).map((n) => n as T)
export const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
export const u32 = fc.nat(2 ** 32 - 1)

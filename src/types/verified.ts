/** What has been checked says so in its type. Only crypto/verify.ts and the simulator mint these. */

declare const verified: unique symbol

/** A value whose signatures (and, for certificates, quorum) have been checked against the validator set. */
export type Verified<T> = T & { readonly [verified]: true }

/** Marks a value as checked. Call this only where the check has just been made. */
export function mintVerified<T>(value: T): Verified<T> {
  return value as Verified<T>
}

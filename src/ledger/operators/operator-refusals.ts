/** Why no block may hold an operator transaction at its place, beside what stands in the way of every transaction of an
 * account (staking-refusals.ts). Explained one by one in ledger/README.md. */
export type OperatorRefusal =
  | 'operator-name'
  | 'operator-name-taken'
  | 'operator-aliases'
  | 'operator-key'
  | 'operator-key-taken'
  | 'operator-space'
  | 'operator-space-taken'
  | 'operator-authority'
  | 'operator-registered'
  | 'operator-not-registered'
  | 'operator-id-changed'
  | 'operator-possession'
  | 'operator-signature'

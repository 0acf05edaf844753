/** Why no block may hold an operation transaction at its place, beside what stands in the way of every transaction of an
 * account (staking-refusals.ts). Explained one by one in README.md. */
export type OperationRefusal =
  | 'operations-nobody'
  | 'operation-not-validator'
  | 'operation-size'
  | 'operation-opens'
  | 'operation-open-full'
  | 'operation-key'
  | 'operation-version'
  | 'operation-key-busy'
  | 'operation-space-full'
  | 'operation-certificate'
  | 'operation-authority'
  | 'operation-not-recent'
  | 'operation-signature'

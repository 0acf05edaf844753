/** What nodes answer about operations and trust, as much of it as the client reads; fields that it does not know are left. */
import { TEXT_BYTES_MAX, VALIDATORS_MAX } from '../codec/limits.ts'
import { listOf, oneOf, option, type Shape, struct, text, u64 } from '../rpc/json-shape.ts'
import { TRUST_LOSSES_MAX } from '../types/operations.ts'
import { COUNTER_MAX } from '../types/primitives.ts'

/** What changed a validator's trust, in parts per million. */
export interface TrustAdjustment {
  readonly account: string
  readonly before: number
  readonly after: number
}

/** An operation as `/v1/operations/:id` has it. */
export interface OperationAnswer {
  readonly id: string
  readonly state: string
  readonly route: 'full-bft' | 'authority'
  readonly outcome: 'Approved' | 'Rejected' | 'Timeout' | null
  readonly height: number | null
  readonly participatingNodes: readonly string[]
  readonly trustAdjustments: readonly TrustAdjustment[]
}

export interface StatusAnswer {
  readonly genesisHash: string
  readonly final: { readonly height: number }
}

export interface TransactionAnswer {
  readonly key: string
  readonly state: 'pending' | 'final' | 'unknown'
}

/** A height, a sequence, parts per million. */
const whole: Shape<number> = {
  read: (value) => Number(u64.read(value)),
  write: (value) => value.toString(),
}
const hex = text(64)
/** As the API writes them: in the spelling of the program. */
const asIs = <const Names extends readonly string[]>(...names: Names): { readonly [K in Names[number]]: K } =>
  Object.fromEntries(names.map((name) => [name, name])) as { readonly [K in Names[number]]: K }

const adjustment = struct<TrustAdjustment>({ account: hex, before: whole, after: whole })

export const operationAnswer = struct<OperationAnswer>(
  {
    id: hex,
    state: text(TEXT_BYTES_MAX),
    route: oneOf(['full-bft', 'authority']),
    outcome: option(oneOf(['Approved', 'Rejected', 'Timeout'])),
    height: option(whole),
    participatingNodes: listOf(hex, VALIDATORS_MAX),
    trustAdjustments: listOf(adjustment, TRUST_LOSSES_MAX),
  },
  {
    names: asIs('participatingNodes', 'trustAdjustments'),
    check: ({ outcome, height }) => (outcome !== null && height === null ? 'decided at no height' : null),
  },
)

export const statusAnswer = struct<StatusAnswer>(
  { genesisHash: hex, final: struct({ height: whole }) },
  {
    names: asIs('genesisHash'),
    check: ({ final }) => (final.height > COUNTER_MAX ? `height ${final.height}` : null),
  },
)

export const accountAnswer = struct<{ readonly sequence: number }>(
  { sequence: whole },
  { check: ({ sequence }) => (sequence >= COUNTER_MAX ? `sequence ${sequence}` : null) },
)

export const transactionAnswer = struct<TransactionAnswer>({
  key: hex,
  state: oneOf(['pending', 'final', 'unknown']),
})

/** The score is for reading; what counts is whole, in parts per million. */
export const trustAnswer = struct<{ readonly now: { readonly ppm: number } }>({
  now: struct({ ppm: whole }),
})

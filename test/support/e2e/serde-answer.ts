/**
 * Whether an answer is what TrustChain's client parses: the rules of serde_json for `ConsensusValidationResult`, on
 * the text itself and written down here a second time, so that our own writer cannot vouch for itself.
 */

/** A number as it stands in the text: what is an integer there is one, of any size. */
class NumberLiteral {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

type Rule = (value: unknown, path: string) => string[]

const wrong = (path: string, expected: string, value: unknown): string[] => [
  `${path}: expected ${expected}, found ${value instanceof NumberLiteral ? value.source : JSON.stringify(value)}`,
]

const integer =
  (bits: number): Rule =>
  (value, path) =>
    value instanceof NumberLiteral && /^\d+$/.test(value.source) && BigInt(value.source) < 1n << BigInt(bits)
      ? []
      : wrong(path, `u${bits}`, value)

/** Any number; never null, which is how NaN would be written. */
const float: Rule = (value, path) =>
  value instanceof NumberLiteral && Number.isFinite(Number(value.source))
    ? []
    : wrong(path, 'a number', value)

const text: Rule = (value, path) => (typeof value === 'string' ? [] : wrong(path, 'a string', value))
const bool: Rule = (value, path) => (typeof value === 'boolean' ? [] : wrong(path, 'a boolean', value))

const option =
  (some: Rule): Rule =>
  (value, path) =>
    value === null ? [] : some(value, path)

const list =
  (item: Rule, length?: number): Rule =>
  (value, path) => {
    if (!Array.isArray(value)) return wrong(path, 'an array', value)
    if (length !== undefined && value.length !== length) return wrong(path, `${length} items`, value.length)
    return value.flatMap((entry, i) => item(entry, `${path}[${i}]`))
  }

/** Fields in the order in which serde writes them, none missing, none more. */
const struct =
  (fields: Readonly<Record<string, Rule>>): Rule =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return wrong(path, 'an object', value)
    const names = Object.keys(value)
    const expected = Object.keys(fields)
    if (names.join() !== expected.join())
      return wrong(path, `the fields ${expected.join()} in this order`, names.join())
    return expected.flatMap(
      (name) => fields[name]?.((value as Record<string, unknown>)[name], `${path}.${name}`) ?? [],
    )
  }

const systemTime = struct({ secs_since_epoch: integer(64), nanos_since_epoch: integer(32) })

const VARIANTS: Readonly<Record<string, Rule>> = {
  Invalid: struct({ failed_proofs: list(text), reason: text }),
  Pending: struct({ estimated_completion: systemTime }),
  Error: struct({ error_code: text, message: text }),
}

/** Externally tagged. */
const status: Rule = (value, path) => {
  if (value === 'Valid') return []
  const [entry, ...more] = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const variant = entry === undefined ? undefined : VARIANTS[entry[0]]
  if (entry === undefined || variant === undefined || more.length > 0) return wrong(path, 'a status', value)
  return variant(entry[1], `${path}.${entry[0]}`)
}

const answer = struct({
  result: status,
  proof_hash: option(list(integer(8), 32)),
  validator_id: text,
  validated_at: systemTime,
  metrics: struct({
    validation_time_us: integer(64),
    validator_nodes: integer(32),
    confidence_level: float,
    network_load: float,
  }),
  details: struct({
    proof_results: struct({
      space_proof_valid: bool,
      stake_proof_valid: bool,
      work_proof_valid: bool,
      time_proof_valid: bool,
    }),
    bft_status: struct({
      byzantine_nodes_detected: integer(32),
      fault_tolerance_maintained: bool,
      recovery_action_taken: option(text),
    }),
    performance_stats: struct({
      consensus_latency_ms: integer(64),
      throughput_ops_per_sec: float,
      network_overhead_bytes: integer(64),
    }),
  }),
})

/** What the client would not parse; empty when it parses all. */
export function serdeProblems(json: string): string[] {
  const keepSource = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? new NumberLiteral(context?.source ?? String(value)) : value
  return answer(JSON.parse(json, keepSource), '$')
}

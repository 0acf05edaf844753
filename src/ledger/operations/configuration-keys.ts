/**
 * What NetworkConfiguration can set, and how much hangs on it. The impact of a key stands here and nowhere else: whoever
 * proposes cannot say that it is low (spec/commit-reveal.md 6.1).
 */
import { ASSURANCE_LEVELS, type AssurancePolicy, type ValidationPolicy } from '../../types/genesis.ts'
import { CERTIFICATE_TYPES } from '../../types/validation-request.ts'
import { assuranceOf } from '../validation-policy.ts'

export const IMPACTS = ['low', 'medium', 'high'] as const
export type Impact = (typeof IMPACTS)[number]

/** A policy with one field set; null when the value is none of that field. */
type PolicySetter = (policy: ValidationPolicy, value: string) => ValidationPolicy | null

interface ConfigurationKey {
  readonly impact: Impact
  /** Null for what only the standard key space holds. */
  readonly set: PolicySetter | null
}

const DIGITS = /^(?:0|[1-9][0-9]{0,19})$/

const wholeOf = (value: string, max: bigint): bigint | null =>
  DIGITS.test(value) && BigInt(value) <= max ? BigInt(value) : null

type AmountField = 'minimumStake' | 'minimumStorage' | 'maximumStorage' | 'minimumCompute' | 'maximumCompute'
type AssuranceNumber = 'anchorAgeBlocksMax' | 'minimumWorkBits'

const critical = (set: PolicySetter): ConfigurationKey => ({ impact: 'high', set })
const amount = (field: AmountField): ConfigurationKey =>
  critical((policy, value) => {
    const whole = wholeOf(value, 2n ** 64n - 1n)
    return whole === null ? null : { ...policy, [field]: whole }
  })
const assurance = (
  change: (before: AssurancePolicy, value: string) => AssurancePolicy | null,
): ConfigurationKey =>
  critical((policy, value) => {
    const changed = change(assuranceOf(policy), value)
    return changed === null ? null : { ...policy, assurance: changed }
  })
const assuranceNumber = (field: AssuranceNumber): ConfigurationKey =>
  assurance((before, value) => {
    const whole = wholeOf(value, 65_535n)
    return whole === null ? null : { ...before, [field]: Number(whole) }
  })
const levelOf = (value: string) => ASSURANCE_LEVELS.find((level) => level === value) ?? null

const advisory = (impact: 'low' | 'medium'): ConfigurationKey => ({ impact, set: null })

/** Every key there is. */
export const CONFIGURATION_KEYS: ReadonlyMap<string, ConfigurationKey> = new Map<string, ConfigurationKey>([
  ['policy.minimumStake', amount('minimumStake')],
  [
    'policy.maxTimeOffsetMs',
    critical((policy, value) => {
      const whole = wholeOf(value, 2n ** 32n - 1n)
      return whole === null ? null : { ...policy, maxTimeOffsetMs: Number(whole) }
    }),
  ],
  ['policy.minimumStorage', amount('minimumStorage')],
  ['policy.maximumStorage', amount('maximumStorage')],
  ['policy.minimumCompute', amount('minimumCompute')],
  ['policy.maximumCompute', amount('maximumCompute')],
  ['policy.anchorAgeBlocksMax', assuranceNumber('anchorAgeBlocksMax')],
  ['policy.minimumWorkBits', assuranceNumber('minimumWorkBits')],
  [
    'policy.otherOperations',
    assurance((before, value) => {
      const level = levelOf(value)
      return level === null ? null : { ...before, otherOperations: level }
    }),
  ],
  ...CERTIFICATE_TYPES.map(
    (type) =>
      [
        `policy.certificates.${type}`,
        assurance((before, value) => {
          const level = levelOf(value)
          return level === null
            ? null
            : { ...before, certificates: { ...before.certificates, [type]: level } }
        }),
      ] as const,
  ),
  ['network.description', advisory('low')],
  ['network.website', advisory('low')],
  ['network.contact', advisory('low')],
  ['network.notice', advisory('medium')],
])

/** How much hangs on a key; null for one that there is not, which is as critical as can be. */
export function impactOf(key: string): Impact | null {
  return CONFIGURATION_KEYS.get(key)?.impact ?? null
}

/** The policy with one key set; null when there is no such key of the policy, or the value is none of it. */
export function withConfiguration(
  policy: ValidationPolicy,
  key: string,
  value: string,
): ValidationPolicy | null {
  return CONFIGURATION_KEYS.get(key)?.set?.(policy, value) ?? null
}

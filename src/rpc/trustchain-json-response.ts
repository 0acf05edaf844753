/**
 * The answers that TrustChain's Rust client parses, as JSON in its field order (spec/stoq.md 3.2 and 3.3). Shapes
 * only: what the figures mean is in validation/answer.ts.
 */
import { assert, unreachable } from '../types/assert.ts'
import type { AnswerErrorCode, AnswerStatus, ValidationAnswer } from '../validation/answer.ts'
import { systemTimeOf } from '../validation/answer.ts'
import type { HealthAnswer } from '../validation/health-answer.ts'
import type { ValidationMetrics } from '../validation/validation-metrics.ts'
import {
  bool,
  bytesFixed,
  FormatError,
  float,
  listOf,
  option,
  type Shape,
  struct,
  text,
  u64,
  uint,
  variantOf,
} from './json-shape.ts'
import type { JsonValue } from './lossless-json.ts'
import { systemTime } from './trustchain-json-request.ts'

/** Bounds for reading an answer; ours are far below. */
const line = text(1024 * 1024)

const invalidBody = struct<{ failedProofs: readonly string[]; reason: string }>({
  failedProofs: listOf(line, 1_024),
  reason: line,
})
const pendingBody = struct<{ estimatedCompletion: ValidationAnswer['validatedAt'] }>({
  estimatedCompletion: systemTime,
})
const errorBody = struct<{ errorCode: AnswerErrorCode; message: string }>({
  // Whatever code another server sends: the client shows it, it does not act on it.
  errorCode: line as Shape<string> as Shape<AnswerErrorCode>,
  message: line,
})

/** `ConsensusValidationStatus`, externally tagged. */
const status: Shape<AnswerStatus> = {
  read: (value: JsonValue) => {
    if (value === 'Valid') return { kind: 'valid' }
    const [name, body] = value instanceof Map && value.size === 1 ? variantOf(value) : ['', null]
    if (name === 'Valid' && body === null) return { kind: 'valid' }
    if (name === 'Invalid') return { kind: 'invalid', ...invalidBody.read(body) }
    if (name === 'Pending') return { kind: 'pending', ...pendingBody.read(body) }
    if (name === 'Error') return { kind: 'error', ...errorBody.read(body) }
    throw new FormatError('expected Valid, Invalid, Pending or Error')
  },
  write: (value) => {
    switch (value.kind) {
      case 'valid':
        return '"Valid"'
      case 'invalid':
        return `{"Invalid":${invalidBody.write(value)}}`
      case 'pending':
        return `{"Pending":${pendingBody.write(value)}}`
      case 'error':
        return `{"Error":${errorBody.write(value)}}`
      default:
        return unreachable(value)
    }
  },
}

/** `ConsensusValidationResult`, the answer of all three validation calls. */
export const validationAnswer: Shape<ValidationAnswer> = struct<ValidationAnswer>({
  result: status,
  proofHash: option(bytesFixed(32)),
  validatorId: line,
  validatedAt: systemTime,
  metrics: struct<ValidationAnswer['metrics']>({
    validationTimeUs: u64,
    validatorNodes: uint(32),
    confidenceLevel: float,
    networkLoad: float,
  }),
  details: struct<ValidationAnswer['details']>({
    proofResults: struct<ValidationAnswer['details']['proofResults']>({
      spaceProofValid: bool,
      stakeProofValid: bool,
      workProofValid: bool,
      timeProofValid: bool,
    }),
    bftStatus: struct<ValidationAnswer['details']['bftStatus']>({
      byzantineNodesDetected: uint(32),
      faultToleranceMaintained: bool,
      recoveryActionTaken: option(line),
    }),
    performanceStats: struct<ValidationAnswer['details']['performanceStats']>({
      consensusLatencyMs: u64,
      throughputOpsPerSec: float,
      networkOverheadBytes: u64,
    }),
  }),
})

/** The health call's answer. `reason` is ours: the client ignores fields that it does not know. */
export function healthJson(health: HealthAnswer): string {
  const { status, service, version, reason } = health
  return JSON.stringify({ status, service, version, ...(reason === null ? {} : { reason }) })
}

/** What a client reads of it; another server has no version and no reason. */
export const healthAnswer: Shape<HealthReading> = struct<HealthReading>({
  status: line,
  service: line,
  version: option(line),
  reason: option(line),
})

/** A health answer as a client sees it: the texts of whatever server is there. */
export interface HealthReading {
  /** `healthy`, or why not in one word. */
  readonly status: string
  readonly service: string
  readonly version: string | null
  readonly reason: string | null
}

const metricsShape = struct<
  Omit<ValidationMetrics, 'lastUpdatedUnixMs'> & { lastUpdated: ValidationAnswer['validatedAt'] }
>({
  totalRequests: u64,
  successfulValidations: u64,
  failedValidations: u64,
  avgValidationTimeUs: u64,
  pendingValidations: uint(32),
  byzantineFaultsDetected: u64,
  lastUpdated: systemTime,
})

/** `ValidationServiceMetrics`. */
export function metricsJson(metrics: ValidationMetrics): string {
  return metricsShape.write({ ...metrics, lastUpdated: systemTimeOf(metrics.lastUpdatedUnixMs) })
}

/** JSON of an answer. */
export function answerJson(answer: ValidationAnswer): string {
  assert(answer.proofHash === null || answer.proofHash.length === 32, 'a proof hash has 32 bytes')
  return validationAnswer.write(answer)
}

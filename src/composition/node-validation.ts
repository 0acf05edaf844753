/** Builds the validation service with what it tells: metrics, refusals, the audit log. */
import { BUILD } from '../config/build-info.ts'
import type { Config } from '../config/schema.ts'
import type { ModuleLogger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { ValidationService, type ValidationServiceOptions } from '../validation/validation-service.ts'
import { openAudit } from './node-audit.ts'
import type { StopOrder } from './stop-order.ts'
import type { SystemClock } from './system-clock.ts'
import { validationLimits, validationObserver } from './validation-metrics.ts'

export interface NodeValidationParts {
  readonly options: { readonly config: Config; readonly logger: ModuleLogger; readonly dataDir: string }
  readonly metrics: Metrics
  readonly clock: SystemClock
}

/** @throws StorageError when the audit log cannot be opened and no call may go unrecorded */
export async function buildValidation(
  { options, metrics, clock }: NodeValidationParts,
  ports: Pick<
    ValidationServiceOptions,
    'store' | 'submitter' | 'feed' | 'readiness' | 'nodeName' | 'receipts' | 'barredRequester'
  >,
  order: StopOrder,
): Promise<ValidationService> {
  const { config, logger, dataDir } = options
  const audit = await openAudit({
    config: config.audit,
    root: dataDir,
    clock,
    metrics,
    logger: logger.module('audit'),
  })
  // Closed after the service and the carriers, which still have calls to tell of.
  if (audit !== undefined) order.opened('audit log', () => audit.close())
  const service = new ValidationService({
    ...ports,
    clock,
    version: BUILD.version,
    limits: validationLimits(config.ca),
    observe: validationObserver(metrics),
    refused: (reason) => metrics.validation.refusals.add(1, { reason }),
    ...(audit === undefined ? {} : { audit }),
  })
  order.opened('validation service', () => service.close())
  return service
}

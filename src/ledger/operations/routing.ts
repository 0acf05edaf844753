/** How an operation is decided: by its kind, and for configuration by its key. What is unknown is critical. */
import type { NetworkOperation, OperationRoute, StandardOperation } from '../../types/operations.ts'
import { impactOf } from './configuration-keys.ts'

/** spec/commit-reveal.md 6.1. A kind without a row here goes the way of the critical ones. */
export function routeOf(operation: NetworkOperation): OperationRoute {
  switch (operation.kind) {
    case 'service-deployment':
    case 'resource-allocation':
    case 'maintenance-task':
    case 'performance-optimization':
      return 'authority'
    case 'network-configuration': {
      const impact = impactOf(operation.key)
      return impact === 'low' || impact === 'medium' ? 'authority' : 'full-bft'
    }
    case 'trust-score-modification':
    case 'security-policy-update':
    case 'node-admission':
    case 'node-exclusion':
    case 'other':
      return 'full-bft'
    default:
      return criticalAsUnknown(operation)
  }
}

/** Takes nothing that has a row: a new kind without one does not compile, and one from outside is critical. */
function criticalAsUnknown(_operation: never): OperationRoute {
  return 'full-bft'
}

/** The operation when authority decides it, else null. */
export function standardOf(operation: NetworkOperation): StandardOperation | null {
  return routeOf(operation) === 'authority' ? (operation as StandardOperation) : null
}

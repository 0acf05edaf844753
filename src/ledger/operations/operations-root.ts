/** Root of operations: leaf 10 of the state. Zero where there never was one, so that such a network's roots have no leaf more. */
import { operationsSchema } from '../../codec/operations.ts'
import { hasNoOperations, type OperationsState } from '../../types/operations.ts'
import type { Hex32 } from '../../types/primitives.ts'
import { bySchema } from '../remembered-roots.ts'

const NOTHING = '00'.repeat(32) as Hex32

const rootOf: (operations: OperationsState) => Hex32 = bySchema(operationsSchema)

/** SSZ root of the state of operations. */
export function operationsRoot(operations: OperationsState): Hex32 {
  return hasNoOperations(operations) ? NOTHING : rootOf(operations)
}

/** Root of the registry: leaf 6 of the state. What a block leaves alone is worked out once. */
import { toHex } from '../../codec/hex.ts'
import { operatorSchema, sortedOperators } from '../../codec/operator.ts'
import { hashTreeRoot, hexBytes, listOf } from '../../codec/schema.ts'
import type { Operator, Operators } from '../../types/operator.ts'
import type { Hex32 } from '../../types/primitives.ts'
import { ACCOUNTS_MAX } from '../../types/staking.ts'
import { bySchema, remembered } from '../remembered-roots.ts'

const operatorRoot: (operator: Operator) => Hex32 = bySchema(operatorSchema)
/** List[Bytes32] over the operators' roots: the same root as that of the list of the operators themselves. */
const operatorRoots = listOf(hexBytes<Hex32>(32), ACCOUNTS_MAX)

/** SSZ root of the list of operators in order of their accounts. */
export const operatorsRoot: (operators: Operators) => Hex32 = remembered(
  (operators) => toHex(hashTreeRoot(operatorRoots, sortedOperators(operators).map(operatorRoot))) as Hex32,
)

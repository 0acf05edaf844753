/** Which operator a name stands for: its own id, or an alias that it listed. */
import type { Operator, Operators } from '../../types/operator.ts'

const indices = new WeakMap<Operators, ReadonlyMap<string, Operator>>()

/** Every name of an operator. */
export function namesOf({
  operatorId,
  aliases,
}: Pick<Operator, 'operatorId' | 'aliases'>): readonly string[] {
  return [operatorId, ...aliases]
}

/** Worked out once per registry, which is never changed in place. */
function indexOf(operators: Operators): ReadonlyMap<string, Operator> {
  const known = indices.get(operators)
  if (known !== undefined) return known
  const index = new Map<string, Operator>()
  for (const operator of operators.values()) for (const name of namesOf(operator)) index.set(name, operator)
  indices.set(operators, index)
  return index
}

/** The operator of a name, retired ones too; null when nobody has it. */
export function operatorByName(name: string, operators: Operators): Operator | null {
  return indexOf(operators).get(name) ?? null
}

/**
 * Roots that are kept with the value they are of: values of the state are never changed in place, and what a block
 * leaves alone is the same object as before.
 */
import { toHex } from '../codec/hex.ts'
import { hashTreeRoot, type Schema } from '../codec/schema.ts'
import type { Hex32 } from '../types/primitives.ts'

/** A root that is worked out once per object. */
export function remembered<T extends object>(rootOf: (value: T) => Hex32): (value: T) => Hex32 {
  const roots = new WeakMap<T, Hex32>()
  return (value) => {
    const known = roots.get(value)
    if (known !== undefined) return known
    const root = rootOf(value)
    roots.set(value, root)
    return root
  }
}

/** The SSZ root of a value, worked out once per object. */
export function bySchema<T extends object>(schema: Schema<T>): (value: T) => Hex32 {
  return remembered((value) => toHex(hashTreeRoot(schema, value)) as Hex32)
}

/**
 * The schema as a list of settings: one row per value an operator can set, with the names it has as a flag and in
 * the environment. Derived from the schema, so that there is nothing to keep in step by hand.
 */

import { z } from 'zod'
import { configSchema } from './schema.ts'

/** How a setting's text (flag, environment) becomes a value. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'list'

/** One setting. */
export interface Field {
  /** Keys from the top, as in config.toml. */
  readonly keys: readonly string[]
  /** `p2p.max-peers`: the name in messages, and the flag without its dashes. */
  readonly name: string
  /** `HYPERMESH_P2P__MAX_PEERS`. Two underscores, or a Kubernetes service named hypermesh would set it. */
  readonly environmentName: string
  readonly kind: FieldKind
  readonly description: string
  /** As it would stand in config.toml. */
  readonly defaultValue: unknown
}

/** The part of JSON Schema that zod writes for this schema. */
interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly description?: string
  readonly default?: unknown
}

function kindOf(type: string | undefined): FieldKind {
  if (type === 'array') return 'list'
  if (type === 'integer' || type === 'number') return 'number'
  return type === 'boolean' ? 'boolean' : 'text'
}

function fieldsOf(schema: JsonSchema, keys: readonly string[]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const path = [...keys, key]
    if (child.type === 'object') return fieldsOf(child, path)
    const name = path.join('.')
    const environmentName = `HYPERMESH_${path.join('__').replaceAll('-', '_').toUpperCase()}`
    const description = child.description ?? ''
    return [
      {
        keys: path,
        name,
        environmentName,
        kind: kindOf(child.type),
        description,
        defaultValue: child.default,
      },
    ]
  })
}

/** Every setting, in the order of the schema. */
export const CONFIG_FIELDS: readonly Field[] = fieldsOf(
  z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema,
  [],
)

/** Settings that a flag or the environment can set: all but the file's own version. */
export const SETTABLE_FIELDS: readonly Field[] = CONFIG_FIELDS.filter(({ keys }) => keys.length > 1)

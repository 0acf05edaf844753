/**
 * Writes a config.toml that explains itself: every setting with its meaning and default as a comment, and those
 * that are set as values. `init` and `testnet init` write it; configs/validator.toml is it with nothing set.
 */

import { stringify } from 'smol-toml'
import { CONFIG_FIELDS, type Field } from './fields.ts'

const HEADER = `# hypermesh configuration. Every line that is commented out shows its default.
# A flag goes before the environment, the environment before this file: --p2p.max-peers 64 is
# HYPERMESH_P2P__MAX_PEERS=64 is max-peers = 64 under [p2p]. An unknown name stops the node (exit 78); in the
# environment that is one with two underscores: those with one belong to others and are not read.

`

const toToml = (key: string, value: unknown): string => stringify({ [key]: value }).trim()

function settingLines(field: Field, values: ReadonlyMap<string, unknown>): string {
  const key = field.keys.at(-1) ?? ''
  const value = values.get(field.name)
  const line = value === undefined ? `# ${toToml(key, field.defaultValue)}` : toToml(key, value)
  return `# ${field.description}\n${line}\n`
}

/**
 * @param values settings by name (`p2p.listen`) as they stand in the file; names not in the schema are a bug
 * @returns the text of a config.toml
 */
export function annotatedConfig(values: ReadonlyMap<string, unknown>): string {
  let text = HEADER
  let section = ''
  for (const field of CONFIG_FIELDS) {
    const table = field.keys.slice(0, -1).join('.')
    if (table !== section) text += `\n[${table}]\n`
    section = table
    text += settingLines(field, values)
  }
  return text
}

/**
 * Makes one configuration out of flags, environment, config.toml and defaults (in that precedence), and remembers
 * where each value came from. The only reader of the environment. It never writes, and never guesses: an unknown
 * name is refused with the nearest known one.
 */

import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import type { z } from 'zod'
import { ConfigError } from './errors.ts'
import { CONFIG_FIELDS, type Field, SETTABLE_FIELDS } from './fields.ts'
import { issueText } from './issue-text.ts'
import { nearestName } from './nearest-name.ts'
import { type Config, configSchema } from './schema.ts'

/** Where a value came from. */
export type Origin = 'flag' | 'environment' | 'file' | 'default'

/** Values by setting name (`p2p.max-peers`), as a command line gives them: text, or a list of texts. */
export type Flags = Readonly<Record<string, string | readonly string[] | boolean | undefined>>

/** What a configuration is made of. */
export interface ConfigSources {
  readonly flags?: Flags
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The text of config.toml and the name to give it in messages. */
  readonly file?: { readonly path: string; readonly text: string }
}

/** The configuration, and for each setting's name where its value came from. */
export interface LoadedConfig {
  readonly config: Config
  readonly origins: ReadonlyMap<string, Origin>
}

type Table = { [key: string]: unknown }

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function lookUp(table: Table, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    table,
  )
}

function put(table: Table, keys: readonly string[], value: unknown, where: string): void {
  const [key = '', ...rest] = keys
  if (rest.length === 0) {
    table[key] = value
    return
  }
  table[key] ??= {}
  const child = table[key]
  if (!isTable(child)) {
    throw new ConfigError('E_CONFIG_VALUE', `${where}: ${key} must be a table`, {
      fix: `write it as [${key}] with its settings below`,
    })
  }
  put(child, rest, value, where)
}

function defaultFix({ defaultValue }: Field): string {
  return `the default is ${JSON.stringify(defaultValue)}`
}

/** Text from a flag or the environment as the value that config.toml would hold. */
function fromText(field: Field, given: string | readonly string[] | boolean, where: string): unknown {
  if (field.kind === 'list') {
    const parts = [given].flat().flatMap((part) => String(part).split(','))
    return parts.map((part) => part.trim()).filter((part) => part !== '')
  }
  const text = String(Array.isArray(given) ? given.at(-1) : given)
  if (field.kind === 'number') {
    if (!/^-?\d+$/.test(text))
      throw new ConfigError('E_CONFIG_VALUE', `${where}: expected a whole number, not "${text}"`, {
        fix: defaultFix(field),
      })
    return Number(text)
  }
  if (field.kind === 'boolean') {
    if (text !== 'true' && text !== 'false') {
      throw new ConfigError('E_CONFIG_VALUE', `${where}: expected true or false, not "${text}"`, {
        fix: defaultFix(field),
      })
    }
    return text === 'true'
  }
  return text
}

function unknownName(code: string, what: string, name: string, known: readonly string[]): ConfigError {
  const near = nearestName(name, known)
  return new ConfigError(code, what, {
    fix: near === undefined ? `known are: ${known.join(', ')}` : `did you mean ${near} ?`,
  })
}

function parseFile(file: { path: string; text: string }): Table {
  try {
    return parse(file.text) as Table
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const what = `${file.path}:${error.line}:${error.column}: not TOML`
    throw new ConfigError('E_CONFIG_SYNTAX', what, {
      why: error.message.split('\n')[0] ?? '',
      fix: 'correct that line; every line that "hypermesh init" wrote there is a valid one',
      cause: error,
    })
  }
}

const PREFIX = 'HYPERMESH_'

/** One underscore too few, or a name of several words without its section: such names nobody else has. */
function isShortFor({ environmentName }: Field, name: string): boolean {
  if (environmentName.replaceAll('__', '_') === name) return true
  const last = environmentName.split('__').at(-1) ?? ''
  return last.includes('_') && name === `${PREFIX}${last}`
}

/** @throws ConfigError `E_CONFIG_UNKNOWN_KEY` for what was meant for a setting, and would set nothing */
function refuseShort(name: string): void {
  const meant = SETTABLE_FIELDS.find((field) => isShortFor(field, name))
  if (meant === undefined) return
  throw new ConfigError('E_CONFIG_UNKNOWN_KEY', `environment: unknown setting ${name}`, {
    fix: `did you mean ${meant.environmentName} ?`,
  })
}

/** Environment variables of ours: those with two underscores. The others are somebody else's and stay unread. */
function environmentValues(environment: Readonly<Record<string, string | undefined>>): Map<Field, string> {
  const found = new Map<Field, string>()
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith(PREFIX)) continue
    if (!name.includes('__')) {
      refuseShort(name)
      continue
    }
    const field = SETTABLE_FIELDS.find(({ environmentName }) => environmentName === name)
    if (field === undefined) {
      // What all have in common would make any two look alike.
      const known = SETTABLE_FIELDS.map(({ environmentName }) => environmentName.slice(PREFIX.length))
      const near = nearestName(name.slice(PREFIX.length), known)
      throw new ConfigError('E_CONFIG_UNKNOWN_KEY', `environment: unknown setting ${name}`, {
        fix:
          near === undefined
            ? 'unset it, or see docs/reference/config.md for the names'
            : `did you mean ${PREFIX}${near} ?`,
      })
    }
    found.set(field, value)
  }
  return found
}

function flagValues(flags: Flags): Map<Field, string | readonly string[] | boolean> {
  const found = new Map<Field, string | readonly string[] | boolean>()
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const field = SETTABLE_FIELDS.find((candidate) => candidate.name === name)
    if (field === undefined) {
      const known = SETTABLE_FIELDS.map((candidate) => candidate.name)
      throw unknownName('E_CONFIG_UNKNOWN_KEY', `unknown flag --${name}`, name, known)
    }
    found.set(field, value)
  }
  return found
}

function sectionNames(): string[] {
  return [
    ...new Set(
      CONFIG_FIELDS.flatMap(({ keys }) => keys.slice(0, -1).map((_, i) => keys.slice(0, i + 1).join('.'))),
    ),
  ]
}

/** Where the settings of a section were given that are not in the file; undefined when all are. */
function placeBelow(section: string, places: ReadonlyMap<string, string>): string | undefined {
  const given = [...places].filter(([name]) => name.startsWith(`${section}.`)).map(([, place]) => place)
  return given.length === 0 ? undefined : given.join(', ')
}

/** The first complaint of the schema, in the operator's words and with the place where the value stands. */
function toConfigError(
  issue: z.core.$ZodIssue,
  places: ReadonlyMap<string, string>,
  file: string,
): ConfigError {
  const path = issue.path.filter((part) => typeof part === 'string').join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const name = path === '' ? key : `${path}.${key}`
    const known = [...CONFIG_FIELDS.map((field) => field.name), ...sectionNames()]
    return unknownName('E_CONFIG_UNKNOWN_KEY', `${file}: unknown setting ${name}`, name, known)
  }
  const field = CONFIG_FIELDS.find(({ name }) => name === path)
  const own = places.get(path)
  // A flag names its setting itself.
  const where = own ?? `${placeBelow(path, places) ?? file}: ${path}`
  return new ConfigError('E_CONFIG_VALUE', `${where}: ${issueText(issue)}`, {
    fix: field === undefined ? `see [${path}] in docs/reference/config.md` : defaultFix(field),
  })
}

/**
 * Resolves a configuration from its sources; reads nothing itself.
 * @throws ConfigError (exit 78) `E_CONFIG_UNKNOWN_KEY`, `E_CONFIG_VALUE`, `E_CONFIG_SYNTAX`
 */
export function resolveConfig(sources: ConfigSources): LoadedConfig {
  const file = sources.file?.path ?? 'config.toml'
  const merged: Table = sources.file === undefined ? {} : parseFile(sources.file)
  const origins = new Map<string, Origin>()
  const places = new Map<string, string>()
  for (const { name, keys } of CONFIG_FIELDS) {
    origins.set(name, lookUp(merged, keys) === undefined ? 'default' : 'file')
  }
  for (const [field, text] of environmentValues(sources.environment ?? {})) {
    put(merged, field.keys, fromText(field, text, field.environmentName), file)
    origins.set(field.name, 'environment')
    places.set(field.name, field.environmentName)
  }
  for (const [field, given] of flagValues(sources.flags ?? {})) {
    put(merged, field.keys, fromText(field, given, `--${field.name}`), file)
    origins.set(field.name, 'flag')
    places.set(field.name, `--${field.name}`)
  }
  const parsed = configSchema.safeParse(merged)
  const issue = parsed.error?.issues[0]
  if (issue !== undefined) throw toConfigError(issue, places, file)
  return { config: parsed.data as Config, origins }
}

/**
 * The configuration of a data directory.
 * @param configFile path of config.toml; it need not exist
 * @throws ConfigError (exit 78); `E_CONFIG_FILE` when the file is there and cannot be read
 */
export function loadConfig(configFile: string, flags: Flags): LoadedConfig {
  let text: string | undefined
  try {
    text = readFileSync(configFile, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new ConfigError('E_CONFIG_FILE', `${configFile} cannot be read`, {
        cause: error,
        why: (error as Error).message,
        fix: 'make it a file that this user can read, or move it away to start with the defaults',
      })
    }
  }
  return resolveConfig({
    flags,
    environment: process.env,
    ...(text === undefined ? {} : { file: { path: configFile, text } }),
  })
}

/**
 * Every setting as an option of a command: `--p2p.max-peers 64` is `max-peers = 64` under `[p2p]`. Which settings
 * there are is the configuration schema's business.
 */

import { type Command, Option } from 'commander'
import { SETTABLE_FIELDS } from '../config/fields.ts'
import type { Flags } from '../config/load.ts'

const PLACEHOLDERS = { text: '<value>', number: '<n>', boolean: '<true|false>', list: '<value...>' } as const

/** Adds the options; `flagsOf` reads them back. */
export function addConfigOptions(command: Command): Command {
  for (const { name, kind, description } of SETTABLE_FIELDS) {
    const option = new Option(`--${name} ${PLACEHOLDERS[kind]}`, description)
    command.addOption(option.helpGroup('Settings (flag, then environment, then config.toml, then default):'))
  }
  return command
}

/** The settings given on the command line, by setting name. */
export function flagsOf(command: Command): Flags {
  const values: Record<string, unknown> = command.opts()
  return Object.fromEntries(
    SETTABLE_FIELDS.flatMap(({ name }) => {
      const option = command.options.find(({ long }) => long === `--${name}`)
      const value = option === undefined ? undefined : values[option.attributeName()]
      return value === undefined ? [] : [[name, value as string | string[]]]
    }),
  )
}

/** Which settings of the configuration nothing ever reads: by their names in the sources, with no syntax tree. */

import { codeOnly, type SourceFile } from './source-file.ts'

/** Where settings are declared, checked and told of; a mention there uses none. */
const DECLARED_IN = 'src/config/'

/** Tables that a file takes by a type of its own, as its layer may not know that there is a configuration. */
const TAKEN_BY: Readonly<Record<string, string>> = { log: 'src/observability/logger.ts' }

/** A configuration as the code has it: tables of settings, by their names in camel case. */
export type SettingTables = Readonly<Record<string, unknown>>

/**
 * A setting is read where its name stands in the code of a file that names its table too: as `config.ca`, by the
 * table's type where it is given the table alone, or taking it out of a `Config`.
 * @returns `table.setting` of each that is read nowhere
 */
export function unreadSettings(files: readonly SourceFile[], tables: SettingTables): string[] {
  const sources = files
    .filter(({ path }) => path.startsWith('src/') && !path.startsWith(DECLARED_IN))
    .map(({ path, text }) => ({ path, text, code: codeOnly(text) }))
  return Object.entries(tables).flatMap(([table, settings]) => {
    if (typeof settings !== 'object' || settings === null) return []
    const type = `${table.charAt(0).toUpperCase()}${table.slice(1)}Config`
    const naming = new RegExp(
      `\\bconfig\\.${table}\\b|\\b${type}\\b|\\bConfig\\['${table}'\\]|\\b${table}: \\{[^}]*\\} \\}: Config\\b`,
    )
    const readers = sources.filter(({ path, text }) => naming.test(text) || path === TAKEN_BY[table])
    return Object.keys(settings)
      .filter((name) => !readers.some(({ code }) => new RegExp(`\\b${name}\\b`).test(code)))
      .map((name) => `${table}.${name}`)
  })
}

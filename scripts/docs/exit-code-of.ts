/** Which exit code an expression in the sources stands for. What cannot be told is an error: a page must not guess. */

import { EXIT } from '../../src/cli/exit-codes.ts'
import { STORAGE_EXIT } from '../../src/storage/storage-error.ts'

const TABLES: Readonly<Record<string, Readonly<Record<string, number>>>> = { EXIT, STORAGE_EXIT }

/** The sides of a condition, or the whole expression. A side is what no question mark follows. */
function sidesOf(expression: string): string[] {
  const bare = expression.replace(/'[^']*'/g, '').split(/(\?(?![.?])|:)/)
  return bare.filter((_, i) => i % 2 === 0 && bare[i + 1] !== '?').map((side) => side.trim())
}

function numberOf(name: string, source: string): number {
  const [table = '', entry = ''] = name.split('.')
  const found =
    TABLES[table]?.[entry] ??
    (/^\d+$/.test(name) ? name : new RegExp(`\\bconst ${name} = (\\d+)\\b`).exec(source)?.[1])
  if (found !== undefined) return Number(found)
  throw new Error(
    `exitCode: ${name} stands for no number that can be found: write a number, EXIT.…, STORAGE_EXIT.…, or a constant of the same file`,
  )
}

/**
 * The exit codes that an expression can have, as a text: `65`, or `69 / 1` when a condition decides.
 * @param expression a number, `EXIT.data`, `STORAGE_EXIT.key`, a constant, or a condition between such
 * @param source the file in which it stands, where a constant is looked up
 * @throws Error when the number cannot be found
 */
export function exitCodeOf(expression: string, source: string): string {
  return sidesOf(expression)
    .map((side) => numberOf(side, source))
    .join(' / ')
}

/** Reads the project's own files for the style checks, and blanks out what is not code. Parses no syntax tree. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** One file as the checks see it; a self-test plants its own. */
export interface SourceFile {
  /** Path from the project's root, with `/`. */
  readonly path: string
  readonly text: string
}

/** Every file under `folders` of `root` whose name ends in one of `extensions`. */
export function readSources(
  root: string,
  folders: readonly string[],
  extensions: readonly string[],
): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return { path: relative(root, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }
      }),
  )
}

/** Strings, templates, comments and regular expressions, in the order in which a scanner meets them. */
const NOT_CODE =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:[=(,:!&|?{};>[\n]|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')

/** The file with strings and comments blanked and every line where it was. Code in `${…}` is kept. */
export function codeOnly(text: string): string {
  return text.replace(NOT_CODE, (match) => {
    if (!match.startsWith('`')) return blank(match)
    return match.replace(/\$\{([^}]*)\}|[\s\S]/g, (part, inner?: string) =>
      inner === undefined ? blank(part) : `  ${inner} `,
    )
  })
}

/** The comments of a file, one entry per line of comment, without the comment marks. */
export function commentLines(text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  for (const match of text.matchAll(NOT_CODE)) {
    if (!match[0].startsWith('/*') && !match[0].startsWith('//')) continue
    const first = lineAt(text, match.index)
    for (const [offset, line] of match[0].split('\n').entries()) {
      found.push({
        line: first + offset,
        text: line.replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/)\s?|\*\/\s*$/g, '').trim(),
      })
    }
  }
  return found
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

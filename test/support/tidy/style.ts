/** The style that a regular expression can see: purity, leftovers, names, lengths, headers. One rule, one row. */

import { PURE_FOLDERS } from './imports.ts'
import { codeOnly, commentLines, lineAt, type SourceFile } from './source-file.ts'

/** A rule names the files it holds for and returns the offending places as `line: what`. */
interface Rule {
  readonly appliesTo: (path: string) => boolean
  readonly find: (file: SourceFile) => string[]
}

const inSrc = (path: string): boolean => path.startsWith('src/')
const inTest = (path: string): boolean => path.startsWith('test/')
const isPure = (path: string): boolean => PURE_FOLDERS.some((folder) => path.startsWith(`src/${folder}/`))

/** Places in code (not in strings or comments) that match. */
function inCode(pattern: RegExp, what: string): (file: SourceFile) => string[] {
  return ({ text }) => {
    const code = codeOnly(text)
    return [...code.matchAll(pattern)].map(
      (match) => `${lineAt(code, match.index)}: ${what} (${match[0].trim()})`,
    )
  }
}

/** Spelled apart, or this file would be the first to be found. */
const LEFTOVER_WORDS = new RegExp(
  `\\b(?:${['TO', 'FIX', 'XX', 'HA'].map((start, i) => start + ['DO', 'ME', 'X', 'CK'][i]).join('|')})\\b`,
)

/** What a comment looks like when it is code that somebody switched off. Prose does not end in `{` or `;`. */
const COMMENTED_OUT = [
  /^(?:export |declare )*(?:const|let|var) [\w{[][^=]*=\s*\S/,
  /^(?:export )?(?:async )?function\b.*[{(]/,
  /^import .* from ['"]/,
  /^(?:if|for|while|switch) ?\(.*\)\s*(?:\{|return|throw|break|continue)/,
  /^(?:return|throw|await)\b.*[;({]$/,
  /^[\w.#[\]]+\(.*\);?$/,
  /^[\w.#[\]]+ (?:=|\+=|-=) .*[;({[]$/,
  /^[\w.#[\]]+ = .*;$/,
  /^[})\]]+[;,)]*$/,
]

const RULES: Readonly<Record<string, Rule>> = {
  purity: {
    appliesTo: isPure,
    find: inCode(
      /\bDate\b|\bMath\.random\b|\basync\b|\bawait\b|\bPromise\b|\bsetTimeout\b|\bconsole\b|\bBuffer\b|\bprocess\.|\bperformance\b|\bglobalThis\b/g,
      'not in a pure folder',
    ),
  },
  environment: {
    appliesTo: (path) => inSrc(path) && !path.startsWith('src/config/'),
    find: inCode(/\bprocess\.env\b/g, 'only config/ reads the environment'),
  },
  'recursive mkdir': {
    appliesTo: (path) => inSrc(path),
    find: inCode(/\bmkdir(?:Sync)?\([^()]*\brecursive: true/g, 'folders are made by makeFolders'),
  },
  'default export': {
    appliesTo: (path) => path !== 'vitest.config.ts',
    find: inCode(/\bexport default\b|\bexport \{[^}]*\bas default\b/g, 'exports are named'),
  },
  'switched-off test': {
    appliesTo: inTest,
    find: inCode(/\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|only|todo|fails)\b(?!If)/g, 'tests run'),
  },
  leftover: {
    appliesTo: () => true,
    find: ({ text }) =>
      text
        .split('\n')
        .flatMap((line, i) => (LEFTOVER_WORDS.test(line) ? [`${i + 1}: a leftover (${line.trim()})`] : [])),
  },
  'commented-out code': {
    appliesTo: (path) => path.endsWith('.ts') || path.endsWith('.mjs'),
    find: ({ text }) =>
      commentLines(text).flatMap((comment) =>
        COMMENTED_OUT.some((pattern) => pattern.test(comment.text))
          ? [`${comment.line}: looks like code (${comment.text})`]
          : [],
      ),
  },
  'file name': {
    appliesTo: () => true,
    find: ({ path }) =>
      path
        .split('/')
        .every((part) => /^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/.test(part) || part === 'README.md')
        ? []
        : ['1: names are kebab-case'],
  },
  'file length': {
    appliesTo: (path) => inSrc(path) && path.endsWith('.ts'),
    find: ({ text }) => {
      const lines = text.trimEnd().split('\n').length
      return lines <= 350 ? [] : [`${lines}: longer than 350 lines: which two things does it know?`]
    },
  },
  header: {
    appliesTo: (path) => inSrc(path) && path.endsWith('.ts'),
    find: ({ text }) =>
      /^(?:#![^\n]*\n)?\s*(?:\/\*\*?|\/\/)\s*\S/.test(text)
        ? []
        : ['1: no header saying what the file is for'],
  },
}

/** Names of the rules, for the self-test to prove that each can fail. */
export const STYLE_RULES: readonly string[] = Object.keys(RULES)

/** One line per offence: `path:line: what [rule]`. */
export function styleViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    Object.entries(RULES).flatMap(([name, rule]) =>
      rule.appliesTo(file.path) ? rule.find(file).map((found) => `${file.path}:${found} [${name}]`) : [],
    ),
  )
}

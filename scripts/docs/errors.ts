/**
 * docs/reference/errors.md: every error code with the texts that come with it, found in the sources. What is
 * printed is what is listed; only codes that are put together at run time are described here.
 */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { exitCodeOf } from './exit-code-of.ts'
import { code, document, prose, table } from './markdown.ts'
import { REFUSALS } from './refusals.ts'
import { entriesOf, listAt, textOf } from './source-text.ts'

/** One way in which a code is said. Texts are empty where there is none, or only the running program knows it. */
export interface ErrorPlace {
  readonly code: string
  readonly what: string
  readonly why: string
  readonly fix: string
  /** Of the process, or `HTTP 404` for the body of an answer. */
  readonly result: string
}

/** Codes that stand in neither form below. */
const DESCRIBED: readonly ErrorPlace[] = [
  {
    code: 'E_NODE_TOO_OLD',
    what: 'this is Node …',
    why: '',
    fix: 'run "npm ci --ignore-scripts" in the package\'s folder (it brings Node 24), or start this with Node 24.7 or newer',
    result: `exit ${EXIT.configuration}`,
  },
  {
    code: 'E_BUG',
    what: '…, with a stack',
    why: 'this is a bug in hypermesh, not something you did',
    fix: '',
    result: `exit ${EXIT.failure}`,
  },
  {
    code: 'E_NOT_FOUND',
    what: 'what the node answered',
    why: 'which route answered 404',
    fix: "the node's own advice, else: check that --api is the public API of a hypermesh node of this version",
    result: `exit ${EXIT.failure}`,
  },
  {
    code: 'E_API',
    what: 'what the node answered',
    why: 'which route answered with which status',
    fix: "the node's own advice, else by the status: wait and try again, or look into the log of the node",
    result: `exit ${EXIT.failure}`,
  },
  {
    code: 'E_BAD_REQUEST',
    what: 'what HTTP has against the request',
    why: '',
    fix: 'correct the request',
    result: 'HTTP 4xx',
  },
  {
    code: 'E_INTERNAL',
    what: 'the node could not answer; its log has the reason',
    why: '',
    fix: 'try again; if it stays, look for this request id in the log',
    result: 'HTTP 500',
  },
]

const LITERAL_CODE = /^'(E_[A-Z0-9_]+)'$/

function sourcesOf(root: string): readonly string[] {
  const files = globSync('src/**/*.ts', { cwd: root }).sort()
  return files.map((file) => readFileSync(join(root, file), 'utf8'))
}

/** Rows of a table of exit codes by code of error, as a class has it that looks its own up: `exitCode: TABLE[code]`. */
function exitCodesOfTable(body: string, source: string): [string, string][] {
  const table = /exitCode: (\w+)\[code\]/.exec(body)?.[1]
  const rows = new RegExp(`const ${table}\\b[^=]*= \\{([\\s\\S]*?)\\n\\}`).exec(source)?.[1] ?? ''
  return [...rows.matchAll(/(E_[A-Z0-9_]+): ([\w.]+),/g)].map(([, code = '', number = '']) => [
    code,
    exitCodeOf(number, source),
  ])
}

/**
 * Exit code by class of error: the one that its constructor sets, else NodeError's own. Where the constructor has a table
 * of them, by `Class/E_CODE`.
 */
function exitCodesByClass(sources: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const source of sources) {
    for (const { index, 1: name = '' } of source.matchAll(/class (\w+) extends NodeError/g)) {
      const body = source.slice(index, source.indexOf('\n}', index))
      const own = /super\([\s\S]*?exitCode: ([\w.]+)(?!\w*\[)/.exec(body)?.[1]
      for (const [code, number] of exitCodesOfTable(body, source)) found.set(`${name}/${code}`, number)
      found.set(name, own === undefined ? String(EXIT.failure) : exitCodeOf(own, source))
    }
  }
  return found
}

/** `new XError('E_…', what, { why, fix, exitCode })`; `super('E_…', …)`; a function that ends in the first form. */
function thrownIn(source: string, exitCodes: ReadonlyMap<string, string>): ErrorPlace[] {
  return [...source.matchAll(/(?:new (\w+Error)|\b(super|unknownName))\(\s*'E_/g)].map((match) => {
    const at = match.index
    const [first = '', what = '', given] = listAt(source, source.indexOf('(', at))
    const [, wrapped = ''] = /new \w+Error\(code, what, (\{[\s\S]*?\n {2}\})\)/.exec(source) ?? []
    const options = match[2] === 'unknownName' ? wrapped : (given ?? '')
    const advice = options.startsWith('{') ? entriesOf(options) : new Map<string, string>()
    const text = (name: string): string => textOf(advice.get(name) ?? '', source, at)
    const className =
      match[1] ?? /(?:class (\w+) extends|new (\w+Error)\(code,)/.exec(source)?.slice(1).find(Boolean)
    const own = advice.get('exitCode')
    const literal = LITERAL_CODE.exec(first)?.[1] ?? ''
    const ofCode = exitCodes.get(`${className}/${literal}`) ?? exitCodes.get(className ?? '')
    const exitCode = own === undefined ? ofCode : exitCodeOf(own, source)
    if (exitCode === undefined)
      throw new Error(`which exit code comes with ${first}? ${className} is no NodeError`)
    return {
      code: literal,
      what: textOf(what, source, at),
      why: text('why'),
      fix: text('fix'),
      result: `exit ${exitCode}`,
    }
  })
}

/** `sendProblem(…, { title, status, detail, code: 'E_…', fix })`, or a function that returns such a problem. */
function answeredIn(source: string): ErrorPlace[] {
  return [...source.matchAll(/(?:sendProblem\(request, reply, |return )(?=\{\s+title: )/g)].flatMap(
    ({ index, 0: call }) => {
      const problem = entriesOf(source.slice(index + call.length))
      const text = (name: string): string => textOf(problem.get(name) ?? '', source, index)
      const code = LITERAL_CODE.exec(problem.get('code') ?? '')?.[1]
      const status = problem.get('status') ?? ''
      if (code === undefined) return []
      return [
        {
          code,
          what: text('detail'),
          why: '',
          fix: text('fix'),
          result: `HTTP ${/^\d+$/.test(status) ? status : '4xx or 503'}`,
        },
      ]
    },
  )
}

/** Every code that stands anywhere in the sources. */
export function codesInSources(root: string): string[] {
  const withoutComments = sourcesOf(root).map((source) =>
    source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''),
  )
  const all = withoutComments.flatMap((source) => [...source.matchAll(/['`](E_[A-Z][A-Z0-9_]*)(?=['`:])/g)])
  return [...new Set(all.map(([, code = '']) => code))].sort()
}

/** By code, in the order of the alphabet; each with the ways in which it is said. */
export function errorPlaces(root: string): Map<string, ErrorPlace[]> {
  const sources = sourcesOf(root)
  const exitCodes = exitCodesByClass(sources)
  const places = [
    ...sources.flatMap((source) => [...thrownIn(source, exitCodes), ...answeredIn(source)]),
    ...DESCRIBED,
  ]
  const codes = [...new Set(places.map(({ code }) => code))].sort()
  return new Map(
    codes.map((code) => {
      const unlike = new Map(
        places.filter((place) => place.code === code).map((place) => [JSON.stringify(place), place]),
      )
      return [code, [...unlike.values()]]
    }),
  )
}

function item({ what, why, fix, result }: ErrorPlace): string {
  const lines = [`- ${what === '' ? '…' : what} (${result})`]
  if (why !== '') lines.push(`  - why: ${why}`)
  if (fix !== '') lines.push(`  - fix: ${fix}`)
  return prose(lines.join('\n')).replaceAll('*', '\\*')
}

export function errorsDocument(root: string): string {
  return document([
    '# Errors',
    'A command that fails prints a code with what happened, then why, then what to do, and ends with an exit code\n' +
      '([all of them](cli.md#exit-codes)). A node that stops writes the same to its log. The public API and the metrics\n' +
      'listener answer in the form of RFC 9457, with the code in `code`. `‹name›` and `…` stand for what is filled in; a\n' +
      'slash between spaces stands between two texts of which one is said. The codes of the CA endpoint are others:\n' +
      '[HTTP](http.md#when-there-is-no-verdict).',
    ...[...errorPlaces(root)].flatMap(([code, places]) => [`## ${code}`, places.map(item).join('\n')]),
    '## Refused transactions',
    'Codes behind `E_TRANSACTION_REFUSED`, from the public API and from `hypermesh stake`. The rules are in\n' +
      '[src/ledger](../../src/ledger/README.md#accounts-and-staking).',
    table(
      ['code', 'when', 'what to do'],
      Object.entries(REFUSALS).map(([name, [when, fix]]) => [code(name), when, fix]),
    ),
  ])
}
